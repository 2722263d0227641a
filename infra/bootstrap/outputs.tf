output "github_variables" {
  description = "Variables to set in the GitHub environment of the same name."
  value = {
    PROJECT_ID                 = var.project_id
    WORKLOAD_IDENTITY_PROVIDER = google_iam_workload_identity_pool_provider.github.name
    DEPLOYER                   = google_service_account.deployer.email
    PLANNER                    = google_service_account.planner.email
  }
}

output "state_bucket" {
  description = "Bucket to name in infra/environments/<environment>.backend.hcl."
  value       = google_storage_bucket.state.name
}
