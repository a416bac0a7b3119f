# What nobody asks for, now and then: one job a task of maintenance. Each is safe to run twice at once and after any
# crash, so a job may simply be tried again.

locals {
  # Minutes are spread so that the hourly ones don't start together.
  tasks = {
    refresh_summaries   = { schedule = "*/5 * * * *", retries = 1, description = "Summaries are computed anew." }
    reconcile           = { schedule = "*/20 * * * *", retries = 1, description = "Finds what a lost push or message left out." }
    renew_watches       = { schedule = "7 * * * *", retries = 3, description = "Gmail's watches end after 7 days: each is renewed daily." }
    second_looks        = { schedule = "23 * * * *", retries = 3, description = "Reads again what the model was away for." }
    replay_dead_letters = { schedule = "41 * * * *", retries = 3, description = "What couldn't be delivered is tried again." }
    purge               = { schedule = "17 3 * * *", retries = 5, description = "Deletes what is kept no longer." }
  }
}

# Who Cloud Scheduler calls as. It owns nothing and may call maintenance.
resource "google_service_account" "scheduler" {
  project      = var.project
  account_id   = "${local.prefix}-scheduler"
  display_name = "Tenths: Cloud Scheduler's calls"
}

module "job" {
  source   = "./modules/job"
  for_each = local.tasks

  project                  = var.project
  region                   = var.region
  name                     = "${local.prefix}-${replace(each.key, "_", "-")}"
  description              = each.value.description
  schedule                 = each.value.schedule
  retries                  = each.value.retries
  url                      = "${module.function["maintenance"].url}/maintenance/${each.key}"
  caller                   = google_service_account.scheduler.email
  audience                 = local.audiences["maintenance"]
  attempt_deadline_seconds = local.functions["maintenance"].size.timeout_seconds
}
