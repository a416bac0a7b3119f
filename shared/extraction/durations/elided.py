"""Numbers whose unit was said just before: "Monday's was 25 minutes, Tuesday's 55", "took me a further twenty"."""

from shared.extraction.durations.numbers import Number
from shared.extraction.durations.reading import Amount, Form, Reading
from shared.extraction.engine import Tokens
from shared.extraction.lexicon import WORK_GERUND
from shared.extraction.wordlist import DAYS, words

_REACH = 40
"""Tokens back to the amount whose unit is shared."""
_LEAST_MINUTES = 15.0
"""So many more, after an hour or less, are no hours."""
_MORE = frozenset({"another", "further", "additional", "more"})
_AND = frozenset({"and", ",", "plus", "then", "&"})
_WHEN = frozenset((*DAYS, *words("yesterday today tonight last this")))
_FOR = frozenset({"on", "for", "with", "w/", "re", "in"})
_LASTED = frozenset({"went", "waited", "took", "lasted", "ran"})
_NEARER = frozenset({"nearer"})
_GOING_ON = frozenset({",", ".", ";", ")", "!", "and", "--", "before", "after", "because", "by", "in"})
_GAVE = frozenset({"gave", "took", "kept", "had", "got", "cost"})
_ENDS = frozenset({",", ".", ";", ")", "(", "!", "on", "for", "with", "and", "--", "after"}) | _WHEN


def elided_amounts(tokens: Tokens) -> list[tuple[int, Amount]]:
    """The numbers that share an earlier amount's unit, as (token index, amount)."""
    found: list[tuple[int, Amount]] = []
    last: tuple[int, Reading] | None = None
    for index, (word, value) in enumerate(zip(tokens.spelled, tokens.values, strict=True)):
        if word == "<t>" and isinstance(value, Reading) and value.form is Form.SPOKEN:
            last = index, value
        elif word == "<n>" and last and index - last[0] <= _REACH and _shares(tokens, index, last[1]):
            amount = _amount(tokens, index, value, _unit(tokens, index, value, last[1]))
            if amount:
                found.append((index, amount))
    return found


def _shares(tokens: Tokens, index: int, last: Reading) -> bool:
    before = tokens.spelled[index - 1]
    after = tokens.spelled[index + 1] if index + 1 < len(tokens.spelled) else "."
    if before in _MORE or (before.endswith("'s") and before.removesuffix("'s").endswith("day")):
        return after in _ENDS
    gave = before in {"us", "me"} and tokens.spelled[index - 2] in _GAVE
    if before in _NEARER or (last.unit == 1.0 and (before in _LASTED or gave)):
        return after in _GOING_ON
    return before in _AND and (after in _FOR or after in _WHEN or after in WORK_GERUND)


def _unit(tokens: Tokens, index: int, number: Number, last: Reading) -> float:
    """The unit that is shared; minutes in "half an hour in the morning and another 20 after lunch"."""
    minutes = tokens.spelled[index - 1] in _MORE | _NEARER and last.best <= 60 and _LEAST_MINUTES <= number.best < 60
    return 1.0 if minutes else last.unit


def _amount(tokens: Tokens, index: int, number: Number, unit: float) -> Amount | None:
    if unit not in {1.0, 60.0} or not 0 < number.best * unit <= 960 or (unit == 1.0 and number.best < 5):
        return None
    return Amount(
        tokens.starts[index],
        tokens.ends[index],
        number.low * unit,
        number.best * unit,
        number.high * unit,
        ("<n> of the unit before", number.rule),
    )
