output "function_urls" {
  description = "Where users' clients find each function; the paths behind them are README's: .../tools/scan_billable_time, .../rescans."
  value       = { for name, function in local.functions : name => module.function[name].url if function.caller == "users" }
}

output "oauth_redirect_uri" {
  description = "To be registered with the OAuth client, to the letter."
  value       = local.redirect_uri
}

output "delegation_client_id" {
  description = "What a domain's administrator lets in, for https://www.googleapis.com/auth/gmail.readonly alone; null where no domain delegates."
  value       = one(google_service_account.delegation[*].unique_id)
}

output "watch_topic" {
  description = "What a mailbox's watch names: Gmail publishes here."
  value       = module.push["gmail-events"].topic
}

output "accounts" {
  description = "Which service account each function runs as."
  value       = { for name in keys(local.functions) : name => module.function[name].account }
}

output "callers" {
  description = "Who Pub/Sub and Cloud Scheduler call as."
  value       = { pubsub = google_service_account.push.email, scheduler = google_service_account.scheduler.email }
}

output "secrets" {
  description = "Where each secret's versions are added, by the names of environment variables."
  value       = { for name in keys(local.secrets) : name => module.secret[name].secret_id }
}

output "jobs" {
  description = "Cloud Scheduler's job of each maintenance task."
  value       = { for task in keys(local.tasks) : task => module.job[task].name }
}

output "dashboard" {
  description = "Where the dashboard is shown."
  value       = "https://console.cloud.google.com/monitoring/dashboards/builder/${basename(module.dashboard.id)}?project=${var.project}"
}
