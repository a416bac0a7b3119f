"""Amounts that are one token each, as programs write them: "PT1H30M" (ISO 8601) and "1:30:00"."""

import re

from shared.extraction.durations.reading import Amount, Form
from shared.extraction.durations.units import MINUTES_OF
from shared.extraction.engine import Tokens

_PERIOD = re.compile(r"p(?:(\d+)d)?t((?:\d+(?:\.\d+)?[hms])+)")
_PART = re.compile(r"(\d+(?:\.\d+)?)([hms])")
_CLOCK_FACE = re.compile(r"(\d{1,2}):([0-5]\d):([0-5]\d)")
_LONGEST = 1440.0
"""Minutes: a longer period is no piece of work."""


def single_amounts(tokens: Tokens) -> list[tuple[int, Amount]]:
    """The tokens that are an amount by themselves, as (token index, amount)."""
    found: list[tuple[int, Amount]] = []
    for index, word in enumerate(tokens.spelled):
        minutes = 0.0
        if word[0] == "p" and (period := _PERIOD.fullmatch(word)):
            parts = sum(float(number) * MINUTES_OF[unit] for number, unit in _PART.findall(period[2]))
            minutes = parts + float(period[1] or 0) * 24 * 60
        elif word.count(":") == 2 and (face := _CLOCK_FACE.fullmatch(word)):
            minutes = int(face[1]) * 60 + int(face[2]) + int(face[3]) / 60
        if 0 < minutes <= _LONGEST:
            start, end = tokens.starts[index], tokens.ends[index]
            rule = "PT<n>H<n>M" if ":" not in word else "<h>:<mm>:<ss>"
            found.append((index, Amount(start, end, minutes, minutes, minutes, (rule,), Form.SPOKEN)))
    return found
