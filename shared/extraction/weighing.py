"""Weighs the signs around an amount: the chance that it is the sender's own finished work, and the type of that work.

The weights were counted over labelled mail (`make fit`), each for one sign that a person can read; a chance is the sum
of those that are seen, as a logistic curve makes it. What no labelled mail showed weighs nothing.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from itertools import repeat
from pathlib import Path

from shared.extraction.context.lawyerly import short_of_a_lawyers
from shared.extraction.context.verdict import Verdict
from shared.extraction.encoder.hearing import Heard
from shared.models import EntryType

_FOLDER = Path(__file__).parent / "weights"
ENOUGH = 0.6
"""The chance from which an amount counts as work: an entry that nobody worked is worse than one that is missed."""
ENOUGH_ELSEWHERE = 0.75
"""The same where neither a lawyer's word nor other amounts make it a lawyer's mail: most mail holds no billed hour."""
ENOUGH_FREE = 0.4
"""The chance from which work is taken as not charged: a bill that asks too little is put right more easily."""
_BEYOND_DOUBT, _LIKELY = 0.9, 0.7
LIKELY_NAME = 0.15
"""The chance from which a name is given as the matter's, being the likeliest: a guess that a person sees beats none."""
_ALIKE = 1.2
"""Types whose odds, as a logarithm, are nearer to each other are in doubt: every fifth work, and most wrong types."""
_SURELY_CHARGED = -3.0
"""Odds, as a logarithm, of being free of charge up to which no doubt is left."""
_TELLING = 3
"""Signs that are named beside a decision which the rules alone would not have taken."""


@dataclass(frozen=True, slots=True)
class Weights:
    """What each sign weighs (natural logarithm of odds), and what there is without any."""

    bias: float
    of: Mapping[str, float]

    def total(self, signs: Iterable[str]) -> float:
        """The natural logarithm of the odds that these signs leave."""
        return self.bias + math.fsum(map(self.of.get, signs, repeat(0.0)))

    def chance(self, signs: Iterable[str]) -> float:
        """The chance, from 0 to 1, that these signs leave."""
        return as_chance(self.total(signs))

    def telling(self, signs: Iterable[str], *, speak_for: bool) -> tuple[str, ...]:
        """The signs that weighed most for it, or against it."""
        side = 1 if speak_for else -1
        ranked = sorted(((side * self.of.get(sign, 0.0), sign) for sign in signs), reverse=True)
        return tuple(sign for weight, sign in ranked[:_TELLING] if weight > 0)


def odds_of_work(signs: Iterable[str]) -> float:
    """The logarithm of the odds that an amount with these signs of its own is the sender's own finished work."""
    return _weights("work").total(signs)


def odds_of_lawyer(words: Iterable[str]) -> float:
    """The logarithm of the odds that a mail with these words is a lawyer's at work."""
    return _weights("lawyer").total(words)


ITSELF, SPEAKS_FOR_ITSELF = "itself", "itself, speaking for work"
"""What an amount's own signs say weighs with what the others of its mail say: by its odds, and by those above even."""


def total_of_work(odds: float, among: Iterable[str]) -> float:
    """The logarithm of the odds that an amount is work, by its own and the signs that the others of its mail give."""
    return total_by(_weights("among"), odds, among)


def total_by(weights: Weights, odds: float, among: Iterable[str]) -> float:
    """The same, by these weights of what the amounts of a mail say of each other."""
    above_even = weights.of.get(SPEAKS_FOR_ITSELF, 0.0) * max(odds, 0.0)
    return weights.total(among) + weights.of[ITSELF] * odds + above_even


SIGNS, HEARD, SHORT = "signs", "heard", "steps short of a lawyer's mail"


def with_heard(total: float, heard: Heard | None, signs: frozenset[str]) -> float:
    """The logarithm of the odds that an amount is work, by its signs (`total`) and what its mail says of it.

    That a mail doesn't read like a lawyer's is weighed once more: the encoder hears less of it than its words tell.
    """
    if heard is None:
        return total
    return _both("work", total, heard.work) + _heard("work").of.get(SHORT, 0.0) * short_of_a_lawyers(signs)


def _both(what: str, signs: float, heard: float) -> float:
    """What signs and encoder say together, each as far as it is believed."""
    weights = _heard(what)
    return weights.bias + weights.of.get(SIGNS, 0.0) * signs + weights.of.get(HEARD, 0.0) * heard


def as_chance(total: float) -> float:
    """Logarithm of odds to a chance from 0 to 1."""
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))


def keeps_time(chances: Sequence[float]) -> bool:
    """Whether the amounts of a mail (the chance of each) show that it is about time worked."""
    return max(chances, default=0.0) >= _BEYOND_DOUBT or sum(chance >= _LIKELY for chance in chances) > 1


def weighed(judged: Verdict, signs: frozenset[str], *, chance: float, enough: float, by_ear: bool = False) -> Verdict:
    """What the rules judged, with their certainty as the weights have it; turned round where the weights say so.

    `chance`: that it is work; `enough`: the chance from which it counts as work; `by_ear`: whether it is what was heard
    of the mail that settled it, against what the signs say.
    """
    done = chance >= enough
    sure = round(chance if done else 1 - chance, 4)
    heard = ("heard in the mail's words",) if by_ear else ()
    if done == judged.done:
        return replace(judged, sure=sure, marks=(*heard, *judged.marks))
    marks = (*heard, *_weights("work").telling(signs, speak_for=done), judged.rule)
    if done:
        return Verdict.work(sure, "weighed: <t>", "more speaks for work than against it", marks)
    return Verdict.refusal(sure, "weighed: <t>", "more speaks against work than for it", marks)


def free_by(signs: frozenset[str], heard: Heard | None) -> str | None:
    """The sign that most says that work is not charged; None if it is likelier charged."""
    weights = _weights("free")
    total = weights.total(signs)
    if as_chance(total if heard is None else _both("free", total, heard.free)) < ENOUGH_FREE:
        return None
    return next(iter(weights.telling(signs, speak_for=True)), "not charged")


def likeliest_kind(signs: frozenset[str], heard: Heard | None) -> tuple[EntryType, str]:
    """The type that these signs, and what is heard, speak for most, and the sign that told most."""
    totals = _kind_totals(signs)
    if heard is not None:
        believed = _heard("kind").of.get(HEARD, 0.0)
        totals = {kind: total + believed * heard.kinds[kind] for kind, total in totals.items()}
    best = max(totals, key=totals.__getitem__)
    return best, next(iter(_kinds()[best].telling(signs, speak_for=True)), "work")


def type_in_doubt(signs: frozenset[str]) -> bool:
    """Whether these signs speak for two types of work about alike."""
    second, best = sorted(_kind_totals(signs).values())[-2:]
    return best - second < _ALIKE


def charge_in_doubt(signs: frozenset[str]) -> bool:
    """Whether these signs leave it open that work is not charged: one work in eight, and nearly all that is free."""
    return _weights("free").total(signs) > _SURELY_CHARGED


def _kind_totals(signs: frozenset[str]) -> dict[EntryType, float]:
    return {kind: weights.total(signs) for kind, weights in _kinds().items()}


def likeliest_name(candidates: Mapping[str, frozenset[str]]) -> str | None:
    """The name whose signs speak for it most; None if none is likelier than not to be the matter's."""
    weights = _weights("name")
    best = max(candidates, key=lambda name: weights.total(candidates[name]), default=None)
    return best if best is not None and weights.chance(candidates[best]) >= LIKELY_NAME else None


def likeliest_day(candidates: Mapping[date, frozenset[str]]) -> date:
    """The day whose signs speak for it most; of two alike the later one."""
    weights = _weights("day")
    return max(candidates, key=lambda day: (weights.total(candidates[day]), day))


@cache
def _weights(name: str) -> Weights:
    read = json.loads((_FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return Weights(read["bias"], read["weights"])


@cache
def _heard(name: str) -> Weights:
    read = json.loads((_FOLDER / "heard.json").read_text(encoding="utf-8"))[name]
    return Weights(read["bias"], read["weights"])


@cache
def _kinds() -> dict[EntryType, Weights]:
    read = json.loads((_FOLDER / "kind.json").read_text(encoding="utf-8"))
    return {EntryType(kind): Weights(each["bias"], each["weights"]) for kind, each in read.items()}
