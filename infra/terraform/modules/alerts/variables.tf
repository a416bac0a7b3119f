variable "project" {
  description = "Id of the Google Cloud project."
  type        = string
}

variable "labels" {
  description = "Labels of the policies."
  type        = map(string)
  default     = {}
}

variable "emails" {
  description = "Who is told."
  type        = list(string)
}

variable "runbook" {
  description = "URL of docs/operations.md, whose headings are named as the alerts are."
  type        = string
}

variable "alerts" {
  description = "By the runbook's anchor: a title, what it means for the lawyers, a PromQL query that gives a series while it is so, for how long (seconds), and how bad it is."
  type = map(object({
    title       = string
    meaning     = string
    query       = string
    for_seconds = number
    severity    = string
  }))

  validation {
    condition     = alltrue([for alert in values(var.alerts) : contains(["CRITICAL", "ERROR", "WARNING"], alert.severity)])
    error_message = "A severity is CRITICAL (entries are being lost or held up), ERROR or WARNING."
  }

  validation {
    condition     = alltrue([for alert in values(var.alerts) : alert.for_seconds % 60 == 0])
    error_message = "Cloud Monitoring looks once a minute: use whole minutes."
  }
}
