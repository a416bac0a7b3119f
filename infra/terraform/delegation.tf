# Optional: a firm's administrator lets one account read its mailboxes, instead of every lawyer connecting their own.
# There is no key to be lost: the functions ask IAM to sign in the account's name.

locals {
  delegates = length(var.delegated_domains) > 0
}

resource "google_service_account" "delegation" {
  count = local.delegates ? 1 : 0

  project      = var.project
  account_id   = "${local.prefix}-delegation"
  display_name = "Tenths: reads the mailboxes of ${join(", ", var.delegated_domains)}"
}

resource "google_service_account_iam_binding" "delegation_signs" {
  count = local.delegates ? 1 : 0

  service_account_id = google_service_account.delegation[0].name
  role               = "roles/iam.serviceAccountTokenCreator"
  members            = [for function in module.function : function.member]
}
