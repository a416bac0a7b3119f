"""Amounts that are said once and meant more than once: "50 minutes each way", "three calls of forty minutes each"."""

from dataclasses import replace
from itertools import pairwise

from shared.extraction.clauses import Candidate
from shared.extraction.durations import Amount
from shared.extraction.durations.numbers import Number

_WAYS = frozenset({"way", "direction", "leg"})
_EACH = {("each",), ("apiece",)}
_FOR = frozenset({"on", "for", "with", "across", "over"})
_RIDES = frozenset(
    {"drive", "ride", "trip", "train", "flight", "run", "journey", "travel", "walk", "ferry", "bus", "commute"}
)
_BACK = 12
"""Words before the amount among which the number of times is looked for."""
_NEAR = 6
"""Words after the amount in which "each way" still is of it."""
_MOST = 10
"""More repetitions than this are a habit or a statistic, no piece of work."""


def multiplied(candidate: Candidate) -> Candidate:
    """The candidate with its amount taken as often as its words say."""
    words, at = candidate.tokens.spelled, candidate.at
    following = words[at + 1 : at + 3]
    if following == ("both", "ways") or _each_way(words[at + 1 : at + 1 + _NEAR]):
        return _times(candidate, 2, "<t> each way")
    if following == ("a", "pop") or (following[:1] in _EACH and following[1:2] != ("way",)):
        for index in (*_said_after(words, at), *range(at - 1, max(-1, at - _BACK), -1)):
            number = candidate.tokens.values[index]
            if words[index] == "<n>" and isinstance(number, Number) and number.best in range(2, _MOST):
                return _times(candidate, int(number.best), "<n> of <t> each")
    return candidate


def _said_after(words: tuple[str, ...], at: int) -> list[int]:
    """Where the number of times stands in "45 min each on two calls"; none if it isn't said there."""
    following = words[at + 2 : at + 4]
    return [at + 3] if len(following) == 2 and following[0] in _FOR and following[1] == "<n>" else []


def _each_way(following: tuple[str, ...]) -> bool:
    """As in "50 minutes each way", "forty minutes of lanes each way"."""
    for index, (word, next_) in enumerate(pairwise(following)):
        if word == "each":
            return next_ in _WAYS and (index == 0 or following[0] in {"of", "in", "on"} | _RIDES)
        if not word.isalpha():
            return False
    return False


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
