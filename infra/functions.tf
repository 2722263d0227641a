# Every function from its zip. The zip's name carries the hash of its content: another content is another object, and so
# a new revision; the same content plans no change.

locals {
  packages = {
    for name in keys(local.functions) : name => fileset("${path.module}/${var.package_folder}", "${name}-????????????.zip")
  }

  # shared/settings.py, one line a setting; tests/infra/test_settings.py fails when one is missing.
  environment = {
    GOOGLE_CLOUD_PROJECT    = var.project_id
    REGION                  = var.region
    BUCKET                  = google_storage_bucket.data.name
    PUBLIC_URL              = "https://${var.domain}"
    FUNCTION_URL            = local.function_url
    INVOKER_SERVICE_ACCOUNT = google_service_account.caller["tasks"].email
    FIREBASE_API_KEY        = local.firebase_api_key
    DOCUMENTAI_PROCESSOR    = google_document_ai_processor.ocr.id
    SPEECH_LOCATION         = var.speech.location
    SPEECH_MODEL            = var.speech.model
    DEFAULT_LANGUAGES       = jsonencode(var.speech.languages)
    SMTP_HOST               = var.mail.host
    SMTP_PORT               = tostring(var.mail.port)
    SMTP_USER               = var.mail.user
    MAIL_FROM               = var.mail.from
    LOG_LEVEL               = var.log_level
    CORS_ORIGINS            = jsonencode(var.cors_origins)
    PRICES                  = jsonencode(var.prices)
    RETENTION_DAYS          = tostring(var.retention.deleted_records)
    ADDRESS_QUOTA_FACTOR    = tostring(var.rate_limits.address_quota_factor)

    # X-Forwarded-For ends with the client's address and the load balancer's own.
    # https://cloud.google.com/load-balancing/docs/https#x-forwarded-for_header
    TRUSTED_PROXIES = "2"
  }

  # How the functions-framework serves an asynchronous function: gunicorn with one uvicorn worker on the event loop.
  # One worker, since an instance has one core or two and a second worker would double memory and caches.
  serving = {
    FUNCTION_USE_ASGI = "true"
    WORKERS           = "1"
  }
}

resource "google_cloudfunctions2_function" "this" {
  for_each = local.functions

  name        = each.key
  location    = var.region
  description = each.value.description

  build_config {
    runtime           = "python311"
    entry_point       = "main"
    service_account   = google_service_account.builder.id
    docker_repository = google_artifact_registry_repository.functions.id

    # The build compiles the source. Bound to times, as is usual, bytecode counts nothing in an image, whose files have
    # other times, and every new instance compiles again; with this it is bound to content (Python's py_compile).
    environment_variables = { SOURCE_DATE_EPOCH = "315532800" }

    source {
      storage_source {
        bucket = google_storage_bucket.source.name
        object = google_storage_bucket_object.source[each.key].name
      }
    }

    # Security updates of the base image are applied without a deployment of ours.
    automatic_update_policy {}
  }

  service_config {
    service_account_email            = google_service_account.function[each.key].email
    available_memory                 = each.value.memory
    available_cpu                    = each.value.cpu
    timeout_seconds                  = each.value.timeout_seconds
    max_instance_request_concurrency = each.value.concurrency
    min_instance_count               = var.keep_warm ? each.value.min_instances : 0
    max_instance_count               = each.value.max_instances

    # Pub/Sub, Cloud Tasks and Cloud Scheduler of this project count as internal; the internet never does.
    ingress_settings = each.value.kind == "http" ? "ALLOW_INTERNAL_AND_GCLB" : "ALLOW_INTERNAL_ONLY"

    environment_variables = merge(local.environment, local.serving, {
      ALLOWED_HOSTS = jsonencode([
        each.value.kind == "http" ? var.domain : trimprefix(local.function_urls[each.key], "https://")
      ])
    })

    dynamic "secret_environment_variables" {
      for_each = each.value.secrets

      content {
        key        = secret_environment_variables.value
        project_id = var.project_id
        secret     = google_secret_manager_secret.this[secret_environment_variables.value].secret_id
        version    = "latest" # read when an instance starts; the runbook says how a rotation replaces the instances
      }
    }
  }

  lifecycle {
    precondition {
      condition     = each.value.concurrency == 1 || tonumber(each.value.cpu) >= 1
      error_message = "The function ${each.key} serves several requests at once, for which Cloud Run wants a whole CPU."
    }
  }

  depends_on = [
    google_secret_manager_secret_iam_member.function,
    time_sleep.builder_is_known,
  ]
}

resource "google_storage_bucket_object" "source" {
  for_each = local.functions

  bucket = google_storage_bucket.source.name
  name   = one(local.packages[each.key])
  source = "${path.module}/${var.package_folder}/${one(local.packages[each.key])}"

  lifecycle {
    precondition {
      condition     = length(local.packages[each.key]) == 1
      error_message = "There must be exactly one zip of the function ${each.key} in ${var.package_folder}. Run `make package` first."
    }
  }
}

resource "google_artifact_registry_repository" "functions" {
  #checkov:skip=CKV_GCP_84: holds code and public packages, no data of a tenant
  repository_id = "functions"
  location      = var.region
  format        = "DOCKER"
  description   = "Images that Cloud Build makes of the functions"

  cleanup_policies {
    id     = "keep-recent"
    action = "KEEP"
    most_recent_versions {
      keep_count = 5 # what a rollback may need
    }
  }

  cleanup_policies {
    id     = "delete-old"
    action = "DELETE"
    condition {
      older_than = "30d"
    }
  }

  depends_on = [google_project_service.this]
}
