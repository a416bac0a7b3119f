"""What can't be seen is no part of a word: soft hyphens and the like are left out for the grammar, then put back."""

from dataclasses import replace

from shared.extraction.found import Found
from shared.mail.email import Email, Span
from shared.mail.offsets import Folded
from shared.models import EVIDENCE_LIMIT


def as_seen(email: Email, folded: Folded) -> Email:
    """The email with `folded` for its body, and the spans of its new text where they stand there."""
    places = sorted({edge for span in email.new for edge in (span.start, span.end)})
    moved = dict(zip(places, folded.places(places), strict=True))
    return replace(email, body=folded.text, new=tuple(Span(moved[s.start], moved[s.end]) for s in email.new))


def as_written(found: Found, folded: Folded, body: str) -> Found:
    """What was found in `folded`, with offsets into `body` and `body`'s own words."""
    entries = []
    for entry in found.entries:
        evidence = folded.origin(entry.evidence.start, entry.evidence.end)
        evidence = Span(evidence.start, min(evidence.end, evidence.start + EVIDENCE_LIMIT))
        amount = folded.origin(entry.amount.start, entry.amount.end)
        text = body[evidence.start : evidence.end]
        entries.append(replace(entry, evidence=evidence, amount=amount, extracted_text=text))
    refusals = tuple(
        replace(refusal, amount=folded.origin(refusal.amount.start, refusal.amount.end)) for refusal in found.refusals
    )
    return Found(tuple(entries), refusals)
