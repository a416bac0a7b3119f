"""Amounts that are said once and meant more than once: "50 minutes each way", "three calls of forty minutes each"."""

from dataclasses import replace

from shared.extraction.clauses import Candidate
from shared.extraction.durations import Amount
from shared.extraction.durations.numbers import Number

_MOST = 10
"""More repetitions than this are a habit or a statistic, no piece of work."""


def multiplied(candidate: Candidate) -> Candidate:
    """The candidate with its amount taken as often as its words say."""
    words, at = candidate.tokens.spelled, candidate.at
    following = words[at + 1 : at + 3]
    if following in {("each", "way"), ("each", "direction"), ("each", "leg"), ("both", "ways")}:
        return _times(candidate, 2, "<t> each way")
    if following[:1] == ("each",) and following[1:2] != ("way",):
        for index in range(at - 1, max(-1, at - 8), -1):
            number = candidate.tokens.values[index]
            if words[index] == "<n>" and isinstance(number, Number) and number.best in range(2, _MOST):
                return _times(candidate, int(number.best), "<n> of <t> each")
    return candidate


def _times(candidate: Candidate, count: int, rule: str) -> Candidate:
    amount = candidate.amount
    more: Amount = replace(
        amount,
        low=amount.low * count,
        best=amount.best * count,
        high=amount.high * count,
        rules=(rule, *amount.rules),
    )
    return replace(candidate, amount=more)
