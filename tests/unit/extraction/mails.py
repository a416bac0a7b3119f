"""Emails for the tests of extraction, made in one line."""

from datetime import UTC, datetime

from shared.extraction import Context, Found, extract
from shared.mail import Address, Email, Span

SENT = datetime(2026, 10, 14, 18, 0, tzinfo=UTC)
"""A Wednesday, in the evening."""
CLIENT = Address("Raymond Ortiz", "r.ortiz@mailbox.example")
BOOKKEEPER = Address("Marcy Doyle", "marcy@ledgerline.example")
COLLEAGUE = Address("Priya Raman", "priya@whitfieldlaw.example")


def mail(body: str, *, subject: str = "Where we are", to: Address = CLIENT, sent: datetime = SENT) -> Email:
    return Email(
        message_id="<1@whitfieldlaw.example>",
        subject=subject,
        sender=Address("Dana Whitfield", "dana@whitfieldlaw.example"),
        recipients=(to,),
        sent_at=sent,
        body=body,
        new=(Span(0, len(body)),) if body else (),
    )


def found(body: str, *, subject: str = "Where we are", to: Address = CLIENT, sent: datetime = SENT) -> Found:
    return extract(mail(body, subject=subject, to=to, sent=sent), Context())
