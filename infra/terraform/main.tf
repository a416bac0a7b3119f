# Tenths in one Google Cloud project. One file is one logical thing with its rights; the tables in it drive the modules.

data "google_project" "this" {
  project_id = var.project
}

locals {
  # Names are never random, so that a second apply, another operator and the documentation mean the same thing.
  prefix = "tenths"

  labels = merge({ app = "tenths" }, var.labels)

  # Google's own account that publishes dead letters, reads what it gives up, and signs tokens as the push account.
  pubsub_agent = "serviceAccount:service-${data.google_project.this.number}@gcp-sa-pubsub.iam.gserviceaccount.com"

  # Gmail's own account, the same for every project in the world.
  gmail_agent = "serviceAccount:gmail-api-push@system.gserviceaccount.com"

  # Where a function is found before it exists: Cloud Functions gives the service behind it this URL as a custom
  # audience, so a token made for it is let in at either of its URLs, and the function can be told its own audience
  # without a cycle.
  audiences = {
    for name in keys(local.functions) :
    name => "https://${var.region}-${var.project}.cloudfunctions.net/${replace(name, "_", "-")}"
  }

  # The same URL takes requests as well, and hands on the path behind the function's name. It can be registered with the
  # OAuth client before anything is deployed.
  redirect_uri = "${local.audiences["mailbox"]}/mailbox/callback"
}

resource "google_project_service" "this" {
  for_each = toset(jsondecode(file("${path.module}/apis.json")))

  project = var.project
  service = each.value

  # What else lives in the project may use them.
  disable_on_destroy = false
}
