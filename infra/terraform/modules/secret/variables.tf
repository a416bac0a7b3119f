variable "project" {
  description = "Id of the Google Cloud project."
  type        = string
}

variable "region" {
  description = "Where the secret is kept: with those who read it."
  type        = string
}

variable "secret_id" {
  description = "Name of the secret."
  type        = string
}

variable "labels" {
  description = "Labels of the secret."
  type        = map(string)
  default     = {}
}
