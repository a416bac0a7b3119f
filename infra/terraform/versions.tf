terraform {
  required_version = ">= 1.9, < 2.0"

  required_providers {
    # The release whose schema this configuration was checked against, and the last of its major version.
    google = {
      source  = "hashicorp/google"
      version = "6.50.0"
    }
  }
}

provider "google" {
  project = var.project
  region  = var.region

  # Budgets are asked for in the name of a project: without this, a person's own credentials are refused.
  billing_project       = var.project
  user_project_override = true
}
