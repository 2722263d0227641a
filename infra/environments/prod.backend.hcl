bucket = "alta-prod-state"
prefix = "alta"
