# Run with `terraform test` after `make package`; no Google Cloud project is touched.

mock_provider "google" {
  mock_data "google_project" {
    defaults = { number = "123456789012" }
  }
}

variables {
  project_id   = "alta-test"
  environment  = "dev"
  domain       = "alta.example.com"
  alert_emails = ["oncall@example.com"]
  mail         = { host = "smtp.example.com", user = "alta", from = "no-reply@example.com" }
}

run "a_wildcard_origin_is_refused" {
  command = plan
  variables {
    cors_origins = ["*"]
  }
  expect_failures = [var.cors_origins]
}

run "plain_http_is_refused_in_prod" {
  command = plan
  variables {
    environment  = "prod"
    cors_origins = ["http://alta.example.com"]
  }
  expect_failures = [var.cors_origins]
}

run "prod_stays_protected" {
  command = plan
  variables {
    environment = "prod"
    protect     = false
  }
  expect_failures = [var.protect]
}

run "alerts_need_a_reader" {
  command = plan
  variables {
    alert_emails = []
  }
  expect_failures = [var.alert_emails]
}

run "a_domain_is_not_a_url" {
  command = plan
  variables {
    domain = "https://alta.example.com/"
  }
  expect_failures = [var.domain]
}

run "a_key_of_another_region_is_refused" {
  command = plan
  variables {
    kms_key = "projects/p/locations/us-east1/keyRings/r/cryptoKeys/k"
  }
  expect_failures = [var.kms_key]
}

run "sign_in_is_limited_below_the_whole" {
  command = plan
  variables {
    rate_limits = { all = 100, sign_in = 200 }
  }
  expect_failures = [var.rate_limits]
}

run "a_missing_zip_stops_the_plan" {
  command = plan
  variables {
    package_folder = "environments"
  }
  expect_failures = [google_storage_bucket_object.source]
}
