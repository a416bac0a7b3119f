output "name" {
  description = "Name of the deployed function, and of the Cloud Run service behind it."
  value       = google_cloudfunctions2_function.this.name
}

output "url" {
  description = "The service's URL: a path behind it reaches the function as it is. Known once it may be called."
  value       = google_cloudfunctions2_function.this.service_config[0].uri
  depends_on  = [google_cloud_run_service_iam_binding.invokers]
}

output "account" {
  description = "Email of the account that the function runs as."
  value       = google_service_account.this.email
}

output "member" {
  description = "The same account as IAM names it."
  value       = google_service_account.this.member
}
