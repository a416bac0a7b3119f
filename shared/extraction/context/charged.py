"""Whether the sender charges for the work: "no charge", NC, written off, a courtesy."""

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
_COMPILED = tuple((name, compile_pattern(pattern, CONTEXT)) for name, pattern in FREE)


def uncharged(tokens: Tokens) -> str | None:
    """The name of the rule by which these words say that the work is not charged; None if they don't."""
    for name, pattern in _COMPILED:
        if pattern.search(tokens):
            return name
    return None
