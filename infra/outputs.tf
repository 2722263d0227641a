output "api_url" {
  description = "Address of the platform, for clients."
  value       = "https://${var.domain}"
}

output "dns_records" {
  description = "Records to create in the domain's zone: its address, and the proof for the certificate."
  value = concat(
    [{ name = "${var.domain}.", type = "A", data = google_compute_global_address.this.address }],
    [for record in google_certificate_manager_dns_authorization.this.dns_resource_record : {
      name = record.name, type = record.type, data = record.data
    }],
  )
}

output "bucket" {
  description = "Bucket of everything uploaded and everything recognised."
  value       = google_storage_bucket.data.name
}

output "firebase_config" {
  description = "What a client that uses a Firebase SDK is configured with. Public by design: access is decided by rules and tokens."
  value = {
    apiKey     = local.firebase_api_key
    authDomain = "${var.project_id}.firebaseapp.com"
    projectId  = var.project_id
  }
}

output "functions" {
  description = "Every function: what wakes it, its own address, and the zip it runs."
  value = {
    for name, function in local.functions : name => {
      kind   = function.kind
      url    = local.function_urls[name]
      source = google_storage_bucket_object.source[name].name
    }
  }
}

output "secrets_to_fill" {
  description = "Secrets that need a value before the functions that read them can start."
  value       = { for name, secret in google_secret_manager_secret.this : name => secret.secret_id }
}

output "environment" {
  description = "What every function is told, for commands that an operator runs from a checkout. Holds no secret."
  value       = local.environment
}
