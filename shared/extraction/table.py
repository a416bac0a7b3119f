"""Tables of time: which column holds the hours, the day, the matter, the work, the timekeeper.

A row's cells are parted by tabs, as the mail's reading gives them. A heading row names the columns; without one, cells
speak for themselves.
"""

import re
from dataclasses import dataclass, replace

from shared.extraction.durations import Amount, AmountTokens, Form

_COLUMNS = {
    "hours": (
        r"(?:billable |total |actual |billed )?(?:hours|hrs?|time|duration|qty|quantity)(?:"
        r" ?\(?(?:hrs?|hours|spent|worked|billed|hh:mm)\)?)?\.?"
    ),
    "minutes": r"min(?:ute)?s?\.?(?: spent)?|duration \(?min(?:ute)?s?\)?|time \(?min(?:ute)?s?\)?",
    "units": r"units?|6 ?min(?:ute)? units?",
    "day": r"date|day|when|date of (?:work|service)|service date",
    "matter": r"clients?(?:[ /&-]+matter)?|matter(?:s| name)?|case(?: name)?|file|client/file|project|matter/client|re",
    "who": r"who|tkpr?|tk|timekeeper|atty|attorney|lawyer|initials?|by|fee ?earner|fe|name|person|staff|professional",
    "work": (
        r"work(?: done)?|tasks?|description(?: of (?:work|services?))?|what|narrative|activity|services?|details?"
        r"|work performed|notes?|remarks?|comments?|workstream"
    ),
}
_HEADER = {name: re.compile(pattern, re.IGNORECASE) for name, pattern in _COLUMNS.items()}
_AROUND = " *:_"
"""What may stand around a title."""
_WIDE = "   "
"""Stands for a gap of several spaces, which parts the columns of tables set in plain text."""
_GAP = re.compile(r"[ \t\u00a0\u2000-\u200a\u3000]{2,}")
_SPENT = re.compile(r"(?:hours|hrs?|time) (?:spent|worked|billed)", re.IGNORECASE)
"""A column of time by its title alone: beside it there needn't be another that is known."""
_MINUTES = {"hours": 60.0, "minutes": 1.0, "units": 6.0}
_NUMBER = re.compile(r"\s*(\d{0,4}(?:\.\d{1,2})?|\d{1,2}:\d\d)\s*(?:h|hrs?|hours?|mins?|u|units?)?\s*")


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a row: offsets into the text."""

    start: int
    end: int


def separator(row: str) -> str:
    """What parts the cells of a row: a tab, else wide gaps, a bar, a semicolon or a comma; empty if it is no row."""
    if "\t" in row.strip():
        return "\t"
    if any(len(gap.group()) > len(_WIDE) - 1 for gap in _GAP.finditer(row.strip())):
        return _WIDE
    return next((mark for mark in "|;," if row.count(mark) >= 2), "")


def cells(text: str, start: int, end: int, mark: str = "\t") -> list[Cell]:
    """The cells of a row, in order, stripped."""
    found, at = [], start
    if mark == _WIDE:
        at += len(text[start:end]) - len(text[start:end].lstrip())
        parted = [(gap.start(), gap.end()) for gap in _GAP.finditer(text, at, end)]
    else:
        parted = [(gap.start(), gap.end()) for gap in re.finditer(re.escape(mark), text[start:end])]
        parted = [(begin + start, finish + start) for begin, finish in parted]
    for begin, finish in (*parted, (end, end)):
        part = text[at:begin]
        lead = len(part) - len(part.lstrip())
        found.append(Cell(at + lead, at + lead + len(part.strip())))
        at = finish
    return found


def header(row: list[str]) -> dict[str, int]:
    """The columns that a heading row names; empty unless it is one, with a column for time."""
    named: dict[str, int] = {}
    for place, title in enumerate(row):
        for name, pattern in _HEADER.items():
            if name not in named and pattern.fullmatch(title.strip(_AROUND)):
                named[name] = place
                break
    if not _MINUTES.keys() & named.keys():
        return {}
    return named if len(named) > 1 or any(_SPENT.fullmatch(title.strip(_AROUND)) for title in row) else {}


def is_title(text: str) -> bool:
    """Whether the words are the title of a column."""
    return any(pattern.fullmatch(text.strip(_AROUND)) for pattern in _HEADER.values())


def with_hours(read: AmountTokens, text: str, cell: Cell, column: str) -> AmountTokens:
    """A row whose only amount is the number in its column for time; unchanged where that cell holds none."""
    found = _NUMBER.fullmatch(text[cell.start : cell.end])
    if found is None or not found[1]:
        return read
    amount = _amount(found[1], cell, column)
    if amount is None:
        return read
    spelled, amounts = list(read.tokens.spelled), [None] * len(read.amounts)
    inside = [index for index, start in enumerate(read.tokens.starts) if cell.start <= start < cell.end]
    marked: list[Amount | None] = [*amounts]
    for index, word in enumerate(spelled):
        spelled[index] = "<o>" if word == "<t>" else word
    if inside:
        spelled[inside[0]] = "<t>"
        marked[inside[0]] = amount
    return AmountTokens(replace(read.tokens, spelled=tuple(spelled)), tuple(marked))


def _amount(number: str, cell: Cell, column: str) -> Amount | None:
    hours, colon, minutes = number.partition(":")
    value = (int(hours) * 60.0 + int(minutes)) if colon else float(number) * _MINUTES[column]
    if not 0 < value <= 1440:
        return None
    return Amount(cell.start, cell.end, value, value, value, (f"a number under {column}",), Form.BARE)
