"""Amounts of time that measure something else than work done: each rule says what, as a lawyer would.

The rules are tried in order. One that `yields` gives way where the sentence says outright that the sender spent the
time; one for `prose` leaves shorthand alone, where "fee" or "cost" is what the work was about.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from shared.extraction.context.things import LASTING, MADE_OF, SCHEDULED, SOMEWHERE
from shared.extraction.context.vocabulary import CONTEXT
from shared.extraction.engine import Tokens, Words, compile_pattern


@dataclass(frozen=True, slots=True)
class Refuse:
    """A rule that refuses an amount: a phrase around <t>, and the reason in a lawyer's words."""

    name: str
    pattern: str
    reason: str
    yields: bool = False
    prose: bool = False


_DEADLINE = "a deadline, not work done"
_ELAPSED = "time that has passed, not time worked"
_LENGTH = "the length of a thing, not work done"
_CAP = "a limit or an allowance, not time worked"
_HABIT = "a habit, a rate or a term, not a piece of work"
_RATE = "what an hour costs, not an hour worked"
_SCHEDULE = "a schedule, not work done"
_PART = "a part of an amount that is counted already"
_REFERENCE = "refers back to time stated elsewhere"
_BILLED = "time on a bill already sent, not new work"
_COMING = "time to come, not time worked"
_OTHERS = "another person's time"
_IDLE = "waiting that is not work"

NOT_WORK = (
    Refuse("within <t>", "within|inside {about}* <t>", _DEADLINE),
    Refuse(
        "<t> ago",
        ("<t> ago|hence|earlier|later|away|old|late|early|behind|remaining|left|ahead|overdue|in_arrears"),
        _ELAPSED,
    ),
    Refuse("<t> from now", "<t> from|of now|then|today|receipt|service|filing", _DEADLINE),
    Refuse(
        "<t> before",
        "<t> before|after|prior|in_advance|past !that|this|beforehand|on|in|at|with|,",
        _ELAPSED,
        yields=True,
    ),
    Refuse("<t> notice", "<t> '|of|advance|prior|written|'s* notice", "notice to be given, not work done"),
    Refuse("every <t>", "every|per|each|once <t>", _HABIT),
    Refuse(
        "<t> a day",
        "<t> a|per|each|every|/ day|week|month|year|night|morning|quarter|person|side|party"
        "|session|shift|trip|time|case|file"
        "|lawyer|head|student|weekend|wk|mo|yr|witness",
        _HABIT,
    ),
    Refuse("<t> daily", "<t> daily|weekly|monthly|annually|nightly", _HABIT),
    Refuse("<t> each", "<t> each|apiece !way|direction|leg", _HABIT, prose=True),
    Refuse("times in <t>", "times|once|twice in|within {about}* <t>", _HABIT),
    Refuse(
        "up to <t>",
        "up_to|not_to_exceed|no_longer_than|no_later_than|maximum_of|minimum_of|max_of|min_of|max"
        "|min|limit_of|limited_to|capped_at"
        "|cap_of|cap_at|cap_is|exceed|exceeds|exceeding|beyond|as_long_as|ceiling_of|raised_to|reduced_to {about}* <t>",
        _CAP,
    ),
    Refuse(
        "no more than <t>",
        "no_more_than|not_more_than|at_most|at_least|minimum|maximum {about}* <t>",
        _CAP,
        yields=True,
    ),
    Refuse(
        "<t> cap",
        (
            "<t> -? limit|cap|minimum|maximum|max|min|allowance|allotment|increment|increments|ceiling"
            "|estimate|budget|retainer|quote|sla"
        ),
        _CAP,
    ),
    Refuse("the next <t>", "the|over|during|for next|coming|following {about}* <t>", _COMING),
    Refuse(
        "in the next <t>",
        "in {about}* <t> ( ,|.|or|we|i|you|when|from|if|at|the | $ )",
        _COMING,
        yields=True,
        prose=True,
    ),
    Refuse("<t> window", "<t> -? {lasting}", _LENGTH),
    Refuse(
        "<t> long recording",
        "<t> -? long|full|free|security|store|zoom|audio|video|body|paid|unpaid|whole|initial"
        "|cooling|standard|mandatory|online|live"
        " {lasting}",
        _LENGTH,
    ),
    Refuse("<t> long", "<t> -? long|in_length|in_duration|in_total_length|wide", _LENGTH, yields=True),
    Refuse(
        "<t> of leave", "<t> of {made_of} | <t> {made_of} !call|meeting|conference", "hours of something else than work"
    ),
    Refuse("<t> week", "<t> -? {scheduled}", _SCHEDULE),
    Refuse("first <t> free", "first <t> ..3 free|complimentary|included|of|are|is|at", _CAP),
    Refuse(
        "rate ... <t>",
        "rate|rates|fee|fees|retainer|flat|budget|estimate|estimates|quote|cap|capped|allowance"
        "|covers|cover|includes|budgeted"
        "|estimated|cost ..6 <t>",
        _RATE,
        yields=True,
        prose=True,
    ),
    Refuse(
        "of which <t>",
        ("of_which|inclusive_of|which_included|which_includes ..2 <t> | <o> ..12 including|incl ..2 <t>"),
        _PART,
    ),
    Refuse("<t> of which", "<t> of which|that|those|it|them !{doing}", _PART, yields=True),
    Refuse(
        "those <t>",
        ("those|these|said|such|during_the|during_that|throughout_the|same <t> !back|each|travel|home|return"),
        _REFERENCE,
        prose=True,
    ),
    Refuse(
        "the <t> you",
        "<t> ( that|which )? you|he|she|they|your|his|opposing|counsel|client ..2 spent|billed|claim"
        "|claimed|charged|took|asked|used"
        "|mentioned|put|wanted|requested|have|had|need|gave|sent|say|said|recorded|logged",
        _OTHERS,
    ),
    Refuse("<t> of mine", "<t> ..6 hers|theirs|separately", _OTHERS),
    Refuse("her <t>", "her|their|his {about}* <t> !{work}", _OTHERS),
    Refuse("your time <t>", "your|his|her|their time|hours ..3 <t>", _OTHERS),
    Refuse(
        "instead of <t>",
        "instead_of|in_place_of|in_lieu_of|rather_than"
        "|versus|vs|as_opposed_to|compared_to|compared_with|down_from|up_from|not ..2 <t>",
        _REFERENCE,
        yields=True,
    ),
    Refuse(
        "bill shows <t>",
        "invoice|invoices|statement|bill|ledger|prebill|pre_-_bill|timesheet has|shows|showed|show"
        "|lists|listed|reflects|reflected|says"
        "|included|includes|had|contains|at ..9 <t>",
        _BILLED,
    ),
    Refuse(
        "credit <t>",
        "credit|credited|refund|refunded|deduct|deducted|reverse|remove|removed|delete|deleted"
        "|duplicate|take_off|took_off|knocked"
        "|shaved|trimmed|cutting|knock|shave|trim|waived ( off|a|the|an|out|about|another )* <t>",
        _BILLED,
    ),
    Refuse(
        "<t> will",
        "<t> will|would|should|may|might|could|can|must|shall|won't|max|maximum|minimum|tops|needed"
        "|required|allowed|allotted|available"
        "|free|estimated|anticipated|budgeted|to_spare|is|are|isn't|aren't|remain|remains|should_do|'d|extra|or_less",
        "time talked about, not time worked",
        yields=True,
        prose=True,
    ),
    Refuse(
        "save <t>",
        "save|saves|saved|saving|gain|gains|gained|lose|loses|lost|extra|delay|delayed|early|late"
        "|grace|add|adds|delays|extend|extends"
        "|extended|postpone|push|pushed|move|moved|cost_us ( it|the|this|back|by|you|us|them|me"
        "|everyone|up|out|trial|hearing|of )* <t>",
        "a gain or a delay, not work done",
        yields=True,
        prose=True,
    ),
    Refuse(
        "delay of <t>",
        "delay|delays|extension|adjournment|wait|gap|recess|break|breaks|pause|lag|window|limit"
        "|notice|period|outage|average|interval"
        "|buffer|slot|layover|extra|timeout|warranty of|is|was|from|were|at {about}* <t>",
        "a gap or a delay, not work done",
    ),
    Refuse(
        "open <t>",
        "open|opens|closed|closes|staffed|staff|office_hours|business_hours|hours_are|store_hours"
        "|availability|available|free|shift"
        "|operating_hours|operate|operates|operating|shifts|support_hours|building_hours ..6 <t>",
        _SCHEDULE,
        prose=True,
    ),
    Refuse("<t> on hold", "<t> {somewhere}", _IDLE),
    Refuse("queue of <t>", "hold|queue|traffic ..2 <t>", _IDLE, yields=True),
    Refuse(
        "down for <t>",
        (
            "down|offline|unavailable|frozen|stuck|dead|asleep|missing|sleeping|awake|gone|overdue"
            "|delayed|late|fasting|lost for|about? <t>"
        ),
        "a time without work",
        yields=True,
    ),
    Refuse("out for <t>", "is|was|were|been out|off|away for? {about}* <t>", "a time without work"),
    Refuse("<n> <t> workshops", "<n> <t> -? !call|calls", "a count of things and their length"),
    Refuse(
        "not counting <t>",
        "not_counting|excluding|ignoring|leaving_out|apart_from|other_than|except|except_for|taking_off|forgetting"
        "|never_mind|aside_from ( for|the|a|an|my|our|about )* <t>",
        "left out by the sender",
    ),
    Refuse(
        "<t> units",
        "<t> -? units|increments|intervals|billing|steps|minimums|blocks|warning|warnings",
        "how time is counted",
    ),
    Refuse("<t> if", "<t> if|unless|whenever", "conditional, not done"),
    Refuse("by <t>", "by {about}* <t>", _LENGTH),
    Refuse("<t> off", "<t> off|break|recess|lunch|nap|sleep|rest", "a pause, not work"),
    Refuse(
        "cook for <t>",
        "bake|bakes|baked|cook|simmer|marinate|refrigerate|boil|soak|soaked|roast|preheat|chill"
        "|freeze|cured|smoke|rub|rest|degrees"
        " ..8 <t>",
        _LENGTH,
        prose=True,
    ),
    Refuse(
        "<t> to failure",
        ("<t> to|until failure|complete|completion|load|loads|arrive|deliver|charge|boot|finish_loading"),
        _LENGTH,
    ),
    Refuse("I see <t>", "i|we see|notice|count|calculate|figure a|an|the|about? <t>", _REFERENCE),
)

_WORDS = Words(
    {
        **CONTEXT.sets,
        **{
            name: [entry.replace("_", " ") for entry in entries]
            for name, entries in (
                ("lasting", LASTING),
                ("made_of", MADE_OF),
                ("scheduled", SCHEDULED),
                ("somewhere", SOMEWHERE),
            )
        },
    },
    CONTEXT.barriers,
)
_COMPILED = tuple((rule, compile_pattern(rule.pattern, _WORDS)) for rule in NOT_WORK)


def refused(phrases: Iterable[Refuse], *, spent: bool, terse: bool) -> Refuse | None:
    """The first of these rules that refuses the amount <t>.

    `spent`: the sentence says that the sender spent the time. `terse`: the amount is written as in a time sheet.
    """
    return next((rule for rule in phrases if not (spent and rule.yields) and not (terse and rule.prose)), None)


def matching(tokens: Tokens) -> Iterator[Refuse]:
    """Every rule whose phrase stands around the amount <t>."""
    return (rule for rule, pattern in _COMPILED if pattern.search(tokens))
