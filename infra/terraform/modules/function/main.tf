# The account a function runs as: nobody else's, with the rights that are given here and none by default.
resource "google_service_account" "this" {
  project      = var.project
  account_id   = "${var.prefix}-${local.name}"
  display_name = "Tenths: ${var.entry_point}"
}

resource "google_project_iam_member" "this" {
  for_each = toset(var.project_roles)

  project = var.project
  role    = each.value
  member  = google_service_account.this.member
}

resource "google_secret_manager_secret_iam_member" "reads" {
  for_each = var.secrets

  project   = var.project
  secret_id = each.value.secret_id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.this.member
}

resource "google_cloudfunctions2_function" "this" {
  #checkov:skip=CKV_GCP_124:"internal only" lets no push in by a function's own URL; who may call is decided by the invoker right below and, once more, by the function itself
  project     = var.project
  location    = var.region
  name        = local.name
  description = var.description
  labels      = var.labels

  build_config {
    runtime           = var.runtime
    entry_point       = var.entry_point
    service_account   = var.build_account
    docker_repository = var.docker_repository

    source {
      storage_source {
        bucket = var.source_archive.bucket
        object = var.source_archive.object
      }
    }
  }

  service_config {
    service_account_email            = google_service_account.this.email
    available_memory                 = var.size.memory
    available_cpu                    = var.size.cpu
    timeout_seconds                  = var.size.timeout_seconds
    max_instance_request_concurrency = var.size.concurrency
    min_instance_count               = var.size.min_instances
    max_instance_count               = var.size.max_instances
    all_traffic_on_latest_revision   = true
    ingress_settings                 = "ALLOW_ALL"
    environment_variables            = var.environment

    dynamic "secret_environment_variables" {
      for_each = var.secrets

      content {
        key        = secret_environment_variables.key
        project_id = var.project
        secret     = secret_environment_variables.value.secret_id
        version    = secret_environment_variables.value.version
      }
    }
  }

  # An instance that may not read its secrets never starts, and the deploy fails with it.
  depends_on = [google_secret_manager_secret_iam_member.reads]
}

# A binding: who isn't named may not call, whoever gave the right.
resource "google_cloud_run_service_iam_binding" "invokers" {
  project  = var.project
  location = var.region
  service  = google_cloudfunctions2_function.this.name
  role     = "roles/run.invoker"
  members  = var.invokers
}

locals {
  # A Cloud Run service, which is what a function becomes, can have no underscore in its name.
  name = replace(var.entry_point, "_", "-")
}
