# One host for everything public: the URL map sends each path of a function.yaml to its function, unchanged.

resource "google_compute_global_address" "this" {
  name = "alta"

  depends_on = [google_project_service.this]
}

resource "google_compute_region_network_endpoint_group" "this" {
  for_each = local.http

  name                  = each.key
  region                = var.region
  network_endpoint_type = "SERVERLESS"

  cloud_run {
    service = google_cloudfunctions2_function.this[each.key].name
  }

  lifecycle {
    create_before_destroy = true # as its backend
  }
}

resource "google_compute_backend_service" "this" {
  for_each = local.http

  name                  = each.key
  protocol              = "HTTPS"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  security_policy       = google_compute_security_policy.this.id

  backend {
    group = google_compute_region_network_endpoint_group.this[each.key].id
  }

  log_config {
    enable      = true
    sample_rate = 1
  }

  lifecycle {
    create_before_destroy = true # then that of a function which is gone goes after the URL map has let go of it
  }
}

resource "google_compute_url_map" "this" {
  name = "alta"

  # What no function claims is answered by `health`, whose 404 has the platform's own shape.
  default_service = google_compute_backend_service.this["health"].id

  host_rule {
    hosts        = [var.domain]
    path_matcher = "functions"
  }

  path_matcher {
    name            = "functions"
    default_service = google_compute_backend_service.this["health"].id

    dynamic "path_rule" {
      for_each = local.http

      content {
        paths   = flatten([for path in path_rule.value : [path, "${path}/*"]])
        service = google_compute_backend_service.this[path_rule.key].id
      }
    }
  }

  lifecycle {
    precondition {
      condition     = length(flatten(values(local.http))) == length(distinct(flatten(values(local.http))))
      error_message = "Two functions claim the same path; one of them would never be asked."
    }
  }
}

resource "google_compute_target_https_proxy" "this" {
  name            = "alta"
  url_map         = google_compute_url_map.this.id
  certificate_map = "//certificatemanager.googleapis.com/${google_certificate_manager_certificate_map.this.id}"
  ssl_policy      = google_compute_ssl_policy.this.id
}

resource "google_compute_global_forwarding_rule" "https" {
  name                  = "alta-https"
  target                = google_compute_target_https_proxy.this.id
  ip_address            = google_compute_global_address.this.id
  port_range            = "443"
  load_balancing_scheme = "EXTERNAL_MANAGED"
}

resource "google_compute_ssl_policy" "this" {
  name            = "alta"
  profile         = "MODERN"
  min_tls_version = "TLS_1_2"

  depends_on = [google_project_service.this]
}

# The certificate is proved by a DNS record rather than by the address, so that it is ready before the traffic moves.
resource "google_certificate_manager_dns_authorization" "this" {
  name   = "alta"
  domain = var.domain

  depends_on = [google_project_service.this]
}

resource "google_certificate_manager_certificate" "this" {
  name = "alta"

  managed {
    domains            = [var.domain]
    dns_authorizations = [google_certificate_manager_dns_authorization.this.id]
  }
}

resource "google_certificate_manager_certificate_map" "this" {
  name = "alta"

  depends_on = [google_project_service.this]
}

resource "google_certificate_manager_certificate_map_entry" "this" {
  name         = "alta"
  map          = google_certificate_manager_certificate_map.this.name
  certificates = [google_certificate_manager_certificate.this.id]
  hostname     = var.domain
}

# Plain HTTP is answered with where to go instead, and with nothing else.
resource "google_compute_url_map" "redirect" {
  name = "alta-redirect"

  default_url_redirect {
    https_redirect         = true
    redirect_response_code = "MOVED_PERMANENTLY_DEFAULT"
    strip_query            = false
  }

  depends_on = [google_project_service.this]
}

resource "google_compute_target_http_proxy" "redirect" {
  name    = "alta-redirect"
  url_map = google_compute_url_map.redirect.id
}

resource "google_compute_global_forwarding_rule" "redirect" {
  name                  = "alta-redirect"
  target                = google_compute_target_http_proxy.redirect.id
  ip_address            = google_compute_global_address.this.id
  port_range            = "80"
  load_balancing_scheme = "EXTERNAL_MANAGED"
}
