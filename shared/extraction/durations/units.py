"""Units of time worked, as spelled after a number, with their minutes.

Days, weeks and months are not here: they measure the calendar. Parts of a working day that people do bill by ("half a
day", "all morning") are rules of their own, in rules.py.
"""

from shared.extraction.wordlist import words

HOUR = ("hour", "hours", "hr", "hrs", "h", "hs")
MINUTE = ("minute", "minutes", "min", "mins", "m", "mn")
SECOND = ("second", "seconds", "sec", "secs")
UNIT = ("unit", "units", "u")

MINUTES_OF: dict[str, float] = (
    dict.fromkeys(HOUR, 60.0)
    | dict.fromkeys(MINUTE, 1.0)
    | dict.fromkeys((*SECOND, "s"), 1 / 60)
    | dict.fromkeys(UNIT, 6.0)
)
"""Minutes of one of each unit. A unit is the six minutes in which British and Australian firms record time."""


def _slips(word: str) -> set[str]:
    """The word with one letter doubled, left out or changed places with the next."""
    places = range(1, len(word))
    return (
        {word[:at] + word[at - 1] + word[at:] for at in places}
        | {word[:at] + word[at + 1 :] for at in range(1, len(word) - 1)}
        | {word[: at - 1] + word[at] + word[at - 1] + word[at + 1 :] for at in places}
    )


_REAL_WORDS = frozenset(words("hours minute minutes hors ours mintue"))
SLIPS: dict[str, str] = {
    slip: word
    for word in ("hours", "minutes", "minute")
    for slip in sorted(_slips(word) - _REAL_WORDS)
} | dict.fromkeys(words("hors houre houres hourse houer hour's hr's"), "hours") | dict.fromkeys(
    words("minites minits minuites mintues minuetes mintutes min's"), "minutes"
) | dict.fromkeys(words("mintue minuet"), "minute") | {"hlf": "half"}  # fmt: skip
"""Misspellings of the units and of their half, and what they stand for."""
