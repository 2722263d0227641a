resource "google_cloud_scheduler_job" "this" {
  for_each = local.schedules

  name        = each.key
  region      = var.region
  description = local.functions[each.key].description
  schedule    = each.value.cron
  time_zone   = each.value.time_zone

  # Cloud Scheduler waits 15 s to 30 min for an answer.
  attempt_deadline = "${min(1800, max(15, local.functions[each.key].timeout_seconds))}s"

  retry_config {
    retry_count          = 3
    min_backoff_duration = "10s"
    max_backoff_duration = "300s"
  }

  http_target {
    http_method = "POST"
    uri         = local.function_urls[each.key]

    oidc_token {
      service_account_email = google_service_account.caller["schedules"].email
      audience              = local.function_urls[each.key]
    }
  }

  depends_on = [google_cloud_run_v2_service_iam_member.private]
}
