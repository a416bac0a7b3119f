"""Text to passages: a paragraph whose lines were wrapped is one, and each item of a list, each line of a time sheet.

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
    r"\s*(?:[-*•◦▪·–—>+o]\s+|\(?(?:\d{1,2}|[a-z]|[ivx]{1,4})[.)]\s|\d{1,2}[/.]\d{1,2}\b|\d{4}-\d\d-\d\d\b"
    r"|\[|\|"
    r"|(?:mon|tue|wed|thu|fri|sat|sun|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov"
    r"|dec)[a-z]{0,6}\.?(?:[ ,:-]+\d|:|\s+-))"
    r"|\s*[^\n:]{1,30}:\s",
    re.IGNORECASE,
)
_ENDS_WITH_TIME = re.compile(
    (
        r"(?:(?<![\d.$£€])\d{0,2}\.\d{1,2}|\d{0,2}:\d\d|\d\s?(?:h|hrs?|hours?|m|mins?|minutes?|u"
        r"|units?)\.?|\b(?:hours?|half|minutes?))\)?\s*$"
    ),
    re.IGNORECASE,
)
_HAS_TIME = re.compile(
    (
        r"(?<![\w.$£€])\d{0,2}\.\d{1,2}(?!\d)|\d\s?(?:h|hrs?|hours?|m|mins?|minutes?|units?)\b"
        r"|\b(?:hours?|minutes)\b|\d:\d\d"
    ),
    re.IGNORECASE,
)
_TERSE = re.compile(r".{0,70}(?:(?<![\d.$£€])\d{0,2}\.\d{1,2}|\d\s?(?:h|m|hrs?|mins?))\s*$")
_WIDE_GAPS = ("    ", "\u00a0\u00a0\u00a0", " \u00a0 ")
_PART_BEGUN = re.compile(r"\b(?:an?|half|quarters?|and|of|few|couple)\s*$", re.IGNORECASE)
_PART_ENDED = re.compile(
    r"\s*(?:of )?(?:and )?(?:an? )?(?:(?:half|quarters?|three quarters)(?: of)?(?: an)?(?: hours?)?"
    r"|hours?|hrs?|minutes?|mins?)\b"
)
_NUMBER_BEGUN = re.compile(
    r"(?:\b(?:one|two|three|four|five|six|seven|eight|nine|ten|fifteen|twenty|thirty|forty|fifty)"
    r"|(?<![\d.,:/])\b\d{1,3})\s*$",
    re.IGNORECASE,
)
_NUMBER_ENDED = re.compile(r"\s*(?:and (?:a|one) (?:half|quarter) )?(?:hours?|hrs?|minutes?|mins?)\b(?! of\b)")
"""An amount that was begun on one line and goes on with the next: "for half / an hour", "two and / a half hours"."""
_GOES_ON = re.compile(r"\s*(?:for|of|with|about|to|from|at|by|until|till|because|which|who|that)\s")
"""So begins what goes on with prose; under a heading of a few words an item may, too."""
_FEW_WORDS = 5
_TERMINAL = re.compile(r"[.!?:;]['\")\u2019\u201d]?\s*$")


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of text that reads as one: offsets into the text.

    `block` numbers the runs of passages that no blank line parts, `block_lines` counts the lines of its run.
    `indent` is of its first line; `item` and `cells` say whether it is an item of a list, a table row.
    """

    start: int
    end: int
    indent: int
    block: int
    item: bool
    cells: bool
    block_lines: int = 1


def passages(text: str, start: int, end: int) -> Iterator[Passage]:
    """The passages of `text[start:end]`, in order; blank lines are in none."""
    block = 0
    lines: list[tuple[int, int]] = []
    for begin, finish in (*_lines(text, start, end), (end, end)):
        if begin < finish:
            lines.append((begin, finish))
        elif lines:
            yield from _block(text, lines, block)
            block, lines = block + 1, []


def _block(text: str, lines: list[tuple[int, int]], block: int) -> Iterator[Passage]:
    """The passages of a run of lines without a blank one."""
    width = max(finish - begin for begin, finish in lines)
    timed = sum(bool(_ENDS_WITH_TIME.search(text[max(begin, finish - 30) : finish])) for begin, finish in lines)
    every = len(lines) > 1 and all(_HAS_TIME.search(text, begin, finish) for begin, finish in lines)
    if (len(lines) > 2 and timed * 2 >= len(lines)) or (every and width < 100):
        width = _LONGEST
    at = 0
    while at < len(lines):
        begin = lines[at][0]
        last = at
        while last + 1 < len(lines) and _continues(text, lines[last], lines[last + 1], width):
            last += 1
        finish = lines[last][1]
        first = text[begin : lines[at][1]]
        indent = len(first) - len(first.lstrip())
        for piece in range(begin, finish, _LONGEST):
            stop = min(piece + _LONGEST, finish)
            yield Passage(piece, stop, indent, block, bool(_ITEM.match(first)), "\t" in first.strip(), len(lines))
        at = last + 1


def _lines(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while start < end:
        stop = text.find("\n", start, end)
        stop = end if stop < 0 else stop
        yield start, start + len(text[start:stop].rstrip())
        start = stop + 1


def _is_row(line: str) -> bool:
    """Whether a line is a table's row: cells parted by tabs, bars, wide gaps, or commas without spaces."""
    return (
        "\t" in line
        or line.count("|") > 1
        or line.count(",") - line.count(", ") > 2
        or any(gap in line.strip() for gap in _WIDE_GAPS)
    )


def _continues(text: str, line: tuple[int, int], after: tuple[int, int], width: int) -> bool:
    """Whether the second line goes on with the first: it was wrapped, not begun."""
    first, second = text[line[0] : line[1]], text[after[0] : after[1]]
    if _is_row(first) or _is_row(second) or _ITEM.match(second):
        return False
    end = first[-12:]
    if (_PART_BEGUN.search(end) and _PART_ENDED.match(second)) or (
        _NUMBER_BEGUN.search(end) and _NUMBER_ENDED.match(second)
    ):
        return True
    opens = second.lstrip()[:1]
    prose = len(first.split()) >= _FEW_WORDS or _GOES_ON.match(first)
    timed = _TERSE.match(second) or _HAS_TIME.search(first)
    if prose and _GOES_ON.match(second) and not timed and not _TERMINAL.search(first):
        return True
    if _ENDS_WITH_TIME.search(first[-30:]):
        return opens.islower() and len(first) >= _WRAPPED and not _TERSE.match(second)
    if width < _LONGEST and opens.islower() and not _TERMINAL.search(first):
        return len(first) >= 30 and not _TERSE.search(second)
    word = len(second.lstrip().split(" ", 1)[0])
    return width >= _WRAPPED and len(first) + 1 + word > width
