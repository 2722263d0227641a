variable "project_id" {
  description = "Id of the empty Google Cloud project that an environment is made in."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project_id))
    error_message = "The project id must be 6 to 30 lower-case letters, digits and hyphens, starting with a letter."
  }
}

variable "environment" {
  description = "Name of the environment; also of the GitHub environment that may deploy it."
  type        = string

  validation {
    condition     = contains(["dev", "staging", "prod"], var.environment)
    error_message = "The environment must be one of dev, staging and prod."
  }
}

variable "region" {
  description = "Region of the state bucket."
  type        = string
  default     = "europe-west1"
}

variable "repository" {
  description = "GitHub repository that deploys, as owner/name."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$", var.repository))
    error_message = "The repository must be given as owner/name, without a host."
  }
}
