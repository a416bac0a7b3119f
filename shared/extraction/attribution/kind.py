"""The type of an entry, from the words of its work.

Phrases that settle it come first; then the first word that names a specific kind of work, verbs before nouns; words for
work in general ("handled", "file") only where nothing else speaks.
"""

from shared.extraction.engine import Tokens, Words, compile_pattern
from shared.extraction.lexicon import BASE, GERUND, NOUNS, PAST, WORK_BASE, WORK_GERUND, WORK_NOUN, WORK_PAST, spaced
from shared.models import EntryType

_CALL, _MEETING, _RESEARCH = EntryType.CALL, EntryType.MEETING, EntryType.RESEARCH
_DRAFTING, _REVIEW, _TRAVEL, _OTHER = EntryType.DRAFTING, EntryType.REVIEW, EntryType.TRAVEL, EntryType.OTHER

_WORDS = Words(
    sets={
        "event": ("hearing", "trial", "deposition", "depo", "mediation", "arbitration", "argument", "meeting", "conference",
                  "interview", "closing", "appearance", "mtg", "hrg", "dep", "court", "examination", "cross", "inquest"),
        "document": tuple(spaced(noun) for noun in NOUNS[_DRAFTING]),
        "prep": ("prep", "prepare", "prepared", "preparing", "preparation", "prepping", "prepped", "prepares"),
        "wait": ("waiting", "waited", "wait"),
        "travel": ("travel", "travelled", "traveled", "travelling", "traveling", "drive", "drove", "driving", "flew", "flight"),
    },
    barriers=(";", "--", "."),
)  # fmt: skip
_PHRASES = tuple(
    (name, compile_pattern(pattern, _WORDS), kind)
    for name, pattern, kind in (
        ("waiting", "^ ( i|we|then|and|also|, )* {wait}", _OTHER),
        ("waiting <t>", "{wait} ..3 <t>", _OTHER),
        ("travel first", "^ ( the|and|plus|return|, )* {travel}", _TRAVEL),
        ("<t> of travel", "<t> ( of|in|for|round|return )* {travel}", _TRAVEL),
        (
            "on the phone",
            "on|by|via|over the? ( phone|telephone|line|zoom|teams|video|webex|skype|call|phones )",
            _CALL,
        ),
        ("kept on", "kept|on with|held|were|was us|me? on ( the|with|between|from )", _CALL),
        ("on with", "i|we was|were|got|am on with", _CALL),
        (
            "<t> call",
            "<t> -? ( {prep} )? ( phone|video|telephone|zoom|conference|teams|follow - up )? call|calls|telecon|zoom",
            _CALL,
        ),
        (
            "preparing with somebody",
            "{prep} ( session|meeting|call )? w/|with|dr|mr|ms|mrs|client|witness|witnesses",
            _MEETING,
        ),
        (
            "preparing a document",
            "{prep} ( the|a|an|of|and|for|our|my|your|first|revised|amended|draft|initial|proposed )* ..2 {document}",
            _DRAFTING,
        ),
        ("preparing for an event", "{prep} ( for|to ) ..4 {event}", _OTHER),
        ("event preparation", "{event} {prep}", _OTHER),
        (
            "an outline for an event",
            "cross|opening|closing|direct|examination|depo|deposition outline|statement|script|argument",
            _DRAFTING,
        ),
        (
            "working on a document",
            "work|worked|working|spent|put|did ( on|into|in|the|a|an|<t>|our|my|your|of )* ..2 {document}",
            _DRAFTING,
        ),
    )
)
_GENERAL = (WORK_BASE | WORK_GERUND | WORK_PAST) & frozenset(
    spaced(word)
    for word in (
        *BASE[_OTHER], *PAST[_OTHER], *GERUND[_OTHER], "go", "went", "going", "look", "call it", "turn", "turned", "settle",
        "settled", "finish", "finished", "complete", "completed", "code", "closing", "get", "returned", "return", "present",
    )
) - {"wait", "waited", "waiting", "file", "filed", "filing", "organize", "organized", "organizing"}  # fmt: skip
_WEAK_NOUNS = frozenset({"work", "w/", "re", "matter", "matters", "case", "file", "task", "tasks", "attn", "f/u", "note", "will",
                         "order", "notice", "charge", "answer", "reply", "title", "con", "site", "policy", "oc", "att", "train"})  # fmt: skip


def _index() -> dict[str, list[tuple[tuple[str, ...], EntryType, int]]]:
    """By first token: the words of work as token tuples, their kind, and how specific they are (3 best)."""
    found: dict[str, list[tuple[tuple[str, ...], EntryType, int]]] = {}
    for forms in (PAST, GERUND, BASE):
        for kind, words in forms.items():
            for word in words:
                entry = (tuple(word.split()), kind, 1 if word in _GENERAL else 3)
                found.setdefault(entry[0][0], []).append(entry)
    for kind, nouns in NOUNS.items():
        for noun in nouns:
            parts = tuple(spaced(noun).split())
            weight = 1 if noun in _WEAK_NOUNS or kind is _OTHER else 3 if len(parts) > 1 or kind is _CALL else 2
            found.setdefault(parts[0], []).append((parts, kind, weight))
    for entries in found.values():
        entries.sort(key=lambda entry: (-len(entry[0]), -entry[2]))
    return found


_BY_FIRST = _index()


def kind_of(*places: Tokens) -> tuple[EntryType, str]:
    """The type by the first of these places that speaks of work, and the words it was read from."""
    weak: tuple[EntryType, str] | None = None
    for tokens in places:
        for name, pattern, kind in _PHRASES:
            if pattern.search(tokens):
                return kind, name
        found = _best(tokens)
        if found and found[0] > 1:
            return found[1], found[2]
        weak = weak or (found and (found[1], found[2])) or None
    return weak or (_OTHER, "work")


def _best(tokens: Tokens) -> tuple[int, EntryType, str] | None:
    best: tuple[int, EntryType, str] | None = None
    index = 0
    while index < len(tokens.spelled):
        step = 1
        for parts, kind, weight in _BY_FIRST.get(tokens.spelled[index], ()):
            if tokens.spelled[index : index + len(parts)] == parts:
                if best is None or weight > best[0]:
                    best = (weight, kind, " ".join(parts))
                step = len(parts)
                break
        index += step
    return best


WORK_WORDS = WORK_NOUN
