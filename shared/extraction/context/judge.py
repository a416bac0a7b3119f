"""Decides about one amount: work that the sender has done, or not, and why.

In order: what the amount itself measures; whose time it is and what the governing verb says of it; and where no verb
governs, whether the line reads as lawyers' shorthand.
"""

from dataclasses import dataclass, replace

from shared.extraction.clauses import Candidate
from shared.extraction.context import not_work
from shared.extraction.context.person import FIRST, OTHERS, Governor, Person, governor, nominal_work, says_reported
from shared.extraction.context.setting import Setting, forecasts
from shared.extraction.context.shorthand import ENOUGH, is_sheet, is_tenths, shorthand
from shared.extraction.context.vocabulary import CONTEXT, LASTED, LASTED_AT_ONCE, MODALS, NEGATIONS, TIME_VERBS
from shared.extraction.durations import Form
from shared.extraction.engine import Tokens, compile_pattern
from shared.extraction.lexicon import LEGAL, PARTICIPLES, WORK_BASE, WORK_GERUND, WORK_NOUN, WORK_PAST
from shared.extraction.wordlist import words


@dataclass(frozen=True, slots=True)
class Verdict:
    """`done`: the amount is work that the sender did; `sure` from 0 to 1; `rule` and `reason` say why, `marks` on what."""

    done: bool
    sure: float
    rule: str
    reason: str
    marks: tuple[str, ...] = ()


_NOT_DONE = compile_pattern(
    "{modal}|{intention} | i'd|we'd be|need|have|want|say|expect|suggest|recommend|budget|allow|estimate|guess|like|plan|spend|think",
    CONTEXT,
)
_LATER = compile_pattern("<t> ..6 ( tomorrow | next week|month|monday|tuesday|wednesday|thursday|friday )", CONTEXT)
_SPENT_AFTER = compile_pattern(
    "<t> ( that|which|of|before|or|so|my|time|work|just|,|today|yesterday )* {first} ..3 {spent}|{done}", CONTEXT
)
_HAD = compile_pattern("{first} ..3 had|have|held|did ..3 <t> -? ( {work} | {doing} | with|on|at|in )", CONTEXT)
_NOT_DONE_TERSE = compile_pattern(
    "{modal}|please|pls|tomorrow|agenda|to_spend|i_see|we_see|next_week|tentatively|if", CONTEXT
)
_PERFORMED = compile_pattern(
    "i|we|i'll|we'll|i'm|let_me|please|pls|put|so|just|only ( will|am|me|down|for|only|just|going|to|have )*"
    " record|bill|log|docket|post|enter|billing|recording|logging|charging|bill_for|put_down|putting_down|put_me_down ( you|only|just|the|for|it|at|in )* <t>",
    CONTEXT,
)
_BILL_TO = compile_pattern(
    "bill|log|docket|enter|record|post|charge|put ( me|it|just|only|down|another )* <t> to|on|for|against|under",
    CONTEXT,
)
_MY_TIME = compile_pattern("took|taken|spent|cost|ate|used|consumed ..6 <t> of my|our|attorney time", CONTEXT)
_OUR_CALL = compile_pattern(r"our|my {work} ..3 \( {about}? <t>", CONTEXT)
_PAST_DAY = compile_pattern("yesterday|already|before|{day}|last", CONTEXT)
_FILLERS = frozenset(
    words(
        """
    about another only a an in the for just me us at on further around roughly approximately , (
    """
    )
)
_A_WORK = compile_pattern("<t> of? work", CONTEXT)
_CLAUSE_OPENERS = FIRST | {"which", "it", "that", "then", "he", "she", "they", "this", "here"}
_SPEECH = frozenset(
    words(
        """
        quoted estimated told said asked promised budgeted expected scheduled requested offered allowed thought
        hoped assumed guessed wanted agreed suggested proposed mentioned understood believed knew felt saw got
        heard learned received noticed wished reserved planned slept ate bought paid sold lived loved liked
        enjoyed missed ran lost won owed saved gave let
        """
    )
)
_WEAK = frozenset(
    words(
        """
        sat waited stood walked drove flew rode looked thought went watched listened talked got stayed ran
        chatted
        """
    )
)
_POINTING = frozenset({"<n>", "it", "this", "that", "which", "these", "those", "one", "all", "both"})
_INHERITED = frozenset(
    {"<plan> <t>", "<other> spent <t>", "would have <done>", "if I <done>", "if <t>", "not <done>", "<t>?"}
)
_LIKE_BASE = WORK_BASE | {
    "put",
    "spend",
    "set",
    "budget",
    "allow",
    "say",
    "need",
    "give",
    "let",
    "estimate",
    "plan",
    "block",
}
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


@dataclass(frozen=True, slots=True)
class Around:
    """What stands around an amount: the mail's setting, its line, and the decision about the amount before it.

    `dated`, `matter`: the line names a past day, a matter. `quoted`: the words are somebody's, between quotation marks.
    `over`: the clock span lies before the mail was sent (None: no telling). `previous` is the verdict about the amount
    before in the same sentence, `near` about the last one in the same block.
    """

    setting: Setting
    dated: bool
    matter: bool
    quoted: bool
    over: bool | None
    previous: Verdict | None
    near: Verdict | None
    governed: bool = False
    others: bool = False
    tabled: bool = False


def judge(candidate: Candidate, names: frozenset[int], around: Around, text: str) -> Verdict:
    """Whether the amount is work done by the sender. `names`: indices of capitalised words inside the sentence."""
    tokens, at = candidate.tokens, candidate.at
    by = governor(tokens, at, names)
    spent_after = _SPENT_AFTER.search(tokens) is not None
    spent = spent_after or _plainly_done(candidate, by)
    if _is_part(candidate):
        return Verdict(False, 0.9, "(<t>) <t>", "a part of an amount that is stated after it")
    if _somebody_elses(candidate, names):
        return Verdict(False, 0.9, "(<name>, <t>)", "another person's time")
    if around.others:
        return Verdict(False, 0.93, "<other>: <t>", "another timekeeper's line")
    if around.quoted:
        return Verdict(False, 0.85, '"<t>"', "somebody's words, quoted")
    if candidate.amount.best < 3 and candidate.amount.form is Form.SPOKEN:
        return Verdict(False, 0.9, "a minute", "too short to be a piece of work")
    terse = candidate.amount.form in {Form.BARE, Form.COLON, Form.UNITS}
    if rule := not_work.refused(tokens, spent=spent, terse=terse):
        return Verdict(False, 0.97, rule.name, rule.reason)
    if _asked(candidate, by):
        return Verdict(False, 0.95, "<t>?", "a question, not a statement of work")
    if not _work_in(candidate.own) and _near(candidate) & _PERSONAL:
        return Verdict(False, 0.9, "personal", "a personal matter, no client's work")
    if around.setting.personal and LEGAL.isdisjoint(tokens.spelled):
        return Verdict(False, 0.9, "to family", "a mail to the family, and no word of a client's work")
    if _MY_TIME.search(tokens) and by.person is not Person.PRESENT and not _not_done(candidate, by):
        return Verdict(True, 0.9, "<t> of my time", "the sender's own time")
    if _PERFORMED.search(tokens) or (terse and _BILL_TO.search(tokens)):
        return Verdict(True, 0.85, "I will record <t>", "the sender puts it on the bill")
    if _OUR_CALL.search(tokens) and by.person is not Person.OTHER and not around.setting.planned(candidate.sentence.passage.block):
        return Verdict(True, 0.85, "our <work> (<t>)", "work that the sender had part in")
    if spent_after:
        return Verdict(True, 0.93, "<t> I spent", "the sender says so")
    if candidate.amount.rules and candidate.amount.rules[0].startswith("began at"):
        return _begun(by)
    verb = tokens.spelled[by.verb] if by.verb >= 0 else ""
    parted = bool({":", "--"} & set(tokens.spelled[max(by.verb, 0) : at]))
    governed = by.person in {Person.OTHER, Person.IMPERSONAL, Person.PRESENT} and not parted
    weakly = by.person is Person.IMPERSONAL and verb not in LASTED
    if weakly or (by.person in {Person.OTHER, Person.IMPERSONAL, Person.PRESENT} and not _trusted(candidate, by)):
        by = Governor(Person.UNSAID, -1)
    if by.person is Person.PRESENT:
        return Verdict(False, 0.9, "<is> <t>", "what is or would be, not what was done")
    if candidate.amount.rules[:1] == ("<n> of the unit before",) and around.previous is not None:
        return replace(around.previous, sure=min(around.previous.sure, 0.85))
    if by.person is Person.OTHER:
        return Verdict(False, 0.93, "<other> spent <t>", "another person's time")
    if reason := _not_done(candidate, by):
        return Verdict(False, 0.93, reason[0], reason[1])
    if terse and by.person in {Person.FIRST, Person.IMPERSONAL} and not _plain_number(candidate, by, around, text):
        by = Governor(Person.UNSAID, -1)
    if by.person is Person.FIRST:
        return _first_person(candidate, by, around)
    if by.person is Person.IMPERSONAL:
        return _impersonal(candidate, by, around)
    return _unsaid(candidate, by, replace(around, governed=governed), text)


def _trusted(candidate: Candidate, by: Governor) -> bool:
    """Whether another subject really governs the amount: not across a colon, and in shorthand only if it says so."""
    words = candidate.tokens.spelled
    if {":", "--"} & set(words[by.verb : candidate.at]):
        return False
    if candidate.amount.form in {Form.BARE, Form.COLON, Form.UNITS}:
        return words[by.subject] in OTHERS or words[by.verb] in TIME_VERBS | LASTED | {"was", "were", "is"}
    return True


def _plain_number(candidate: Candidate, by: Governor, around: Around, text: str) -> bool:
    """Whether a number without a unit is what the verb says it took: "spent 1.4", "the call was 0.3", "I read it, .6,"."""
    tokens, at = candidate.tokens, candidate.at
    verb = tokens.spelled[by.verb]
    beside = all(word in _FILLERS for word in tokens.spelled[by.verb + 1 : at])
    if candidate.amount.form is Form.UNITS or (beside and verb in TIME_VERBS | LASTED):
        return True
    raw = text[candidate.amount.start : candidate.amount.end]
    apart = tokens.spelled[at - 1] in {",", "(", "--", ":", "which"} or beside
    told = by.person is Person.FIRST and (verb in WORK_PAST or verb in TIME_VERBS)
    return apart and is_tenths(raw) and (told or (verb in WORK_PAST and is_sheet(candidate, around, raw)))


def _is_part(candidate: Candidate) -> bool:
    """ "Hearing (10 min before the judge, rest waiting) 1.6": in brackets, and the whole right behind them."""
    words, at = candidate.tokens.spelled, candidate.at
    opening = next((index for index in range(at - 1, max(-1, at - 12), -1) if words[index] in {"(", ")"}), -1)
    closing = next((index for index in range(at + 1, min(len(words), at + 16)) if words[index] in {"(", ")"}), -1)
    if opening < 0 or words[opening] != "(" or closing < 0 or words[closing] != ")":
        return False
    return words[closing + 1 : closing + 2] == ("<o>",) or words[closing + 1 : closing + 3] == (",", "<o>")


def _somebody_elses(candidate: Candidate, names: frozenset[int]) -> bool:
    """ "(Karen, 2 hrs)": a name and an amount alone in brackets."""
    words, at = candidate.tokens.spelled, candidate.at
    for index in range(max(1, at - 6), at):
        owner = words[index - 1]
        if words[index] in {"time", "hours"} and owner.endswith("'s") and owner not in {"today's", "yesterday's", "let's"}:
            return index - 1 in names
    return words[at - 3 : at - 2] == ("(",) and words[at - 1] in {",", ":", "--", "-"} and at - 2 in names


def _plainly_done(candidate: Candidate, by: Governor) -> bool:
    verb = candidate.tokens.spelled[by.verb] if by.verb >= 0 else ""
    if by.person is Person.IMPERSONAL:
        return verb in LASTED - {"was", "were"} and nominal_work(candidate.tokens, by.subject)
    if by.person is Person.FIRST:
        return not _helped(candidate.tokens, by) and (
            verb in TIME_VERBS or verb in WORK_PAST or verb in {"was", "were"}
        )
    return by.person is Person.UNSAID and by.verb >= 0 and (verb in TIME_VERBS or verb in WORK_PAST)


def _helped(tokens: Tokens, by: Governor) -> bool:
    """Whether a modal or a negation stands between the subject and its verb."""
    between = tokens.spelled[max(by.subject, 0) : by.verb + 1]
    return any(word in NEGATIONS or word in MODALS for word in between)


def _owned_by_work(candidate: Candidate) -> bool:
    return bool(
        set(candidate.own.spelled)
        & {"hearing", "deposition", "trial", "mediation", "brief", "motion", "depo", "client"}
    )


def _asked(candidate: Candidate, by: Governor) -> bool:
    words = candidate.tokens.spelled
    if "please" in words[candidate.at :] and set(words[:6]) & {"could", "can", "would", "will"}:
        return True
    if "?" not in words[candidate.at :]:
        return False
    rest = words[candidate.at + 1 :]
    told = by.person is Person.FIRST and not ({"did", "do", "how", "was", "is"} & set(words[: max(by.subject, 0)]))
    return not (told and any(word in {"--", ",", ";", "but", "and", "so"} for word in rest))


def _near(candidate: Candidate) -> set[str]:
    """The words close by the amount."""
    return set(candidate.tokens.spelled[max(candidate.first, candidate.at - 9) : min(candidate.last, candidate.at + 7)])


def _not_done(candidate: Candidate, by: Governor) -> tuple[str, str] | None:
    """Future, planned, conditional, negated: what stands before the amount within its clause."""
    tokens, at = candidate.tokens, candidate.at
    if by.person is Person.FIRST and tokens.spelled[by.subject] in FIRST | {"us"}:
        before = tokens.spelled[max(by.subject - 3, 0) : by.subject]
        if says_reported(tokens, by.subject):
            return "<other> says I <done>", "what somebody says the sender did"
        inside = set(tokens.spelled[by.subject : by.verb + 1])
        if inside & NEGATIONS:
            return "not <done>", "the sender says that it was not done"
        if inside & {"i'd", "we'd"} and tokens.spelled[by.verb] == "put" and _PAST_DAY.search(tokens):
            return None
        if inside & set(MODALS) or (inside & {"i'd", "we'd"} and tokens.spelled[by.verb] in _LIKE_BASE):
            return "would have <done>", "conditional, not done"
        if before and (
            set(before) & {"if", "unless", "whether", "suppose", "wish", "until"}
            or before[-1] in {"had", "were", "should"}
        ):
            return "if I <done>", "conditional, not done"
        between = tokens.part(by.verb + 1, at)
        if _clause_breaks(between) and _NOT_DONE.search(between):
            return "<plan> <t>", "planned or expected, not done"
        if not _LATER.search(tokens) or tokens.spelled[by.verb] in TIME_VERBS:
            return None
        return "<t> tomorrow", "still to come, not done"
    start = _clause_start(tokens, at)
    clause = tokens.part(start, at + 1)
    if start and tokens.spelled[start - 1] == ":" and at - start < 3 and _NOT_DONE.search(tokens.part(0, start)):
        return "<plan>: <t>", "planned, asked for or expected, not done"
    terse = candidate.amount.form in {Form.BARE, Form.COLON, Form.UNITS} and by.person is Person.UNSAID
    if (_NOT_DONE_TERSE if terse else _NOT_DONE).search(clause):
        return "<plan> <t>", "planned, asked for or expected, not done"
    if _LATER.search(tokens):
        return "<t> tomorrow", "still to come, not done"
    if clause.spelled and clause.spelled[0] in {"if", "unless", "when", "should", "whenever", "how", "had", "were"}:
        return "if <t>", "conditional, not done"
    if set(clause.spelled) & (NEGATIONS - {"no", "without"}) and by.person is not Person.IMPERSONAL:
        return "not <t>", "the sender says that it was not done"
    return None


def _clause_breaks(tokens: Tokens) -> bool:
    """Whether a new clause begins among these tokens; a comma right before the amount begins none."""
    words = tokens.spelled
    while words and words[-1] in {",", "(", "-", "--", "about", ":", "for"}:
        words = words[:-1]
    return bool({"but", ";", "--", "so"} & set(words))


def _clause_start(tokens: Tokens, at: int) -> int:
    """The start of the clause around `at`: after the last strong mark before it."""
    for index in range(at - 1, -1, -1):
        word = tokens.spelled[index]
        if word in {";", "--", "but", ":"} or (
            word in {"and", ",", "so"} and tokens.spelled[index + 1] in _CLAUSE_OPENERS
        ):
            return index + 1
    return 0


def says_work(tokens: Tokens) -> bool:
    """Whether the words name work, or say who spent the time."""
    return _work_in(tokens) or bool(FIRST & set(tokens.spelled)) or bool(TIME_VERBS & set(tokens.spelled))


def _work_in(tokens: Tokens) -> bool:
    return not _WORK_WORDS.isdisjoint(tokens.phrases)


_WORK_WORDS = (WORK_NOUN | WORK_PAST | WORK_GERUND) - {"did", "put", "went", "w/", "re", "case", "go", "looked"}


def _first_person(candidate: Candidate, by: Governor, around: Around) -> Verdict:
    verb = candidate.tokens.spelled[by.verb]
    marks = (f"I {verb}",)
    if verb in {
        "spent",
        "devoted",
        "dedicated",
        "logged",
        "recorded",
        "billed",
        "clocked",
        "put",
        "invested",
        "docketed",
        "worked",
        "booked",
        "charged",
    }:
        if not around.setting.legal and not _work_in(candidate.tokens) and candidate.amount.best % 60 in {0, 30}:
            return Verdict(False, 0.7, "I spent <t>", "nothing says that it was work", marks)
        return Verdict(True, 0.95, "I spent <t>", "the sender says so", marks)
    if candidate.amount.form is Form.COLON:
        return Verdict(False, 0.85, "at <clock>", "a time of day")
    if verb in WORK_PAST and (verb not in _WEAK or _works_besides(candidate, by)):
        return Verdict(True, 0.93, "I <worked> <t>", "the sender did work that took it", marks)
    if verb in LASTED or verb in TIME_VERBS or verb in {"was", "were", "been"}:
        had = verb == "had" and _work_in(candidate.tokens.part(by.verb, candidate.last))
        if had or (verb != "had" and _work_in(candidate.tokens)) or _HAD.search(candidate.tokens) or verb in {"took", "needed"}:
            return Verdict(True, 0.92, "I had <t>", "the sender was at work for it", marks)
        if set(candidate.tokens.spelled) & {"with", "on", "at", "before", "in"} and around.setting.legal:
            return Verdict(True, 0.75, "I was with <t>", "the sender was with somebody for it", marks)
    if verb in _SPEECH or verb in _WEAK:
        return Verdict(False, 0.8, "I <said> <t>", "said, felt or waited, not worked")
    if candidate.tokens.spelled[candidate.at - 1] in {",", "--", "(", ":", "-"}:
        return Verdict(True, 0.85, "I <did>, <t>", "what the sender did, and how long it took", marks)
    if _work_in(candidate.tokens.part(by.verb, candidate.last)):
        return Verdict(True, 0.7, "I <did>, <work> <t>", "work beside what the sender did", marks)
    return Verdict(False, 0.7, "I <did> <t>", "nothing says that it was work")


def _works_besides(candidate: Candidate, by: Governor) -> bool:
    """Whether the clause names work beside its own verb, or somebody it was done with."""
    rest = candidate.tokens.part(by.verb + 1, len(candidate.tokens.spelled))
    return _work_in(rest) or bool({"with", "w/", "together", "to"} & set(rest.spelled))


def _impersonal(candidate: Candidate, by: Governor, around: Around) -> Verdict:
    tokens = candidate.tokens
    verb = tokens.spelled[by.verb]
    subject = tokens.spelled[by.subject] if by.subject >= 0 else ""
    head = tokens.part(0, by.verb)
    if verb not in LASTED or (
        verb in LASTED_AT_ONCE and candidate.at - by.verb > 4 and tokens.spelled[candidate.at - 1] != ","
    ):
        return Verdict(False, 0.8, "<thing> <did> <t>", "nothing says that the sender worked")
    before = candidate.sentence.before
    if subject not in _POINTING and (nominal_work(tokens, by.subject) or subject.removesuffix("'s") in WORK_NOUN):
        return Verdict(True, 0.9, "<work> took <t>", "work, and how long it took")
    if subject in _POINTING or subject.endswith("'s"):
        if _work_in(head) or (before and (_work_in(before.tokens) or set(before.tokens.spelled) & FIRST)):
            return Verdict(True, 0.88, "it took <t>", "what was done before took it")
        if subject in {"this", "one", "<n>"} and (before is None or len(before.tokens.spelled) < 4):
            return Verdict(True, 0.8, "this took <t>", "what the mail is about took it")
        if _work_in(tokens):
            return Verdict(True, 0.8, "it took <t> to <work>", "work, and how long it took")
    return Verdict(False, 0.75, "it took <t>", "nothing says that it was work")


def _walled(candidate: Candidate) -> bool:
    """Whether a strong mark parts the amount from the one before it."""
    before = candidate.tokens.spelled[: candidate.at]
    last = max((index for index, word in enumerate(before) if word == "<o>"), default=0)
    return bool({";", ":", "--"} & set(before[last:]))


def _begun(by: Governor) -> Verdict:
    if by.person is Person.OTHER:
        return Verdict(False, 0.9, "<other> began at <clock>", "another person's time")
    return Verdict(True, 0.85, "began at <clock>, ended at <clock>", "the sender says when it began and ended")


def _unsaid(candidate: Candidate, by: Governor, around: Around, text: str) -> Verdict:
    tokens, own = candidate.tokens, candidate.own
    verb = tokens.spelled[by.verb] if by.verb >= 0 else ""
    block, before = candidate.sentence.passage.block, candidate.sentence.before
    planned = around.setting.planned(block) and not around.setting.reported(block)
    raw = text[candidate.amount.start : candidate.amount.end]
    terse = candidate.amount.form is Form.BARE
    if verb and not _clause_breaks(tokens.part(by.verb, candidate.at)) and candidate.amount.form is not Form.COLON:
        if verb in TIME_VERBS and (_work_in(tokens) or verb in {"spent", "put", "devoted", "logged"}):
            return Verdict(True, 0.9, "spent <t>", "the sender is meant where nobody is named", (verb,))
        if (
            verb in WORK_PAST
            and (not terse or is_sheet(candidate, around, raw))
            and verb not in PARTICIPLES
            and not planned
            and candidate.amount.best <= 960
        ):
            return Verdict(True, 0.9, "<worked> <t>", "the sender is meant where nobody is named", (verb,))
    if _A_WORK.search(tokens) and set(tokens.spelled[: candidate.at]) & FIRST:
        return Verdict(True, 0.85, "<t> of work", "work that the sender calls so")
    if around.previous is not None and around.previous.rule in _INHERITED and not _walled(candidate):
        return Verdict(False, 0.85, around.previous.rule, around.previous.reason)
    if around.setting.theirs:
        return Verdict(False, 0.85, "your <t>", "the mail is about the reader's time")
    lead, colon, _ = " ".join(tokens.spelled[: candidate.at]).rpartition(":")
    if planned or (before and forecasts(before.tokens.string)) or (colon and forecasts(lead)):
        return Verdict(False, 0.85, "<plan>: <t>", "an agenda, a plan or a timetable")
    line = shorthand(candidate, around, text)
    if line.weight >= ENOUGH:
        sure = min(0.96, 0.8 + 0.04 * (line.weight - ENOUGH + 1))
        return Verdict(True, sure, "<work> <t>", "a time line in shorthand", line.marks)
    return Verdict(
        False, min(0.95, 0.6 + 0.1 * (ENOUGH - line.weight)), "<t>", "nothing says that it was work done", line.marks
    )
