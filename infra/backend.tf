# The bucket is given at `terraform init -backend-config=environments/<environment>.backend.hcl`; infra/bootstrap makes it.
# Versioned, private, one state per environment. No secret is ever in it: secrets.tf makes containers, not values.
terraform {
  backend "gcs" {}
}
