# The place for a secret, not the secret: values are added by `gcloud secrets versions add`, so that none is in the state.
resource "google_secret_manager_secret" "this" {
  project   = var.project
  secret_id = var.secret_id
  labels    = var.labels

  replication {
    user_managed {
      replicas {
        location = var.region
      }
    }
  }

  # A version that was destroyed by mistake can be had back for a week: without its keys, stored tokens can't be read.
  version_destroy_ttl = "604800s"
}
