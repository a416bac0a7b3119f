"""Text as a grammar wants it, with the way back: offsets into it are offsets into the body it was made from."""

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from shared.mail.email import Span

# Soft hyphens, zero-width spaces and joiners, direction marks, byte order marks: in the text, but not to be seen.
_UNSEEN = re.compile("[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff]+")
# What programs write around bold and slanted words where HTML becomes plain text: "*2.2*", "_Smith v. Jones_".
_EMPHASIS = re.compile(r"(?<![\w*_])([*_])(?=[^\s*_])[^*_\n]{1,120}(?<!\s)\1(?![\w*_])")
_SPACES = dict.fromkeys((11, 12, 133, 160, 5760, *range(8192, 8203), 8239, 8287, 12288), " ")


@dataclass(frozen=True, slots=True)
class Folded:
    """A body (or any text) with each odd space as U+0020 and without the characters that a reader doesn't see.

    These are soft hyphens and the like, and the marks of emphasis in plain text. `cuts` holds, for each run of them,
    where in `text` it was and how many characters are gone by then.
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
    """`body` folded. Where nothing is left out, which is nearly always, offsets are the same."""
    left_out = _left_out(body)
    if not left_out and body.isascii():
        return Folded(body.translate(_SPACES) if "\x0b" in body or "\x0c" in body else body)
    cuts: list[tuple[int, int]] = []
    kept: list[str] = []
    gone = position = 0
    for start, end in left_out:
        kept.append(body[position:start])
        cuts.append((start - gone, gone + end - start))
        gone += end - start
        position = end
    return Folded("".join((*kept, body[position:])).translate(_SPACES), tuple(cuts))


def _left_out(body: str) -> list[tuple[int, int]]:
    """Where in `body` there is what a reader doesn't see, in order."""
    found = [] if body.isascii() else [match.span() for match in _UNSEEN.finditer(body)]
    if "*" in body or "_" in body:
        for match in _EMPHASIS.finditer(body):
            found += [(match.start(), match.start() + 1), (match.end() - 1, match.end())]
        found.sort()
    return found
