"""Amounts of time that measure something else than work done: each rule says what, as a lawyer would.

The rules are tried in order; one with `yields` gives way where the sentence says outright that the sender spent the time.
"""

from dataclasses import dataclass

from shared.extraction.context.vocabulary import CONTEXT
from shared.extraction.engine import Pattern, Tokens, compile_pattern


@dataclass(frozen=True, slots=True)
class Refuse:
    """A rule that refuses an amount: a phrase around <t>, and the reason in a lawyer's words."""

    name: str
    pattern: str
    reason: str
    yields: bool = False


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

NOT_WORK = (
    Refuse("within <t>", "within|inside {about}* <t>", _DEADLINE),
    Refuse("<t> ago", "<t> ago|hence|earlier|later|away|old|late|early|behind|remaining|left|ahead|overdue", _ELAPSED),
    Refuse("<t> from now", "<t> from|of now|then|today|receipt|service|filing", _DEADLINE),
    Refuse("<t> before", "<t> before|after|prior|in advance|past ( !that|this|beforehand|on|in|at|with | !, )", _ELAPSED, yields=True),
    Refuse("<t> notice", "<t> '?|of|advance|prior|written|'s* notice", "notice to be given, not work done"),
    Refuse("every <t>", "every|per|each|once <t>", _HABIT),
    Refuse("<t> a day", "<t> a|per|each|every|/ day|week|month|year|night|morning|quarter|person|side|party|way|session|shift|trip|time|case|file|lawyer|head|student|week-end|wk|mo|yr", _HABIT),
    Refuse("<t> each", "<t> each|apiece|daily|weekly|monthly|annually|nightly", _HABIT),
    Refuse("times in <t>", "times|once|twice in|within {about}* <t>", _HABIT),
    Refuse("up to <t>", "up to|not to exceed|no longer than|no later than|maximum of|minimum of|max of|min of|max|min|limit of|limited to|capped at|cap of|cap at|cap is|exceed|exceeds|exceeding|beyond|as long as|ceiling of {about}* <t>", _CAP),
    Refuse("no more than <t>", "no more than|not more than|at most|at least|minimum|maximum {about}* <t>", _CAP, yields=True),
    Refuse("<t> cap", "<t> -? limit|cap|minimum|maximum|max|min|allowance|allotment|increment|increments|ceiling|estimate|budget|retainer|quote", _CAP),
    Refuse("the next <t>", "the|over|during|for next|coming|following {about}* <t>", "time to come, not time worked"),
    Refuse("in the next <t>", "in {about}* <t> ( ,|.|or|we|i|you|when|from|if|at|the | $ )", "time to come, not time worked", yields=True),
    Refuse("<t> window", "<t> -? {thing}", _LENGTH),
    Refuse("<t> <adjective> recording", "<t> -? long|full|free|security|store|zoom|audio|video|body|paid|unpaid|whole|initial|cooling|standard|mandatory|online|live {thing}", _LENGTH),
    Refuse("<t> long", "<t> -? long|in length|in duration|in total length|wide", _LENGTH, yields=True),
    Refuse("<t> of leave", "<t> -? of {stuff}", "hours of something else than the sender's work"),
    Refuse("<t> week", "<t> -? week|weeks|workweek|day|days|shift|shifts|flight|commute|service|support|line|fitness|clock|news|delivery|turnaround|coverage|operation", _SCHEDULE),
    Refuse("first <t> free", "first <t> ..3 free|complimentary|included|of|are|is|at", _CAP),
    Refuse("rate ... <t>", "rate|rates|fee|fees|retainer|flat|budget|estimate|estimates|quote|cap|capped|allowance|covers|cover|includes|budgeted|estimated ..6 <t>", _RATE, yields=True),
    Refuse("of which <t>", "of which|including|incl|incl .|inclusive of|which included|which includes ..2 <t>", _PART),
    Refuse("<t> of which", "<t> of which|that|those|it|them !{doing}", _PART, yields=True),
    Refuse("those <t>", "those|these|said|such|during the|during that|throughout the|same <t> !back|each|travel|home|return", _REFERENCE),
    Refuse("the <t> you", "<t> ( that|which )? you|he|she|they|your|his|opposing|counsel|client ..2 spent|billed|claim|claimed|charged|took|asked|used|mentioned|put|wanted|requested|have|had|need|gave|sent|say|said|recorded|logged", "another person's time"),
    Refuse("instead of <t>", "instead of|rather than|versus|vs|as opposed to|compared to|compared with|down from|up from|not ..2 <t>", _REFERENCE, yields=True),
    Refuse("bill shows <t>", "invoice|invoices|statement|bill|ledger|prebill|pre - bill|timesheet has|shows|showed|show|lists|listed|reflects|reflected|says|included|includes|had|contains ..9 <t>", _BILLED),
    Refuse("credit <t>", "credit|credited|refund|refunded|deduct|deducted|reverse|remove|removed|delete|deleted|duplicate|take off|took off ..5 <t>", _BILLED),
    Refuse("<t> will", "<t> ( will|would|should|may|might|could|can|must|shall|won't|max|maximum|minimum|tops|needed|required|allowed|allotted|available|free|estimated|anticipated|budgeted|to spare|is|are|isn't|aren't|remain|remains )", "time talked about, not time worked", yields=True),
    Refuse("save <t>", "save|saves|saved|saving|cost us|gain|gains|gained|lose|loses|lost|extra|delay|delayed|early|late|grace|add|adds|delays|extend|extends|extended|postpone|push|pushed|move|moved ( it|the|this|back|by|you|us|them|me|everyone|up|out|trial|hearing|of )* <t>", "a gain or delay, not work done", yields=True),
    Refuse("delay of <t>", "delay|delays|extension|adjournment|wait|gap|recess|break|pause|lag|window|limit|notice|period|outage|average|interval|buffer|slot|layover|extra of|is|was {about}* <t>", "a gap or delay, not work done"),
    Refuse("open <t>", "open|opens|closed|closes|staffed|staff|office hours|business hours|hours are|store hours|availability|available|free|operating hours|operate|operates|operating|shift|shifts ..6 <t>", _SCHEDULE),
    Refuse("<t> of hold", "hold|queue|traffic ..2 <t>", "waiting that is not work", yields=True),
    Refuse("down for <t>", "down|offline|out|unavailable|frozen|stuck|dead|asleep|missing|sleeping|awake|gone|overdue|delayed|late|fasting|lost for? ..1 <t>", "a time without work", yields=True),
    Refuse("<t> units", "<t> -? units|increments|intervals|billing|steps|minimums|blocks|warning|warnings", "how time is counted, not time worked"),
    Refuse("<t> if", "<t> if|unless|whenever", "conditional, not done"),
    Refuse("hers", "<t> ..6 ( hers|theirs|separately ) | her|their <t> | {person} time|hours ..3 <t>", "another person's time"),
    Refuse("by <t>", "by {about}* <t>", _LENGTH),
    Refuse("<t> off", "<t> ( off|break|recess|lunch|nap|sleep|rest )", "a pause, not work"),
    Refuse("temperature for <t>", "bake|bakes|baked|cook|simmer|marinate|refrigerate|boil|soak|roast|preheat|chill|freeze ..8 <t>", _LENGTH),
)  # fmt: skip

_SETS = dict(CONTEXT.sets) | {
    "thing": (
        "recording", "video", "videos", "film", "tape", "clip", "movie", "episode", "podcast", "course", "class", "window",
        "delay", "deadline", "period", "break", "recess", "drive", "walk", "ride", "queue", "extension", "rule", "hold",
        "slot", "block", "blocks", "timer", "parking", "sale", "interval", "intervals", "turnaround", "mark", "training",
        "trial period", "lead", "lead time", "wait", "gap", "response", "response time", "cooling", "grace", "stay",
        "layover", "adjournment", "presentation", "tour", "lunch", "exam", "test", "workout", "run", "massage", "bus",
        "stopover", "voicemail", "voice mail", "show", "game", "match", "flight", "train", "bus ride", "time slot", "loop",
        "session limit", "statute", "average", "backup", "outage", "job", "test drive", "curfew", "emergency", "version",
        "footage", "audio", "segment", "segments", "meter", "webinar", "seminar", "reminder", "marathon", "concert",
    ),
    "stuff": (
        "leave", "vacation", "pto", "overtime", "sleep", "training", "class", "classes", "cle", "credit", "notice", "footage",
        "video", "tape", "audio", "rest", "downtime", "delay", "daylight", "sunlight", "battery", "parking", "therapy",
        "community", "coursework", "cpd", "sick", "holiday", "instruction", "playtime", "tv", "music", "content", "film",
        "runtime", "driving", "fun", "material", "operation", "storage", "recordings", "service", "fame", "each",
        "freedom", "exercise", "free", "rain", "practice", "volunteer", "delays", "flight", "airtime", "course",
        "the day", "every", "labor", "labour", "paid", "unpaid", "lead", "buffer", "silence", "traffic", "lectures",
    ),
}  # fmt: skip
_WORDS = type(CONTEXT)(_SETS, CONTEXT.barriers)
_COMPILED: tuple[tuple[Refuse, Pattern], ...] = tuple(
    (rule, compile_pattern(rule.pattern, _WORDS)) for rule in NOT_WORK
)


def refused(tokens: Tokens, *, spent: bool) -> Refuse | None:
    """The first rule that refuses the amount <t>. `spent`: the sentence says that the sender spent the time."""
    for rule, pattern in _COMPILED:
        if not (spent and rule.yields) and pattern.search(tokens):
            return rule
    return None
