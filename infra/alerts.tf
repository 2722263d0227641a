# What wakes somebody, and what they do about it: every alert names its part of docs/runbook.md.

locals {
  # MQL and PromQL both know log-based metrics; PromQL is the one that Google keeps.
  # https://cloud.google.com/monitoring/promql/promql-mapping
  alerts = {
    errors = {
      title    = "More than 2 % of requests fail"
      severity = "CRITICAL"
      lasting  = "300s"
      query    = <<-EOT
        sum by (service_name) (rate(run_googleapis_com:request_count{monitored_resource="cloud_run_revision", response_code_class="5xx"}[5m]))
          / sum by (service_name) (rate(run_googleapis_com:request_count{monitored_resource="cloud_run_revision"}[5m])) > 0.02
      EOT
    }
    latency = {
      title    = "Requests are slow: 95 of 100 take more than 2 s"
      severity = "WARNING"
      lasting  = "600s"
      query    = <<-EOT
        histogram_quantile(0.95, sum by (le, function) (rate(logging_googleapis_com:user_alta_request_latency_bucket{monitored_resource="cloud_run_revision"}[5m]))) > 2
      EOT
    }
    dead_letters = {
      title    = "Events were given up on"
      severity = "ERROR"
      lasting  = "0s"
      query    = <<-EOT
        sum by (subscription_id) (increase(pubsub_googleapis_com:subscription_dead_letter_message_count{monitored_resource="pubsub_subscription"}[10m])) > 0
      EOT
    }
    event_age = {
      title    = "Events wait for more than 10 minutes"
      severity = "ERROR"
      lasting  = "300s"
      query    = <<-EOT
        max by (subscription_id) (pubsub_googleapis_com:subscription_oldest_unacked_message_age{monitored_resource="pubsub_subscription"}) > 600
      EOT
    }
    queue_age = {
      title    = "Tasks wait for more than 10 minutes"
      severity = "ERROR"
      lasting  = "300s"
      query    = <<-EOT
        histogram_quantile(0.95, sum by (le, queue_id) (rate(cloudtasks_googleapis_com:queue_task_attempt_delays_bucket{monitored_resource="cloud_tasks_queue"}[10m]))) > 600000
      EOT
    }
    stalled_sessions = {
      title    = "Upload sessions stalled"
      severity = "WARNING"
      lasting  = "0s"
      query    = <<-EOT
        sum(increase(logging_googleapis_com:user_alta_stalled_sessions{monitored_resource="cloud_run_revision"}[30m])) > 3
      EOT
    }
    sign_in_failures = {
      title    = "Most sign-ins fail: an outage, or somebody guesses passwords"
      severity = "WARNING"
      lasting  = "600s"
      query    = <<-EOT
        sum(rate(logging_googleapis_com:user_alta_sign_ins{monitored_resource="cloud_run_revision", status!~"2.."}[10m]))
          / sum(rate(logging_googleapis_com:user_alta_sign_ins{monitored_resource="cloud_run_revision"}[10m])) > 0.5
          and sum(increase(logging_googleapis_com:user_alta_sign_ins{monitored_resource="cloud_run_revision"}[10m])) > 20
      EOT
    }
    not_ready = {
      title    = "The platform does not answer from outside"
      severity = "CRITICAL"
      lasting  = "120s"
      query    = <<-EOT
        avg(avg_over_time(monitoring_googleapis_com:uptime_check_check_passed{monitored_resource="uptime_url", check_id="${google_monitoring_uptime_check_config.ready.uptime_check_id}"}[5m])) < 0.7
      EOT
    }
  }
}

resource "google_monitoring_notification_channel" "email" {
  for_each = var.alert_emails

  display_name = each.key
  type         = "email"
  labels       = { email_address = each.key }

  depends_on = [google_project_service.this]
}

resource "google_monitoring_alert_policy" "this" {
  for_each = local.alerts

  display_name          = each.value.title
  severity              = each.value.severity
  combiner              = "OR"
  notification_channels = [for channel in google_monitoring_notification_channel.email : channel.id]

  conditions {
    display_name = each.value.title

    condition_prometheus_query_language {
      query               = trimspace(each.value.query)
      duration            = each.value.lasting
      evaluation_interval = "60s"

      # A log-based metric can be asked for minutes after it was made; until then an alert on it would be refused.
      disable_metric_validation = true
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "See docs/runbook.md, section `${replace(each.key, "_", "-")}`."
  }

  alert_strategy {
    auto_close = "86400s"
  }

  depends_on = [google_logging_metric.counted, google_logging_metric.latency]
}

resource "google_billing_budget" "this" {
  for_each = { for budget in var.budget[*] : budget.billing_account => budget }

  billing_account = each.key
  display_name    = "Alta ${var.environment}"

  budget_filter {
    projects = ["projects/${data.google_project.this.number}"]
  }

  amount {
    specified_amount {
      units = tostring(each.value.monthly_amount)
    }
  }

  dynamic "threshold_rules" {
    for_each = [0.5, 0.9, 1.0]

    content {
      threshold_percent = threshold_rules.value
    }
  }

  threshold_rules {
    threshold_percent = 1.2
    spend_basis       = "FORECASTED_SPEND"
  }

  all_updates_rule {
    monitoring_notification_channels = [for channel in google_monitoring_notification_channel.email : channel.id]
  }

  depends_on = [google_project_service.this]
}
