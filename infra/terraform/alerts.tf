# What is told to a person. Each alert is named as the heading of docs/operations.md that says what to do. Where
# Google measures a thing itself, its measure is taken: it is there also when a function is not.

locals {
  services = "monitored_resource=\"cloud_run_revision\",service_name=~\"${join("|", [for name in keys(local.functions) : replace(name, "_", "-")])}\""

  # What Gmail allows a project (shared/gmail/quota.py), all mailboxes together; one mailbox has its own quota besides.
  gmail_units_a_minute = 1200000

  # What starts with tenths_ is from shared/metrics.py. How things stand is told by maintenance, which looks at
  # the end of each task, every few minutes: that it stood so at every look of two hours is what min_over_time tells.
  queries = {
    lag_p95      = "histogram_quantile(0.95, sum by (le) (rate(tenths_lag_seconds_bucket[10m])))"
    lag_p50      = "histogram_quantile(0.5, sum by (le) (rate(tenths_lag_seconds_bucket[10m])))"
    deliveries   = "sum by (function, result) (rate(tenths_deliveries_total[5m]))"
    emails       = "sum by (outcome) (rate(tenths_emails_total[5m]))"
    fallbacks    = "sum(increase(tenths_model_fallbacks_total[15m]))"
    lapsing      = "max(last_over_time(tenths_watches_lapsing[2h]))"
    lapsed       = "max(last_over_time(tenths_watches_lapsed[2h]))"
    kept         = "max(last_over_time(tenths_dead_letters{state=\"kept\"}[2h]))"
    waiting      = "max(last_over_time(tenths_oldest_waiting_seconds[1h]))"
    mailbox_used = "max(tenths_gmail_quota_used_share{of=\"mailbox\"})"
    live_waits   = "histogram_quantile(0.95, sum by (le) (rate(tenths_gmail_quota_wait_seconds_bucket{priority=\"live\"}[10m])))"
    project_used = "sum(rate(tenths_gmail_quota_units_total[5m])) * 60 / ${local.gmail_units_a_minute}"
    quota_waits  = "histogram_quantile(0.95, sum by (le) (rate(tenths_gmail_quota_wait_seconds_bucket[10m])))"
    requests     = "sum by (service_name) (rate(run_googleapis_com:request_count{${local.services}}[5m]))"
    error_share  = "sum by (service_name) (rate(run_googleapis_com:request_count{${local.services},response_code_class=\"5xx\"}[15m])) / sum by (service_name) (rate(run_googleapis_com:request_count{${local.services}}[15m]))"
    memory       = "histogram_quantile(0.99, sum by (le, service_name) (rate(run_googleapis_com:container_memory_utilizations_bucket{${local.services}}[10m])))"
    instances    = "sum by (service_name) (run_googleapis_com:container_instance_count{${local.services}})"
    crashes      = "sum by (service_name) (increase(logging_googleapis_com:user_tenths_crashes{monitored_resource=\"cloud_run_revision\"}[15m]))"
    dead_letters = "max(pubsub_googleapis_com:subscription_num_undelivered_messages{monitored_resource=\"pubsub_subscription\",subscription_id=\"${local.dead_letters}\"})"
    backlog_age  = "max by (subscription_id) (pubsub_googleapis_com:subscription_oldest_unacked_message_age{monitored_resource=\"pubsub_subscription\",subscription_id=~\"${join("|", keys(local.topics))}\"})"
    missed_jobs  = "sum by (job_id) (increase(logging_googleapis_com:user_tenths_failed_jobs{monitored_resource=\"cloud_scheduler_job\"}[1h]))"
    no_jobs      = "absent_over_time(run_googleapis_com:request_count{monitored_resource=\"cloud_run_revision\",service_name=\"maintenance\"}[1h])"
  }

  alerts = {
    lag = {
      title       = "Entries come late"
      meaning     = "One in twenty sent emails took more than five minutes to become an entry, for a quarter of an hour."
      query       = "${local.queries.lag_p95} > 300"
      for_seconds = 900
      severity    = "ERROR"
    }

    error-rate = {
      title       = "A function fails"
      meaning     = "More than one in twenty requests of a function ended with a server error, for a quarter of an hour. Pushes are tried again and nothing is lost yet; people see errors."
      query       = "(${local.queries.error_share}) > 0.05"
      for_seconds = 900
      severity    = "ERROR"
    }

    dead-letters = {
      title       = "Dead letters stay"
      meaning     = "Messages could not be delivered in twenty tries and are still there after two turns of their replay, or were given up. Those emails have no entries until they are replayed."
      query       = "(${local.queries.dead_letters} > 0) or (min(min_over_time(tenths_dead_letters{state=\"kept\"}[130m])) > 0)"
      for_seconds = 7200
      severity    = "ERROR"
    }

    lapsing-watches = {
      title       = "Watches end or have ended"
      meaning     = "Gmail stops telling of new mail in some mailboxes within a day, or has: their watch could not be renewed at two turns. New mail is still found, by reconciling, but later."
      query       = "(min(min_over_time(tenths_watches_lapsing[130m])) > 0) or (min(min_over_time(tenths_watches_lapsed[130m])) > 0)"
      for_seconds = 0
      severity    = "ERROR"
    }

    gmail-quota = {
      title       = "Gmail's quota is nearly used up"
      meaning     = "For ten minutes the project has used more than 80 % of what Gmail allows it, or one in twenty calls for new mail has waited for quota for more than ten seconds."
      query       = "(${local.queries.project_used} > 0.8) or (${local.queries.live_waits} > 10)"
      for_seconds = 600
      severity    = "WARNING"
    }

    backlog = {
      title       = "Messages wait"
      meaning     = "The oldest message of a subscription has waited for more than ten minutes."
      query       = "${local.queries.backlog_age} > 600"
      for_seconds = 600
      severity    = "ERROR"
    }

    coverage = {
      title       = "Sent emails are not accounted for"
      meaning     = "An email has waited for more than six hours to be read, or Gmail knows of sent emails that are not on record."
      query       = "(min(min_over_time(tenths_oldest_waiting_seconds[50m])) > 21600) or (max(last_over_time(tenths_coverage_missing[1h])) > 0)"
      for_seconds = 0
      severity    = "ERROR"
    }

    scheduler = {
      title       = "Maintenance fails or is not called"
      meaning     = "Calls of a maintenance task failed three times within an hour, their own retries included, or none came in an hour."
      query       = "(${local.queries.missed_jobs} >= 3) or ${local.queries.no_jobs}"
      for_seconds = 900
      severity    = "ERROR"
    }

    memory = {
      title       = "A function runs out of memory or crashes"
      meaning     = "A function used more than 90 % of its memory, or its process was ended."
      query       = "(${local.queries.memory} > 0.9) or (${local.queries.crashes} > 0)"
      for_seconds = 300
      severity    = "ERROR"
    }

    model-unavailable = {
      title       = "The language model does not answer"
      meaning     = "For a quarter of an hour emails were settled by rules alone that a model should have looked at. They are marked, and looked at again when it answers."
      query       = "${local.queries.fallbacks} > 10"
      for_seconds = 900
      severity    = "WARNING"
    }
  }
}

# Cloud Scheduler has no measure of failed calls, but a line in the log for each.
resource "google_logging_metric" "failed_jobs" {
  project = var.project
  name    = "tenths/failed_jobs"
  filter  = "resource.type=\"cloud_scheduler_job\" AND severity>=ERROR AND resource.labels.job_id=~\"^${local.prefix}-\""

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
  }

  depends_on = [google_project_service.this]
}

# What Cloud Run itself says of an instance: out of memory, ended, never started.
resource "google_logging_metric" "crashes" {
  project = var.project
  name    = "tenths/crashes"
  filter  = "resource.type=\"cloud_run_revision\" AND log_id(\"run.googleapis.com/varlog/system\") AND severity>=ERROR"

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
  }

  depends_on = [google_project_service.this]
}

module "alerts" {
  source = "./modules/alerts"

  project = var.project
  labels  = local.labels
  emails  = var.alert_emails
  runbook = var.runbook
  alerts  = local.alerts

  depends_on = [google_logging_metric.failed_jobs, google_logging_metric.crashes]
}
