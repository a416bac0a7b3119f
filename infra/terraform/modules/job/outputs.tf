output "name" {
  description = "Name of the job, as `gcloud scheduler jobs run` takes it."
  value       = google_cloud_scheduler_job.this.name
}
