"""Which day an entry is for: every day that its mail names, with the signs that speak for it or against.

A day is named in the words of the work, in the sentence before, over a list, in the subject; mostly it isn't named at
all, and then it is the day of the mail. Signs decide nothing; see weighing.py.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from shared.extraction.attribution.date import Mention
from shared.extraction.clauses import Candidate, Sentence, lead_of
from shared.extraction.context.person import FIRST
from shared.extraction.lexicon import PAST_VERB
from shared.mail.email import Span

_NEAR, _FAR = 25, 80
_LONG_AGO, _SOME_TIME = 30, 7
_WORDS_BEFORE = frozenset(
    ("on", "of", "for", "from", "since", "until", "till", "by", "before", "after", "last", "and", "to", "dated", "due", ",",
     "(", ":", "at", "in", "over", "sworn", "was", "is", "through", "between", "about", "this", "past", "next", "&")
)  # fmt: skip
_MOST_SENTENCES_BACK = 3


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be dated: an amount with its clause, its line's day, and the day of the amount before it.

    `heading`: the day that its line or the heading over it gives, `dated` whether the line itself does; `terse`: whether
    it is a time line in shorthand; `before`: the day of the amount before, and how near that one stands.
    """

    candidate: Candidate
    clause: Span
    heading: date | None
    dated: bool
    terse: bool
    before: tuple[date, str] | None


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
        how = "line" if work.terse else "prose"
        beginning = _beginning(work.candidate.tokens.spelled)
        amount, sentence = work.candidate.amount, work.candidate.sentence
        found: dict[date, set[str]] = defaultdict(set)
        places = set()
        spelled = set(work.candidate.tokens.spelled)
        since = bool(spelled & {"since", "now", "later", "today"})
        placed = list(self._placed(work))
        own = "a day named beside it" if any(where in _OWN for _, where, _ in placed) else "none beside it"
        last = max((mention.start for mention, where, _ in placed if where in _EARLIER), default=-1)
        for mention, where, rank in placed:
            places.add(where)
            signs = found[mention.day]
            signs.add(where)
            between = self._amount_between(mention, work)
            word = mention.after if mention.after in _WORDS_BEFORE else "a word" if mention.after else "nothing"
            for fact in (how, mention.kind, f"after {word}", rank, beginning, *between):
                signs.add(f"{where}, {fact}")
            signs.add(f"{where}, {mention.kind}, after {word}")
            if where not in _OWN:
                signs |= {f"{where}, {own}", f"{where}, {own}, {rank}"}
            if where in _EARLIER:
                told = _tense(mention, sentence)
                signs |= {f"{where}, {told}", f"earlier, {told}", f"earlier, {told}, {own}"}
                if since:
                    signs |= {"earlier, since or now", f"{where}, since or now"}
            if mention.start == last and where in _EARLIER:
                signs |= {"last named before", f"last named before, {own}", f"last named before, {beginning}"}
            signs.add(f"{where}, {how}, {rank}")
            away = abs(mention.start - amount.start)
            signs.add(f"{where}, {'near' if away < _NEAR else 'far' if away > _FAR else 'not far'}")
        if work.heading:
            where = "its line's" if work.dated else "heading's"
            places.add(where)
            found[work.heading] |= {where, f"{where}, {how}"}
        if work.before:
            day, near = work.before
            found[day] |= {f"as before {near}", f"as before {near}, {how}", f"as before {near}, {beginning}"}
            found[day].add(f"as before {near}, {'names a day' if places & _OWN else 'names none'}")
            if since:
                found[day] |= {"as before, since or now", f"as before {near}, since or now"}
        found[self._sent] |= {"sent", f"sent, {how}", f"sent, {beginning}"}
        for day, signs in found.items():
            if day == self._sent:
                signs.update(f"sent though {where}" for where in places)
                signs.add(f"sent, {'since or now' if since else 'no since'}")
                continue
            signs.add(f"not sent, {'since or now' if since else 'no since'}")
            behind = (self._sent - day).days
            signs.add("long ago" if behind > _LONG_AGO else "some time ago" if behind > _SOME_TIME else "this week")
            if work.heading and day != work.heading:
                signs.add("not the heading's")
            if "same" in spelled:
                signs |= {f"{each}, same day" for each in tuple(signs) if each.startswith("as before") and "," not in each}
        return {day: frozenset(signs) for day, signs in found.items()}

    def _placed(self, work: Work) -> Iterator[tuple[Mention, str, str]]:
        """Each day named where it could be meant: where, and whether another one is nearer."""
        groups: dict[str, list[Mention]] = defaultdict(list)
        sentence = work.candidate.sentence
        passage = sentence.passage
        last = bisect_left(self._starts, _end(sentence) + 1)
        back = list(_sentences_back(sentence))
        lead = lead_of(sentence)
        for mention in self._named[:last]:
            groups[self._where(mention, work, back, lead)].append(mention)
        following = self._named[last] if last < len(self._named) else None
        if following and following.start < passage.end:
            groups["sentence after"].append(following)
        for mention in self._subject:
            groups["subject"].append(mention)
        amount = work.candidate.amount
        for where, mentions in groups.items():
            if where == "far above":
                mentions = mentions[-1:]
            nearest = min(mentions, key=lambda each: abs(each.start - amount.start))
            for mention in mentions:
                rank = "only" if len(mentions) == 1 else "nearest" if mention is nearest else "farther"
                yield mention, where, rank

    def _where(self, mention: Mention, work: Work, back: list[Sentence], lead: Sentence | None) -> str:
        candidate, at = work.candidate, mention.start
        side = "before" if at < candidate.amount.start else "after"
        if work.clause.start <= at < work.clause.end:
            return f"clause {side}"
        own = candidate.own
        if own.starts and own.starts[0] <= at < own.ends[-1]:
            return f"own {side}"
        if at >= candidate.tokens.starts[0]:
            return f"sentence {side}"
        if lead and lead.tokens.starts and lead.tokens.starts[0] <= at < lead.tokens.ends[-1]:
            return "lead"
        for count, each in enumerate(back, start=1):
            if each.tokens.starts and each.tokens.starts[0] <= at < each.tokens.ends[-1]:
                same = each.passage.start == candidate.sentence.passage.start
                return f"sentence before {count}" if same else f"line above {count}"
        if at >= candidate.sentence.passage.start:
            return "paragraph"
        return "before all" if at < self._first else "far above"

    def _amount_between(self, mention: Mention, work: Work) -> Iterator[str]:
        """What stands between the day and the amount in their sentence."""
        tokens = work.candidate.tokens
        if mention.start < tokens.starts[0]:
            return
        low, high = sorted((mention.start, work.candidate.amount.start))
        first, last = bisect_left(tokens.starts, low), bisect_left(tokens.starts, high)
        inside = tokens.spelled[first:last]
        yield "another amount between" if "<o>" in inside else "no amount between"
        if ";" in inside or "--" in inside:
            yield "a mark between"
        if "i" in inside:
            yield "i between"


_EARLIER = frozenset(
    (*(f"{part} {count}" for part in ("sentence before", "line above") for count in (1, 2, 3)), "paragraph", "lead", "far above")
)
_OWN = frozenset(f"{part} {side}" for part in ("clause", "own", "sentence") for side in ("before", "after"))


def _beginning(spelled: Sequence[str]) -> str:
    """How the sentence begins: with a word that leans on what was said, as a fragment, or by itself."""
    first = next((word for word in spelled if word[:1].isalpha() or word in {"<t>", "<o>"}), "")
    if first in _LEANING:
        return f"begins {first}"
    if not (set(spelled) & (FIRST | PAST_VERB)):
        return "begins a fragment"
    return "begins i" if first in FIRST else "begins otherwise"


_LEANING = frozenset(
    ("and", "also", "then", "that", "it", "this", "which", "another", "plus", "after", "afterwards", "before", "later", "<t>",
     "<o>", "he", "she", "they", "since", "so", "still", "from", "there", "next", "but")
)  # fmt: skip


def _sentences_back(sentence: Sentence) -> Iterator[Sentence]:
    before = sentence.before
    for _ in range(_MOST_SENTENCES_BACK):
        if before is None or before.passage.block < sentence.passage.block - 1:
            return
        yield before
        before = before.before


def _tense(mention: Mention, sentence: Sentence) -> str:
    """Whether the sentence that names a day, before `sentence`, tells what was, or what is or will be."""
    for each in (*_sentences_back(sentence), lead_of(sentence)):
        if each and each.tokens.starts and each.tokens.starts[0] <= mention.start < each.tokens.ends[-1]:
            words = set(each.tokens.spelled)
            if words & _AHEAD and not words & FIRST:
                return "told as to come"
            if not words.isdisjoint(PAST_VERB):
                return "told as past, by the sender" if words & FIRST else "told as past"
            return "told as present" if words & _IS else "told without a verb"
    return "told elsewhere"


_IS = frozenset({"is", "are", "'s", "has", "have", "it's", "that's", "he's", "she's", "they're"})
_AHEAD = frozenset({"will", "'ll", "next", "due", "set", "listed", "scheduled", "until", "by", "deadline", "expires", "tomorrow"})


def _end(sentence: Sentence) -> int:
    return sentence.tokens.ends[-1]
