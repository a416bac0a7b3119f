variable "project" {
  description = "Id of the Google Cloud project."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project))
    error_message = "Give the project's id (6 to 30 lower case letters, digits, hyphens), not its name or number: gcloud projects list."
  }
}

variable "region" {
  description = "Region of everything, near the Supabase project. Cloud Functions, Scheduler and Artifact Registry must be there."
  type        = string
  default     = "us-central1"

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "Give a region as europe-west1, not a zone."
  }
}

variable "labels" {
  description = "Labels for everything, besides app = tenths."
  type        = map(string)
  default     = {}
}

variable "supabase_url" {
  description = "URL of the Supabase project."
  type        = string

  validation {
    condition     = can(regex("^https://[^/]+$", var.supabase_url))
    error_message = "Give https and a host, with no path and no slash at the end: https://PROJECT.supabase.co."
  }
}

variable "supabase_publishable_key" {
  description = "The Supabase project's publishable key. Made to be public: with it alone row level security shows nothing."
  type        = string

  validation {
    condition     = startswith(var.supabase_publishable_key, "sb_publishable_")
    error_message = "Give the publishable key (sb_publishable_...). The secret one goes to Secret Manager and never in here."
  }
}

variable "google_client_id" {
  description = "Id of the OAuth client that mailboxes are connected with."
  type        = string

  validation {
    condition     = endswith(var.google_client_id, ".apps.googleusercontent.com")
    error_message = "Give the client's id (...apps.googleusercontent.com), not its secret."
  }
}

variable "app_origins" {
  description = "Where your client is served: its pages may call (CORS), and people are sent back there when they connected a mailbox. None: no page may, and they see a plain one."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for origin in var.app_origins : can(regex("^https://[^/]+$", origin))])
    error_message = "An origin is https and a host, with no path and no slash at the end: https://app.example.com."
  }
}

variable "delegated_domains" {
  description = "Domains whose administrator lets Tenths read mailboxes (domain-wide delegation). None: every lawyer connects their own."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for domain in var.delegated_domains : can(regex("^[a-z0-9-]+(\\.[a-z0-9-]+)+$", domain))])
    error_message = "Give domains in lower case: example.com."
  }
}

variable "gmail_quota_profile" {
  description = "Gmail's quotas: 2026, or legacy for a project whose Gmail API was in use before May 2026."
  type        = string
  default     = "2026"

  validation {
    condition     = contains(["2026", "legacy"], var.gmail_quota_profile)
    error_message = "Choose 2026 or legacy."
  }
}

variable "secret_versions" {
  description = "Which version of each secret is in use, by the names of environment variables. `make deploy` writes the newest enabled ones here. A function holds one version from its first to its last instance: a new key comes with a deploy, and goes with it."
  type        = map(string)
  default     = {}
}

variable "source_zip" {
  description = "Path of the zip that `make deploy` builds."
  type        = string
}

variable "runtime" {
  description = "Python version of the functions. The tests run on 3.11."
  type        = string
  default     = "python311"

  validation {
    condition     = can(regex("^python3(1[1-9])$", var.runtime))
    error_message = "Use python311 or newer."
  }
}

variable "warm_instances" {
  description = "Instances kept running though nobody calls, by function: a first answer comes a second sooner, for some 10 dollars a month each."
  type        = map(number)
  default     = {}
}

variable "extra_settings" {
  description = "Settings of docs/settings.md that have a default, for all functions that read them: { OPENAI_MODEL = \"...\" }."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for name in keys(var.extra_settings) : can(regex("^[A-Z][A-Z0-9_]+$", name))])
    error_message = "Settings are named as in docs/settings.md, in capitals."
  }

  validation {
    condition     = alltrue([for name in keys(var.extra_settings) : !can(regex("(SECRET|_KEYS?$|TOKEN_ENC|^REDIS_URL$|^OPENAI_API_KEY$)", name))])
    error_message = "A secret goes to Secret Manager: gcloud secrets versions add."
  }
}

variable "alert_emails" {
  description = "Who is told when something is wrong."
  type        = list(string)

  validation {
    condition     = length(var.alert_emails) > 0 && alltrue([for email in var.alert_emails : can(regex("^[^@\\s]+@[^@\\s]+$", email))])
    error_message = "Name at least one email address: alerts that nobody gets are none."
  }
}

variable "runbook" {
  description = "Where docs/operations.md can be read: alerts link to its headings."
  type        = string

  validation {
    condition     = can(regex("^https://", var.runbook))
    error_message = "Give the https URL of docs/operations.md where your team reads it."
  }
}

variable "budget" {
  description = "If set: an alert when the project's monthly cost passes half, nine tenths and all of it. The currency is the billing account's."
  type = object({
    billing_account = string
    amount          = number
  })
  default = null

  validation {
    condition     = var.budget == null || can(regex("^[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}$", var.budget.billing_account))
    error_message = "The billing account's id has the form 012345-6789AB-CDEF01: gcloud billing accounts list."
  }
}
