resource "google_monitoring_notification_channel" "email" {
  for_each = toset(var.emails)

  project      = var.project
  display_name = "Tenths: ${each.value}"
  type         = "email"

  labels = {
    email_address = each.value
  }
}

resource "google_monitoring_alert_policy" "this" {
  for_each = var.alerts

  project               = var.project
  display_name          = "Tenths: ${each.value.title}"
  combiner              = "OR"
  severity              = each.value.severity
  notification_channels = [for channel in google_monitoring_notification_channel.email : channel.id]
  user_labels           = var.labels

  conditions {
    display_name = each.value.title

    condition_prometheus_query_language {
      query               = each.value.query
      duration            = "${each.value.for_seconds}s"
      evaluation_interval = "60s"

      # A metric exists from its first point on: on the day of the first deploy there are none.
      disable_metric_validation = true
    }
  }

  documentation {
    subject   = "Tenths: ${each.value.title}"
    mime_type = "text/markdown"
    content   = "${each.value.meaning}\n\nWhat to do: [docs/operations.md#${each.key}](${var.runbook}#${each.key})"
  }

  alert_strategy {
    auto_close           = "86400s"
    notification_prompts = ["OPENED", "CLOSED"]
  }
}
