variable "project" {
  description = "Id of the Google Cloud project."
  type        = string
}

variable "region" {
  description = "Where the function runs."
  type        = string
}

variable "prefix" {
  description = "What the names of accounts begin with."
  type        = string
}

variable "labels" {
  description = "Labels of the function."
  type        = map(string)
  default     = {}
}

variable "entry_point" {
  description = "The function's name in main.py. With hyphens for underscores it is the deployed function's name, too."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z_]{2,22}$", var.entry_point))
    error_message = "Use 3 to 23 lower case letters and underscores: a service account's id is made from it."
  }
}

variable "description" {
  description = "What the function does, in one sentence."
  type        = string
}

variable "runtime" {
  description = "Cloud Functions' name of the Python version."
  type        = string
}

variable "build_account" {
  description = "Full name (projects/.../serviceAccounts/...) of the account that builds the image."
  type        = string
}

variable "docker_repository" {
  description = "Full name of the repository that images are kept in."
  type        = string
}

variable "source_archive" {
  description = "The zip to build from. The object's name changes with its content, or nothing is built anew."
  type = object({
    bucket = string
    object = string
  })
}

variable "size" {
  description = "Memory (as 512Mi), CPUs, seconds for one request, requests at once in an instance, instances."
  type = object({
    memory          = string
    cpu             = optional(string, "1")
    timeout_seconds = number
    concurrency     = number
    min_instances   = optional(number, 0)
    max_instances   = number
  })

  validation {
    condition     = tonumber(var.size.cpu) >= 1 || var.size.concurrency == 1
    error_message = "Less than one CPU serves one request at a time only: set cpu to 1, or concurrency to 1."
  }

  validation {
    condition     = var.size.min_instances <= var.size.max_instances
    error_message = "There can't be more instances kept warm than there may be: raise max_instances."
  }
}

variable "environment" {
  description = "Settings that are no secret, by the names of environment variables."
  type        = map(string)
}

variable "secrets" {
  description = "Settings that are secret, by the names of environment variables: which secret, and which version of it."
  type = map(object({
    secret_id = string
    version   = string
  }))
  default = {}

  validation {
    condition     = alltrue([for secret in values(var.secrets) : can(regex("^[0-9]+$", secret.version))])
    error_message = "A secret has no version: add one by `gcloud secrets versions add`, and deploy by `make deploy`, which looks the numbers up. By number only: \"latest\" is read when an instance starts, so two instances can hold two keys."
  }
}

variable "project_roles" {
  description = "Roles in the whole project: only those that can't be given on a single resource."
  type        = list(string)
  default     = []
}

variable "invokers" {
  description = "Who may call the function; nobody else's right outlives an apply."
  type        = list(string)

  validation {
    condition     = length(var.invokers) > 0
    error_message = "Name at least one caller, as serviceAccount:..., or allUsers where the function checks tokens itself."
  }
}
