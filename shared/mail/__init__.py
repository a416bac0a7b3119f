"""Reading an email: bytes in, the newly written text out, with offsets. Pure: no I/O, no clock, no settings."""

from shared.mail.email import Address, Email, Span

__all__ = ["Address", "Email", "Span"]
