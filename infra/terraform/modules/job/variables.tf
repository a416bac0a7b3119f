variable "project" {
  description = "Id of the Google Cloud project."
  type        = string
}

variable "region" {
  description = "Where the job lives."
  type        = string
}

variable "name" {
  description = "Name of the job."
  type        = string
}

variable "description" {
  description = "What it is for, in one sentence."
  type        = string
}

variable "schedule" {
  description = "When it runs, in cron's five fields, UTC."
  type        = string

  validation {
    condition     = length(split(" ", var.schedule)) == 5
    error_message = "A schedule has five fields: minute, hour, day, month, weekday."
  }
}

variable "url" {
  description = "What is called, by POST without a body."
  type        = string
}

variable "caller" {
  description = "Email of the account that calls."
  type        = string
}

variable "audience" {
  description = "What the call's token names as its audience: the same that the function expects."
  type        = string
}

variable "attempt_deadline_seconds" {
  description = "How long one call may take."
  type        = number

  validation {
    condition     = var.attempt_deadline_seconds >= 15 && var.attempt_deadline_seconds <= 1800
    error_message = "Cloud Scheduler waits 15 to 1,800 seconds."
  }
}

variable "retries" {
  description = "Calls after a failed one, before the next turn of the schedule."
  type        = number
  default     = 3

  validation {
    condition     = var.retries >= 0 && var.retries <= 5
    error_message = "Cloud Scheduler tries again up to 5 times."
  }
}
