"""Reading an email: bytes in, the newly written text out, with offsets. Pure: no I/O, no clock, no settings."""

from shared.mail.email import Address, Email, Span, UnreadableEmail
from shared.mail.reading import read

__all__ = ["Address", "Email", "Span", "UnreadableEmail", "read"]
