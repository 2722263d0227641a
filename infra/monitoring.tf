# Log-based metrics: counted from the one-line JSON that shared/logs.py writes, by the `message` of the line.
# tests/infra/test_monitoring.py fails when a line that is counted here is written nowhere.

locals {
  functions_log = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=(${join(" OR ", [for name in keys(local.functions) : "\"${name}\""])})"

  # Metric → the line it counts, and the fields that become its labels.
  counted = {
    requests         = { message = "request", labels = ["function", "method", "route", "status"] }
    sign_ins         = { message = "sign_in", labels = ["outcome"] }
    uploads          = { message = "upload", labels = ["kind", "outcome"] }
    processed        = { message = "processed", labels = ["kind", "outcome"] }
    cache_lookups    = { message = "cache", labels = ["cache", "outcome"] }
    dead_letters     = { message = "dead_letter", labels = ["kind"] }
    stalled_sessions = { message = "session_stalled", labels = [] }
  }

  # Metric → the line and the number it carries, as a distribution.
  measured = {
    request_latency    = { message = "request", field = "duration_ms", unit = "ms", labels = ["function", "route"] }
    processing_latency = { message = "processed", field = "duration_ms", unit = "ms", labels = ["kind"] }
  }
}

resource "google_logging_metric" "counted" {
  for_each = local.counted

  name             = "alta/${each.key}"
  description      = "Lines `${each.value.message}`"
  filter           = "${local.functions_log} AND jsonPayload.message=\"${each.value.message}\""
  label_extractors = { for label in each.value.labels : label => "EXTRACT(jsonPayload.${label})" }

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
    unit        = "1"

    dynamic "labels" {
      for_each = each.value.labels

      content {
        key = labels.value
      }
    }
  }

  depends_on = [google_project_service.this]
}

resource "google_logging_metric" "measured" {
  for_each = local.measured

  name             = "alta/${each.key}"
  description      = "`${each.value.field}` of lines `${each.value.message}`"
  filter           = "${local.functions_log} AND jsonPayload.message=\"${each.value.message}\""
  value_extractor  = "EXTRACT(jsonPayload.${each.value.field})"
  label_extractors = { for label in each.value.labels : label => "EXTRACT(jsonPayload.${label})" }

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "DISTRIBUTION"
    unit        = each.value.unit

    dynamic "labels" {
      for_each = each.value.labels

      content {
        key = labels.value
      }
    }
  }

  # 1 ms to about 18 minutes, each bucket half as wide again as the one before.
  bucket_options {
    exponential_buckets {
      num_finite_buckets = 34
      growth_factor      = 1.5
      scale              = 1
    }
  }

  depends_on = [google_project_service.this]
}

resource "google_monitoring_uptime_check_config" "ready" {
  display_name = "Alta is ready"
  timeout      = "10s"
  period       = "60s"

  http_check {
    path         = "/health/ready"
    port         = 443
    use_ssl      = true
    validate_ssl = true
  }

  monitored_resource {
    type = "uptime_url"
    labels = {
      project_id = var.project_id
      host       = var.domain
    }
  }

  depends_on = [google_project_service.this]
}
