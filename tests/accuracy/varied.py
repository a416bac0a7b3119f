"""The labelled mail with other amounts in it: whether it is work hangs on what is said of it, not on its form.

Some amounts become spans of the clock that are as long, of which labelled mail holds few; of others only the number
changes. The encoder, which soon knows its mail by heart, has to listen to the words around.
"""

import random
import re
from dataclasses import replace

from shared.extraction.durations.read import read_amounts
from shared.extraction.durations.reading import Form
from shared.extraction.encoder.wordpieces import Wordpieces
from tests.accuracy.examples import Amount, Example

AS_SPANS, RENUMBERED = 0.08, 0.3
"""The share of amounts that become spans of the clock, of work twice that; the share whose number changes."""
_SHORTEST, _LONGEST = 5, 480
"""Minutes of what becomes a span."""
_OPENS, _CLOSES, _MIDNIGHT = 8 * 60, 17 * 60 + 30, 24 * 60 - 5
"""Minutes of the day: spans begin between the first two, to five minutes."""
_FACES = ("{h}:{m:02}", "{h}:{m:02}", "{h}:{m:02}", "{h}.{m:02}", "{h}.{m:02}", "{H:02}:{m:02}", "{h}:{m:02}{half}")
_JOINTS = ("-", " - ", "–", " to ", " to ", " until ", " till ")
_BEFORE = ("for", "of", "about", "roughly", "around", "approx", "another")
"""Words that stand before an amount and not before a span."""
_MINUTES = re.compile(r"(\d+)( ?(?:minutes|mins|min|m))", re.IGNORECASE)
_HOURS = re.compile(r"(\d+)(\.\d+)?( ?(?:hours|hrs|hr|h))", re.IGNORECASE)
_BARE = re.compile(r"(\d*)\.(\d\d?)")


class Varied:
    """Examples with other amounts, by chance; the same `chance`, the same amounts."""

    def __init__(self, wordpieces: Wordpieces, chance: random.Random) -> None:
        self._cut = wordpieces.cut
        self._chance = chance
        self._before = frozenset(self._cut(word).numbers[0] for word in _BEFORE)

    def __call__(self, example: Example) -> Example:
        """The example with some of its amounts written otherwise. Labels stay, and so do all other pieces."""
        pieces: list[int] = []
        amounts: list[Amount] = []
        at = 0
        for amount in sorted(example.amounts, key=lambda each: each.first):
            if amount.first < at:  # one within another: as it is
                return example
            first = amount.first
            span = self._as_span(amount)
            if span and first > at and example.pieces[first - 1] in self._before:
                first -= 1
            text = span or self._renumbered(amount)
            new = self._cut(text).numbers if text else example.pieces[first : amount.last + 1]
            pieces += example.pieces[at:first]
            amounts.append(
                replace(amount, first=len(pieces), last=len(pieces) + len(new) - 1, text=text or amount.text)
            )
            pieces += new
            at = amount.last + 1
        return Example((*pieces, *example.pieces[at:]), tuple(amounts))

    def _as_span(self, amount: Amount) -> str | None:
        minutes = round(amount.minutes)
        if amount.form is Form.CLOCK or not _SHORTEST <= minutes <= _LONGEST:
            return None
        if self._chance.random() >= AS_SPANS * (2 if amount.work else 1):
            return None
        span = self._span(minutes, self._chance.choice(_FACES))
        read = read_amounts(f"spent {span} on it")
        return span if len(read) == 1 and read[0].best == minutes else self._span(minutes, _FACES[0])

    def _span(self, minutes: int, face: str) -> str:
        latest = min(_CLOSES, _MIDNIGHT - minutes)
        begin = self._chance.randrange(_OPENS, latest, 5) + (self._chance.randrange(5) if minutes % 5 else 0)
        faces = [
            face.format(h=(at // 60 - 1) % 12 + 1, H=at // 60, m=at % 60, half="am" if at < 720 else "pm")
            for at in (begin, begin + minutes)
        ]
        joint = self._chance.choice(_JOINTS)
        return ("from " if joint == " to " and self._chance.random() < 0.4 else "") + joint.join(faces)

    def _renumbered(self, amount: Amount) -> str | None:
        pick = self._chance
        if pick.random() >= RENUMBERED:
            return None
        if found := _MINUTES.fullmatch(amount.text):
            return f"{pick.choice((*range(6, 60, 6), *range(10, 95, 5)))}{found[2]}" if int(found[1]) > 1 else None
        if found := _HOURS.fullmatch(amount.text):
            if found[2]:
                return f"{pick.randrange(8)}.{pick.randrange(1, 10)}{found[3]}"
            return f"{pick.randrange(2, 7)}{found[3]}" if int(found[1]) > 1 else None
        if found := _BARE.fullmatch(amount.text):
            hours = f"{min(11.0, max(0.1, amount.minutes / 60 * pick.uniform(0.5, 2.5))):.1f}"
            hours = hours.removeprefix("0") if not found[1] else hours
            return hours + pick.choice("05") if len(found[2]) == 2 else hours
        return None
