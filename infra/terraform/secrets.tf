# Where secrets are kept. Their values are not here and not in the state: `make deploy` asks for what is missing, and
# `gcloud secrets versions add` adds a newer one. Only functions whose table names a secret may read it.

locals {
  secrets = {
    GOOGLE_CLIENT_SECRET  = { required = true }
    OPENAI_API_KEY        = { required = false } # without it rules alone decide
    REDIS_URL             = { required = false } # without it each instance minds its own share of the quotas
    STATE_SIGNING_KEY     = { required = true }
    SUPABASE_SECRET_KEY   = { required = true }
    TOKEN_ENCRYPTION_KEYS = { required = true }
  }
}

module "secret" {
  source   = "./modules/secret"
  for_each = local.secrets

  project   = var.project
  region    = var.region
  secret_id = "${local.prefix}-${lower(replace(each.key, "_", "-"))}"
  labels    = local.labels

  depends_on = [google_project_service.this]
}
