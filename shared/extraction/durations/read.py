"""Runs the layers over a passage and gives the amounts in the order of the text."""

import re
from dataclasses import dataclass

from shared.extraction.durations.bare import bare_amounts
from shared.extraction.durations.clock import CLOCK
from shared.extraction.durations.elided import elided_amounts
from shared.extraction.durations.numbers import NUMBERS
from shared.extraction.durations.reading import Amount, Reading
from shared.extraction.durations.rules import AMOUNTS, HEDGES, RATES
from shared.extraction.engine import Tokens
from shared.extraction.passages import passages
from shared.extraction.tokens import tokenise

_MAY_HOLD_TIME = re.compile(
    r"\d\s?(?:h|m|u|'|\u2032|[ap]\.?m|[-\u2013\u2014/]\s?\d)|[.:]\d|hour|\bhrs?\b|\bmin|units|half|quarter|noon|midnight|point"
    r"|day|morning|afternoon|evening|\bto\b|until",
    re.IGNORECASE,
)
"""What every amount holds some of: a passage without it need not be taken apart."""
MOST_TEXT = 80_000
"""Characters that are read of one text, so that a hostile one takes less than a second."""
_LAYERS = (NUMBERS, RATES, CLOCK, AMOUNTS, *HEDGES)


@dataclass(frozen=True, slots=True)
class AmountTokens:
    """A passage whose amounts are each one token, <t>; `amounts[i]` is the reading of token i, None for others."""

    tokens: Tokens
    amounts: tuple[Amount | None, ...]


def read_passage(text: str, start: int = 0, end: int | None = None) -> AmountTokens:
    """The tokens of `text[start:end]`, each amount of time one token. Offsets are into `text`."""
    tokens = tokenise(text, start, end)
    for layer in _LAYERS:
        tokens = layer.apply(tokens)
    amounts: list[Amount | None] = [
        _amount(tokens, index, value) if isinstance(value, Reading) and word == "<t>" else None
        for index, (word, value) in enumerate(zip(tokens.spelled, tokens.values, strict=True))
    ]
    spelled = list(tokens.spelled)
    for index, amount in (*bare_amounts(tokens, text), *elided_amounts(tokens)):
        amounts[index] = amount
        spelled[index] = "<t>"
    return AmountTokens(Tokens(tuple(spelled), tokens.starts, tokens.ends, tokens.values), tuple(amounts))


def _amount(tokens: Tokens, index: int, reading: Reading) -> Amount:
    return Amount(
        tokens.starts[index],
        tokens.ends[index],
        reading.low,
        reading.best,
        reading.high,
        tuple(rule for rule in reading.rules if rule),
        reading.form,
        reading.clock,
    )


def read_amounts(text: str) -> list[Amount]:
    """Every amount of time or clock span in the text, in order, in minutes, with offsets into the text.

    Of a text longer than MOST_TEXT characters only the beginning is read.
    """
    found: list[Amount] = []
    for passage in passages(text, 0, min(len(text), MOST_TEXT)):
        if not _MAY_HOLD_TIME.search(text, passage.start, passage.end):
            continue
        found += [amount for amount in read_passage(text, passage.start, passage.end).amounts if amount]
    return found
