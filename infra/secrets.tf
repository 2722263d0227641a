# Containers only: a value is added outside of Terraform (docs/runbook.md), so that no secret is ever in the state.

locals {
  secrets = toset(flatten([for function in local.functions : tolist(function.secrets)]))

  secret_readers = merge([
    for name, function in local.functions : { for secret in function.secrets : "${name} ${secret}" => { function = name, secret = secret } }
  ]...)
}

resource "google_secret_manager_secret" "this" {
  for_each = local.secrets

  secret_id           = lower(replace(each.key, "_", "-"))
  deletion_protection = var.protect

  replication {
    user_managed {
      replicas {
        location = var.region
      }
    }
  }

  # A destroyed version can be brought back for a day: long enough to notice that something still used it.
  version_destroy_ttl = "86400s"

  depends_on = [google_project_service.this]
}

resource "google_secret_manager_secret_iam_member" "function" {
  for_each = local.secret_readers

  secret_id = google_secret_manager_secret.this[each.value.secret].id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.function[each.value.function].member
}
