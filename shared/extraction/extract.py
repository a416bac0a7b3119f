"""From an email read to its time entries: passages, sentences, amounts, and for each a decision and its facts."""

from dataclasses import replace

from shared.extraction.context.repeats import repeats
from shared.extraction.deciding import TOO_MUCH, Decided, Deciding
from shared.extraction.entries import Entries
from shared.extraction.found import Context, Found, Refusal
from shared.extraction.visible import as_seen, as_written
from shared.mail.email import Email, Span
from shared.mail.offsets import fold

ANALYSER_VERSION: int = 12
"""Raised whenever the same email could come out differently: what an older version recorded is then looked at again."""

_MOST_TEXT = 60_000
"""Characters of new text that are read of one mail: several times what people write."""
_MOST_SUBJECT, _MOST_RECIPIENTS = 500, 100
_SURE_REFUSAL = 0.85
"""A refusal less sure than this keeps the entry that it would be."""


def extract(email: Email, context: Context) -> Found:
    """Every entry that the email's new text states, and every amount refused with its reason. Pure and linear."""
    folded = fold(email.body)
    read, unread = readable(as_seen(email, folded) if folded.cuts else email)
    found = _found(read, context)
    found = replace(found, refusals=(*found.refusals, *unread))
    return as_written(found, folded, email.body) if folded.cuts else found


def readable(email: Email) -> tuple[Email, tuple[Refusal, ...]]:
    """The email without what goes beyond the bounds, and a refusal that says so where new text was cut."""
    spans: list[Span] = []
    left = _MOST_TEXT
    for span in email.new:
        spans.append(Span(span.start, min(span.end, span.start + left)))
        left -= spans[-1].end - spans[-1].start
        if spans[-1].end < span.end:
            cut = Span(spans[-1].end, email.new[-1].end)
            unread = Refusal(cut, "", 0.0, "<text> beyond the bound", TOO_MUCH, 0.5)
            break
    else:
        cut, unread = None, None
    body = email.body[: cut.start] if cut else email.body
    short = replace(
        email,
        body=body,
        new=tuple(spans),
        subject=email.subject[:_MOST_SUBJECT],
        recipients=email.recipients[:_MOST_RECIPIENTS],
    )
    return short, (unread,) if unread else ()


def _found(email: Email, context: Context) -> Found:
    deciding = Deciding(email, context)
    decided = deciding.decide()
    make = Entries(email, context, deciding, decided)
    done = [each for each in decided if each.verdict.done]
    again = repeats([make.stated(each, before) for before, each in zip([None, *done], done, strict=False)])
    repeated = {id(done[place]): reason for place, reason in again.items()}
    entries, refusals = [], []
    for each in decided:
        if each.verdict.done and id(each) not in repeated:
            entries.append(make.of(each))
        else:
            refusals.append(_refusal(each, repeated.get(id(each)), make, email.body))
    refusals += [deciding.unread] if deciding.unread else []
    return Found(tuple(entries), tuple(sorted(refusals, key=lambda refusal: refusal.amount.start)))


def _refusal(each: Decided, repeated: tuple[str, str] | None, make: Entries, text: str) -> Refusal:
    amount, verdict = each.candidate.amount, each.verdict
    rule, reason = repeated or (verdict.rule, verdict.reason)
    sure = 0.9 if repeated else verdict.sure
    return Refusal(
        Span(amount.start, amount.end),
        text[amount.start : amount.end],
        amount.best,
        rule,
        reason,
        sure,
        (*verdict.marks, *amount.rules),
        make.of(each) if not repeated and sure < _SURE_REFUSAL else None,
    )
