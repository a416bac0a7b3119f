"""What in a mail only looks like its own statements: quoted words, and the numbers of its sections."""

import re
from collections.abc import Iterable
from itertools import pairwise

from shared.mail.email import Email, Span

_QUOTED = re.compile(r"(?<![\w\"])[\"\u201c](?=\S)[^\"\u201c\u201d]{1,1500}[\"\u201d]")


_NUMBERED = re.compile(r"(?m)^[ \t]*(?:[-*•][ \t]+)?(?:§[ \t]*)?(?P<whole>\d{1,2})\.(?P<part>\d{1,2})(?=[ \t.):])")


class Quotes:
    """The quoted stretches of a text."""

    def __init__(self, text: str, spans: Iterable[Span]) -> None:
        self._runs = [found.span() for span in spans for found in _QUOTED.finditer(text, span.start, span.end)]

    def hold(self, place: int) -> bool:
        """Whether a place lies inside quotation marks."""
        return any(begin < place < end for begin, end in self._runs)


def section_numbers(email: Email) -> frozenset[int]:
    """Where lines begin with numbers that count on ("3.1", "3.2"): the numbers of sections, not hours."""
    found = [
        (line.start("whole"), int(line["whole"]), int(line["part"]))
        for span in email.new
        for line in _NUMBERED.finditer(email.body, span.start, span.end)
    ]
    counted = set()
    for (place, whole, part), (after, next_whole, next_part) in pairwise(found):
        if (next_whole, next_part) in {(whole, part + 1), (whole + 1, 1)}:
            counted |= {place, after}
    return frozenset(counted)
