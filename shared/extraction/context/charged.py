"""Whether the sender charges for the work: "no charge", NC, written off, a courtesy."""

from shared.extraction.context.vocabulary import CONTEXT
from shared.extraction.engine import Tokens, compile_pattern

_FREE = (
    ("no charge", "no charge|charges|bill|fee"),
    ("NC", "nc|n/c|nonbillable|unbillable|unbilled|uncharged|nb|gratis|comped|comp'd"),
    ("non-billable", "non -? billable|chargeable|bill|billed"),
    ("not billable", "not|isn't|wasn't|un|never ( be|been|going to|to be|for|a )? ( billable|chargeable|charged|billed|billing|charging|bill|charge|recoverable )"),
    ("won't charge", "won't|wouldn't|don't|didn't|not|shan't|never|can't|haven't|hasn't|shouldn't|aren't ( be|going to|even|want to|to|you|will|plan to )? bill|charge|billing|charging|billed|charged|docket|invoice|seek|count"),
    ("do not bill", "do|will|did|does|should|shall|would not ( be|to|you )? bill|charge|charging|billing|count"),
    ("not charging", "not be? charging|billing|invoicing"),
    ("free of charge", "free of charge|without charge|at no cost|no cost|for free|on the house|on us|my treat|on the firm|my gift"),
    ("on me", "on me ( .|,|)|; | $ )"),
    ("pro bono", "pro bono|courtesy|goodwill|complimentary|as a favor|as a favour"),
    ("write off", "write|writing|wrote|written|written|writeoff|write-off ( it|this|that|all|these|those|the|them|time )? ( off|down )"),
    ("write-off", "write - off|write - down|writeoff|w/o|waived|waive|waiving|waives|discounted to zero|zeroed|zero|eat it|eating|eat|absorb|absorbing|absorbed !<t> ( that|this|it|the|.|,|for|out|on )?"),
    ("not for billing", "not for billing|not client time|non - client|internal only|firm time|admin time|administrative|overhead"),
    ("no time recorded", "leave|left|leaving|keep|keeping|kept|take|taking|took ( it|this|that|them )? off the bill|clock|invoice"),
    ("off the clock", "off the clock|off the bill|off - the - clock"),
)  # fmt: skip
_COMPILED = tuple((name, compile_pattern(pattern, CONTEXT)) for name, pattern in _FREE)


def uncharged(tokens: Tokens) -> str | None:
    """The name of the rule by which these words say that the work is not charged; None if they don't."""
    for name, pattern in _COMPILED:
        if pattern.search(tokens):
            return name
    return None
