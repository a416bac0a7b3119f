"""One module for each deployed function: decode, call the handler, answer. No business logic."""
