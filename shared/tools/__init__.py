"""The four tools of the chat assistant, each one function that takes a caller and checked arguments."""
