output "policies" {
  description = "Names of the alert policies, by the runbook's anchor."
  value       = { for anchor, policy in google_monitoring_alert_policy.this : anchor => policy.name }
}

output "channels" {
  description = "Full names of the notification channels, by email address."
  value       = { for email, channel in google_monitoring_notification_channel.email : email => channel.id }
}
