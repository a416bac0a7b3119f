"""Runs the layers over a passage and gives the amounts in the order of the text."""

import re
from dataclasses import dataclass, replace

from shared.extraction.durations.bare import bare_amounts, is_cited
from shared.extraction.durations.clock import CLOCK, may_hold_span
from shared.extraction.durations.elided import elided_amounts
from shared.extraction.durations.hedges import HEDGES, TIMES
from shared.extraction.durations.numbers import NUMBERS
from shared.extraction.durations.reading import Amount, Form, Reading
from shared.extraction.durations.rules import AMOUNTS, POINTS, RATES
from shared.extraction.durations.single import single_amounts
from shared.extraction.durations.spelling import respelled
from shared.extraction.engine import Tokens
from shared.extraction.passages import passages
from shared.extraction.tokens import tokenise
from shared.mail.offsets import Folded, fold

_MAY_HOLD_TIME = re.compile(
    r"\d\s?(?:h|m|u|s|['\u2019\u2032]|[ap]\b|[ap]\.?m|[-\u2013\u2014/]\s?\d)|[.:]\d|hour|\bhrs?\b|\bmin|\bsec|\bunit|half|quarter"
    r"|tenth|noon|midday|midnight|point|day|morning|afternoon|evening|\bpast\b|finish|ended|\bto\b|\btill?\b|until|between"
    r"|[\u00bc-\u00be\u2150-\u215e]|\b(?:m[a-z]*n|h)[a-z]{1,5}s\b",
    re.IGNORECASE,
)
"""What every amount holds some of: a passage without it need not be taken apart."""
MOST_TEXT = 60_000
"""Characters that are read of one text, so that a hostile one takes less than a second."""
_LAYERS = (NUMBERS, RATES, CLOCK, POINTS, AMOUNTS, TIMES, *HEDGES)


_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
"""Full-width letters, digits and marks, to their plain kind."""


@dataclass(frozen=True, slots=True)
class AmountTokens:
    """A passage whose amounts are each one token, <t>; `amounts[i]` is the reading of token i, None for others."""

    tokens: Tokens
    amounts: tuple[Amount | None, ...]


def read_passage(text: str, start: int = 0, end: int | None = None) -> AmountTokens:
    """The tokens of `text[start:end]`, each amount of time one token. Offsets are into `text`."""
    tokens = respelled(tokenise(text, start, end), text)
    for layer in _LAYERS:
        if layer is not CLOCK or may_hold_span(tokens):
            tokens = layer.apply(tokens)
    spelled = list(tokens.spelled)
    amounts: list[Amount | None] = [None] * len(spelled)
    for index, value in enumerate(tokens.values):
        if not isinstance(value, Reading) or spelled[index] != "<t>":
            continue
        begins = text[tokens.starts[index] : tokens.starts[index] + 1].isdigit()
        cited = value.form is Form.CLOCK and begins and is_cited(tokens, index, text)
        if cited or value.best <= 0:  # "0 hours" is no amount
            spelled[index] = "<o>"
        else:
            amounts[index] = _amount(tokens, index, value)
    for index, amount in (*single_amounts(tokens), *bare_amounts(tokens, text), *elided_amounts(tokens)):
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

    What can't be seen (soft hyphens, zero-width spaces) parts no word, and wide or odd digits and spaces are read as
    plain ones. Of a text longer than MOST_TEXT characters only the beginning is read.
    """
    folded = fold(text[:MOST_TEXT])
    plain = folded.text if text.isascii() else folded.text.translate(_WIDE)
    found: list[Amount] = []
    for passage in passages(plain, 0, len(plain)):
        if not _MAY_HOLD_TIME.search(plain, passage.start, passage.end):
            continue
        found += [amount for amount in read_passage(plain, passage.start, passage.end).amounts if amount]
    return [_in_place(amount, folded) for amount in found] if folded.cuts else found


def _in_place(amount: Amount, folded: Folded) -> Amount:
    origin = folded.origin(amount.start, amount.end)
    return replace(amount, start=origin.start, end=origin.end)
