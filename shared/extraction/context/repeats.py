"""Time stated twice is one entry: totals over what is itemised, and the same work said again."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from shared.extraction.durations.reading import Form

_TOTAL = re.compile(
    r"\b(?:total|totals|totall?ing|totall?ed|sum|subtotal|sub-total|altogether|all told|in all"
    r"|all in|comes? to|came to|makes|overall"
    r"|that['’]?s|that is|which is|combined|grand|aggregate|adds? up|so far|for the (?:day|week"
    r"|month)|in sum|together)\b",
    re.IGNORECASE,
)
_HEAD = re.compile(r"^\W*(?:grand |week(?:ly)? |day['’]?s? |sub-?|my |client |billable )*total", re.IGNORECASE)

_SAME, _NEXT_LINE, _LONGEST_CORRECTION = 0.5, 80, 120
"""Minutes; characters to the next line, and from an amount to the one that puts it right, at most."""
_MEANING = re.compile(
    r"\W*(?:\(|=|\bso\b|\bi\.?e\.?|\bor\b|\bby (?:my|the) \w+,? so\b)\W*(?:so|i\.?e\.?|say|that is|about)?\W*",
    re.IGNORECASE,
)
"""Between an amount and the same one again."""
_BESIDE = re.compile(r"[\s,;–—-]{1,4}(?:(?:being|making|which is|that is|that['’]s|call it)\s)?", re.IGNORECASE)
"""Between an amount and the same one in another measure."""
_MEASURES = frozenset({Form.UNITS, Form.BARE})
"""What lawyers record in, beside the time by the clock: "eighteen minutes, three units"."""
_CORRECTS = re.compile(
    r"\W*(?:no,? wait(?!\s+(?:at|for|in|time|to)\b)|scratch that|correction|i mean|or rather|sorry)\b.*"
    r"|.*\b(?:make (?:it|that)|(?:should|ought to) (?:be|have been|say|read)|no|sorry)\W*",
    re.IGNORECASE,
)
"""Between two amounts of which the second takes the place of the first: it begins or ends so."""
_MAKES = re.compile(
    r"\W*(?:no,? wait|scratch that|correction|sorry)\b[^.!?]*\b(?:make (?:it|that)|should (?:be|have been))\W*",
    re.IGNORECASE,
)
"""The same, beyond doubt, so that more may stand between them."""
_REPLACES = re.compile(r"\W*(?:instead|in place|in lieu) of\W*(?:the\s+)?", re.IGNORECASE)
"""Between an amount and the one whose place it takes."""
_NET = re.compile(r"\b(?:so|less|minus|net|which (?:is|makes)|that['’]?s|i\.?e|call it)\b|=", re.IGNORECASE)
_NO_WORK = frozenset(
    {"time", "total", "hours", "hour", "mins", "minutes", "duration", "length", "engaged", "spent", "units"}
)


@dataclass(frozen=True, slots=True)
class Stated:
    """An amount accepted as work, for comparison.

    Its minutes, its clause and the words in it, the text from it to the next colon of its passage (empty without one),
    the block of the list it is a line of (-1: none), where the passage and the amount stand, whether the line begins
    with a day, how it is written, whether it is a span of the clock, whether a clause ends with it, and the words
    between the amount before and this one (None: it is the first of its passage).
    """

    minutes: float
    clause: str
    following: str
    words: frozenset[str]
    listed: int
    passage: int
    start: int
    end: int
    dated: bool = False
    form: Form = Form.SPOKEN
    span: bool = False
    ends: bool = False
    gap: str | None = None


def repeats(stated: Sequence[Stated]) -> dict[int, tuple[str, str]]:
    """The places in `stated` that repeat others, with rule and reason."""
    found: dict[int, tuple[str, str]] = {}
    for place, each in enumerate(stated):
        if (
            reason := _replaced(each)
            or _total(place, each, stated)
            or _recorded(place, each, stated)
            or _in_other_words(place, each, stated)
            or _again(place, each, stated, found)
        ):
            found[place] = reason
    for place in range(1, len(stated)):
        if _puts_right(stated[place - 1], stated[place]):
            found[place - 1] = ("<t>, no, <t>", "put right by what follows")
    for place in list(found):
        if found[place][0] == "total <t>":
            found |= dict.fromkeys(
                _parts_beside(place, stated), ("subtotal <t>", "a part of a total that stands beside it")
            )
    return found


def _parts_beside(place: int, stated: Sequence[Stated]) -> list[int]:
    """The amounts before a total in its line that add up to it, the items standing above: "In court 1.6 Total 5.1"."""
    beside = [other for other in range(place) if stated[other].passage == stated[place].passage]
    above = [other.minutes for other in stated[: beside[0]]] if beside else []
    adds_up = abs(sum(stated[other].minutes for other in beside) - stated[place].minutes) < 1
    return beside if adds_up and _is_sum(stated[place].minutes, above) else []


def _replaced(each: Stated) -> tuple[str, str] | None:
    """As in "2.3 in place of 1.3"."""
    if each.gap is not None and len(each.gap) <= _NEXT_LINE and _REPLACES.fullmatch(each.gap):
        return "<t> instead of <t>", "replaced by what stands before it"
    return None


def _total(place: int, each: Stated, stated: Sequence[Stated]) -> tuple[str, str] | None:
    before = [other.minutes for other in stated[:place]]
    after = [other.minutes for other in stated[place + 1 :]]
    said = _TOTAL.search(each.clause)
    sums_before = _is_sum(each.minutes, before)
    if len(before) >= 2 and (_HEAD.search(each.clause) or (said and sums_before)):
        return "total <t>", "a total of what is itemised above"
    if len(before) >= 2 and sums_before and not each.words and not each.dated:
        return "total <t>", "a total of what is itemised above"
    if len(before) >= 3 and abs(sum(before) - each.minutes) <= 9 and len(each.words) < 3 and not each.dated:
        return "total <t>", "a total of what is itemised above"
    if len(before) == 1 and said and _HEAD.search(each.clause) and abs(before[0] - each.minutes) < 1:
        return "total <t>", "a total of what is itemised above"
    if len(after) >= 2 and _is_leading_sum(each.minutes, after) and (said or _opens_list(each, stated[place + 1])):
        return "total <t>:", "a total of what is itemised below"
    return None


def _recorded(place: int, each: Stated, stated: Sequence[Stated]) -> tuple[str, str] | None:
    """As in "It ran from 7:00 to 9:40 and I have recorded 2.7 hours": the same time, rounded up to tenths."""
    if not place or stated[place - 1].passage != each.passage or each.start - stated[place - 1].end > 60:
        return None
    exact = stated[place - 1].minutes
    rounded = math.ceil(exact / 6 - 1e-9) * 6.0
    if (
        exact != each.minutes
        and each.minutes == rounded
        and (re.search(r"record|bill|call it|enter|log|so\b|=", each.clause) or _in_another_measure(place, stated))
    ):
        return "<t>, recorded as <t>", "the same time, as it is recorded"
    return None


def _in_other_words(place: int, each: Stated, stated: Sequence[Stated]) -> tuple[str, str] | None:
    """The same minutes again, right behind: "18 minutes (0.3)"; "Start: 14.30 Finish: 16.15", then "Time: 1 hr 45"."""
    if not place or abs(stated[place - 1].minutes - each.minutes) > _SAME:
        return None
    before = stated[place - 1]
    if _in_another_measure(place, stated):
        return "<t>, <t>", "the same time in another measure"
    if each.gap is not None and len(each.gap) <= _NEXT_LINE and _MEANING.fullmatch(each.gap):
        return "<t> (<t>)", "the same time in other words"
    if before.span and each.start - before.end < _NEXT_LINE and len(each.words - _NO_WORK) == 0:
        return "<span> <t>", "the time of the span before it"
    return None


def _in_another_measure(place: int, stated: Sequence[Stated]) -> bool:
    """Whether an amount stands right behind one by the clock, in what lawyers record in: "18 minutes, three units"."""
    one, other = stated[place - 1], stated[place]
    beside = other.gap is not None and other.ends and _BESIDE.fullmatch(other.gap)
    return bool(beside) and other.form in _MEASURES and one.form not in _MEASURES


def _puts_right(before: Stated, each: Stated) -> bool:
    """Whether an amount takes the place of the one before: ".3 no wait, .5"; a span, and what it was without lunch."""
    if each.gap is None or len(each.gap) > _LONGEST_CORRECTION or "\n" in each.gap:
        return False
    if len(each.gap) > _NEXT_LINE:
        return bool(_MAKES.fullmatch(each.gap))
    if _CORRECTS.fullmatch(each.gap):
        return True
    return before.span and not each.span and each.minutes < before.minutes and bool(_NET.search(each.gap))


def _is_sum(minutes: float, before: Sequence[float]) -> bool:
    """Whether the amounts just before add up to this one (two of them at least)."""
    total = 0.0
    for count, each in enumerate(reversed(before), start=1):
        total += each
        if count >= 2 and abs(total - minutes) < 1:
            return True
    return False


def _opens_list(each: Stated, following: Stated) -> bool:
    """Whether a colon after the amount opens the list of what it is made of."""
    return bool(each.following) and each.end + len(each.following) <= following.start and len(each.following) < 120


def _is_leading_sum(minutes: float, after: Sequence[float]) -> bool:
    return _is_sum(minutes, list(reversed(after)))


def _again(
    place: int, each: Stated, stated: Sequence[Stated], found: dict[int, tuple[str, str]]
) -> tuple[str, str] | None:
    for earlier, other in enumerate(stated[:place]):
        if earlier in found or abs(other.minutes - each.minutes) > 0.5 or other.passage == each.passage:
            continue
        if each.listed >= 0 and other.listed == each.listed:
            continue
        shared = other.words & each.words
        if len(shared) >= 2 and len(shared) >= 0.75 * min(len(other.words), len(each.words)):
            return "<t> again", "the same work, said twice"
    return None
