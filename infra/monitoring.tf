# Log-based metrics: counted from the one-line JSON that shared/logs.py writes, by the `message` of the line.
# tests/infra/test_monitoring.py fails when a line or a field that is counted here is written nowhere.

locals {
  functions_log = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=(${join(" OR ", [for name in keys(local.functions) : "\"${name}\""])})"

  sign_in_paths = "^/api/auth/(login|google|passkeys/login/verify)/?$"

  # Metric → the line that it counts, and label → the field that it is taken from. Cloud Logging moves `httpRequest` of a
  # line to the log entry itself.
  counted = {
    requests = {
      message = "request"
      labels  = { function = "jsonPayload.function", method = "httpRequest.requestMethod", status = "httpRequest.status" }
    }
    sign_ins = {
      message = "request"
      only    = "httpRequest.requestUrl=~\"${local.sign_in_paths}\""
      labels  = { status = "httpRequest.status" }
    }
    caller_lookups = {
      message = "request"
      only    = "jsonPayload.caller_cache:*"
      labels  = { outcome = "jsonPayload.caller_cache" }
    }
    project_lookups = {
      message = "request"
      only    = "jsonPayload.project_cache:*"
      labels  = { outcome = "jsonPayload.project_cache" }
    }
    uploaded         = { message = "asset_uploaded", labels = { kind = "jsonPayload.kind" } }
    processed        = { message = "asset_processed", labels = { kind = "jsonPayload.kind" } }
    failed           = { message = "asset_failed", labels = { code = "jsonPayload.code" } }
    dead_letters     = { message = "dead_letter", labels = {} }
    stalled_sessions = { message = "session_stalled", labels = {} }
    letters_lost     = { message = "letter_undeliverable", labels = { kind = "jsonPayload.kind" } }
  }
}

resource "google_logging_metric" "counted" {
  for_each = local.counted

  name             = "alta/${each.key}"
  description      = "Lines `${each.value.message}`"
  filter           = join(" AND ", compact([local.functions_log, "jsonPayload.message=\"${each.value.message}\"", try(each.value.only, "")]))
  label_extractors = { for label, field in each.value.labels : label => "EXTRACT(${field})" }

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
    unit        = "1"

    dynamic "labels" {
      for_each = each.value.labels

      content {
        key = labels.key
      }
    }
  }

  depends_on = [google_project_service.this]
}

resource "google_logging_metric" "latency" {
  name            = "alta/request_latency"
  description     = "Seconds that a request took inside its function"
  filter          = "${local.functions_log} AND jsonPayload.message=\"request\""
  value_extractor = "REGEXP_EXTRACT(httpRequest.latency, \"([.0-9]+)s\")"
  label_extractors = {
    function = "EXTRACT(jsonPayload.function)"
  }

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "DISTRIBUTION"
    unit        = "s"

    labels {
      key = "function"
    }
  }

  # 1 ms to about 18 minutes, each bucket half as wide again as the one before.
  bucket_options {
    exponential_buckets {
      num_finite_buckets = 34
      growth_factor      = 1.5
      scale              = 0.001
    }
  }

  depends_on = [google_project_service.this]
}

resource "google_monitoring_uptime_check_config" "ready" {
  display_name = "Alta is ready"
  timeout      = "10s"
  period       = "60s"

  http_check {
    path         = "/health/ready?only=firestore&only=storage" # without the others people still work
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
