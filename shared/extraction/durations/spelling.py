"""Tokens as the grammar wants them: slips of the pen mended, clocks without their seconds, "M" for a million apart."""

import re
from dataclasses import replace

from shared.extraction.durations.numbers import CARDINALS
from shared.extraction.durations.units import HOUR, SLIPS
from shared.extraction.engine import Tokens

_WITH_SECONDS = re.compile(r"(\d{1,2}:\d\d):\d\d")
_AND, _OUR = frozenset({"an", "n"}), frozenset({"our", "ours"})
_HALF_AN = frozenset({("half", "an"), ("hlf", "an")})
"""Slips that only the words beside them tell: "two hours an ten minutes", "half an our"."""
_BESIDE_A_CLOCK = frozenset({"-", "--", "to", "until", "till", "am", "pm", "from", "between", "at", "through"})


def respelled(tokens: Tokens, text: str) -> Tokens:
    """The same tokens, some spelled otherwise. `text` is what the tokens' offsets are into."""
    spelled = tokens.spelled
    changed: dict[int, str] = {}
    for index, word in enumerate(spelled):
        if word in SLIPS:
            changed[index] = SLIPS[word]
        elif word == "m" and text[tokens.starts[index]] == "M" and _means_millions(tokens, index):
            changed[index] = "million"
        elif word in _AND and _joins_minutes(spelled, index):
            changed[index] = "and"
        elif word in _OUR and spelled[max(0, index - 2) : index] in _HALF_AN:
            changed[index] = "hour"
        elif word.count(":") == 2 and (clock := _WITH_SECONDS.fullmatch(word)) and _is_clock(spelled, index):
            changed[index] = clock[1]
    if not changed:
        return tokens
    return replace(tokens, spelled=tuple(changed.get(index, word) for index, word in enumerate(spelled)))


def _joins_minutes(spelled: tuple[str, ...], index: int) -> bool:
    """As in "two hours an ten minutes", "hour n 10", not in "an hour an item"."""
    after = spelled[index + 1] if index + 1 < len(spelled) else ""
    return index > 0 and spelled[index - 1] in HOUR and (after.isdigit() or after in CARDINALS)


def _means_millions(tokens: Tokens, index: int) -> bool:
    """As in "3M", not in "2H 30M": a capital letter that touches its number, where no hours come before."""
    touches = index > 0 and tokens.ends[index - 1] == tokens.starts[index]
    return touches and not (index > 1 and tokens.spelled[index - 2] in HOUR)


def _is_clock(spelled: tuple[str, ...], index: int) -> bool:
    """Whether hours, minutes and seconds are a point of the day, by the words beside them; else they are an amount."""
    return not _BESIDE_A_CLOCK.isdisjoint(spelled[max(0, index - 1) : index] + spelled[index + 1 : index + 2])
