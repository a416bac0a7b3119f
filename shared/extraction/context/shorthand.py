"""Lines that need no verb: ".4 TC w/ client", "Smith - rev. depo transcript 1.2", "Hearing before the board: 35 min".

No single mark makes a time line; each adds its weight, and what is enough is one number.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.extraction.clauses import Candidate
from shared.extraction.context.person import FIRST
from shared.extraction.context.things import STATISTICS
from shared.extraction.context.vocabulary import CONTEXT
from shared.extraction.durations import Form
from shared.extraction.engine import compile_pattern
from shared.extraction.lexicon import WORK_BASE, WORK_GERUND, WORK_NOUN, WORK_PAST
from shared.extraction.wordlist import words

if TYPE_CHECKING:
    from shared.extraction.context.verdict import Around

ENOUGH = 3.0
_ABBREVIATED = frozenset(
    words(
        """
        record tc t/c tcw tel rev rvw rev'd revd conf mtg depo dep corr attn att'd o/c w/ re rsch w/client prep
        hrg ltr dft telecon t/cs tcs draft drft memo oc opp vm f/u pltf def stip rogs msj mtd aff decl disc resp
        doc docs pld perusing attending att attendance perusal engaged telephone counsel nc atty opc plf ph/c
        conference telephone exhibits pleadings motion deposition transcript affidavit hearing trial mediation
        discovery complaint court clerk judge arraignment client brief lease notary probate closing testimony
        witness expert
        """
    )
)
_EDGE = frozenset(
    {",", ";", "--", ":", "-", "(", ")", "[", "]", ".", "|", "/", "*", "•", "=", "nc", "n/c", "!", "·", "~", "@"}
)
_ON = frozenset(words("on with for w/ re of into back to"))
_DAY = frozenset(
    words(
        """
    today yesterday tonight monday tuesday wednesday thursday friday saturday sunday
    """
    )
)
_WORK = WORK_NOUN | WORK_PAST | WORK_GERUND | WORK_BASE
_WITH = compile_pattern("<t> with|w/ !that|this !{doing}", CONTEXT)
_OF_WORK = compile_pattern(
    "<t> ( '|'s )? of? work|effort|my time|drafting|reviewing|attention | <t> in|deep|into on|to|into", CONTEXT
)
_POINTS_BACK = compile_pattern(
    (
        "<t> on|for|to|of that|this|it|these|those|them|which | all told|in <t> | <t> all|in told"
        "|all|total | same <t> back|home|again | <t> back|home"
    ),
    CONTEXT,
)
_TERM = frozenset(words("within per each every must shall notice maximum minimum limit max min"))
_SUMMED_UP = frozenset({"so", "=", "total", "thus", "i", "ie", "or"})
_TENTHS_OF_WORK = frozenset(
    {"call", "calls", "research", "email", "emails", "letter", "memo", "travel", "attend", "attended"}
)
_JUST = compile_pattern("just|only_just ..1 off|finished|ended|done|back|out|left|hung|got|now", CONTEXT)
_THIS = frozenset({"this morning", "this afternoon", "this evening", "last night"})
_OURS = compile_pattern("our|my|this|today's|yesterday's ..3 {work}", CONTEXT)
_PRICED = compile_pattern("<t> x|@|at|× <money>|<rate>", CONTEXT)
_WORK_OF = compile_pattern("{work} of {about}* <t>", CONTEXT)
_CALL_IT = compile_pattern(
    "call|make it <t> | all told|in <t> | total of? <t> | <t> total|all|even | another <t>", CONTEXT
)
_AFTER = frozenset(
    words(
        """
        central eastern pacific et est edt ct cst cdt pt pst pdt gmt bst aest aedt then and also plus another
        roughly about or so same yes to approx today yesterday total only tonight even monday tuesday wednesday
        thursday friday saturday sunday please pls approx nc hrs hours this morning afternoon evening billable
        all in on
        """
    )
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


def shorthand(candidate: Candidate, around: "Around", text: str) -> Shorthand:
    """The marks of a time line about this amount."""
    amount, own = candidate.amount, candidate.own
    words = set(own.spelled)
    marks: list[tuple[str, float]] = []
    raw = text[amount.start : amount.end]
    sheet = is_sheet(candidate, around, raw)
    at = candidate.at - candidate.first
    wall = max((index + 1 for index in range(at) if own.spelled[index] in {":", ";", "--"}), default=0)
    apart = own.spelled[max(at - 1, 0)] == "," and own.spelled[at + 1 : at + 2] in {(",",), (".",), ("--",)}
    named = 0 < at - wall <= 2 and own.spelled[at - 1].isalpha()
    inside = -1.0 if amount.form is not Form.BARE or around.setting.reported(candidate.sentence.passage.block) else -3.0
    if not (apart or named or _at_edge(own.spelled[wall:at]) or _at_edge(own.spelled[at + 1 :])):
        marks.append(("amount inside the words", inside))
    if not _WORK.isdisjoint((candidate.tokens if own.spelled[0] in _SUMMED_UP else own).phrases):
        marks.append(("names work", 1.0))
    elif _heading_names(candidate):
        marks.append(("its heading names work", 1.0))
    elif _POINTS_BACK.search(own) and (_told_before(candidate) or (around.near and around.near.done)):
        marks.append(("points back to work", 2.0))
    elif not _WITH.search(own):
        marks.append(("names no work", _unnamed(candidate, around, sheet=sheet)))
    if _plain(words, candidate) & _ABBREVIATED:
        marks.append(("lawyers' words", 1.0))
    marks += [(name, weight) for name, pattern, weight in _PATTERNS if pattern.search(own)]
    if amount.form in {Form.SPOKEN, Form.UNITS}:
        marks.append(("unit", 1.0))
    elif amount.form is Form.BARE:
        marks.append(
            ("tenths", 1.0 if around.column else -1.0 if not is_tenths(raw) else 1.5 if raw.startswith(".") else 1.0)
        )
        if not (sheet or _TENTHS_OF_WORK & words):
            marks.append(("a number, not time", -1.0 if around.setting.legal else -2.0))
    elif amount.form is Form.COLON:
        marks.append(("hours and minutes", 1.0 if raw.startswith((":", "0:")) else 0.0))
    elif amount.form is Form.CLOCK and around.over is not None:
        marks.append(("span over", 1.0) if around.over else ("span to come", -3.0))
    block = candidate.sentence.passage.block
    said = [
        ("day", 1.0, around.dated or bool(words & _DAY) or "<ordinal>" in words or not _THIS.isdisjoint(own.phrases)),
        ("matter", 0.5, around.matter),
        (
            "matter, in a list",
            0.5,
            amount.form is not Form.BARE and around.matter and around.setting.lines.get(block, 0) > 1,
        ),
        ("on something", 0.5, bool(own.spelled[at + 1 : at + 2]) and own.spelled[at + 1] in _ON),
        ("with somebody", 1.0, _WITH.search(own) is not None),
        ("of work", 1.5, _OF_WORK.search(own) is not None),
        ("one of many", 0.5, around.setting.tenths > 1 and amount.form is Form.BARE),
        ("what it took", 0.5, _CALL_IT.search(own) is not None),
        ("working", 1.0, bool(set(own.spelled[at + 1 : at + 4]) & WORK_GERUND)),
        ("after what was done", 1.0, around.near is not None and around.near.done),
        ("after what was refused", -0.5, around.near is not None and not around.near.done),
        ("after the sender's work", 0.5, _told_before(candidate)),
        ("among like lines", 0.5, around.setting.lines.get(block, 0) > 1),
        ("in a list of many", 0.5, around.setting.lines.get(block, 0) > 2),
        ("in a column of hours", 2.0, bool(around.column)),
        ("just done", 1.0, _JUST.search(own) is not None),
        ("ours", 0.5, _OURS.search(own) is not None),
        ("priced", 1.5, _PRICED.search(own) is not None),
        ("more than a day's work", -4.0, amount.best > 960),
        ("says something else", -2.0 if amount.form in {Form.SPOKEN, Form.CLOCK} else -0.5, around.governed),
        ("a statistic", -3.0, bool(words & STATISTICS)),
        (
            "a fraction of a minute",
            -2.0,
            amount.form is Form.SPOKEN and amount.best != round(amount.best) and amount.best < 30,
        ),
        ("a term", -1.5, bool(set(own.spelled[:at]) & _TERM) and own.spelled[0] not in _SUMMED_UP),
        ("work of <t>", -1.5, _WORK_OF.search(own) is not None),
        ("under a report of time", 1.5, around.setting.reported(block)),
    ]
    marks += [(name, weight) for name, weight, holds in said if holds]
    if len(own.spelled) > 30:
        marks.append(("long", -1.0))
    return Shorthand(sum(weight for _, weight in marks), tuple(name for name, _ in marks))


def _unnamed(candidate: Candidate, around: "Around", *, sheet: bool) -> float:
    """What it weighs that no word of work is known: little in a list that has proved to be of time."""
    block = candidate.sentence.passage.block
    if _plain(set(candidate.own.spelled), candidate) & _ABBREVIATED:
        return 0.0
    told = around.setting.legal or candidate.amount.form is not Form.BARE
    proven = told and around.near is not None and around.near.done
    if proven and around.setting.lines.get(block, 0) > 2:
        return -0.5 if around.setting.legal else -1.0
    if around.setting.reported(block) and proven:
        return -0.5
    return -1.5 if candidate.amount.form is Form.SPOKEN or sheet else -3.0


def _heading_names(candidate: Candidate) -> bool:
    """Whether the list stands under words that name the work: "all research:"."""
    before = candidate.sentence.before
    while before is not None and before.marks and before.passage.block >= candidate.sentence.passage.block - 1:
        before = before.before
    return before is not None and before.tokens.spelled[-1:] == (":",) and not _WORK.isdisjoint(before.tokens.phrases)


def is_sheet(candidate: Candidate, around: "Around", raw: str) -> bool:
    """Whether numbers without a unit are hours here: by a report, a column, lawyers' words, or written `.4`."""
    words = set(candidate.own.spelled)
    return (
        bool(around.column)
        or around.setting.reported(candidate.sentence.passage.block)
        or (raw.startswith(".") and len(raw) == 2)
        or bool(_plain(words, candidate) & _ABBREVIATED)
        or (around.setting.legal and around.near is not None and around.near.done)
        or (
            around.setting.legal
            and around.setting.tenths > 1
            and around.setting.lines.get(candidate.sentence.passage.block, 0) > 1
        )
    )


def _plain(words: set[str], candidate: Candidate) -> set[str]:
    """The words that are no part of a hyphenated name ("build-dep")."""
    spelled = candidate.own.spelled
    if "-" not in words:
        return words
    return {
        word
        for place, word in enumerate(spelled)
        if "-" not in spelled[max(0, place - 1) : place] and "-" not in spelled[place + 1 : place + 2]
    }


def _told_before(candidate: Candidate) -> bool:
    """Whether the sentence before tells what the sender did."""
    before = candidate.sentence.before
    return (
        before is not None and bool(set(before.tokens.spelled) & FIRST) and not _WORK.isdisjoint(before.tokens.phrases)
    )


def is_tenths(raw: str) -> bool:
    """Tenths or quarters of an hour, as time is recorded; a leading full stop is nobody's habit but a timekeeper's."""
    return len(raw.partition(".")[2]) == 1 or raw[-2:] in {"25", "50", "75", "00"}


def _at_edge(words: tuple[str, ...]) -> bool:
    """Whether nothing but marks, fillers and a bracket stands between the amount and its line's edge."""
    if "(" in words and words[0] in {"(", ",", ".", ";"} | _AFTER:
        words = words[: words.index("(")]
    return all(word in _EDGE or word in _AFTER for word in words)
