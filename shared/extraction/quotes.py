"""What in a mail only looks like its own statements: quoted words, and the numbers of its sections."""

import re
from collections.abc import Iterable
from itertools import pairwise

from shared.mail.email import Email, Span

_QUOTED = re.compile(r"(?<![\w\"])[\"\u201c](?=\S)[^\"\u201c\u201d]{1,1500}[\"\u201d]")
_OWN = re.compile(
    r"(?:\bmy\b[^.?!\"]{0,60}\b(?:reads?|says?|be|is|was|becomes)|\b(?:enter|record|log|bill|docket|post)\b[^.?!\"]{0,40}"
    r"|\bnarrative\b[^.?!\"]{0,40})\s*:?\s*$",
    re.IGNORECASE,
)
"""What stands before words in quotation marks that are the sender's own entry: "my April 22 reads:", "please enter"."""
_BEFORE = 110
"""Characters before a quote in which it is announced."""
_NUMBERED = re.compile(r"(?m)^[ \t]*(?:[-*•][ \t]+)?(?:§[ \t]*)?(?P<whole>\d{1,2})\.(?P<part>\d{1,2})(?=[ \t.):])")


class Quotes:
    """The quoted stretches of a text, but for those that are the sender's own entries."""

    def __init__(self, text: str, spans: Iterable[Span]) -> None:
        self._runs = [
            found.span()
            for span in spans
            for found in _QUOTED.finditer(text, span.start, span.end)
            if not _OWN.search(text[max(span.start, found.start() - _BEFORE) : found.start()])
        ]

    def hold(self, place: int) -> bool:
        """Whether a place lies inside quotation marks."""
        return any(begin < place < end for begin, end in self._runs)


def section_numbers(email: Email) -> frozenset[int]:
    """Where lines begin with numbers that count on ("3.1", "3.2", "4.1"): the numbers of sections, not hours."""
    found = [
        (line.start("whole"), int(line["whole"]), int(line["part"]))
        for span in email.new
        for line in _NUMBERED.finditer(email.body, span.start, span.end)
    ]
    counted: set[int] = set()
    run: list[tuple[int, int, int]] = []
    for each in (*found, (len(email.body), -1, 0)):
        if run and _counts_on(run[-1], each):
            run.append(each)
            continue
        if any(one[1] == two[1] for one, two in pairwise(run)) and (run[0][2] == 1 or len(run) > 2):
            counted |= {place for place, _, _ in run}
        run = [each]
    return frozenset(counted)


def _counts_on(one: tuple[int, int, int], two: tuple[int, int, int]) -> bool:
    """Whether the second number follows the first: the next of its section, or the first of the next one."""
    return one[1] > 0 and one[2] > 0 and two[1:] in {(one[1], one[2] + 1), (one[1] + 1, 1)}
