"""Rows of tables: their cells, and the amounts in those of them that hold time.

A row's cells are parted by tabs, as the mail's reading gives them, or as people part them in plain text.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from shared.extraction.durations import Amount, AmountTokens, Form

_WIDE = "   "
"""Stands for a gap of several spaces, which parts the columns of tables set in plain text."""
_GAP = re.compile(r"[ \t\u00a0\u2000-\u200a\u3000]{2,}")
_MINUTES = {"hours": 60.0, "time": 60.0, "minutes": 1.0, "units": 6.0}
_NUMBER = re.compile(r"\s*(\d{0,4}(?:[.,]\d{1,2})?|\d{1,2}:\d\d)\s*")
_HOURS = ("a number under hours",)
_OF_DAY = 7
"""Hours of a clock face under "time" from which it is a time of day."""


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


def with_columns(
    read: AmountTokens, text: str, times: Sequence[tuple[Cell, str]], blank: Sequence[Cell], *, together: bool = False
) -> AmountTokens:
    """A row whose only amounts are those in its columns of time: a bare number there, of the unit given, is one.

    Where these hold none, the row keeps what it says elsewhere, but for `blank` cells, whose numbers are no time.
    `together`: they hold one amount, whole hours and the minutes beyond them, or the same in both units.
    """
    spelled, amounts = list(read.tokens.spelled), list(read.amounts)
    found: dict[int, Amount] = {}
    for cell, unit in times:
        inside = [index for index, start in enumerate(read.tokens.starts) if cell.start <= start < cell.end]
        number = _NUMBER.fullmatch(text[cell.start : cell.end])
        if inside and number and number[1]:
            if amount := _amount(number[1], cell, unit):
                found[inside[0]] = amount
        else:
            found |= {index: amount for index in inside if (amount := amounts[index])}
    if together and len(found) > 1:
        (first, hours), (last, minutes) = sorted(found.items(), key=lambda each: each[1].rules != _HOURS)[:2]
        whole = hours.best + minutes.best
        if hours.best % 60 == 0 and minutes.best < 60:
            start, end = min(hours.start, minutes.start), max(hours.end, minutes.end)
            found = {min(first, last): replace(hours, start=start, end=end, low=whole, best=whole, high=whole)}
        else:
            found = {first: hours}
    for index, start in enumerate(read.tokens.starts):
        if index in found:
            spelled[index], amounts[index] = "<t>", found[index]
        elif amounts[index] and (found or any(cell.start <= start < cell.end for cell in blank)):
            spelled[index], amounts[index] = "<o>", None
    return AmountTokens(replace(read.tokens, spelled=tuple(spelled)), tuple(amounts))


def _amount(number: str, cell: Cell, unit: str) -> Amount | None:
    hours, colon, minutes = number.partition(":")
    if colon and unit == "time" and int(hours) >= _OF_DAY:
        return None
    value = (int(hours) * 60.0 + int(minutes)) if colon else float(number.replace(",", ".")) * _MINUTES[unit]
    if not 0 < value <= 1440:
        return None
    return Amount(cell.start, cell.end, value, value, value, (f"a number under {unit}",), Form.BARE)
