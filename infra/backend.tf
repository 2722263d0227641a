# The bucket is given at `terraform init -backend-config=environments/<environment>.backend.hcl`; infra/bootstrap makes it.
# Versioned, private, one state per environment. No secret is in it: secrets.tf makes containers, not values, and the
# pipeline may not read the key of the password hashes (infra/bootstrap). That key is in it after an apply by an Owner,
# until the pipeline's next.
terraform {
  backend "gcs" {}
}
