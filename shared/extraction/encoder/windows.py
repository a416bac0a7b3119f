"""A mail's subject and newly written text as one run of pieces, and the stretches in which its amounts are heard."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from shared.extraction.encoder.wordpieces import Wordpieces
from shared.mail.email import Email, Span

WIDEST = 256
"""Pieces that are heard at once; longer mail is heard in stretches that overlap by half."""
_MOST_CHARACTERS = 16_000
"""Text of a mail that is heard, some six pages; of amounts behind it signs alone decide."""


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
    count = len(cut.numbers)
    last = max(0, count - WIDEST)
    begins = [*range(0, last, WIDEST // 2), last]
    inside: dict[int, list[tuple[int, int, int]]] = {}
    for which, pieces in enumerate(found):
        if pieces is None:
            continue
        first, final = pieces
        around = [begin for begin in begins if begin <= first and final < begin + WIDEST]
        if around:
            best = min(around, key=lambda begin: abs(begin + WIDEST // 2 - first))
            inside.setdefault(best, []).append((which, first - best + 1, final - best + 1))
    return [
        Window((wordpieces.opening, *cut.numbers[begin : begin + WIDEST], wordpieces.closing), tuple(inside[begin]))
        for begin in sorted(inside)
    ]


def _written(email: Email, amounts: Sequence[Span]) -> tuple[str, list[tuple[int, int] | None]]:
    """The subject and what the sender newly wrote, and where the amounts stand in it; None for one that doesn't."""
    text = f"Subject: {email.subject[:300]}\n"
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
