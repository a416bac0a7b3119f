"""What travels through Pub/Sub, and how it is decoded and published."""
