"""Whether the sender charges for the work: "no charge", NC, written off, a courtesy."""

from collections.abc import Iterator

from shared.extraction.clauses import Candidate, Sentence, core
from shared.extraction.context.vocabulary import CONTEXT
from shared.extraction.engine import Tokens, compile_pattern

_CHARGED = (
    "bill|charge|billing|charging|billed|charged|docket|docketing|invoice|invoicing|recover"
    "|counting|count|billable|chargeable"
)
FREE = (
    ("no charge", "no charge|charges|bill|fee"),
    ("NC", "foc|nil|nc|n/c|nonbillable|unbillable|unbilled|uncharged|nonchargeable|nb|gratis|comped|n/b|nonbill"),
    ("non-billable", "non -? billable|chargeable|bill|billed|charge"),
    (
        "not charging",
        (
            "not|isn't|wasn't|never|won't|wouldn't|don't|didn't|shan't|can't|cannot|haven't|hasn't|shouldn't|aren't"
            f" ( be|been|going|to|even|want|you|will|plan|for|a|intend|propose|have )* {_CHARGED}"
        ),
    ),
    (
        "not for the bill",
        ("not|isn't|never|none ..3 on|for|to ( the|your|any|my )? bill|billing|invoice|clock|account|meter"),
    ),
    (
        "free of charge",
        "free_of_charge|without_charge|at_no_cost|no_cost|for_free|on_the_house|on_us|my_treat|on_the_firm|my_gift",
    ),
    (
        "not claiming",
        (
            "not|won't|don't ( be )? claim|claiming|seeking|putting|put|taking|recording|see|show|appear|entering"
            " ..4 on|for|through|fee|bill|invoice|it"
        ),
    ),
    (
        "swallow it",
        "swallow|swallowing|forgo|forgoing|forego|foregoing|let_go|sucking_up ( it|that|this|the|those )*",
    ),
    ("zero-rated", "zero -? rated|rate"),
    ("left off", "taken|left|leaving|leave|took|taking|knocked ( it|that|this|them|all|the|those )* off|out !of|for"),
    (
        "not included",
        (
            "not|haven't|didn't|hasn't|won't|isn't|never ( been|be|have|even|going|to )*"
            " included|include|recorded|logged|entered|itemised|itemized|invoiced"
        ),
    ),
    ("on me", "on me ( .|,|)|; | $ )"),
    ("pro bono", "pro_bono|courtesy|goodwill|complimentary|as_a_favor|as_a_favour|probono|pro_-_bono"),
    (
        "write off",
        "write|writing|wrote|written|writeoff ( it|this|that|all|these|those|the|them|time|half|to|be )* off|down",
    ),
    (
        "write-off",
        (
            "write_-_off|write_-_down|writeoff|w/o|waived|waive|waiving|waives|zeroed|eating|absorb"
            "|absorbing|absorbed !<t>"
        ),
    ),
    (
        "not client time",
        ("not_client_time|internal_only|firm_time|admin_time|overhead|internal_time|own_time|my_own_time"),
    ),
    ("admin", "--|(|,|-|: admin|office|internal|training|cle|cpd|marketing|recruiting ( .|,|)|-|-- | $ )"),
    ("for the firm", "^ office|admin|administrative|firm|internal|marketing|training|cle|cpd|recruiting|docketing"),
    (
        "off the bill",
        ("leave|left|leaving|keep|keeping|kept|take|taking|took|off ( it|this|that|them|off )* the bill|clock|invoice"),
    ),
)
_CHARGED_BY_ME = compile_pattern(
    "i|we|i'm|we're|i've|we've|i'll|we'll ( am|are|have|will|only|just )*"
    " bill|billing|billed|charge|charging|charged ( you|only|just|for|the|those|these|my )* <t> $",
    CONTEXT,
)
_SHORT = 6
"""Words of a sentence that says one thing only."""
_NEAR, _FIRST = 7, 12
"""Tokens beside the amount, and of the sentences beside its own, whose words are signs."""
_COMPILED = tuple((name, compile_pattern(pattern, CONTEXT)) for name, pattern in FREE)


def uncharged(tokens: Tokens) -> list[str]:
    """The names of the rules by which these words say that work is not charged."""
    return [name for name, pattern in _COMPILED if pattern.search(tokens)]


def is_billed(candidate: Candidate) -> bool:
    """Whether the sender says that this very amount is billed: "I'm only billing the 15 minutes that we talked"."""
    return bool(_CHARGED_BY_ME.search(candidate.tokens.part(candidate.first, candidate.at + 1)))


def is_given(candidate: Candidate, following: Sentence | None) -> bool:
    """Whether the sentence after it says no more than that this is free: "That one is on me.", "This I won't bill."."""
    if following is None or following.marks or following.passage.start != candidate.sentence.passage.start:
        return False
    tokens = following.tokens
    short = sum(word[0].isalnum() for word in tokens.spelled) <= _SHORT
    return short and tokens.spelled[0] in {"that", "this"} and not candidate.shared and bool(uncharged(tokens))


def charge_signs(candidate: Candidate, following: Sentence | None) -> Iterator[str]:
    """The signs that the work of an amount is charged, or isn't; `following` is the sentence after its own."""
    tokens, at = candidate.tokens, candidate.at
    first, last = core(candidate)
    before = candidate.sentence.before
    shared = "among others" if candidate.shared else "alone"
    yield "work"
    said = {"own": uncharged(candidate.own), "sentence": uncharged(tokens)}
    if any(said.values()):
        said["clause"] = uncharged(tokens.part(first, last))
        said["before it"] = uncharged(tokens.part(candidate.first, at))
        said["after it"] = uncharged(tokens.part(at + 1, candidate.last))
    for place, names in said.items():
        for name in names:
            yield f"{place} {name}"
            yield f"{place} free"
            yield f"{place} free, {shared}"
    for word in set(tokens.spelled[max(candidate.first, at - _NEAR) : at]):
        yield f"near before {word}"
    for word in set(tokens.spelled[at + 1 : min(candidate.last, at + _NEAR)]):
        yield f"near after {word}"
    for word in set(candidate.own.spelled):
        yield f"own {word}"
    for place, sentence in (("sentence before", before), ("sentence after", following)):
        if sentence is None:
            continue
        same = "same line" if sentence.passage.start == candidate.sentence.passage.start else "another line"
        timed = "with time" if sentence.marks else "without time"
        for name in uncharged(sentence.tokens):
            yield f"{place} {name}, {same}"
            yield f"{place} free, {same}, {timed}"
            yield f"{place} free, {same}, {timed}, {shared}"
        words = sentence.tokens.spelled[:_FIRST] if sentence is following else sentence.tokens.spelled[-_FIRST:]
        for word in set(words):
            yield f"{place} {word}, {same}"
        yield f"{place} begins {' '.join(sentence.tokens.spelled[:2])}"
