"""Numbers that could be time though nothing says so but what stands around them: "put me down for 3", "L110 1.0 intvw".

The grammar of amounts leaves them alone; in a lawyer's mail they are weighed like any amount, in other mail only those
that hold a part of an hour. Minutes or hours: the unit of the amount before in the sentence; else up to a working day's
hours, beyond that minutes.
"""

import re
from dataclasses import replace

from shared.extraction.durations import Amount, AmountTokens, Form
from shared.extraction.durations.bare import is_clause
from shared.extraction.durations.bare_words import NOT_AFTER, NOT_BEFORE
from shared.extraction.durations.numbers import Number
from shared.extraction.durations.reading import Reading
from shared.extraction.wordlist import words

_DECIMAL = re.compile(r"\d{0,2}[.,]\d{1,2}")
_TENTHS = re.compile(r"\d?\.\d")
_OF_A_CLOCK = re.compile(r"0\d\.\d\d")
_BEFORE = frozenset(
    words(
        """
        for did put took was lasted spent say it gave about another to be actually that and my me took had needed
        used make made billed bill log logged record recorded enter entered only just further more roughly around
        another were is stayed read owe owed worked ran | -- - : , ; ( = a charge charged charging
        billing claimed get says down comes came then plus
        """
    )
)
_AFTER = frozenset(
    words(
        """
        on for with w/ re to today yesterday in at of more all total this and from then after | -- - , . ; ) ( ! :
        monday tuesday wednesday thursday friday saturday sunday altogether please pls tops max first instead or
        not units tonight last before after back there so
        """
    )
)
_IN_TURN = (("after", "another"), ("after", "the", "other"), ("at", "a", "time"))
"""What makes a number before it one of several things: "one after another", "two at a time"."""
_MOST_HOURS, _LEAST_MINUTES, _MOST_MINUTES = 14.0, 15.0, 90.0
_REACH = 30
_LONGEST = 16.0


def with_loose(read: AmountTokens, text: str, *, whole: bool) -> AmountTokens:
    """A passage with its loose numbers as amounts too; `whole`: also those that hold no part of an hour."""
    tokens, amounts, spelled = read.tokens, list(read.amounts), list(read.tokens.spelled)
    last: tuple[int, float] | None = None
    for index, word in enumerate(spelled):
        value = tokens.values[index]
        if word == "<t>" and isinstance(value, Reading) and value.form is Form.SPOKEN:
            last = index, value.unit
        elif word == "<n>" and isinstance(value, Number):
            unit = last[1] if last and index - last[0] <= _REACH else None
            minutes = _minutes(read, index, value, text, unit) if whole or value.best % 1 else None
            if minutes:
                amounts[index] = Amount(
                    tokens.starts[index], tokens.ends[index], minutes, minutes, minutes, ("<n> alone",), Form.BARE
                )
                spelled[index] = "<t>"
    return (
        AmountTokens(replace(tokens, spelled=tuple(spelled)), tuple(amounts))
        if spelled != list(tokens.spelled)
        else read
    )


def _minutes(read: AmountTokens, index: int, number: Number, text: str, unit: float | None) -> float | None:
    """What a number would be in minutes; None where it can't be time."""
    tokens = read.tokens
    before = tokens.spelled[index - 1] if index else "|"
    after = tokens.spelled[index + 1] if index + 1 < len(tokens.spelled) else "|"
    if is_clause(tokens, index) or after in NOT_BEFORE or before in {"$", "£", "€", "§", "#", "/", "."}:
        return None
    if any(tokens.spelled[index + 1 : index + 1 + len(turn)] == turn for turn in _IN_TURN):
        return None
    raw = text[tokens.starts[index] : tokens.ends[index]]
    if (index == 0 and after in {".", ")", ":"}) or _OF_A_CLOCK.fullmatch(raw):
        return None
    if _DECIMAL.fullmatch(raw):
        apart = before in {"|", ",", "--", ":", ";", "("} or (before == "at" and _TENTHS.fullmatch(raw))
        return number.best * 60 if 0 < number.best <= _LONGEST and (apart or before not in NOT_AFTER) else None
    if before in NOT_AFTER - {"at", "by", "than"}:
        return None
    if number.best != int(number.best):
        return number.best * 60 if number.best <= _MOST_HOURS else None
    opens = before in _BEFORE or index == 0
    if not (opens and (after in _AFTER or after.endswith("ing"))):
        return None
    if unit in {1.0, 60.0} and number.best <= _MOST_HOURS:
        return number.best * float(unit or 60.0)
    if 1 <= number.best <= _MOST_HOURS:
        return number.best * 60
    return number.best if _LEAST_MINUTES <= number.best <= _MOST_MINUTES else None
