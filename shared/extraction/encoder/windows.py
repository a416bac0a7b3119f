"""A mail's head and newly written text as runs of pieces: the stretches in which its amounts are heard."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from shared.extraction.encoder.wordpieces import Wordpieces
from shared.mail.email import Address, Email, Span

WIDEST = 256
"""Pieces of the text that are heard at once; longer mail is heard in stretches that overlap by half."""
WIDEST_HEAD = 64
"""Pieces of the head, which is heard before every stretch."""
_MOST_CHARACTERS = 16_000
"""Text of a mail that is heard, some six pages; of amounts behind it signs alone decide."""
_MOST_SUBJECT, _MOST_NAME, _MOST_RECIPIENTS = 150, 40, 3


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of a mail: its pieces by number, and the amounts in it as (which one, first piece, last piece)."""

    pieces: tuple[int, ...]
    amounts: tuple[tuple[int, int, int], ...]


def windows(email: Email, amounts: Sequence[Span], wordpieces: Wordpieces) -> list[Window]:
    """The stretches in which the amounts of a mail (offsets into its body) stand, each amount in the one it is amid."""
    text, places = _written(email, amounts)
    cut = wordpieces.cut(text)
    found = [_pieces_of(place, cut.starts, cut.ends) if place else None for place in places]
    last = max(0, len(cut.numbers) - WIDEST)
    begins = [*range(0, last, WIDEST // 2), last]
    inside: dict[int, list[tuple[int, int, int]]] = {}
    for which, pieces in enumerate(found):
        if pieces is None:
            continue
        first, final = pieces
        around = [begin for begin in begins if begin <= first and final < begin + WIDEST]
        if around:
            best = min(around, key=lambda begin: abs(begin + WIDEST // 2 - first))
            inside.setdefault(best, []).append((which, first - best, final - best))
    head = (wordpieces.opening, *wordpieces.cut(_head(email)).numbers[:WIDEST_HEAD])
    return [
        Window(
            (*head, *cut.numbers[begin : begin + WIDEST], wordpieces.closing),
            tuple((which, len(head) + first, len(head) + final) for which, first, final in inside[begin]),
        )
        for begin in sorted(inside)
    ]


def _head(email: Email) -> str:
    """Whose mail it is, to whom, when it was sent and on what: so that a name, a day or an hour below has a meaning."""
    sent = f"{email.sent_at:%A} {email.sent_at.day} {email.sent_at:%B %H:%M}" if email.sent_at else ""
    recipients = ", ".join(_named(each) for each in email.recipients[:_MOST_RECIPIENTS])
    return f"{_named(email.sender)}\n{recipients}\n{sent}\n{email.subject[:_MOST_SUBJECT]}\n"


def _named(address: Address) -> str:
    return (address.name or address.address.partition("@")[0])[:_MOST_NAME]


def _written(email: Email, amounts: Sequence[Span]) -> tuple[str, list[tuple[int, int] | None]]:
    """What the sender newly wrote, and where the amounts stand in it; None for one that doesn't."""
    text = ""
    places: list[tuple[int, int] | None] = [None] * len(amounts)
    for span in email.new:
        if len(text) >= _MOST_CHARACTERS:
            break
        for which, amount in enumerate(amounts):
            if span.start <= amount.start and amount.end <= span.end:
                shift = len(text) - span.start
                places[which] = amount.start + shift, amount.end + shift
        text += email.body[span.start : span.end] + "\n"
    text = text[:_MOST_CHARACTERS]
    return text, [place if place and place[1] <= len(text) else None for place in places]


def _pieces_of(place: tuple[int, int], starts: Sequence[int], ends: Sequence[int]) -> tuple[int, int] | None:
    """The first and the last piece of a place in the text."""
    first, beyond = bisect_right(ends, place[0]), bisect_left(starts, place[1])
    return (first, beyond - 1) if first < beyond else None
