"""Lines that need no verb: ".4 TC w/ client", "Smith - rev. depo transcript 1.2", "Hearing before the board: 35 min".

No single mark makes a time line; each adds its weight, and what is enough is one number.
"""

from dataclasses import dataclass

from shared.extraction.clauses import Candidate
from shared.extraction.context.setting import Setting
from shared.extraction.context.vocabulary import CONTEXT
from shared.extraction.durations import Form
from shared.extraction.engine import compile_pattern
from shared.extraction.lexicon import WORK_BASE, WORK_GERUND, WORK_NOUN, WORK_PAST

ENOUGH = 3.0
_ABBREVIATED = frozenset(
    "tc t/c tcw tel rev rvw rev'd revd conf mtg depo dep corr attn att'd o/c w/ re rsch w/client prep hrg ltr dft telecon t/cs"
    " tcs draft drft memo oc opp vm f/u pltf def stip rogs msj mtd aff decl disc resp doc docs pld perusing attending att"
    " attendance perusal engaged telephone counsel nc atty opc plf ph/c conference telephone exhibits pleadings motion"
    " deposition transcript affidavit hearing trial mediation discovery complaint court clerk judge arraignment client brief"
    " lease notary probate closing testimony witness expert".split()
)
_EDGE = frozenset(
    {",", ";", "--", ":", "-", "(", ")", "[", "]", ".", "|", "/", "*", "•", "=", "nc", "n/c", "!", "·", "~", "@"}
)
_AFTER = frozenset(
    "today yesterday total only tonight even monday tuesday wednesday thursday friday saturday sunday please pls approx nc"
    " hrs hours this morning afternoon evening billable all in on".split()
)
_PATTERNS = (
    (
        "work with someone",
        compile_pattern("{work}|{done}|{doing}|{base} w/|with|re|to|from|of|for|on|at|before|by", CONTEXT),
        0.5,
    ),
    ("done", compile_pattern("{done}", CONTEXT), 0.5),
)


@dataclass(frozen=True, slots=True)
class Shorthand:
    """How much a line looks like a time line, and the marks that make it so."""

    weight: float
    marks: tuple[str, ...]


def shorthand(candidate: Candidate, setting: Setting, *, dated: bool, matter: bool, text: str) -> Shorthand:
    """The marks of a time line about this amount. `dated`, `matter`: the line begins with a past day, with a matter."""
    amount, own = candidate.amount, candidate.own
    words = set(own.spelled)
    marks: list[tuple[str, float]] = []
    raw = text[amount.start : amount.end]
    at = candidate.at - candidate.first
    if not (_at_edge(own.spelled[:at]) or _at_edge(tuple(reversed(own.spelled[at + 1 :])))):
        marks.append(("amount inside the words", -1.0))
    if any(word in words for word in (WORK_NOUN | WORK_PAST | WORK_GERUND | WORK_BASE)):
        marks.append(("names work", 1.0))
    else:
        marks.append(("names no work", -1.5))
    if words & _ABBREVIATED:
        marks.append(("lawyers' words", 1.0))
    marks += [(name, weight) for name, pattern, weight in _PATTERNS if pattern.search(own)]
    if amount.form in {Form.SPOKEN, Form.UNITS}:
        marks.append(("unit", 1.0))
    elif amount.form is Form.BARE:
        marks.append(("tenths", 1.0 if _tenths(raw) else -1.0))
    elif amount.form is Form.COLON:
        marks.append(("hours and minutes", 1.0 if raw.startswith((":", "0:")) else 0.0))
    if dated:
        marks.append(("day", 1.0))
    if matter:
        marks.append(("matter", 0.5))
    if setting.lines.get(candidate.sentence.passage.block, 0) > 1:
        marks.append(("among like lines", 0.5))
    if setting.reported(candidate.sentence.passage.block):
        marks.append(("under a report of time", 1.5))
    if len(own.spelled) > 30:
        marks.append(("long", -1.0))
    return Shorthand(sum(weight for _, weight in marks), tuple(name for name, _ in marks))


def _tenths(raw: str) -> bool:
    """Tenths or quarters of an hour, as time is recorded; a leading full stop is nobody's habit but a timekeeper's."""
    return len(raw.partition(".")[2]) == 1 or raw[-2:] in {"25", "50", "75", "00"}


def _at_edge(words: tuple[str, ...]) -> bool:
    return all(word in _EDGE or word in _AFTER for word in words)
