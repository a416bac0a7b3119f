# An email's way: gmail-events -> gmail_push -> sent-emails -> analyze_email. The past: rescan-pages -> rescan_page.
# What can't be delivered goes to dead-letter, from where maintenance replays it.

locals {
  dead_letters = "dead-letter"

  # A month, the longest that Pub/Sub keeps anything: a fault that nobody mends over a holiday loses nothing.
  month = "2678400s"

  # 20 tries with pauses of 10 s doubling to 10 minutes are more than two hours: an outage of Gmail or Supabase passes, a
  # rescan's lease of 52 s is outlasted many times. What an outage dead-letters all the same is replayed within the hour.
  topics = {
    gmail-events = {
      function   = "gmail_push"
      publishers = ["maintenance"]
      # Gmail announces what was sent in a watched mailbox: here, and on no other topic.
      others = [local.gmail_agent]
    }

    sent-emails = {
      function   = "analyze_email"
      publishers = ["gmail_push", "maintenance"]
      others     = []
    }

    rescan-pages = {
      function   = "rescan_page"
      publishers = ["maintenance", "rescan_page", "rescans"]
      others     = []
    }
  }
}

# Who Pub/Sub signs its pushes as. It owns nothing and may call the three functions.
resource "google_service_account" "push" {
  project      = var.project
  account_id   = "${local.prefix}-push"
  display_name = "Tenths: Pub/Sub's pushes"
}

# On this one account, not on all of the project.
resource "google_service_account_iam_binding" "push_tokens" {
  service_account_id = google_service_account.push.name
  role               = "roles/iam.serviceAccountTokenCreator"
  members            = [local.pubsub_agent]
}

module "push" {
  source   = "./modules/push"
  for_each = local.topics

  project              = var.project
  name                 = each.key
  labels               = local.labels
  regions              = [var.region]
  publishers           = concat([for name in each.value.publishers : module.function[name].member], each.value.others)
  endpoint             = module.function[each.value.function].url
  caller               = google_service_account.push.email
  audience             = local.audiences[each.value.function]
  ack_deadline_seconds = 60
  retry                = { minimum_seconds = 10, maximum_seconds = 600, attempts = 20 }
  dead_letter_topic    = google_pubsub_topic.dead_letter.id
  agent                = local.pubsub_agent

  depends_on = [google_service_account_iam_binding.push_tokens, google_pubsub_topic_iam_binding.dead_letter]
}

resource "google_pubsub_topic" "dead_letter" {
  #checkov:skip=CKV_GCP_83:Google's own keys, as for the topics it takes from
  project                    = var.project
  name                       = local.dead_letters
  labels                     = local.labels
  message_retention_duration = local.month

  message_storage_policy {
    allowed_persistence_regions = [var.region]
  }

  depends_on = [google_project_service.this]
}

resource "google_pubsub_topic_iam_binding" "dead_letter" {
  project = var.project
  topic   = google_pubsub_topic.dead_letter.name
  role    = "roles/pubsub.publisher"
  members = [local.pubsub_agent]
}

resource "google_pubsub_subscription" "dead_letter" {
  project                    = var.project
  name                       = local.dead_letters
  topic                      = google_pubsub_topic.dead_letter.id
  labels                     = local.labels
  message_retention_duration = local.month
  ack_deadline_seconds       = 60

  expiration_policy {
    ttl = ""
  }
}

resource "google_pubsub_subscription_iam_binding" "dead_letter" {
  project      = var.project
  subscription = google_pubsub_subscription.dead_letter.name
  role         = "roles/pubsub.subscriber"
  members      = [module.function["maintenance"].member]
}
