"""What each function does: a message and the parts it needs in, what became of it out. No HTTP in here."""
