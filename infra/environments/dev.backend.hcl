bucket = "alta-dev-state"
prefix = "alta"
