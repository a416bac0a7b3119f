# The eight functions: who calls each, what it may use, which settings it reads. Nothing else in this folder names them.

locals {
  # size: measured on one CPU, a process takes 82 MB idle and 25 MB more for a batch of 50 emails; an instance's own
  # system takes some 100 MB. A CPU of its own is what lets an instance serve several requests at once.
  # concurrency x max_instances bounds what the database and Gmail's quota of the whole project are asked at once.
  functions = {
    gmail_push = {
      description = "Reads what was sent in a mailbox since the last push, and hands each email on."
      caller      = "pubsub"
      # Waits on Gmail nearly all the time, and pushes of one mailbox share one look at its history. 60 s: the ack deadline.
      size     = { memory = "512Mi", timeout_seconds = 60, concurrency = 40, max_instances = 10 }
      settings = ["CALLER_ACCOUNTS", "CALLER_AUDIENCE", "SENT_EMAILS_TOPIC"]
      secrets  = []
    }

    analyze_email = {
      description = "Reads one sent email and records its time entries."
      caller      = "pubsub"
      # 10 ms of CPU an email, so 20 at once keep one CPU busy behind a second's wait; each may hold an email of 2 MB.
      size     = { memory = "512Mi", timeout_seconds = 60, concurrency = 20, max_instances = 20 }
      settings = ["CALLER_ACCOUNTS", "CALLER_AUDIENCE"]
      secrets  = ["OPENAI_API_KEY"]
    }

    rescan_page = {
      description = "Reads one page of a mailbox's past."
      caller      = "pubsub"
      # A page takes up to 40 s and 50 MB. Few at once: the past may wait, and has 60 % of a mailbox's quota only.
      size     = { memory = "512Mi", timeout_seconds = 60, concurrency = 4, max_instances = 10 }
      settings = ["CALLER_ACCOUNTS", "CALLER_AUDIENCE", "RESCAN_PAGES_TOPIC"]
      secrets  = ["OPENAI_API_KEY"]
    }

    maintenance = {
      description = "Renews watches, finds what was lost, refreshes summaries, looks a second time, purges, replays."
      caller      = "scheduler"
      # One task is one call of up to 9 minutes; two turns of a task may overlap and are safe to.
      size     = { memory = "512Mi", timeout_seconds = 540, concurrency = 4, max_instances = 3 }
      settings = ["CALLER_ACCOUNTS", "CALLER_AUDIENCE", "DEAD_LETTER_SUBSCRIPTION", "GMAIL_EVENTS_TOPIC", "RESCAN_PAGES_TOPIC", "SENT_EMAILS_TOPIC"]
      secrets  = []
    }

    tools = {
      description = "The four tools and the chat."
      caller      = "users"
      # A chat streams for up to 120 s; a scan of 50 emails takes 25 MB, and 20 may run at once beside the caches.
      size     = { memory = "1Gi", timeout_seconds = 150, concurrency = 20, max_instances = 20 }
      settings = ["APP_ORIGINS", "SUPABASE_PUBLISHABLE_KEY"]
      secrets  = ["OPENAI_API_KEY"]
    }

    rescans = {
      description = "Starts, shows and ends rescans, and tells whether every sent email is accounted for."
      caller      = "users"
      # Starting and showing is quick; comparing a period with Gmail itself waits for its quota.
      size     = { memory = "512Mi", timeout_seconds = 120, concurrency = 20, max_instances = 5 }
      settings = ["APP_ORIGINS", "RESCAN_PAGES_TOPIC", "SUPABASE_PUBLISHABLE_KEY"]
      secrets  = []
    }

    mailbox = {
      description = "Connects and disconnects mailboxes."
      caller      = "users"
      # A handful of calls of Google and the database, a few times in a mailbox's life.
      size     = { memory = "512Mi", timeout_seconds = 60, concurrency = 20, max_instances = 5 }
      settings = ["APP_ORIGINS", "CALLBACK_URL", "DELEGATED_DOMAINS", "GMAIL_EVENTS_TOPIC", "SUPABASE_PUBLISHABLE_KEY"]
      secrets  = ["STATE_SIGNING_KEY"]
    }

    my_data = {
      description = "Exports and erases what is stored about a user."
      caller      = "users"
      # An export streams, so it takes time and not memory.
      size     = { memory = "512Mi", timeout_seconds = 360, concurrency = 10, max_instances = 3 }
      settings = ["APP_ORIGINS", "SUPABASE_PUBLISHABLE_KEY"]
      secrets  = []
    }
  }

  # What every function reads besides.
  settings_of_all = ["DELEGATION_ACCOUNT", "GCP_PROJECT", "GMAIL_QUOTA_PROFILE", "GOOGLE_CLIENT_ID", "METRICS_EXPORTER", "METRICS_LOCATION", "SUPABASE_URL"]
  secrets_of_all  = ["GOOGLE_CLIENT_SECRET", "REDIS_URL", "SUPABASE_SECRET_KEY", "TOKEN_ENCRYPTION_KEYS"]

  # Null where it is left out.
  settings = {
    APP_ORIGINS              = length(var.app_origins) > 0 ? join(",", var.app_origins) : null
    CALLBACK_URL             = local.redirect_uri
    DEAD_LETTER_SUBSCRIPTION = local.dead_letters
    DELEGATED_DOMAINS        = local.delegates ? join(",", var.delegated_domains) : null
    DELEGATION_ACCOUNT       = local.delegates ? google_service_account.delegation[0].email : null
    GCP_PROJECT              = var.project
    GMAIL_EVENTS_TOPIC       = "gmail-events"
    GMAIL_QUOTA_PROFILE      = var.gmail_quota_profile
    GOOGLE_CLIENT_ID         = var.google_client_id
    METRICS_EXPORTER         = "cloud_monitoring"
    METRICS_LOCATION         = var.region
    RESCAN_PAGES_TOPIC       = "rescan-pages"
    SENT_EMAILS_TOPIC        = "sent-emails"
    SUPABASE_PUBLISHABLE_KEY = var.supabase_publishable_key
    SUPABASE_URL             = var.supabase_url
  }

  # Who may call, and what the function is told of them, so that the two can't differ. Users come without an account of
  # Google's: they are let through to the function, which verifies their Supabase token (shared/auth.py).
  callers = {
    pubsub    = { members = [google_service_account.push.member], accounts = google_service_account.push.email }
    scheduler = { members = [google_service_account.scheduler.member], accounts = google_service_account.scheduler.email }
    users     = { members = ["allUsers"], accounts = null }
  }
}

module "function" {
  #checkov:skip=CKV_GCP_102:users are known by their Supabase token, which the function itself verifies; only the functions with caller = "users" are open
  source   = "./modules/function"
  for_each = local.functions

  project     = var.project
  region      = var.region
  prefix      = local.prefix
  labels      = local.labels
  entry_point = each.key
  description = each.value.description
  runtime     = var.runtime
  size        = merge(each.value.size, { min_instances = lookup(var.warm_instances, each.key, 0) })
  invokers    = local.callers[each.value.caller].members

  build_account     = google_service_account.build.id
  docker_repository = google_artifact_registry_repository.images.id

  source_archive = {
    bucket = google_storage_bucket_object.source.bucket
    object = google_storage_bucket_object.source.name
  }

  environment = merge(
    var.extra_settings,
    {
      for name, value in merge(local.settings, {
        CALLER_ACCOUNTS = local.callers[each.value.caller].accounts
        CALLER_AUDIENCE = local.audiences[each.key]
      }) : name => value
      if contains(concat(local.settings_of_all, each.value.settings), name) && value != null
    },
  )

  secrets = {
    for name in concat(local.secrets_of_all, each.value.secrets) : name => {
      secret_id = module.secret[name].secret_id
      version   = lookup(var.secret_versions, name, "none")
    }
    if local.secrets[name].required || contains(keys(var.secret_versions), name)
  }

  # Metrics can be written to a project only, not to one of its metrics.
  project_roles = ["roles/telemetry.metricsWriter"]

  # A build without its rights fails, and the first deploy with it.
  depends_on = [
    google_artifact_registry_repository_iam_member.build_writes_images,
    google_project_iam_member.build,
    google_project_service.this,
    google_storage_bucket_iam_member.build_reads_source,
  ]
}
