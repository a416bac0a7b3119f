"""Decides about one amount: work that the sender has done, or not, and why.

In order: whose words and whose line it is; what the amount itself measures; what the governing verb says of it; and
where no verb governs, whether the line reads as lawyers' shorthand.
"""

from dataclasses import replace

from shared.extraction.clauses import Candidate
from shared.extraction.context import not_work
from shared.extraction.context.done import asked, not_done, plainly_done, work_in
from shared.extraction.context.person import OTHERS, Governor, Person, governor
from shared.extraction.context.statement import begun, first_person, impersonal, is_plain_number, unsaid
from shared.extraction.context.verdict import Around, Verdict
from shared.extraction.context.vocabulary import CONTEXT, LASTED, TIME_VERBS
from shared.extraction.durations import Form
from shared.extraction.engine import compile_pattern
from shared.extraction.lexicon import LEGAL
from shared.extraction.wordlist import words

_SPENT_AFTER = compile_pattern(
    (
        "<t> ( that|which|or_so|of_my_time|before_that|of_time )? {first} ..2 {spent} | the|that"
        "|those <t> ( that|which )? {first} ..2 {done}"
    ),
    CONTEXT,
)
_PERFORMED = compile_pattern(
    "i|we|i'll|we'll|i'm|let_me|please|pls|put|so|just|only ( will|am|me|down|for|only|just|going|to|have )*"
    " record|bill|log|docket|post|enter|billing|recording|logging|charging|bill_for|put_down"
    "|putting_down|put_me_down ( you|only|just|the|for|it|at|in )* <t> | put me|us down for|at|as {about}? <t>"
    " | you'll|it'll|you_will|it_will ( only|just )* be billed|charged|invoiced|recorded ( only|just )* for|at|as"
    " {about}? <t> | on your|the ( next|first|final|monthly )* bill|invoice|account|statement as {about}? <t>",
    CONTEXT,
)
_ENTER = compile_pattern(
    "( ^ | ,|.|:|so|then|and|please|pls ) bill|log|debit|claim|record|post|docket|enter|book|charge|clock"
    " ( only|just|the|those|these|a|another|her|him|them )* <t>",
    CONTEXT,
)
_BILL_TO = compile_pattern(
    "bill|log|docket|enter|record|post|charge|put ( me|it|just|only|down|another )* <t> to|on|for|against|under",
    CONTEXT,
)
_MY_TIME = compile_pattern(
    "took|taken|spent|cost|ate|used|consumed ..6 <t> of my|our|attorney time"
    " | my|our|own time|part|share|attendance|work ..6 was|came_to|ran_to|totalled|totaled {about}? <t>",
    CONTEXT,
)
_OUR_CALL = compile_pattern(r"our|my {work} ..3 \( {about}? <t>", CONTEXT)
PHRASES = (
    ("<t> I spent", _SPENT_AFTER),
    ("I will record <t>", _PERFORMED),
    ("enter <t>", _ENTER),
    ("bill <t> to", _BILL_TO),
    ("<t> of my time", _MY_TIME),
    ("our <work> (<t>)", _OUR_CALL),
)
_PERSONAL = frozenset(
    words(
        """
        gym dentist doctor's lunch dinner breakfast soccer kids son daughter wife husband mom dad workout yoga
        haircut birthday school vacation party movie game tennis golf groceries store church baby pers personal
        dog nap slept sleep tv commute beach garden gardening jog jogging hike hiking swim swimming vet wedding
        funeral shower traffic airport netflix marathon football baseball basketball hockey massage shopping
        supermarket laundry cooking recipe piano ballet recital sandwich pto holiday hairdresser kindergarten
        daycare nursery physio physiotherapy optician theatre concert cinema homework playground picnic barbecue
        bbq fishing ski skiing pub treadmill pilates peloton crossfit bike biking
        """
    )
)
_MEALS = frozenset({"lunch", "dinner", "breakfast"})
_WHEN = frozenset({"before", "after", "since", "until", "till", "til", "by"})


def judge(candidate: Candidate, names: frozenset[int], around: Around, text: str) -> Verdict:
    """Whether the amount is work done by the sender. `names`: indices of capitalised words inside the sentence."""
    tokens, at = candidate.tokens, candidate.at
    by = governor(tokens, at, names)
    spent_after = _SPENT_AFTER.search(tokens) is not None
    spent = spent_after or plainly_done(candidate, by)
    if around.numbered:
        return Verdict.refusal(0.95, "<section> <title>", "the number of a section")
    if _is_part(candidate):
        return Verdict.refusal(0.9, "(<t>) <t>", "a part of an amount that is stated after it")
    if _somebody_elses(candidate, names):
        return Verdict.refusal(0.9, "(<name>, <t>)", "another person's time")
    if around.others:
        return Verdict.refusal(0.93, "<other>: <t>", "another timekeeper's line")
    if around.quoted:
        return Verdict.refusal(0.85, '"<t>"', "somebody's words, quoted")
    if candidate.amount.best < 3 and candidate.amount.form is Form.SPOKEN:
        return Verdict.refusal(0.9, "a minute", "too short to be a piece of work")
    terse = candidate.amount.form in {Form.BARE, Form.COLON, Form.UNITS} or candidate.amount.rules[0].endswith("each")
    if rule := not_work.refused(around.phrases, spent=spent, terse=terse):
        return Verdict.refusal(0.97, rule.name, rule.reason)
    if asked(candidate, by):
        return Verdict.refusal(0.95, "<t>?", "a question, not a statement of work")
    if not work_in(candidate.own) and _near(candidate) & _PERSONAL:
        return Verdict.refusal(0.9, "personal", "a personal matter, no client's work")
    if around.setting.personal and LEGAL.isdisjoint(tokens.spelled):
        return Verdict.refusal(0.9, "to family", "a mail to the family, and no word of a client's work")
    if _MY_TIME.search(tokens) and by.person is not Person.PRESENT and not not_done(candidate, by):
        return Verdict.work(0.9, "<t> of my time", "the sender's own time")
    if _PERFORMED.search(tokens) or (terse and _BILL_TO.search(tokens)):
        return Verdict.work(0.85, "I will record <t>", "the sender puts it on the bill")
    if _ENTER.search(tokens):
        return Verdict.work(0.8, "enter <t>", "the sender has it put on the bill")
    if (
        _OUR_CALL.search(tokens)
        and by.person is not Person.OTHER
        and not around.setting.planned(candidate.sentence.passage.block)
    ):
        return Verdict.work(0.85, "our <work> (<t>)", "work that the sender had part in")
    if spent_after:
        return Verdict.work(0.93, "<t> I spent", "the sender says so")
    if candidate.amount.rules and candidate.amount.rules[0].startswith("began at"):
        return begun(by)
    verb = tokens.spelled[by.verb] if by.verb >= 0 else ""
    parted = bool({":", "--"} & set(tokens.spelled[max(by.verb, 0) : at]))
    governed = by.person in {Person.OTHER, Person.IMPERSONAL, Person.PRESENT} and not parted
    weakly = by.person is Person.IMPERSONAL and verb not in LASTED
    if weakly or (by.person in {Person.OTHER, Person.IMPERSONAL, Person.PRESENT} and not _trusted(candidate, by)):
        by = Governor(Person.UNSAID, -1)
    if by.person is Person.PRESENT:
        return Verdict.refusal(0.9, "<is> <t>", "what is or would be, not what was done")
    if candidate.amount.rules[:1] == ("<n> of the unit before",) and around.previous is not None:
        return replace(around.previous, sure=min(around.previous.sure, 0.85))
    if by.person is Person.OTHER:
        return Verdict.refusal(0.93, "<other> spent <t>", "another person's time")
    if reason := not_done(candidate, by):
        return Verdict.refusal(0.93, reason[0], reason[1])
    if terse and by.person in {Person.FIRST, Person.IMPERSONAL} and not is_plain_number(candidate, by, around, text):
        by = Governor(Person.UNSAID, -1)
    if by.person is Person.FIRST:
        return first_person(candidate, by, around)
    if by.person is Person.IMPERSONAL:
        return impersonal(candidate, by, around)
    return unsaid(candidate, by, replace(around, governed=governed), text)


def _trusted(candidate: Candidate, by: Governor) -> bool:
    """Whether another subject really governs the amount: not across a colon, and in shorthand only if it says so."""
    words = candidate.tokens.spelled
    if {":", "--"} & set(words[by.verb : candidate.at]):
        return False
    if candidate.amount.form in {Form.BARE, Form.COLON, Form.UNITS}:
        return words[by.subject] in OTHERS or words[by.verb] in TIME_VERBS | LASTED | {"was", "were", "is"}
    return True


def _is_part(candidate: Candidate) -> bool:
    """As in "Hearing (10 min before the judge, rest waiting) 1.6": in brackets, and the whole right behind them."""
    words, at = candidate.tokens.spelled, candidate.at
    opening = next((index for index in range(at - 1, max(-1, at - 12), -1) if words[index] in {"(", ")"}), -1)
    closing = next((index for index in range(at + 1, min(len(words), at + 16)) if words[index] in {"(", ")"}), -1)
    if opening < 0 or words[opening] != "(" or closing < 0 or words[closing] != ")":
        return False
    return words[closing + 1 : closing + 2] == ("<o>",) or words[closing + 1 : closing + 3] == (",", "<o>")


def _somebody_elses(candidate: Candidate, names: frozenset[int]) -> bool:
    """As in "(Karen, 2 hrs)": a name and an amount alone in brackets."""
    words, at = candidate.tokens.spelled, candidate.at
    for index in range(max(1, at - 6), at):
        owner = words[index - 1]
        if (
            words[index] in {"time", "hours"}
            and owner.endswith("'s")
            and owner not in {"today's", "yesterday's", "let's"}
        ):
            return index - 1 in names
    return words[at - 3 : at - 2] == ("(",) and words[at - 1] in {",", ":", "--", "-"} and at - 2 in names


def _near(candidate: Candidate) -> set[str]:
    """The words close by the amount, without meals that only say when ("before lunch")."""
    said = candidate.tokens.spelled
    near = range(max(candidate.first, candidate.at - 9), min(candidate.last, candidate.at + 7))
    return {said[place] for place in near if not (place and said[place] in _MEALS and said[place - 1] in _WHEN)}
