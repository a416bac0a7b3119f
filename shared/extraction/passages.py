"""Text to passages: a paragraph whose lines were wrapped is one, and so is each item of a list, each line of a time sheet.

Mail is wrapped at some width, so a line break ends a thought only where the next word would still have fitted, or where
the next line looks like an item of its own.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_WRAPPED = 50
"""Characters: no mail program wraps shorter than this."""
_LONGEST = 20_000
"""Characters: a longer line is cut there, so that the work at one passage stays bounded."""
_ITEM = re.compile(
    r"\s*(?:[-*•◦▪·–—>+o]\s+|\(?(?:\d{1,2}|[a-z]|[ivx]{1,4})[.)]\s|\d{1,2}[/.]\d{1,2}\b|\[|\|"
    r"|(?:mon|tue|wed|thu|fri|sat|sun|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?(?:[ ,:-]+\d|:|\s+-))"
    r"|\s*[^\n:]{1,30}:\s",
    re.IGNORECASE,
)
_ENDS_WITH_TIME = re.compile(
    r"(?:(?<![\d.$£€])\d{0,2}\.\d{1,2}|\d{0,2}:\d\d|\d\s?(?:h|hrs?|hours?|mins?|minutes?|u|units?)\.?)\)?\s*$", re.I
)
_TERMINAL = re.compile(r"[.!?:;]['\")\u2019\u201d]?\s*$")


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of text that reads as one: offsets into the text, `indent` of its first line, and whether it is an item
    or a table row. `block` numbers the runs of passages that no blank line parts."""

    start: int
    end: int
    indent: int
    block: int
    item: bool
    cells: bool


def passages(text: str, start: int, end: int) -> Iterator[Passage]:
    """The passages of `text[start:end]`, in order; blank lines are in none."""
    lines = list(_lines(text, start, end))
    block, at = 0, 0
    while at < len(lines):
        begin, finish = lines[at]
        if begin == finish:
            block, at = block + 1, at + 1
            continue
        last = at
        while last + 1 < len(lines) and _continues(text, lines[last], lines[last + 1]):
            last += 1
        finish = lines[last][1]
        first = text[begin : lines[at][1]]
        indent = len(first) - len(first.lstrip())
        for piece in range(begin, finish, _LONGEST):
            stop = min(piece + _LONGEST, finish)
            yield Passage(piece, stop, indent, block, bool(_ITEM.match(first)), "\t" in first.strip())
        at = last + 1


def _lines(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while start < end:
        stop = text.find("\n", start, end)
        stop = end if stop < 0 else stop
        yield start, start + len(text[start:stop].rstrip())
        start = stop + 1


def _continues(text: str, line: tuple[int, int], after: tuple[int, int]) -> bool:
    """Whether the second line goes on with the first: it was wrapped, not begun."""
    first, second = text[line[0] : line[1]], text[after[0] : after[1]]
    if not second or "\t" in first or "\t" in second or _ITEM.match(second):
        return False
    if len(first) < _WRAPPED or _ENDS_WITH_TIME.search(first[-20:]):
        return second.lstrip()[:1].islower() and not _ENDS_WITH_TIME.search(first[-20:]) and len(first) >= 30
    word = len(second.lstrip().split(" ", 1)[0])
    return len(first) + 1 + word > 60 or not _TERMINAL.search(first)
