output "id" {
  description = "Full name of the dashboard."
  value       = google_monitoring_dashboard.this.id
}
