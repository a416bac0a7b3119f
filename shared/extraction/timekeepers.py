"""Whose time a line holds, where a mail lists several timekeepers by initials: "7/8 | RDH | 0.60", "JMC 2.2, RT 2.2".

Capitals are initials only where the sender's own stand in the same way in other lines; else "TC" or "LOI" would be.
"""

import re
from itertools import islice

from shared.mail.email import Email

_INITIALS = re.compile(
    r"(?P<before>^[ \t]{0,40}(?:[-*•]\s{0,9})?|[|\t,;:(/]\s{0,9}|\s[-–—]\s{0,9}"
    r"|(?<![ \u00a0])[ \u00a0]{2,80}|\b(?:and|plus)\s)"
    r"(?P<who>[A-Z]{2,4})(?P<after>\s{0,9}[|\t;:)/]|\s[-–—]|[ \u00a0]{2}|\s(?=\.?\d))",
    re.MULTILINE,
)
_LONGEST = 400
"""Characters: a longer line is prose, in which nobody is named by initials in a column."""
_MOST = 500
"""Initials that are looked at in one mail: several times what people write."""


class Timekeepers:
    """The initials that a mail's lines hold in the place where other lines hold the sender's."""

    def __init__(self, email: Email) -> None:
        self._letters = re.sub(r"[^a-z]", "", email.sender.name.lower())
        self._words = re.findall(r"[^\W\d_]+", email.sender.name.lower())
        self._text = email.body
        self._found: list[tuple[int, str, bool]] = []
        slots = set()
        placed: list[tuple[int, str, str]] = []
        for span in email.new:
            for found in islice(_INITIALS.finditer(email.body, span.start, span.end), _MOST):
                slot = _kind(found["before"]) + _kind(found["after"])
                placed.append((found.start("who"), found["who"], slot))
                if self._is_sender(found["who"]):
                    slots.add(slot)
        if slots:
            self._found = [(at, who, self._is_sender(who)) for at, who, slot in placed if slot in slots]

    def somebody_elses(self, start: int, end: int, at: int) -> bool:
        """Whether the amount at `at`, in the passage `start..end`, stands beside other initials than the sender's."""
        if not self._found or end - start > _LONGEST:
            return False
        begin = max(start, self._text.rfind("\n", start, at) + 1)
        stop = self._text.find("\n", at, end)
        stop = end if stop < 0 else stop
        beside = [(place, mine) for place, _, mine in self._found if begin <= place < stop]
        before = [mine for place, mine in beside if place < at]
        if before:
            return not before[-1]
        return bool(beside) and not beside[0][1]

    def _is_sender(self, initials: str) -> bool:
        """Whether these could be the sender's initials: of each name, with or without what is between."""
        low = initials.lower()
        if not self._words or len(self._words) < 2 or low[0] != self._words[0][0]:
            return False
        if low[-1] != self._words[-1][0] and low[1] != self._words[-1][0]:
            return False
        at = 0
        for letter in low:
            at = self._letters.find(letter, at) + 1
            if not at:
                return len(low) == 3 and low[0] + low[-1] == self._words[0][0] + self._words[-1][0]
        return True


def _kind(mark: str) -> str:
    """The sort of place: a line's begin or gap, a cell's bar, or whichever mark it is."""
    bare = mark.strip(" \u00a0*•")
    if bare[:1].isalpha() or bare[:1] in set(",;:("):
        return ","
    return bare[:1] or ("^" if not mark.strip() and "\n" not in mark and len(mark) < 2 else " ")
