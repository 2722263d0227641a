# What is refused before it reaches a function: known attacks, and more than a fair number of requests from one address.
# The functions count for themselves too, per user; this is the wall in front of that.

locals {
  # These three look for a request in the text of another: a word like `get` or `post` and a line that ends after it, a
  # line that begins with `Location:`, a piece of HTML. All of them stand in letters that people send.
  rules_on_text = "[${join(", ", [for id in ["921110", "921120", "921130"] : "'owasp-crs-v030301-id${id}-protocolattack'"])}]"
}

resource "google_compute_security_policy" "this" {
  name        = "alta"
  description = "In front of every public function"
  type        = "CLOUD_ARMOR"

  adaptive_protection_config {
    layer_7_ddos_defense_config {
      enable = true
    }
  }

  advanced_options_config {
    json_parsing = "STANDARD"
  }

  # Of the preconfigured rules those that do not fire on what people write in documents and comments, unlike the ones for
  # SQL and script injection: there is no SQL here, and every answer is JSON.
  rule {
    priority    = 1000
    action      = "deny(403)"
    description = "Log4j and other exploits in the wild"

    match {
      expr {
        expression = "evaluatePreconfiguredWaf('cve-canary')"
      }
    }
  }

  rule {
    priority    = 1001
    action      = "deny(403)"
    description = "Vulnerability scanners"

    match {
      expr {
        expression = "evaluatePreconfiguredWaf('scannerdetection-v33-stable', {'sensitivity': 1})"
      }
    }
  }

  rule {
    priority    = 1002
    action      = "deny(403)"
    description = "Request smuggling and splitting"

    match {
      expr {
        expression = "evaluatePreconfiguredWaf('protocolattack-v33-stable', {'sensitivity': 1, 'opt_out_rule_ids': ${local.rules_on_text}})"
      }
    }
  }

  # Guessing passwords: an address far over the limit is out for ten minutes, whatever it asks for.
  rule {
    priority    = 2000
    action      = "rate_based_ban"
    description = "Sign-in and registration"

    match {
      expr {
        expression = "request.path.startsWith('/api/auth/')"
      }
    }

    rate_limit_options {
      conform_action   = "allow"
      exceed_action    = "deny(429)"
      enforce_on_key   = "IP"
      ban_duration_sec = 600

      rate_limit_threshold {
        count        = var.rate_limits.sign_in
        interval_sec = 60
      }

      ban_threshold {
        count        = var.rate_limits.sign_in * 5
        interval_sec = 300
      }
    }
  }

  rule {
    priority    = 3000
    action      = "throttle"
    description = "Everything else, per address"

    match {
      versioned_expr = "SRC_IPS_V1"
      config {
        src_ip_ranges = ["*"]
      }
    }

    rate_limit_options {
      conform_action = "allow"
      exceed_action  = "deny(429)"
      enforce_on_key = "IP"

      rate_limit_threshold {
        count        = var.rate_limits.all
        interval_sec = 60
      }
    }
  }

  rule {
    priority    = 2147483647
    action      = "allow"
    description = "The default rule that every policy must have; the one before it matches first"

    match {
      versioned_expr = "SRC_IPS_V1"
      config {
        src_ip_ranges = ["*"]
      }
    }
  }

  depends_on = [google_project_service.this]
}
