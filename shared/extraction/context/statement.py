"""How a sentence states work: "I spent <t>", "the call took <t>", "reviewed it, <t>", or a line of shorthand."""

from shared.extraction.clauses import Candidate
from shared.extraction.context.done import clause_breaks, work_in
from shared.extraction.context.person import FIRST, Governor, Person, nominal_work
from shared.extraction.context.setting import forecasts
from shared.extraction.context.shorthand import ENOUGH, is_sheet, is_tenths, shorthand
from shared.extraction.context.verdict import Around, Verdict
from shared.extraction.context.vocabulary import CONTEXT, LASTED, LASTED_AT_ONCE, TIME_VERBS
from shared.extraction.durations import Form
from shared.extraction.engine import compile_pattern
from shared.extraction.lexicon import PARTICIPLES, WORK_NOUN, WORK_PAST
from shared.extraction.wordlist import words

_HAD = compile_pattern("{first} ..3 had|have|held|did ..3 <t> -? ( {work} | {doing} | with|on|at|in )", CONTEXT)
_A_WORK = compile_pattern("<t> of? work", CONTEXT)
_FILLERS = frozenset(
    words(
        """
    about another only a an in the for just me us at on further around roughly approximately , (
    """
    )
)
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
_POINTING = frozenset(
    words(
        """
    <n> it this that which these those one all both
    """
    )
)
_INHERITED = frozenset(
    {"<plan> <t>", "<other> spent <t>", "would have <done>", "if I <done>", "if <t>", "not <done>", "<t>?"}
)
_LIKE_IMPERATIVE = frozenset({"put", "set", "let", "cut"})
_SPENDING = frozenset(words("spent devoted dedicated logged recorded billed clocked put invested docketed worked"))


def first_person(candidate: Candidate, by: Governor, around: Around) -> Verdict:
    """The sender, or "we", is the subject: whether it is work, and the amount what it took."""
    verb = candidate.tokens.spelled[by.verb]
    marks = (f"I {verb}",)
    if verb in _SPENDING:
        if not around.setting.legal and not work_in(candidate.tokens) and candidate.amount.best % 60 in {0, 30}:
            return Verdict.refusal(0.7, "I spent <t>", "nothing says that it was work", marks)
        return Verdict.work(0.95, "I spent <t>", "the sender says so", marks)
    if candidate.amount.form is Form.COLON:
        return Verdict.refusal(0.85, "at <clock>", "a time of day")
    if verb in WORK_PAST and (verb not in _WEAK or _works_besides(candidate, by)):
        return Verdict.work(0.93, "I <worked> <t>", "the sender did work that took it", marks)
    if verb in LASTED or verb in TIME_VERBS or verb in {"was", "were", "been"}:
        had = verb in {"had", "was", "were", "been"} and work_in(candidate.tokens.part(by.verb, candidate.last))
        if (
            had
            or (verb not in {"had", "was", "were", "been"} and work_in(candidate.tokens))
            or _HAD.search(candidate.tokens)
            or verb in {"took", "needed"}
        ):
            return Verdict.work(0.92, "I had <t>", "the sender was at work for it", marks)
        if set(candidate.tokens.spelled) & {"with", "on", "at", "before", "in"} and around.setting.legal:
            return Verdict.work(0.75, "I was with <t>", "the sender was with somebody for it", marks)
    if verb in _SPEECH or verb in _WEAK:
        return Verdict.refusal(0.8, "I <said> <t>", "said, felt or waited, not worked")
    if candidate.tokens.spelled[candidate.at - 1] in {",", "--", "(", ":", "-"}:
        return Verdict.work(0.85, "I <did>, <t>", "what the sender did, and how long it took", marks)
    if work_in(candidate.tokens.part(by.verb, candidate.last)):
        return Verdict.work(0.7, "I <did>, <work> <t>", "work beside what the sender did", marks)
    return Verdict.refusal(0.7, "I <did> <t>", "nothing says that it was work")


def _works_besides(candidate: Candidate, by: Governor) -> bool:
    """Whether the clause names work beside its own verb, or somebody it was done with."""
    rest = candidate.tokens.part(by.verb + 1, len(candidate.tokens.spelled))
    return work_in(rest) or bool({"with", "w/", "together", "to"} & set(rest.spelled))


def impersonal(candidate: Candidate, by: Governor, around: Around) -> Verdict:
    """A thing is the subject ("the call", "it"): whether it is work of the sender's."""
    tokens = candidate.tokens
    verb = tokens.spelled[by.verb]
    subject = tokens.spelled[by.subject] if by.subject >= 0 else ""
    head = tokens.part(0, by.verb)
    if not around.setting.legal and not {"i", "we", "our", "my"} & set(tokens.spelled):
        return Verdict.refusal(0.7, "<work> took <t>", "nothing says that it was the sender's work")
    if verb not in LASTED or (
        verb in LASTED_AT_ONCE and candidate.at - by.verb > 4 and tokens.spelled[candidate.at - 1] != ","
    ):
        return Verdict.refusal(0.8, "<thing> <did> <t>", "nothing says that the sender worked")
    before = candidate.sentence.before
    if subject not in _POINTING and (nominal_work(tokens, by.subject) or subject.removesuffix("'s") in WORK_NOUN):
        return Verdict.work(0.9, "<work> took <t>", "work, and how long it took")
    if subject in _POINTING or subject.endswith("'s"):
        if work_in(head) or (before and (work_in(before.tokens) or set(before.tokens.spelled) & FIRST)):
            return Verdict.work(0.88, "it took <t>", "what was done before took it")
        if subject in {"this", "one", "<n>"} and (before is None or len(before.tokens.spelled) < 4):
            return Verdict.work(0.8, "this took <t>", "what the mail is about took it")
        if work_in(tokens):
            return Verdict.work(0.8, "it took <t> to <work>", "work, and how long it took")
    return Verdict.refusal(0.75, "it took <t>", "nothing says that it was work")


def begun(by: Governor) -> Verdict:
    """A begin and an end told as a story: "left at 8:10, arrived at 9:20"."""
    if by.person is Person.OTHER:
        return Verdict.refusal(0.9, "<other> began at <clock>", "another person's time")
    return Verdict.work(0.85, "began at <clock>, ended at <clock>", "the sender says when it began and ended")


def unsaid(candidate: Candidate, by: Governor, around: Around, text: str) -> Verdict:
    """Nobody is named: the sender is meant if the line tells work done, in a verb or in shorthand."""
    tokens = candidate.tokens
    verb = tokens.spelled[by.verb] if by.verb >= 0 else ""
    block, before = candidate.sentence.passage.block, candidate.sentence.before
    planned = around.setting.planned(block) and not around.setting.reported(block)
    raw = text[candidate.amount.start : candidate.amount.end]
    terse = candidate.amount.form is Form.BARE
    if verb and not clause_breaks(tokens.part(by.verb, candidate.at)) and candidate.amount.form is not Form.COLON:
        if verb == "took" and not (before and (work_in(before.tokens) or set(before.tokens.spelled) & FIRST)):
            return Verdict.refusal(0.7, "took <t>", "nothing says what took it")
        if verb in _LIKE_IMPERATIVE and tokens.spelled[: by.verb] == ():
            return Verdict.refusal(0.7, "put <t>", "a request as much as a statement")
        if verb in TIME_VERBS and (work_in(tokens) or verb in {"spent", "put", "devoted", "logged"}):
            return Verdict.work(0.9, "spent <t>", "the sender is meant where nobody is named", (verb,))
        if (
            verb in WORK_PAST
            and (not terse or is_sheet(candidate, around, raw))
            and verb not in PARTICIPLES
            and not planned
            and candidate.amount.best <= 960
        ):
            return Verdict.work(0.9, "<worked> <t>", "the sender is meant where nobody is named", (verb,))
    if _A_WORK.search(tokens) and set(tokens.spelled[: candidate.at]) & FIRST:
        return Verdict.work(0.85, "<t> of work", "work that the sender calls so")
    if around.previous is not None and around.previous.rule in _INHERITED and not _walled(candidate):
        return Verdict.refusal(0.85, around.previous.rule, around.previous.reason)
    if around.setting.theirs:
        return Verdict.refusal(0.85, "your <t>", "the mail is about the reader's time")
    lead, colon, _ = " ".join(tokens.spelled[: candidate.at]).rpartition(":")
    if planned or (before and forecasts(before.tokens.string)) or (colon and forecasts(lead)):
        return Verdict.refusal(0.85, "<plan>: <t>", "an agenda, a plan or a timetable")
    line = shorthand(candidate, around, text)
    if line.weight >= ENOUGH:
        sure = min(0.96, 0.8 + 0.04 * (line.weight - ENOUGH + 1))
        return Verdict.work(sure, "<work> <t>", "a time line in shorthand", line.marks)
    return Verdict.refusal(
        min(0.95, 0.6 + 0.1 * (ENOUGH - line.weight)), "<t>", "nothing says that it was work done", line.marks
    )


def _walled(candidate: Candidate) -> bool:
    """Whether a strong mark parts the amount from the one before it."""
    before = candidate.tokens.spelled[: candidate.at]
    last = max((index for index, word in enumerate(before) if word == "<o>"), default=0)
    return bool({";", ":", "--"} & set(before[last:]))


def is_plain_number(candidate: Candidate, by: Governor, around: Around, text: str) -> bool:
    """Whether a bare number is what the verb says it took: "spent 1.4", "the call was 0.3", "I read it, .6,"."""
    tokens, at = candidate.tokens, candidate.at
    verb = tokens.spelled[by.verb]
    beside = all(word in _FILLERS for word in tokens.spelled[by.verb + 1 : at])
    if candidate.amount.form is Form.UNITS or (beside and verb in TIME_VERBS | LASTED):
        return True
    raw = text[candidate.amount.start : candidate.amount.end]
    apart = tokens.spelled[at - 1] in {",", "(", "--", ":", "which"} or beside
    told = by.person is Person.FIRST and (verb in WORK_PAST or verb in TIME_VERBS)
    return apart and is_tenths(raw) and (told or (verb in WORK_PAST and is_sheet(candidate, around, raw)))
