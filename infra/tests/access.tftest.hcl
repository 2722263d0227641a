# Run with `terraform test` after `make package`; no Google Cloud project is touched.

mock_provider "google" {
  mock_data "google_project" {
    defaults = { number = "123456789012" }
  }
}

variables {
  project_id   = "alta-test"
  environment  = "dev"
  domain       = "alta.example.com"
  alert_emails = ["oncall@example.com"]
  mail         = { host = "smtp.example.com", user = "alta", from = "no-reply@example.com" }
}

run "what_is_private_stays_private" {
  command = plan

  assert {
    condition = alltrue([
      for name, function in google_cloudfunctions2_function.this :
      function.service_config[0].ingress_settings == (contains(keys(local.http), name) ? "ALLOW_INTERNAL_AND_GCLB" : "ALLOW_INTERNAL_ONLY")
    ])
    error_message = "HTTP functions are reached through the load balancer, all others from inside only."
  }

  assert {
    condition     = keys(google_cloud_run_v2_service_iam_member.public) == keys(local.http)
    error_message = "Only HTTP functions may be invoked without an identity."
  }

  assert {
    condition     = length(setintersection(keys(google_cloud_run_v2_service_iam_member.private), keys(local.http))) == 0
    error_message = "A private function must be invoked by the account of what wakes it."
  }

  assert {
    condition     = google_storage_bucket.data.public_access_prevention == "enforced" && google_storage_bucket.data.uniform_bucket_level_access
    error_message = "Nobody may make an object of the bucket public."
  }

  assert {
    condition     = keys(google_service_account.function) == keys(google_cloudfunctions2_function.this)
    error_message = "Every function needs an account of its own."
  }

  assert {
    condition     = alltrue([for name, binding in google_service_account_iam_member.signs_as_itself : local.functions[name].signs])
    error_message = "Only functions that say they sign may sign."
  }

  assert {
    condition     = google_firestore_database.this.point_in_time_recovery_enablement == "POINT_IN_TIME_RECOVERY_ENABLED"
    error_message = "Point-in-time recovery must be on."
  }

  assert {
    condition     = google_firestore_database.this.delete_protection_state == "DELETE_PROTECTION_ENABLED"
    error_message = "The database must refuse to be deleted."
  }
}

run "an_idle_environment_keeps_nothing_warm" {
  command = plan

  variables {
    keep_warm = false
  }

  assert {
    condition     = alltrue([for function in google_cloudfunctions2_function.this : function.service_config[0].min_instance_count == 0])
    error_message = "Without keep_warm no instance may be kept."
  }
}
