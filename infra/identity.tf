# Identity Platform: passwords, verification, refresh tokens. Google sign-in is switched on by hand (docs/runbook.md),
# since its client secret would otherwise be in the state.

locals {
  # Clients carry it; the provider takes every key for a secret.
  firebase_api_key = nonsensitive(google_identity_platform_config.this.client[0].api_key)
}

resource "google_identity_platform_config" "this" {
  authorized_domains         = [var.domain, "${var.project_id}.firebaseapp.com"]
  autodelete_anonymous_users = true

  sign_in {
    allow_duplicate_emails = false

    email {
      enabled           = true
      password_required = true
    }
  }

  client {
    permissions {
      # An identity without a user record is refused everywhere, so signing up past the platform gains nothing; deleting
      # oneself past it would leave a record without an identity.
      disabled_user_signup   = false
      disabled_user_deletion = true
    }
  }

  monitoring {
    request_logging {
      enabled = true
    }
  }

  depends_on = [google_project_service.this]
}
