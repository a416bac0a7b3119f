variable "project" {
  description = "Id of the Google Cloud project."
  type        = string
}

variable "name" {
  description = "Name of the topic, and of its subscription."
  type        = string
}

variable "labels" {
  description = "Labels of both."
  type        = map(string)
  default     = {}
}

variable "regions" {
  description = "Where messages may be stored."
  type        = list(string)
}

variable "retention" {
  description = "How long messages are kept, as seconds with an s: in the topic even when acked, so that a mistake can be replayed by `gcloud pubsub subscriptions seek`."
  type        = string
  default     = "604800s"
}

variable "publishers" {
  description = "Who may publish, as IAM names them."
  type        = list(string)
}

variable "endpoint" {
  description = "URL that messages are pushed to."
  type        = string
}

variable "caller" {
  description = "Email of the account that pushes are signed as."
  type        = string
}

variable "audience" {
  description = "What the pushes' tokens name as their audience: the same that the function expects."
  type        = string
}

variable "ack_deadline_seconds" {
  description = "How long a function may take for a message before it is pushed again. No shorter than the function's own timeout."
  type        = number
  default     = 60

  validation {
    condition     = var.ack_deadline_seconds >= 60 && var.ack_deadline_seconds <= 600
    error_message = "Between 60 (a wait for Gmail's quota and one for the model, together) and 600 seconds (Pub/Sub's limit)."
  }
}

variable "retry" {
  description = "Pauses between tries, which double from the shortest to the longest, and tries before a message is a dead letter."
  type = object({
    minimum_seconds = optional(number, 10)
    maximum_seconds = optional(number, 600)
    attempts        = optional(number, 20)
  })
  default = {}

  validation {
    condition     = var.retry.attempts >= 5 && var.retry.attempts <= 100
    error_message = "Pub/Sub takes 5 to 100 attempts."
  }

  validation {
    condition     = var.retry.minimum_seconds >= 10 && var.retry.maximum_seconds <= 600 && var.retry.minimum_seconds <= var.retry.maximum_seconds
    error_message = "Pauses begin at 10 seconds or more (a shorter one uses up the tries during a restart) and end at 600 or less (Pub/Sub's limit)."
  }
}

variable "dead_letter_topic" {
  description = "Full name of the topic for what can't be delivered."
  type        = string
}

variable "agent" {
  description = "Pub/Sub's service agent of this project, as IAM names it."
  type        = string
}
