# A person makes the bucket, with the one command of docs/runbook.md, and applies this module: first of all, and again when
# the pipeline needs a right that it does not have yet.
terraform {
  backend "gcs" {
    prefix = "bootstrap"
  }
}

import {
  to = google_storage_bucket.state
  id = "${var.project_id}-state"
}
