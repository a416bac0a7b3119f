# From one zip of the source to the images that run: where both lie, and the account that builds.

resource "google_storage_bucket" "source" {
  #checkov:skip=CKV_GCP_62:only the build reads it, and Cloud Audit Logs tell who wrote; a bucket of logs would hold nothing else
  project                     = var.project
  name                        = "${var.project}-${local.prefix}-source"
  location                    = var.region
  labels                      = local.labels
  force_destroy               = true # it holds nothing but zips of this source
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  versioning {
    enabled = true
  }

  # A deploy needs its own zip only. Older ones stay for a while, for going back.
  lifecycle_rule {
    action {
      type = "Delete"
    }

    condition {
      age                        = 90
      with_state                 = "ARCHIVED"
      days_since_noncurrent_time = 90
    }
  }

  depends_on = [google_project_service.this]
}

# The name is the content's: the same source is never uploaded nor built twice, a changed one always is.
resource "google_storage_bucket_object" "source" {
  bucket = google_storage_bucket.source.name
  name   = "source-${filesha256(var.source_zip)}.zip"
  source = var.source_zip
}

resource "google_artifact_registry_repository" "images" {
  #checkov:skip=CKV_GCP_84:Google's own keys: the images hold this project's public source and no secret
  project       = var.project
  location      = var.region
  repository_id = local.prefix
  description   = "Images of the functions"
  format        = "DOCKER"
  labels        = local.labels

  cleanup_policies {
    id     = "keep-recent"
    action = "KEEP"

    most_recent_versions {
      keep_count = 5
    }
  }

  cleanup_policies {
    id     = "delete-old"
    action = "DELETE"

    condition {
      older_than = "7776000s"
    }
  }

  depends_on = [google_project_service.this]
}

resource "google_service_account" "build" {
  project      = var.project
  account_id   = "${local.prefix}-build"
  display_name = "Tenths: builds the functions"
}

# What a build needs instead of the default account's right to edit the whole project.
resource "google_project_iam_member" "build" {
  project = var.project
  role    = "roles/logging.logWriter"
  member  = google_service_account.build.member
}

# Cloud Functions copies the archive to a bucket of its own, which it makes with the first function: the build reads that.
resource "google_project_iam_member" "build_reads_source" {
  project = var.project
  role    = "roles/storage.objectViewer"
  member  = google_service_account.build.member

  condition {
    title       = "sources-of-functions"
    description = "Not Terraform's state, which lies in the same project."
    expression = join(" || ", [
      for bucket in ["gcf-v2-sources-", google_storage_bucket.source.name] :
      "resource.name.startsWith(\"projects/_/buckets/${bucket}\")"
    ])
  }
}

resource "google_artifact_registry_repository_iam_member" "build_writes_images" {
  project    = var.project
  location   = google_artifact_registry_repository.images.location
  repository = google_artifact_registry_repository.images.name
  role       = "roles/artifactregistry.writer"
  member     = google_service_account.build.member
}
