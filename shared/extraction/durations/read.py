"""Runs the layers over a passage and gives the amounts in the order of the text."""

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

_LAYERS = (NUMBERS, RATES, CLOCK, AMOUNTS, *HEDGES)


@dataclass(frozen=True, slots=True)
class AmountTokens:
    """A passage whose amounts are each one token, <t>; `amounts[i]` is the reading of token i, None for other tokens."""

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
    """Every amount of time or clock span in the text, in order, in minutes, with offsets into the text."""
    found: list[Amount] = []
    for passage in passages(text, 0, len(text)):
        found += [amount for amount in read_passage(text, passage.start, passage.end).amounts if amount]
    return found
