terraform {
  # 1.9: a variable's validation may read other variables.
  required_version = ">= 1.9"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 6.50"
    }
    time = {
      source  = "hashicorp/time"
      version = "~> 0.13"
    }
  }
}

provider "google" {
  project = var.project_id
  region  = var.region

  # Identity Platform and budgets refuse the credentials of a person unless the quota is charged to a project.
  billing_project       = var.project_id
  user_project_override = true

  default_labels = {
    platform    = "alta"
    environment = var.environment
  }
}
