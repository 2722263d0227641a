# Events: a topic and a push subscription for every event function. The subscriptions are our own rather than Eventarc's,
# whose triggers have no dead letter.

locals {
  pubsub_agent = "serviceAccount:service-${data.google_project.this.number}@gcp-sa-pubsub.iam.gserviceaccount.com"
  dead_letters = { for name, event in local.events : name => event if event.dead_letter }
}

resource "google_pubsub_topic" "this" {
  #checkov:skip=CKV_GCP_83: a message names an object and carries none of its content

  for_each = local.topics

  name = each.key

  # A week in which a subscription can be sought back to before a bad deployment.
  message_retention_duration = "604800s"

  message_storage_policy {
    allowed_persistence_regions = [var.region]
  }

  depends_on = [google_project_service.this]
}

resource "google_pubsub_topic_iam_member" "bucket_publishes" {
  for_each = { for name, event in local.events : name => event if event.object_prefix != null }

  topic  = google_pubsub_topic.this[each.value.topic].name
  role   = "roles/pubsub.publisher"
  member = data.google_storage_project_service_account.this.member
}

# Reprocessing and replay tell an event function of an object again.
resource "google_pubsub_topic_iam_member" "function_publishes" {
  for_each = local.publishes

  topic  = google_pubsub_topic.this[each.value.topic].name
  role   = "roles/pubsub.publisher"
  member = google_service_account.function[each.value.function].member
}

resource "google_pubsub_subscription" "this" {
  for_each = local.events

  name  = each.key
  topic = google_pubsub_topic.this[each.value.topic].id

  # A push that outlives the deadline is delivered again while the first still runs. 10 to 600 s are allowed.
  ack_deadline_seconds       = max(10, local.functions[each.key].timeout_seconds)
  message_retention_duration = "604800s"

  push_config {
    push_endpoint = local.function_urls[each.key]

    oidc_token {
      service_account_email = google_service_account.caller["events"].email
      audience              = local.function_urls[each.key]
    }
  }

  retry_policy {
    minimum_backoff = "${each.value.minimum_backoff_seconds}s"
    maximum_backoff = "${each.value.maximum_backoff_seconds}s"
  }

  dynamic "dead_letter_policy" {
    for_each = each.value.dead_letter ? [local.dead_letter_topic] : []

    content {
      dead_letter_topic     = google_pubsub_topic.this[dead_letter_policy.value].id
      max_delivery_attempts = each.value.max_delivery_attempts
    }
  }

  # Never expires: without this a month of quiet deletes the subscription, and the events after it are lost.
  expiration_policy {
    ttl = ""
  }

  lifecycle {
    precondition {
      condition     = contains(local.topics, local.dead_letter_topic)
      error_message = "No function listens to the topic ${local.dead_letter_topic}, so events that were given up on would be lost."
    }
  }

  depends_on = [
    google_cloud_run_v2_service_iam_member.private,
    google_service_account_iam_member.pubsub_mints_tokens,
  ]
}

# Dead-lettering is done by Pub/Sub's own agent: it publishes to the dead-letter topic and acknowledges the original.
resource "google_pubsub_topic_iam_member" "dead_letter" {
  topic  = google_pubsub_topic.this[local.dead_letter_topic].name
  role   = "roles/pubsub.publisher"
  member = local.pubsub_agent
}

resource "google_pubsub_subscription_iam_member" "dead_letter" {
  for_each = local.dead_letters

  subscription = google_pubsub_subscription.this[each.key].name
  role         = "roles/pubsub.subscriber"
  member       = local.pubsub_agent
}
