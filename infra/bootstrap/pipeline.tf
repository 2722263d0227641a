# Who plans and who deploys: GitHub Actions by Workload Identity Federation, so that no key exists that could leak.
# Pull requests may look; only main, in the protected GitHub environment, may change.

locals {
  pool = "iam.googleapis.com/${google_iam_workload_identity_pool.github.name}"

  # The subjects that GitHub gives to a job of the protected environment, and to one of a pull request.
  deploying = "repo:${var.repository}:environment:${var.environment}"
  planning  = "repo:${var.repository}:pull_request"

  # What infra/ makes needs these, and nothing in it needs Owner or Editor.
  deployer_roles = toset([
    "roles/artifactregistry.admin",
    "roles/certificatemanager.owner",
    "roles/cloudfunctions.admin",
    "roles/cloudscheduler.admin",
    "roles/cloudtasks.admin",
    "roles/compute.loadBalancerAdmin",
    "roles/compute.securityAdmin",
    "roles/datastore.owner",
    "roles/documentai.editor",
    "roles/firebaserules.admin",
    "roles/iam.serviceAccountAdmin",
    "roles/iam.serviceAccountUser",
    "roles/logging.configWriter",
    "roles/monitoring.editor",
    "roles/pubsub.admin",
    "roles/run.admin",
    "roles/serviceusage.serviceUsageAdmin",
    "roles/storage.admin",
  ])

  # The only roles that the deployer may give away on the project: those that a function.yaml names, and the builder's. A
  # function that names a new one waits until a person has applied this again (docs/runbook.md).
  grantable_roles = distinct(concat(
    ["roles/logging.logWriter", "roles/storage.objectViewer"],
    flatten([
      for file in fileset("${path.module}/../../functions", "*/*/function.yaml") :
      try(yamldecode(file("${path.module}/../../functions/${file}")).roles, [])
    ]),
  ))
}

resource "google_iam_workload_identity_pool" "github" {
  workload_identity_pool_id = "github"
  display_name              = "GitHub Actions"

  depends_on = [google_project_service.this]
}

resource "google_iam_workload_identity_pool_provider" "github" {
  #checkov:skip=CKV_GCP_125: the condition demands one of two exact subjects, which the check can't follow through locals
  workload_identity_pool_id          = google_iam_workload_identity_pool.github.workload_identity_pool_id
  workload_identity_pool_provider_id = "actions"

  # Without this condition every repository on GitHub could ask for a token.
  attribute_condition = "(assertion.sub == '${local.deploying}' && assertion.ref == 'refs/heads/main') || assertion.sub == '${local.planning}'"
  attribute_mapping   = { "google.subject" = "assertion.sub" }

  oidc {
    issuer_uri = "https://token.actions.githubusercontent.com"
  }
}

resource "google_service_account" "deployer" {
  account_id   = "deployer"
  display_name = "Applies infra/ on main"

  depends_on = [google_project_service.this]
}

resource "google_service_account_iam_member" "deployer" {
  service_account_id = google_service_account.deployer.name
  role               = "roles/iam.workloadIdentityUser"
  member             = "principal://${local.pool}/subject/${local.deploying}"
}

resource "google_project_iam_member" "deployer" {
  #checkov:skip=CKV_GCP_41: it deploys functions that run as accounts which it makes in the same run
  #checkov:skip=CKV_GCP_42: the account that makes everything administers each service that it makes, and none besides
  #checkov:skip=CKV_GCP_49: as above; what it may grant is limited by a condition below
  for_each = local.deployer_roles

  project = var.project_id
  role    = each.key
  member  = google_service_account.deployer.member
}

resource "google_project_iam_member" "deployer_grants" {
  #checkov:skip=CKV_GCP_42: limited by its condition to the roles that functions name
  #checkov:skip=CKV_GCP_49: as above
  project = var.project_id
  role    = "roles/resourcemanager.projectIamAdmin"
  member  = google_service_account.deployer.member

  condition {
    title       = "Only the roles of functions"
    description = "The deployer can't give itself or anybody more than functions ask for."
    expression  = "api.getAttribute('iam.googleapis.com/modifiedGrantsByRole', []).hasOnly(${jsonencode(local.grantable_roles)})"
  }
}

# Containers of secrets can be made, and who reads them decided; their values can't be read.
resource "google_project_iam_custom_role" "secret_containers" {
  role_id = "secretContainers"
  title   = "Makes containers of secrets"
  permissions = [
    "secretmanager.secrets.create",
    "secretmanager.secrets.delete",
    "secretmanager.secrets.get",
    "secretmanager.secrets.getIamPolicy",
    "secretmanager.secrets.list",
    "secretmanager.secrets.setIamPolicy",
    "secretmanager.secrets.update",
  ]

  depends_on = [google_project_service.this]
}

resource "google_project_iam_member" "deployer_secrets" {
  project = var.project_id
  role    = google_project_iam_custom_role.secret_containers.id
  member  = google_service_account.deployer.member
}

# The settings of sign-in, without the key that passwords are hashed with: the provider would write it into the state,
# which pull requests read, if it were allowed to.
resource "google_project_iam_custom_role" "sign_in_settings" {
  role_id     = "signInSettings"
  title       = "Sets how people sign in"
  permissions = ["firebaseauth.configs.create", "firebaseauth.configs.get", "firebaseauth.configs.update"]

  depends_on = [google_project_service.this]
}

resource "google_project_iam_member" "deployer_sign_in" {
  project = var.project_id
  role    = google_project_iam_custom_role.sign_in_settings.id
  member  = google_service_account.deployer.member
}

resource "google_service_account" "planner" {
  account_id   = "planner"
  display_name = "Plans infra/ for pull requests"

  depends_on = [google_project_service.this]
}

resource "google_service_account_iam_member" "planner" {
  service_account_id = google_service_account.planner.name
  role               = "roles/iam.workloadIdentityUser"
  member             = "principal://${local.pool}/subject/${local.planning}"
}

# Sees what is there, without the content of buckets, databases or secrets. It never writes, so it plans without a lock.
resource "google_project_iam_member" "planner" {
  for_each = toset(["roles/iam.securityReviewer", "roles/browser", "roles/serviceusage.serviceUsageConsumer"])

  project = var.project_id
  role    = each.key
  member  = google_service_account.planner.member
}

resource "google_project_iam_custom_role" "planner" {
  role_id     = "infrastructureReader"
  title       = "Reads the settings of what infra/ makes"
  description = "The `get` permissions that a refresh of the state needs, and none on data."
  permissions = [
    "artifactregistry.repositories.get",
    "billing.resourcebudgets.read",
    "certificatemanager.certmapentries.get",
    "certificatemanager.certmaps.get",
    "certificatemanager.certs.get",
    "certificatemanager.dnsauthorizations.get",
    "cloudfunctions.functions.get",
    "cloudscheduler.jobs.get",
    "cloudtasks.queues.get",
    "compute.backendServices.get",
    "compute.globalAddresses.get",
    "compute.globalForwardingRules.get",
    "compute.regionNetworkEndpointGroups.get",
    "compute.securityPolicies.get",
    "compute.sslPolicies.get",
    "compute.targetHttpProxies.get",
    "compute.targetHttpsProxies.get",
    "compute.urlMaps.get",
    "datastore.backupSchedules.get",
    "datastore.databases.getMetadata",
    "datastore.indexes.get",
    "documentai.processors.get",
    "firebaseauth.configs.get",
    "firebaserules.releases.get",
    "firebaserules.rulesets.get",
    "iam.serviceAccounts.get",
    "logging.logMetrics.get",
    "monitoring.alertPolicies.get",
    "monitoring.dashboards.get",
    "monitoring.notificationChannels.get",
    "monitoring.uptimeCheckConfigs.get",
    "pubsub.subscriptions.get",
    "pubsub.topics.get",
    "secretmanager.secrets.get",
    "storage.buckets.get",
  ]

  depends_on = [google_project_service.this]
}

resource "google_project_iam_member" "planner_reads" {
  project = var.project_id
  role    = google_project_iam_custom_role.planner.id
  member  = google_service_account.planner.member
}

# The zips that functions run are objects of the state as well; the condition keeps it away from every other bucket.
resource "google_project_iam_member" "planner_reads_source" {
  project = var.project_id
  role    = "roles/storage.objectViewer"
  member  = google_service_account.planner.member

  condition {
    title      = "Zips of functions only"
    expression = "resource.name.startsWith('projects/_/buckets/${var.project_id}-source/')"
  }
}

resource "google_storage_bucket_iam_member" "state" {
  for_each = {
    deployer = { role = "roles/storage.objectUser", member = google_service_account.deployer.member }
    planner  = { role = "roles/storage.objectViewer", member = google_service_account.planner.member }
  }

  bucket = google_storage_bucket.state.name
  role   = each.value.role
  member = each.value.member
}
