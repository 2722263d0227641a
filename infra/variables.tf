variable "project_id" {
  description = "Id of the Google Cloud project. One project holds one environment and nothing else."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project_id))
    error_message = "The project id must be 6 to 30 lower-case letters, digits and hyphens, starting with a letter."
  }
}

variable "environment" {
  description = "Name of the environment; a label on everything."
  type        = string

  validation {
    condition     = contains(["dev", "staging", "prod"], var.environment)
    error_message = "The environment must be one of dev, staging and prod."
  }
}

variable "region" {
  description = "Region of functions, queues, schedules, topics and the bucket."
  type        = string
  default     = "europe-west1"

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "The region must be the name of one region, such as europe-west1, not of a zone or a multi-region."
  }
}

variable "firestore_location" {
  description = "Location of the Firestore database; it can never be changed."
  type        = string
  default     = "eur3"

  validation {
    condition     = can(regex("^(eur3|nam5|nam7|[a-z]+-[a-z]+[0-9]+)$", var.firestore_location))
    error_message = "The Firestore location must be a multi-region (eur3, nam5, nam7) or the name of one region."
  }
}

variable "documentai_location" {
  description = "Location of the Document AI processor: the multi-region in which documents are read."
  type        = string
  default     = "eu"

  validation {
    condition     = contains(["eu", "us"], var.documentai_location)
    error_message = "The OCR processor exists in the multi-regions eu and us; choose the one where the documents may go."
  }
}

variable "speech" {
  description = "Speech-to-Text v2: location (`global`, `eu`, `us` or a region), recognition model, and the BCP 47 languages expected, most likely first."
  type = object({
    location  = optional(string, "eu")
    model     = optional(string, "long")
    languages = optional(list(string), ["en-US"])
  })
  default  = {}
  nullable = false

  validation {
    condition     = length(var.speech.languages) >= 1 && length(var.speech.languages) <= 3
    error_message = "Speech-to-Text tells apart one to three languages in a recording; name that many."
  }
}

variable "domain" {
  description = "Host name at which clients reach the platform. Its DNS records are an output."
  type        = string

  validation {
    condition     = can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$", var.domain))
    error_message = "The domain must be a full host name in lower case without scheme or path, such as api.example.com."
  }
}

variable "cors_origins" {
  description = "Origins of web clients, exact: they may call the platform and send files straight to the bucket."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for origin in var.cors_origins : can(regex("^https?://[a-z0-9.-]+(:[0-9]+)?$", origin))])
    error_message = "Every origin must be scheme and host without a path or a trailing slash; `*` is refused, since clients send credentials."
  }

  validation {
    condition     = var.environment != "prod" || alltrue([for origin in var.cors_origins : startswith(origin, "https://")])
    error_message = "In prod every origin must be https."
  }
}

variable "rate_limits" {
  description = "Requests a minute that one address may send before Cloud Armor answers 429: to each function (it counts by backend), and to sign-in; and what the functions' own limits per address are multiplied with, where many people share one."
  type = object({
    all                  = optional(number, 1200)
    sign_in              = optional(number, 60)
    address_quota_factor = optional(number, 1)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.rate_limits.sign_in >= 10 && var.rate_limits.sign_in <= var.rate_limits.all
    error_message = "The sign-in limit must be at least 10 a minute (an office behind one address) and no higher than that of a function."
  }
}

variable "prices" {
  description = "What analytics reckons costs with: a page read, a minute transcribed, a GiB stored for a month."
  type = object({
    currency  = optional(string, "USD")
    page      = optional(number, 0.0015)
    minute    = optional(number, 0.016)
    gib_month = optional(number, 0.02)
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for price in [var.prices.page, var.prices.minute, var.prices.gib_month] : price >= 0])
    error_message = "A price is not negative."
  }
}

variable "mail" {
  description = "Mail server for invitations and verification. Its password is the secret smtp-password."
  type = object({
    host = string
    port = optional(number, 587)
    user = string
    from = string
  })

  validation {
    condition     = strcontains(var.mail.from, "@")
    error_message = "The sender must hold an address, such as `Alta <no-reply@example.com>`."
  }
}

variable "alert_emails" {
  description = "Addresses that alerts and budget warnings go to."
  type        = set(string)

  validation {
    condition     = length(var.alert_emails) > 0 && alltrue([for email in var.alert_emails : strcontains(email, "@")])
    error_message = "At least one e-mail address must receive alerts: an alert that nobody receives is none."
  }
}

variable "budget" {
  description = "Billing account and monthly amount in the account's currency at which warnings are sent; null makes no budget."
  type = object({
    billing_account = string
    monthly_amount  = number
  })
  default = null

  validation {
    condition     = var.budget == null ? true : var.budget.monthly_amount >= 1 && can(regex("^[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}$", var.budget.billing_account))
    error_message = "The budget needs an amount of at least 1 and a billing account of the form 012345-6789AB-CDEF01."
  }
}

variable "kms_key" {
  description = "Cloud KMS key that encrypts the bucket, as projects/P/locations/L/keyRings/R/cryptoKeys/K; its owner lets the service agent of Cloud Storage use it first (docs/runbook.md). Null leaves it to Google's own key."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key == null ? true : can(regex("^projects/[^/]+/locations/${var.region}/keyRings/[^/]+/cryptoKeys/[^/]+$", var.kms_key))
    error_message = "The key must be the full name of a Cloud KMS key in the bucket's own region."
  }
}

variable "keep_warm" {
  description = "Whether functions keep the `instances.min` of their function.yaml running. Off, an idle environment costs nothing and its first answers are slow."
  type        = bool
  default     = true
  nullable    = false
}

variable "protect" {
  description = "Whether what holds data refuses to be destroyed: the database, and the bucket while objects are in it."
  type        = bool
  default     = true
  nullable    = false

  validation {
    condition     = var.environment != "prod" || var.protect
    error_message = "What holds data in prod stays protected; change it for another environment only."
  }
}

variable "retention" {
  description = "Days for which people can restore what they deleted, for which the operator can bring back deleted or replaced objects, and for which batch output and exports are kept."
  type = object({
    deleted_records = optional(number, 30)
    deleted_objects = optional(number, 14)
    batch_output    = optional(number, 7)
    exports         = optional(number, 30)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.retention.deleted_objects >= 7 && var.retention.deleted_objects <= 90
    error_message = "Deleted objects can be kept from 7 to 90 days, which is what soft delete allows."
  }

  validation {
    condition     = var.retention.deleted_records >= 1
    error_message = "What people deleted is kept for a day at the least."
  }
}

variable "log_level" {
  description = "Least level that functions log."
  type        = string
  default     = "INFO"

  validation {
    condition     = contains(["DEBUG", "INFO", "WARNING", "ERROR"], var.log_level)
    error_message = "The log level must be one of DEBUG, INFO, WARNING and ERROR."
  }
}

variable "package_folder" {
  description = "Folder with one zip per function, as `make package` writes it; relative to this module."
  type        = string
  default     = "../build/functions"
}
