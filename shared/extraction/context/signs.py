"""What there is to see around an amount, each sign by a name that a person can read: words, their sorts, the judgement.

Signs decide nothing. How much each speaks for work or against it was counted over labelled mail: see weighing.py.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from shared.extraction.clauses import Candidate, Sentence, core, lead_of
from shared.extraction.context import judge as judging
from shared.extraction.context.done import asked, not_done
from shared.extraction.context.person import OTHERS, governor
from shared.extraction.context.setting import Setting
from shared.extraction.context.shorthand import shorthand
from shared.extraction.context.verdict import Around, Verdict
from shared.extraction.context.vocabulary import INTENTIONS, LASTED, MODALS, NEGATIONS, TIME_VERBS
from shared.extraction.engine import Tokens
from shared.extraction.lexicon import LEGAL, WORK_BASE, WORK_GERUND, WORK_NOUN, WORK_PAST
from shared.extraction.wordlist import words

TERSE = frozenset({"<work> <t>", "<t>"})
"""The rules of time lines in shorthand, whose marks are a shorthand's."""
SPAN_TO_COME = "span to come"
"""The sign of a span of the clock that ends after the mail was sent."""
_SOME, _MANY = 4, 8
"""Different words of lawyers in a mail."""
_NEAR, _PAIRED = 9, 6
"""Tokens on each side of the amount whose words, and pairs of words, are signs."""
_FOLLOWING = 12
"""Tokens at the beginning of the next sentence whose words are signs."""
_SORTS: tuple[tuple[str, frozenset[str]], ...] = (
    ("me", frozenset(words("i we i've we've i'd we'd i'm we're ive me us my our mine ours myself i'll we'll"))),
    ("you", frozenset(words("you your yours you've you'd you're you'll yourself"))),
    ("them", frozenset(words("he she they his her their him them theirs hers he's she's they've they'd he'd she'd"))),
    (
        "another",
        OTHERS - frozenset(words("you he she they who each they've you've he's she's they'd he'd she'd you'd")),
    ),
    ("it", frozenset(words("it this that which these those"))),
    ("not", NEGATIONS),
    ("will", frozenset(MODALS)),
    ("if", frozenset(words("if unless whether should when whenever until once assuming suppose"))),
    ("ahead", frozenset(words("tomorrow next upcoming later soon forthcoming tonight"))),
    ("free", frozenset(words("free charge courtesy nc off written waive waived bill billed billing billable invoice"))),
    ("price", frozenset(words("<money> <rate> fee fees rate rates cost costs budget price quote estimate cap"))),
    ("is", frozenset(words("is are be being it's that's there's he's she's takes lasts needs means isn't aren't"))),
    ("was", frozenset(words("was were been"))),
    ("spent", TIME_VERBS),
    ("lasted", LASTED),
    ("worked", WORK_PAST),
    ("working", WORK_GERUND),
    ("work", WORK_NOUN),
    ("to work", WORK_BASE),
    ("intend", frozenset(INTENTIONS)),
    (
        "done day",
        frozenset(words("today yesterday monday tuesday wednesday thursday friday saturday sunday already just")),
    ),
    ("legal", LEGAL),
    ("with", frozenset(words("with w/ from"))),
    ("on", frozenset(words("on for re of in to"))),
    ("mark", frozenset([",", ";", ":", "--", "-", "(", ")"])),
    ("?", frozenset("?")),
    ("join", frozenset(words("and but so then plus"))),
)
_FIRST_SORT = {word: name for name, sort in reversed(_SORTS) for word in sort}
_SORTS_OF: dict[str, tuple[str, ...]] = {
    word: tuple(name for name, sort in _SORTS if word in sort) for _, words_ in _SORTS for word in words_
}
_PLAIN = frozenset({"<t>", "<o>", "<n>"})
_CORRECTS = re.compile(
    r"\bno,? wait|\bmake (?:it|that)\b|\bscratch that|\bcorrection\b|\bi mean\b|\bor rather\b|\bsorry,?\W*$"
    r"|\b(?:should|ought to) (?:be|have been|say|read)\b|\bno,\W*$|->|\bin fact\b|\bnow\W*$|\bit['’]?s\W*$",
    re.IGNORECASE,
)
"""What may put one amount right by the next: a sign among others. What surely does, repeats.py knows."""


def signs(candidate: Candidate, verdict: Verdict, around: Around, names: frozenset[int], text: str) -> Iterator[str]:
    """The signs around one amount of `text`; `names` are indices of capitalised words."""
    yield f"judged {'work' if verdict.done else 'not work'}"
    yield f"rule {verdict.rule}"
    for rule in around.phrases:
        yield f"not work: {rule.name}"
    for name, pattern in judging.PHRASES:
        if pattern.search(candidate.tokens):
            yield f"phrase {name}"
    marks = verdict.marks if verdict.rule in TERSE else shorthand(candidate, around, text).marks
    for mark in marks:
        yield f"mark {mark}"
    yield from _of_amount(candidate)
    yield from _of_words(candidate, names)
    yield from _of_clause(candidate, names)
    yield from _of_sentence(candidate, names)
    yield from _of_pairs(candidate)
    yield from _of_lead(candidate.sentence)
    yield from _of_place(around, candidate.sentence.passage.block)


def _of_amount(candidate: Candidate) -> Iterator[str]:
    amount = candidate.amount
    yield f"form {amount.form}"
    yield f"form {amount.form} read as {amount.rules[0]}"
    if amount.best > 480:
        yield "more than a working day"
    elif amount.best > 240:
        yield "more than half a day"
    elif amount.best < 6:
        yield "under a tenth of an hour"
    if amount.best % 60 == 0:
        yield f"whole hours, {amount.form}"
    elif amount.best % 6 == 0:
        yield f"tenths of an hour, {amount.form}"
    elif amount.best % 5:
        yield f"odd minutes, {amount.form}"


def _of_words(candidate: Candidate, names: frozenset[int]) -> Iterator[str]:
    spelled, at = candidate.tokens.spelled, candidate.at
    form = candidate.amount.form

    def word(index: int) -> str:
        return spelled[index] if 0 <= index < len(spelled) else "|"

    yield f"{word(at - 1)} <t>"
    yield f"<t> {word(at + 1)}"
    yield f"{word(at - 1)} <{form}> {word(at + 1)}"
    yield f"{word(at - 2)} {word(at - 1)} <t>"
    yield f"<t> {word(at + 1)} {word(at + 2)}"
    before = range(max(candidate.first, at - _NEAR), at)
    after = range(at + 1, min(candidate.last, at + 1 + _NEAR))
    for side, places in (("{} .. <t>", before), ("<t> .. {}", after)):
        for each in {spelled[index] for index in places} - _PLAIN:
            yield side.format(each)
        for name in _sorts([spelled[index] for index in places]):
            yield side.format(f"[{name}]")
        if any(index in names for index in places):
            yield side.format("[name]")
        if not places:
            yield side.format("nothing")


def _of_pairs(candidate: Candidate) -> Iterator[str]:
    """Words that stand side by side, near the amount."""
    spelled, at = candidate.tokens.spelled, candidate.at
    for one, two in pairwise(spelled[max(candidate.first, at - _PAIRED) : at]):
        yield f"{one} {two} .. <t>"
    for one, two in pairwise(spelled[at + 1 : min(candidate.last, at + 1 + _PAIRED)]):
        yield f"<t> .. {one} {two}"


def _of_clause(candidate: Candidate, names: frozenset[int]) -> Iterator[str]:
    """The sorts of the clause's words in their order: who, will or not, worked, the amount."""
    first, last = core(candidate)
    for name in _sorts(candidate.tokens.spelled[first:last]):
        yield f"clause [{name}]"
    order: list[str] = []
    for index in range(max(first, candidate.at - 16), min(last, candidate.at + 10)):
        word = candidate.tokens.spelled[index]
        sort = "T" if index == candidate.at else _FIRST_SORT.get(word) or ("name" if index in names else None)
        if sort is None and word == "<o>":
            sort = "O"
        if sort and (not order or order[-1] != sort):
            order.append(sort)
    for one, two in pairwise(order):
        yield f"order {one} {two}"
    for one, two, three in zip(order, order[1:], order[2:], strict=False):
        yield f"order {one} {two} {three}"


def _of_sentence(candidate: Candidate, names: frozenset[int]) -> Iterator[str]:
    tokens, at = candidate.tokens, candidate.at
    by = governor(tokens, at, names)
    yield f"subject {by.person}"
    if by.verb >= 0:
        yield f"verb {tokens.spelled[by.verb]}"
        yield f"subject {by.person}, verb {tokens.spelled[by.verb]}"
        yield f"subject {by.person}, verb [{_FIRST_SORT.get(tokens.spelled[by.verb])}]"
    if reason := not_done(candidate, by):
        yield f"weighed {reason[0]}"
    if asked(candidate, by):
        yield "asked"
    yield f"begins {tokens.spelled[0]}"
    for name in _sorts(tokens.spelled):
        yield f"sentence [{name}]"
    yield f"amounts in sentence {min(len(candidate.sentence.marks), 4)}"
    yield "long sentence" if len(tokens.spelled) > 40 else "short sentence" if len(tokens.spelled) < 8 else "sentence"


def _of_lead(sentence: Sentence) -> Iterator[str]:
    """What the sentence before, and the lead of its list, speak of."""
    if before := sentence.before:
        for name in _sorts(before.tokens.spelled):
            yield f"before [{name}]"
    if lead := lead_of(sentence):
        for name in _sorts(lead.tokens.spelled):
            yield f"lead [{name}]"
        for word in set(lead.tokens.spelled) - _PLAIN:
            yield f"lead {word}"


def signs_before(sentence: Sentence) -> Iterator[str]:
    """What the sentence before says: the same for each amount of `sentence`."""
    before = sentence.before
    if before is None or before.passage.block < sentence.passage.block - 1:
        return
    spelled = before.tokens.spelled
    for word in set(spelled) - _PLAIN:
        yield f"before {word}"
    yield f"before begins {spelled[0]}"
    if "<t>" in spelled:
        yield "before has time"


def signs_after(sentence: Sentence, following: Sentence | None) -> Iterator[str]:
    """What the next sentence says, in which people take back what they said: the same for each amount of `sentence`."""
    if following is None or following.passage.block > sentence.passage.block + 1:
        yield "nothing follows"
        return
    spelled = following.tokens.spelled
    for name in _sorts(spelled):
        yield f"next [{name}]"
    for word in set(spelled[:_FOLLOWING]) - _PLAIN:
        yield f"next {word}"
    yield f"next begins {spelled[0]}"
    yield f"next begins {' '.join(spelled[:2])}"
    if "<t>" in spelled:
        yield "next has time"


def correction_signs(before: str | None, after: str | None) -> Iterator[str]:
    """Whether an amount puts right the one before it in its sentence, or is put right by the one after it.

    `before`, `after`: the words between it and those; None: there is none.
    """
    if before is not None and _CORRECTS.search(before):
        yield "puts right the one before"
    if after is not None and _CORRECTS.search(after):
        yield "put right by the one after"


def subject_signs(subject: Tokens) -> frozenset[str]:
    """What the subject of a mail speaks of: the same for each of its amounts."""
    sorts = (f"subject line [{name}]" for name in _sorts(subject.spelled))
    return frozenset((*sorts, *(f"subject line {word}" for word in set(subject.spelled) - _PLAIN)))


def _of_place(around: Around, block: int) -> Iterator[str]:
    setting: Setting = around.setting
    held = (
        ("dated line", around.dated), ("matter's line", around.matter), ("quoted", around.quoted),
        ("span over", around.over is True), (SPAN_TO_COME, around.over is False),
        ("after work in its sentence", around.previous is not None and around.previous.done),
        ("after what is no work in its sentence", around.previous is not None and not around.previous.done),
        ("near work", around.near is not None and around.near.done),
        ("near what is no work", around.near is not None and not around.near.done),
        ("another's line", around.others), ("numbered", around.numbered), ("in a column of hours", bool(around.column)),
        (f"in a column called {around.column}", bool(around.column)),
        ("reported", setting.reported(block)), ("planned", setting.planned(block)), ("theirs", setting.theirs),
        ("a lawyer's mail", setting.legal), ("a personal mail", setting.personal),
        ("among like lines", setting.lines.get(block, 0) > 1),
    )  # fmt: skip
    for name, holds in held:
        if holds:
            yield name
    count = setting.lawyers_words
    told = count if count < _SOME else "some" if count < _MANY else "many"
    yield f"lawyers' words in the mail: {told}"


def _sorts(spelled: Sequence[str]) -> list[str]:
    """The sorts of these words, in the order of the table."""
    held = {name for word in spelled for name in _SORTS_OF.get(word, ())}
    return [name for name, _ in _SORTS if name in held]
