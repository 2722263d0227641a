# Who runs as what. Every function has an account of its own with the roles that its function.yaml names and no other;
# three further accounts call private functions, one for each thing that wakes them; one builds.

locals {
  # Roles that give more than any function may have, whatever its function.yaml says.
  forbidden_roles = ["roles/owner", "roles/editor", "roles/viewer", "roles/storage.admin", "roles/datastore.owner"]

  project_roles = merge([
    for name, function in local.functions : { for role in function.roles : "${name} ${role}" => { function = name, role = role } }
  ]...)
  publishes = merge([
    for name, function in local.functions : { for topic in function.publishes : "${name} ${topic}" => { function = name, topic = topic } }
  ]...)
  enqueues = merge([
    for name, function in local.functions : { for queue in function.enqueues : "${name} ${queue}" => { function = name, queue = queue } }
  ]...)
}

resource "google_service_account" "function" {
  for_each = local.functions

  # Ids have 6 to 30 characters, so a short name such as `ocr` needs the prefix.
  account_id   = "fn-${each.key}"
  display_name = "Function ${each.key}"
  description  = each.value.description

  lifecycle {
    precondition {
      condition     = length("fn-${each.key}") >= 6 && length("fn-${each.key}") <= 30
      error_message = "The function ${each.key} needs a name of 3 to 27 characters: a service account is named after it."
    }
    precondition {
      condition     = length(setintersection(each.value.roles, local.forbidden_roles)) == 0
      error_message = "The function ${each.key} asks for a role over the whole project; name the narrow role that it needs."
    }
  }

  depends_on = [google_project_service.this]
}

resource "google_project_iam_member" "function" {
  for_each = local.project_roles

  project = var.project_id
  role    = each.value.role
  member  = google_service_account.function[each.value.function].member
}

# Signing by IAM signBlob needs the right to sign as itself, and as nobody else.
resource "google_service_account_iam_member" "signs_as_itself" {
  for_each = { for name, function in local.functions : name => function if function.signs }

  service_account_id = google_service_account.function[each.key].name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = google_service_account.function[each.key].member
}

# A task carries an OIDC token of `tasks`; whoever creates such a task must be allowed to act as it.
resource "google_service_account_iam_member" "acts_as_tasks" {
  for_each = { for name, function in local.functions : name => function if length(function.enqueues) > 0 }

  service_account_id = google_service_account.caller["tasks"].name
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.function[each.key].member
}

resource "google_service_account" "caller" {
  for_each = {
    events    = "Pub/Sub pushes events as this account"
    tasks     = "Cloud Tasks dispatches tasks as this account"
    schedules = "Cloud Scheduler wakes functions as this account"
  }

  account_id   = "call-${each.key}"
  display_name = each.value

  depends_on = [google_project_service.this]
}

# The Pub/Sub service agent mints the token that a push carries: as `events` only, and only OIDC tokens.
resource "google_service_account_iam_member" "pubsub_mints_tokens" {
  service_account_id = google_service_account.caller["events"].name
  role               = "roles/iam.serviceAccountOpenIdTokenCreator"
  member             = local.pubsub_agent

  depends_on = [google_pubsub_topic.this]
}

# A private function answers the account of what wakes it, and nothing else.
resource "google_cloud_run_v2_service_iam_member" "private" {
  for_each = { for name, function in local.functions : name => function.kind if function.kind != "http" }

  project  = var.project_id
  location = var.region
  name     = google_cloudfunctions2_function.this[each.key].name
  role     = "roles/run.invoker"
  member   = google_service_account.caller[each.value].member
}

# An HTTP function answers whoever comes through the load balancer. The balancer presents no identity, so IAM can't tell
# its requests from others; the function's ingress setting is what refuses every other way in, and the function itself
# verifies the caller's ID token.
resource "google_cloud_run_v2_service_iam_member" "public" {
  for_each = local.http

  project  = var.project_id
  location = var.region
  name     = google_cloudfunctions2_function.this[each.key].name
  role     = "roles/run.invoker"
  member   = "allUsers"
}

resource "google_service_account" "builder" {
  account_id   = "build-functions"
  display_name = "Builds functions from their zips"

  depends_on = [google_project_service.this]
}

resource "google_project_iam_member" "builder_logs" {
  project = var.project_id
  role    = "roles/logging.logWriter"
  member  = google_service_account.builder.member
}

# Cloud Functions copies a zip into a bucket of its own, which it makes with the first function, and builds from there.
# https://cloud.google.com/functions/docs/building
resource "google_project_iam_member" "builder_reads_source" {
  project = var.project_id
  role    = "roles/storage.objectViewer"
  member  = google_service_account.builder.member

  condition {
    title      = "Zips of functions only"
    expression = "resource.name.startsWith('projects/_/buckets/gcf-v2-sources-${data.google_project.this.number}-${var.region}')"
  }
}

resource "google_artifact_registry_repository_iam_member" "builder_writes_images" {
  location   = google_artifact_registry_repository.functions.location
  repository = google_artifact_registry_repository.functions.name
  role       = "roles/artifactregistry.writer"
  member     = google_service_account.builder.member
}

# A grant holds a while after it is made; a build before that is refused, and with it the function.
resource "time_sleep" "builder_is_known" {
  create_duration = "60s"

  depends_on = [
    google_artifact_registry_repository_iam_member.builder_writes_images,
    google_project_iam_member.builder_logs,
    google_project_iam_member.builder_reads_source,
  ]
}
