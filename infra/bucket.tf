locals {
  # What a page sends with signed URLs and resumable uploads, and what it reads from the answers: a browser needs each
  # of these headers named, or the upload fails as a CORS error. The local cloud reads the same file.
  cors = jsondecode(file("${path.module}/cors.json"))

  bucket_roles = merge([
    for name, function in local.functions : { for role in function.bucket_roles : "${name} ${role}" => { function = name, role = role } }
  ]...)
}

# Everything uploaded and everything recognised. Private: clients come with signed URLs only.
resource "google_storage_bucket" "data" {
  #checkov:skip=CKV_GCP_62: usage logs would repeat what the audit collection and the logs of the load balancer say
  name     = "${var.project_id}-data"
  location = upper(var.region)

  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = !var.protect

  versioning {
    enabled = true
  }

  soft_delete_policy {
    retention_duration_seconds = var.retention.deleted_objects * 24 * 60 * 60
  }

  dynamic "cors" {
    for_each = length(var.cors_origins) > 0 ? [1] : []

    content {
      origin          = var.cors_origins
      method          = local.cors.method
      response_header = local.cors.responseHeader
      max_age_seconds = local.cors.maxAgeSeconds
    }
  }

  # A replaced or deleted version, kept as long as a deleted object.
  lifecycle_rule {
    condition {
      days_since_noncurrent_time = var.retention.deleted_objects
      with_state                 = "ARCHIVED"
    }
    action {
      type = "Delete"
    }
  }

  # Output of batch recognition: taken into results/ when the operation ends, kept a while to look into failures.
  lifecycle_rule {
    condition {
      age            = var.retention.batch_output
      matches_prefix = ["batch/"]
      with_state     = "LIVE"
    }
    action {
      type = "Delete"
    }
  }

  # Exports are made again when they are wanted again.
  lifecycle_rule {
    condition {
      age            = var.retention.exports
      matches_prefix = ["exports/"]
      with_state     = "LIVE"
    }
    action {
      type = "Delete"
    }
  }

  lifecycle_rule {
    condition {
      age = 7
    }
    action {
      type = "AbortIncompleteMultipartUpload"
    }
  }

  dynamic "encryption" {
    for_each = var.kms_key[*]

    content {
      default_kms_key_name = encryption.value
    }
  }

  depends_on = [google_project_service.this]
}

resource "google_storage_bucket_iam_member" "function" {
  for_each = local.bucket_roles

  bucket = google_storage_bucket.data.name
  role   = each.value.role
  member = google_service_account.function[each.value.function].member
}

# Zips that functions are built from. A version stays for the rollback of whoever deploys next.
resource "google_storage_bucket" "source" {
  #checkov:skip=CKV_GCP_62: only the deployment writes here and only the build reads
  name     = "${var.project_id}-source"
  location = upper(var.region)

  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  versioning {
    enabled = true
  }

  lifecycle_rule {
    condition {
      days_since_noncurrent_time = 90
      with_state                 = "ARCHIVED"
    }
    action {
      type = "Delete"
    }
  }

  depends_on = [google_project_service.this]
}

data "google_storage_project_service_account" "this" {
  depends_on = [google_project_service.this]
}

# An object wakes exactly one function: by its prefix it is told to one topic, which has one subscription.
resource "google_storage_notification" "this" {
  for_each = { for name, event in local.events : name => event if event.object_prefix != null }

  bucket             = google_storage_bucket.data.name
  topic              = google_pubsub_topic.this[each.value.topic].id
  payload_format     = "JSON_API_V1"
  event_types        = ["OBJECT_FINALIZE"]
  object_name_prefix = each.value.object_prefix

  lifecycle {
    precondition {
      condition = alltrue([
        for name, other in local.events :
        name == each.key || other.object_prefix == null || !startswith(coalesce(other.object_prefix, " "), each.value.object_prefix)
      ])
      error_message = "The object prefix of ${each.key} covers that of another function: one object would wake both."
    }
  }

  depends_on = [google_pubsub_topic_iam_member.bucket_publishes]
}
