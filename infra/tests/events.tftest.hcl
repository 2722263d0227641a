# Run with `terraform test` after `make package`; no Google Cloud project is touched.

mock_provider "google" {
  mock_data "google_project" {
    defaults = { number = "123456789012" }
  }
  mock_data "google_storage_project_service_account" {
    defaults = { member = "serviceAccount:service-123456789012@gs-project-accounts.iam.gserviceaccount.com" }
  }
}

variables {
  project_id   = "alta-test"
  environment  = "dev"
  domain       = "alta.example.com"
  alert_emails = ["oncall@example.com"]
  mail         = { host = "smtp.example.com", user = "alta", from = "no-reply@example.com" }
}

run "an_event_reaches_one_function_or_the_dead_letters" {
  command = plan

  assert {
    condition = alltrue([
      for prefix, function in { "documents/" = "ocr", "files/" = "receive", "voice/" = "transcribe" } :
      google_storage_notification.this[function].object_name_prefix == prefix
    ])
    error_message = "Documents, files and recordings must each wake one function."
  }

  assert {
    condition     = alltrue([for notification in google_storage_notification.this : notification.event_types == toset(["OBJECT_FINALIZE"])])
    error_message = "Only finished objects are told; an archive or delete event would wake a function for nothing."
  }

  assert {
    condition = alltrue([
      for name, subscription in google_pubsub_subscription.this : length(subscription.dead_letter_policy) == (local.events[name].dead_letter ? 1 : 0)
    ])
    error_message = "Every subscription except that of the dead letters must have the dead-letter topic."
  }

  assert {
    condition     = alltrue([for subscription in google_pubsub_subscription.this : subscription.expiration_policy[0].ttl == ""])
    error_message = "A subscription that expires loses events."
  }

  assert {
    condition     = alltrue([for subscription in google_pubsub_subscription.this : length(subscription.push_config[0].oidc_token) == 1])
    error_message = "A push must carry an OIDC token, or the private function refuses it."
  }

  assert {
    condition = alltrue([
      for name, subscription in google_pubsub_subscription.this :
      subscription.ack_deadline_seconds >= google_cloudfunctions2_function.this[name].service_config[0].timeout_seconds
    ])
    error_message = "An event must not be delivered again while the function may still be at it."
  }

  assert {
    condition     = keys(google_pubsub_subscription_iam_member.dead_letter) == [for name, event in local.events : name if event.dead_letter]
    error_message = "Pub/Sub's agent must be allowed to acknowledge what it moves to the dead letters."
  }

  assert {
    condition     = alltrue([for binding in google_service_account_iam_member.acts_as_tasks : binding.role == "roles/iam.serviceAccountUser"])
    error_message = "Creating a task with a token needs actAs on the account of the token, and no more."
  }

  assert {
    condition     = !contains(keys(google_service_account_iam_member.acts_as_tasks), "health")
    error_message = "A function that enqueues nothing must not act as another account."
  }
}
