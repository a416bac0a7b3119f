"""Gmail: what a mailbox sent since a history id, and the emails themselves."""
