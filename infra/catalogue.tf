# What the functions say of themselves: every function.yaml, with the defaults of infra/catalog.py.
# tests/infra/test_parity.py fails when the two readers disagree.

locals {
  described = {
    for file in fileset("${path.module}/../functions", "*/*/function.yaml") :
    basename(dirname(file)) => merge(
      yamldecode(file("${path.module}/../functions/${file}")),
      { kind = dirname(dirname(file)) },
    )
  }

  functions = {
    for name, described in local.described : name => {
      kind            = described.kind
      description     = described.description
      memory          = try(described.memory, "512Mi")
      cpu             = tostring(try(described.cpu, "1"))
      timeout_seconds = try(described.timeout_seconds, 60)
      concurrency     = try(described.concurrency, 80)
      min_instances   = try(described.instances.min, 0)
      max_instances   = try(described.instances.max, 20)
      roles           = toset(try(described.roles, []))
      bucket_roles    = toset(try(described.bucket_roles, []))
      enqueues        = toset(try(described.enqueues, []))
      publishes       = toset(try(described.publishes, []))
      signs           = try(described.signs, false)
      secrets         = toset(concat(local.secrets_of_all, try(described.secrets, [])))
    }
  }

  http = { for name, described in local.described : name => described.trigger.paths if described.kind == "http" }

  events = {
    for name, described in local.described : name => {
      topic                   = described.trigger.topic
      object_prefix           = try(described.trigger.object_prefix, null)
      dead_letter             = try(described.trigger.dead_letter, true)
      minimum_backoff_seconds = try(described.trigger.retry.minimum_backoff_seconds, 10)
      maximum_backoff_seconds = try(described.trigger.retry.maximum_backoff_seconds, 600)
      max_delivery_attempts   = try(described.trigger.retry.max_delivery_attempts, 10)
    } if described.kind == "events"
  }

  queues = {
    for name, described in local.described : described.trigger.queue => {
      function                  = name
      max_dispatches_per_second = try(described.trigger.max_dispatches_per_second, 100)
      max_concurrent_dispatches = try(described.trigger.max_concurrent_dispatches, 20)
      max_attempts              = try(described.trigger.max_attempts, -1)
      min_backoff_seconds       = try(described.trigger.min_backoff_seconds, 1)
      max_backoff_seconds       = try(described.trigger.max_backoff_seconds, 300)
      max_doublings             = try(described.trigger.max_doublings, 8)
    } if described.kind == "tasks"
  }

  schedules = {
    for name, described in local.described : name => {
      cron      = described.trigger.cron
      time_zone = try(described.trigger.time_zone, "Etc/UTC")
    } if described.kind == "schedules"
  }

  # shared/settings.py refuses to start without these, whatever the function does.
  secrets_of_all = ["CURSOR_KEY"]

  topics            = toset([for event in local.events : event.topic])
  dead_letter_topic = "deadletter"

  # The name of a function is known before the function is, so that functions may know each other's address without a
  # circle: https://cloud.google.com/run/docs/triggering/https-request#deterministic
  function_url = "https://{name}-${data.google_project.this.number}.${var.region}.run.app"
  function_urls = {
    for name in keys(local.functions) : name => replace(local.function_url, "{name}", name)
  }
}

data "google_project" "this" {
  project_id = var.project_id
}
