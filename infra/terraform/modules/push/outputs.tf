output "topic" {
  description = "Full name of the topic, known once those who publish may."
  value       = google_pubsub_topic.this.id
  depends_on  = [google_pubsub_topic_iam_binding.publishers]
}

output "subscription" {
  description = "Name of the subscription."
  value       = google_pubsub_subscription.this.name
}
