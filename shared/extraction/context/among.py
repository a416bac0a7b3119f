"""What the other amounts of its mail say of an amount: a line among lines of work is work, too, one among plans is not.

Each amount is weighed by its own signs first; then those next to it, in its sentence, its paragraph and its list, speak
for it or against. How much was counted over labelled mail: see weighing.py.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from shared.extraction.weighing import as_chance

_SURELY, _HARDLY = 2.0, -2.0
"""Natural logarithms of odds: seven to one for work, and against it."""
_MOST, _FEW = 6, 4


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an amount stands: its block, passage and sentence, by number or offset; how it is written; its minutes.

    `legal`: whether the mail is a lawyer's by its words; `elses`: whether it stands beside somebody else's initials.
    """

    block: int
    passage: int
    sentence: int
    form: str
    minutes: float
    legal: bool
    elses: bool = False


def among(standings: Sequence[Standing], totals: Sequence[float]) -> list[frozenset[str]]:
    """For each amount of a mail, in the order of the text, the signs that the others give.

    `totals`: what the own signs of each say, as the logarithm of the odds that it is work. What is somebody else's by
    its initials says nothing: in a team's list it stands among the sender's own.
    """
    own = [at for at, each in enumerate(standings) if not each.elses]
    told = dict(zip(own, _among([standings[at] for at in own], [totals[at] for at in own]), strict=True))
    return [told.get(at, frozenset()) for at in range(len(standings))]


def _among(standings: Sequence[Standing], totals: Sequence[float]) -> list[frozenset[str]]:
    count = len(standings)
    sure = sum(total > _SURELY for total in totals)
    unsure = sum(total < _HARDLY for total in totals)
    places: dict[tuple[str, int], list[int]] = defaultdict(list)
    for at, each in enumerate(standings):
        for key in (("block", each.block), ("passage", each.passage), ("sentence", each.sentence)):
            places[key].append(at)
    chances = [as_chance(total) for total in totals]
    ranked = sorted(range(count), key=totals.__getitem__, reverse=True)[:2]
    found = []
    for at, each in enumerate(standings):
        whose = "a lawyer's mail" if each.legal else "no lawyer's mail"
        best = next((totals[other] for other in ranked if other != at), None)
        signs = {
            f"before it: {_level(totals[at - 1] if at else None)}",
            f"after it: {_level(totals[at + 1] if at + 1 < count else None)}",
            f"the best other: {_level(best)}",
            f"sure ones: {min(sure - (totals[at] > _SURELY), _FEW)}",
            f"unlikely ones: {min(unsure - (totals[at] < _HARDLY), _FEW)}",
            f"amounts: {min(count, _MOST)}",
            f"written {each.form}",
            whose,
            f"the best other: {'sure' if best is not None and best > _SURELY else 'not sure'}, {whose}",
        }
        signs.update(_beside(at, standings, totals, chances, places))
        found.append(frozenset(signs))
    return found


def _beside(
    at: int,
    standings: Sequence[Standing],
    totals: Sequence[float],
    chances: Sequence[float],
    places: Mapping[tuple[str, int], list[int]],
) -> Iterator[str]:
    """What those in the same sentence, paragraph and list say."""
    each = standings[at]
    sentence = [totals[other] for other in places["sentence", each.sentence] if other != at]
    passage = [totals[other] for other in places["passage", each.passage] if standings[other].sentence != each.sentence]
    block = [other for other in places["block", each.block] if standings[other].passage != each.passage]
    for name, those in (("sentence", sentence), ("paragraph", passage), ("list", [totals[other] for other in block])):
        yield f"best of its {name}: {_level(max(those, default=None))}"
        yield f"worst of its {name}: {_level(min(those, default=None))}"
    mean = int(5 * sum(chances[other] for other in block) / len(block)) if block else None
    share = "none" if mean is None else f"{min(mean, 4)} of 5"
    yield f"its list: {share}"
    yield f"its list: {share}, {min(len(block), _FEW)} lines"
    yield f"its list: {share}, written {each.form}"
    same = sum(
        standings[other].minutes == each.minutes and totals[other] > totals[at]
        for other in range(len(standings))
        if other != at
    )
    yield f"likelier ones of the same minutes: {min(same, 2)}"


def _level(total: float | None) -> str:
    if total is None:
        return "none"
    if total > 0:
        return "surely" if total > _SURELY else "likely"
    return "hardly" if total > _HARDLY else "no"
