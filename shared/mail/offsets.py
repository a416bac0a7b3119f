"""Text as a grammar wants it, with the way back: offsets into it are offsets into the body it was made from."""

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from shared.mail.email import Span

# Soft hyphens, zero-width spaces and joiners, direction marks, byte order marks: in the text, but not to be seen.
_UNSEEN = re.compile("[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff]+")
_SPACES = dict.fromkeys((11, 12, 133, 160, 5760, *range(8192, 8203), 8239, 8287, 12288), " ")


@dataclass(frozen=True, slots=True)
class Folded:
    """A body (or any text) with each odd space as U+0020 and without the characters that can't be seen.

    `cuts` holds, for each run of unseen characters, where in `text` it was and how many characters are gone by then.
    """

    text: str
    cuts: tuple[tuple[int, int], ...] = ()

    def origin(self, start: int, end: int) -> Span:
        """Where `text[start:end]` stands in the body, without unseen characters at its edges."""
        if end <= start:
            here = start + self._gone(start, after=True)
            return Span(here, here)
        return Span(start + self._gone(start, after=True), end + self._gone(end, after=False))

    def places(self, offsets: Sequence[int]) -> list[int]:
        """Where these offsets into the body, in ascending order, stand in `text`."""
        found: list[int] = []
        cut, gone = 0, 0
        for offset in offsets:
            # A run stands in the body where it was in `text`, and all that was left out before it.
            while cut < len(self.cuts) and self.cuts[cut][0] + self.cuts[cut][1] <= offset:
                gone = self.cuts[cut][1]
                cut += 1
            within = cut < len(self.cuts) and self.cuts[cut][0] + gone < offset
            found.append(self.cuts[cut][0] if within else offset - gone)
        return found

    def _gone(self, offset: int, *, after: bool) -> int:
        """How many characters were left out before `offset`; those right at it count only if `after`."""
        number = bisect_right(self.cuts, (offset, len(self.text) + 1_000_000_000 if after else -1))
        return self.cuts[number - 1][1] if number else 0


def fold(body: str) -> Folded:
    """`body` folded. Where nothing is out of sight, which is nearly always, offsets are the same."""
    if body.isascii():
        return Folded(body.translate(_SPACES) if "\x0b" in body or "\x0c" in body else body)
    cuts: list[tuple[int, int]] = []
    gone = 0
    for match in _UNSEEN.finditer(body):
        at = match.start() - gone
        gone += match.end() - match.start()
        cuts.append((at, gone))
    return Folded((_UNSEEN.sub("", body) if cuts else body).translate(_SPACES), tuple(cuts))
