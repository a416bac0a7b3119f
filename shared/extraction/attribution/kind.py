"""The type of an entry, from the words of its work.

Phrases that settle it come first; then the first of the most telling words: what was done (a past verb) before what was
dealt with (a noun), words for work in general ("handled", "file") last; then who it was with.
"""

from shared.extraction.engine import Tokens, Words, compile_pattern
from shared.extraction.lexicon import BASE, GERUND, NOUNS, PAST, gerund, past, spaced
from shared.extraction.wordlist import words
from shared.models import EntryType

_CALL, _MEETING, _RESEARCH = EntryType.CALL, EntryType.MEETING, EntryType.RESEARCH
_DRAFTING, _REVIEW, _TRAVEL, _OTHER = EntryType.DRAFTING, EntryType.REVIEW, EntryType.TRAVEL, EntryType.OTHER

_WORDS = Words(
    sets={
        "event": words(
                """
                hearing trial deposition depo mediation arbitration argument meeting conference interview
                closing appearance mtg hrg dep court examination cross inquest settlement
                """
            ),
        "document": tuple(spaced(noun) for noun in NOUNS[_DRAFTING]),
        "prep": words("prep prepare prepared preparing preparation prepping prepped prepares"),
        "wait": ("waiting", "waited", "wait"),
        "travel": words("travel travelled traveled travelling traveling drive drove driving flew flight"),
        "search": tuple(
            "check checked checking look looked looking read reading pulled pulling dug digging tracked"
" tracking ran searched"
            " went_through going_through pull digging_out".replace("_", " ").split()
        ),
        "authority": words(
            """
            case_law cases case authorities register registers registry index docket statute statutes
            regulations listings precedent law federal_register searches county_index
            """
        ),
    },
    barriers=(";", "--"),
)  # fmt: skip
_PHRASES = tuple(
    (name, compile_pattern(pattern, _WORDS), kind)
    for name, pattern, kind in (
        ("waiting", "^ ( i|we|then|and|also|, )* {wait}", _OTHER),
        ("waiting <t>", "{wait} ..3 <t>", _OTHER),
        ("travel first", "^ ( the|and|plus|return|, )* {travel}", _TRAVEL),
        ("<t> of travel", "<t> ( of|in|for|round|return )* {travel}", _TRAVEL),
        ("the way back", "<t> back|home|door_to_door|round_trip|each_way | door_to_door|round_trip <t>", _TRAVEL),
        ("left at <clock>", "left ..4 at ..9 arrived|pulled|reached|got|back", _TRAVEL),
        ("by telephone", r"\( tel|telephone|phone|zoom|teams|video|by_phone|by_zoom .? \)", _CALL),
        (
            "on the phone",
            "on|by|via|over the? phone|telephone|zoom|teams|video|webex|skype|phones | on the line",
            _CALL,
        ),
        (", by video", ",|--|- video|zoom|teams|phone|telephone|webex ( -|--|,|<t>|:|. )", _CALL),
        ("kept on", "kept|held us|me on|on_the_phone|hanging", _CALL),
        ("on with", "i|we|was|were|got|am on with|from|between|together", _CALL),
        (
            "attend a call",
            "attend|attended|attending|joined|join|on|led|hosted ..3 call|calls|zoom|teams|webex|telecon",
            _CALL,
        ),
        (
            "<t> call",
            (
                "<t> -? ( prep )? ( phone|video|telephone|zoom|conference|teams )? ( follow_-_up )? call"
                "|calls|telecon|zoom"
            ),
            _CALL,
        ),
        ("proofs", "proofs|proofread|proofreading|proofing", _REVIEW),
        ("looking for authority", "{search} ..6 {authority}", _RESEARCH),
        ("tracking down", "tracked|tracking|hunted|hunting ..6 down", _RESEARCH),
        ("going over together", "went|going|gone over|through ..9 together", _MEETING),
        ("walking through", "walked|walking ..2 through", _REVIEW),
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
        ("preparing for an event", "{prep} for|to ..4 {event}", _OTHER),
        ("event preparation", "{event} {prep}", _OTHER),
        (
            "a document for an event",
            "{event} -? brief|outline|statement|memo|binder|letter|ltr|script|stmt|submission|charge",
            _DRAFTING,
        ),
        ("an outline", "cross|opening|closing|direct|examination outline|statement|script|argument", _DRAFTING),
        (
            "working on a document",
            "work|worked|working|spent|put|did ( on|into|in|the|a|an|<t>|our|my|your|of|that|this )* ..2 {document}",
            _DRAFTING,
        ),
        (
            "emails with",
            "emails|email|correspondence|corr|letters ( back_and_forth|exchange )? w/|with|to|from",
            _DRAFTING,
        ),
    )
)
_COMPANY = tuple(
    (name, compile_pattern(pattern, _WORDS), kind)
    for name, pattern, kind in (
        ("whether", "whether", _RESEARCH),
        ("before a judge", "before|with|at judge|justice|magistrate|the_judge|the_court|chambers|court", _MEETING),
        ("was there", "was|were there|in_with|with|at|before|on_site|inside", _MEETING),
        ("with somebody", "<t> ..3 with|w/ !that|this|it", _MEETING),
        ("had somebody", "had ( you|him|her|them )", _MEETING),
    )
)
_IN_GENERAL = frozenset(
    spaced(form)
    for verb in words(
        """
        work handle assist deal process gather collect pull discuss explain strategize plan think manage set
        build run map record start help produce enter attempt fix go look turn settle finish complete code
        present close copy log fight sit stand take keep spend put do have get witness
        """
    )
    for form in (verb, gerund(verb), *past(verb))
)
_WEAK = frozenset(
    frozenset(words(
        """
        work w/ re matter matters case file task tasks attn f/u note notes will order notice charge answer reply
        title con site policy oc att train report video documents
        """
    ))
)  # fmt: skip
_ABBREVIATED = frozenset(
    words(
        """
    rev rvw revw rev'd revd tc t/c tcw tcs conf mtg ltr corr rsch telecon depo vm o/c
    """
    )
)
_DONE, _NAMED, _GENERAL = 4, 2, 1


def _index() -> dict[str, list[tuple[tuple[str, ...], EntryType, int, bool]]]:
    """By first token: the words of work, their kind, how telling they are, and whether only at the head."""
    found: dict[str, list[tuple[tuple[str, ...], EntryType, int, bool]]] = {}
    for kind, nouns in NOUNS.items():
        for noun in nouns:
            parts = tuple(spaced(noun).split())
            telling = _GENERAL if noun in _WEAK else _DONE if noun in _ABBREVIATED else _NAMED + (len(parts) > 1)
            found.setdefault(parts[0], []).append((parts, kind, telling, False))
    for forms, telling in ((PAST, _DONE), (GERUND, _DONE), (BASE, _DONE)):
        for kind, members in forms.items():
            for word in members:
                parts = tuple(word.split())
                level = _GENERAL if word in _IN_GENERAL else telling
                found.setdefault(parts[0], []).append((parts, kind, level, forms is BASE))
    for entries in found.values():
        entries.sort(key=lambda entry: (-len(entry[0]), -entry[2]))
    return found


_BY_FIRST = _index()
_BEING = frozenset(words("was were wasn't weren't be been being is are isn't"))
_HEAD_AFTER = frozenset(
    words(
        """
    -- : ; and & to , ( - ) <t> <o> then | *
    """
    )
)


def kind_of(*places: Tokens) -> tuple[EntryType, str]:
    """The type by the first of these places that speaks of work, and the words it was read from."""
    weak: tuple[EntryType, str] | None = None
    for place, tokens in enumerate(places):
        for name, pattern, kind in _PHRASES:
            if pattern.search(tokens):
                return kind, name
        found = _best(tokens)
        if found and found[0] > _GENERAL:
            return found[1], found[2]
        for name, pattern, kind in _COMPANY:
            if place < 2 and pattern.search(tokens):
                return kind, name
        weak = weak or (found and (found[1], found[2])) or None
    return weak or (_OTHER, "work")


def _best(tokens: Tokens) -> tuple[int, EntryType, str] | None:
    """The first of the most telling words; a base form tells only at the head ("draft answer", not "file draft")."""
    best: tuple[int, EntryType, str] | None = None
    words, index = tokens.spelled, 0
    while index < len(words):
        step = 1
        for parts, kind, telling, at_head in _BY_FIRST.get(words[index], ()):
            heads = index < 2 or words[index - 1] in _HEAD_AFTER or not words[index - 1][:1].isalpha()
            if _is_idle(words, index, len(parts)):
                continue
            if words[index : index + len(parts)] != parts or (at_head and not heads):
                continue
            if best is None or telling > best[0]:
                best = (telling, kind, " ".join(parts))
            step = len(parts)
            break
        index += step
    return best


def _is_idle(words: tuple[str, ...], index: int, count: int) -> bool:
    """A word of work that does no work: "call it 3.5", "memo to file", "wasn't called"."""
    before = words[index - 1] if index else ""
    after = words[index + count] if index + count < len(words) else ""
    return (
        (words[index] == "call" and after == "it")
        or (words[index] == "file" and before in {"to", "the", "your", "for", "my"})
        or (words[index].endswith("ed") and before in _BEING)
    )
