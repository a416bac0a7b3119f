# A topic, the one subscription that pushes it into a function, and the place for what can't be delivered.
resource "google_pubsub_topic" "this" {
  #checkov:skip=CKV_GCP_83:Google's own keys: messages hold ids, and Gmail's the address it was told; a key of our own would be one more thing that stops mail when lost
  project                    = var.project
  name                       = var.name
  labels                     = var.labels
  message_retention_duration = var.retention

  message_storage_policy {
    allowed_persistence_regions = var.regions
  }
}

# A binding: who isn't named here may not publish, whoever gave the right.
resource "google_pubsub_topic_iam_binding" "publishers" {
  project = var.project
  topic   = google_pubsub_topic.this.name
  role    = "roles/pubsub.publisher"
  members = var.publishers
}

resource "google_pubsub_subscription" "this" {
  project                    = var.project
  name                       = var.name
  topic                      = google_pubsub_topic.this.id
  labels                     = var.labels
  ack_deadline_seconds       = var.ack_deadline_seconds
  message_retention_duration = var.retention

  # Never: a month without mail must not end it.
  expiration_policy {
    ttl = ""
  }

  push_config {
    push_endpoint = var.endpoint

    oidc_token {
      service_account_email = var.caller
      audience              = var.audience
    }
  }

  retry_policy {
    minimum_backoff = "${var.retry.minimum_seconds}s"
    maximum_backoff = "${var.retry.maximum_seconds}s"
  }

  dead_letter_policy {
    dead_letter_topic     = var.dead_letter_topic
    max_delivery_attempts = var.retry.attempts
  }
}

# Pub/Sub itself takes a message off when it moves it to the dead letters.
resource "google_pubsub_subscription_iam_binding" "gives_up" {
  project      = var.project
  subscription = google_pubsub_subscription.this.name
  role         = "roles/pubsub.subscriber"
  members      = [var.agent]
}
