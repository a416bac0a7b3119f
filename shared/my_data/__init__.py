"""What is stored about a user: given to them whole, and deleted for good."""
