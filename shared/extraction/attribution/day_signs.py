"""Which day an entry is for: every day that its mail names, with the signs that speak for it or against.

A day is named in the words of the work, in the sentence before, over a list, in the subject; mostly it isn't named at
all, and then it is the day of the mail. Signs decide nothing; see weighing.py.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from shared.extraction.attribution.date import Mention
from shared.extraction.clauses import Candidate, Sentence, lead_of
from shared.extraction.context.person import FIRST
from shared.extraction.lexicon import PAST_VERB
from shared.extraction.wordlist import words
from shared.mail.email import Span

_NEAR, _FAR = 25, 80
"""Characters between a day and the amount."""
_LONG_AGO, _SOME_TIME = 30, 7
"""Days."""
_BACK = 3
"""Sentences before the amount's own that are looked at one by one."""
_WORDS_BEFORE = frozenset(
    words(
        """
        on of for from since until till by before after last and to dated due at in over sworn was is through between
        about this past next & , ( :
        """
    )
)
_LEANING = frozenset(
    words(
        """
        and also then that it this which another plus after afterwards before later he she they since so still from
        there next but <t> <o>
        """
    )
)
"""Words with which a sentence leans on the one before."""
_IS = frozenset(words("is are 's has have it's that's he's she's they're"))
_TO_COME = frozenset(words("will 'll next due set listed scheduled until by deadline expires tomorrow"))
_SINCE = frozenset({"since", "now", "later", "today"})
_BESIDE = frozenset(f"{part} {side}" for part in ("clause", "own", "sentence") for side in ("before", "after"))
"""Where a day stands in the amount's own sentence."""
_EARLIER = frozenset(
    (
        *(f"{part} {count}" for part in ("sentence before", "line above") for count in range(1, _BACK + 1)),
        *("paragraph", "lead", "far above"),
    )
)


@dataclass(frozen=True)
class Work:
    """What is to be dated: an amount with its clause, its line's day, and the day of the amount before it.

    `heading`: the day that its line or the heading over it gives, `dated` whether the line itself does; `terse`:
    whether it is a time line in shorthand; `before`: the day of the amount before, and how near that one stands.
    """

    candidate: Candidate
    clause: Span
    heading: date | None
    dated: bool
    terse: bool
    before: tuple[date, str] | None

    @property
    def how(self) -> str:
        """Whether it is a line or prose."""
        return "line" if self.terse else "prose"

    @cached_property
    def since(self) -> bool:
        """Whether its sentence tells of what was done since."""
        return not _SINCE.isdisjoint(self.candidate.tokens.spelled)

    @cached_property
    def beginning(self) -> str:
        """How its sentence begins: with a word that leans on what was said, as a fragment, or by itself."""
        spelled = self.candidate.tokens.spelled
        first = next((word for word in spelled if word[:1].isalpha() or word in {"<t>", "<o>"}), "")
        if first in _LEANING:
            return f"begins {first}"
        if (FIRST | PAST_VERB).isdisjoint(spelled):
            return "begins a fragment"
        return "begins i" if first in FIRST else "begins otherwise"


@dataclass(frozen=True, slots=True)
class _Placed:
    """A day named where it could be meant: where, and whether another one there is nearer to the amount."""

    mention: Mention
    where: str
    rank: str


class Days:
    """The days of one mail: `sent`, those its subject names, and those its text names, in order."""

    def __init__(self, sent: date, subject: Sequence[Mention], named: Sequence[Mention], first: int) -> None:
        """`first`: where the first amount stands; a day named before it may hold for all."""
        self._sent = sent
        self._subject = subject
        self._named = named
        self._starts = [each.start for each in named]
        self._first = first

    def candidates(self, work: Work) -> Mapping[date, frozenset[str]]:
        """Every day that the work could be for, with its signs."""
        placed = list(self._placed(work))
        places = {each.where for each in placed}
        beside = "a day named beside it" if places & _BESIDE else "none beside it"
        last = max((each.mention.start for each in placed if each.where in _EARLIER), default=-1)
        found: dict[date, set[str]] = defaultdict(set)
        for each in placed:
            found[each.mention.day].update(_of_mention(each, work, beside, latest=each.mention.start == last))
        if work.heading:
            where = "its line's" if work.dated else "heading's"
            places.add(where)
            found[work.heading] |= {where, f"{where}, {work.how}"}
        if work.before:
            found[work.before[0]].update(_as_before(work, beside))
        found[self._sent] |= {"sent", f"sent, {work.how}", f"sent, {work.beginning}"}
        found[self._sent].update(f"sent though {where}" for where in places)
        return {day: frozenset((*signs, *self._of_day(day, work))) for day, signs in found.items()}

    def _of_day(self, day: date, work: Work) -> Iterator[str]:
        """What is so of a day wherever it is named."""
        yield f"{'sent' if day == self._sent else 'not sent'}, {'since or now' if work.since else 'no since'}"
        if day != self._sent:
            behind = (self._sent - day).days
            yield "long ago" if behind > _LONG_AGO else "some time ago" if behind > _SOME_TIME else "this week"
            if work.heading and day != work.heading:
                yield "not the heading's"

    def _placed(self, work: Work) -> Iterator[_Placed]:
        groups: dict[str, list[Mention]] = defaultdict(list)
        sentence = work.candidate.sentence
        last = bisect_left(self._starts, sentence.tokens.ends[-1] + 1)
        back = list(_sentences_back(sentence))
        lead = lead_of(sentence)
        for mention in self._named[:last]:
            groups[self._where(mention, work, back, lead)].append(mention)
        if last < len(self._named) and self._named[last].start < sentence.passage.end:
            groups["sentence after"].append(self._named[last])
        groups["subject"] += self._subject
        groups["far above"] = groups["far above"][-1:]
        at = work.candidate.amount.start
        for where, mentions in groups.items():
            nearest = min(mentions, key=lambda each: abs(each.start - at), default=None)
            for mention in mentions:
                rank = "only" if len(mentions) == 1 else "nearest" if mention is nearest else "farther"
                yield _Placed(mention, where, rank)

    def _where(self, mention: Mention, work: Work, back: Sequence[Sentence], lead: Sentence | None) -> str:
        candidate, at = work.candidate, mention.start
        side = "before" if at < candidate.amount.start else "after"
        if work.clause.start <= at < work.clause.end:
            return f"clause {side}"
        own = candidate.own
        if own.starts and own.starts[0] <= at < own.ends[-1]:
            return f"own {side}"
        if at >= candidate.tokens.starts[0]:
            return f"sentence {side}"
        if lead and _holds(lead, at):
            return "lead"
        for count, each in enumerate(back, start=1):
            if _holds(each, at):
                same = each.passage.start == candidate.sentence.passage.start
                return f"sentence before {count}" if same else f"line above {count}"
        if at >= candidate.sentence.passage.start:
            return "paragraph"
        return "before all" if at < self._first else "far above"


def _of_mention(placed: _Placed, work: Work, beside: str, *, latest: bool) -> Iterator[str]:
    """The signs of a day by one of the places where it is named; `latest`: no day is named between there and here."""
    mention, where, rank = placed.mention, placed.where, placed.rank
    away = abs(mention.start - work.candidate.amount.start)
    word = mention.after if mention.after in _WORDS_BEFORE else "a word" if mention.after else "nothing"
    yield where
    for fact in (work.how, mention.kind, f"after {word}", rank, work.beginning, *_between(mention, work)):
        yield f"{where}, {fact}"
    yield f"{where}, {mention.kind}, after {word}"
    yield f"{where}, {work.how}, {rank}"
    yield f"{where}, {'near' if away < _NEAR else 'far' if away > _FAR else 'not far'}"
    if where not in _BESIDE:
        yield f"{where}, {beside}"
        yield f"{where}, {beside}, {rank}"
    if where in _EARLIER:
        told = _tense(mention, work.candidate.sentence)
        yield f"{where}, {told}"
        yield f"earlier, {told}"
        yield f"earlier, {told}, {beside}"
        if work.since:
            yield "earlier, since or now"
            yield f"{where}, since or now"
        if latest:
            yield "last named before"
            yield f"last named before, {beside}"
            yield f"last named before, {work.beginning}"


def _as_before(work: Work, beside: str) -> Iterator[str]:
    """The signs of the day of the amount before."""
    near = work.before[1] if work.before else ""
    yield f"as before {near}"
    for fact in (work.how, work.beginning, beside):
        yield f"as before {near}, {fact}"
    if work.since:
        yield "as before, since or now"
        yield f"as before {near}, since or now"
    if "same" in work.candidate.tokens.spelled:
        yield f"as before {near}, same day"


def _between(mention: Mention, work: Work) -> Iterator[str]:
    """What stands between the day and the amount in their sentence."""
    tokens = work.candidate.tokens
    if mention.start < tokens.starts[0]:
        return
    low, high = sorted((mention.start, work.candidate.amount.start))
    inside = tokens.spelled[bisect_left(tokens.starts, low) : bisect_left(tokens.starts, high)]
    yield "another amount between" if "<o>" in inside else "no amount between"
    if ";" in inside or "--" in inside:
        yield "a mark between"
    if "i" in inside:
        yield "i between"


def _tense(mention: Mention, sentence: Sentence) -> str:
    """Whether the sentence that names a day, before `sentence`, tells what was, or what is or will be."""
    for each in (*_sentences_back(sentence), lead_of(sentence)):
        if each and _holds(each, mention.start):
            spelled = set(each.tokens.spelled)
            if spelled & _TO_COME and not spelled & FIRST:
                return "told as to come"
            if not spelled.isdisjoint(PAST_VERB):
                return "told as past, by the sender" if spelled & FIRST else "told as past"
            return "told as present" if spelled & _IS else "told without a verb"
    return "told elsewhere"


def _sentences_back(sentence: Sentence) -> Iterator[Sentence]:
    before = sentence.before
    for _ in range(_BACK):
        if before is None or before.passage.block < sentence.passage.block - 1:
            return
        yield before
        before = before.before


def _holds(sentence: Sentence, place: int) -> bool:
    tokens = sentence.tokens
    return bool(tokens.starts) and tokens.starts[0] <= place < tokens.ends[-1]
