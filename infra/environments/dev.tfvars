project_id   = "alta-dev"
environment  = "dev"
domain       = "dev.alta.example.com"
cors_origins = ["https://dev.alta.example.com", "http://localhost:5173"]
alert_emails = ["alta-dev@example.com"]
log_level    = "DEBUG"

mail = {
  host = "smtp.example.com"
  user = "alta-dev"
  from = "Alta (dev) <no-reply@dev.alta.example.com>"
}

# Idle, this environment costs the load balancer, and what its uptime check asks for.
keep_warm = false
protect   = false

retention = {
  deleted_objects = 7
  batch_output    = 2
}
