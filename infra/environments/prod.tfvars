project_id   = "alta-prod"
environment  = "prod"
domain       = "alta.example.com"
cors_origins = ["https://alta.example.com"]
alert_emails = ["alta-oncall@example.com"]

mail = {
  host = "smtp.example.com"
  user = "alta"
  from = "Alta <no-reply@alta.example.com>"
}

budget = {
  billing_account = "012345-6789AB-CDEF01"
  monthly_amount  = 500
}
