"""Takes an email's new text apart into amounts of time, and decides of each whether it is work that the sender did."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from itertools import islice, pairwise

from shared.extraction.attribution.date import Calendar
from shared.extraction.attribution.kind_signs import kind_signs
from shared.extraction.clauses import Candidate, Sentence, candidates, sentences
from shared.extraction.columns import TOGETHER
from shared.extraction.context import not_work
from shared.extraction.context.among import Standing, among
from shared.extraction.context.charged import charge_signs
from shared.extraction.context.judge import judge
from shared.extraction.context.lawyerly import (
    is_lawyerly,
    lawyerly_signs,
    of_few_words,
    short_of_a_lawyers,
    words_of,
)
from shared.extraction.context.setting import Setting, about_their_time, is_personal, lawyers_words, subject_of
from shared.extraction.context.signs import (
    SPAN_TO_COME,
    correction_signs,
    signs,
    signs_after,
    signs_before,
    subject_signs,
)
from shared.extraction.context.verdict import Around, Verdict
from shared.extraction.durations import read_passage
from shared.extraction.encoder.hearing import Heard, hearing
from shared.extraction.engine import Tokens
from shared.extraction.found import Context, Refusal
from shared.extraction.lines import Line, Lines
from shared.extraction.loose import with_loose
from shared.extraction.multiples import multiplied
from shared.extraction.quotes import Quotes, section_numbers
from shared.extraction.table import with_columns
from shared.extraction.timekeepers import Timekeepers, Whose
from shared.extraction.tokens import tokenise
from shared.extraction.weighing import (
    ENOUGH,
    ENOUGH_ELSEWHERE,
    as_chance,
    charge_in_doubt,
    keeps_time,
    odds_of_lawyer,
    odds_of_work,
    total_of_work,
    type_in_doubt,
    weighed,
    with_heard,
)
from shared.mail.email import Email, Span

_MOST_AMOUNTS = 250
"""Amounts that are read of one mail: several times what people write."""
_TENTHS = re.compile(r"(?<![\w.$£€/])\d{0,2}\.\d{1,2}\b(?![%.\d])")
_REPLY = re.compile(r"^(?:\s*(?:re|fwd?|aw|sv)\s*:\s*)+", re.IGNORECASE)
_KEEPS_TIME = re.compile(r"ledger|billing|accounts@|bookkeep|timekeep|docket|cashier|ebilling|fees@", re.IGNORECASE)
BEYOND_DOUBT = -9.0
"""Odds, as a logarithm, of what stands under other initials than the sender's, numbers a section, or is quoted."""
_IN_DOUBT = 2.0
"""Odds, as a logarithm, nearer to even than which the encoder is asked: seven to one."""
_EPOCH = date(1970, 1, 1)
TOO_MUCH = "more than is read of one mail"


@dataclass(frozen=True)
class Nature:
    """What the words around an amount say of the type of the work and of its charge: read once, when first asked."""

    candidate: Candidate
    subject: Tokens
    following: Sentence | None

    @cached_property
    def charge_signs(self) -> frozenset[str]:
        """The signs that the work is charged, or isn't."""
        return frozenset(charge_signs(self.candidate, self.following))

    @cached_property
    def kind_signs(self) -> frozenset[str]:
        """The signs of the type of the work."""
        return frozenset(kind_signs(self.candidate, self.subject))

    @property
    def in_doubt(self) -> bool:
        """Whether its signs leave type or charge in doubt."""
        return type_in_doubt(self.kind_signs) or charge_in_doubt(self.charge_signs)


@dataclass(frozen=True, slots=True)
class Decided:
    """An amount with its words, what was decided of it, and its line.

    `judged` is what the rules alone would say, `verdict` what they say with all signs weighed, and `odds` what its own
    leave that it is work, as a logarithm; `standing` is where it stands among the others, `heard` what the encoder
    makes of it, where it was asked.
    """

    candidate: Candidate
    judged: Verdict
    verdict: Verdict
    odds: float
    standing: Standing
    line: Line
    signs: frozenset[str]
    nature: Nature
    heard: Heard | None = None


@dataclass(frozen=True, slots=True)
class _Near:
    """What is next to an amount: the signs that its sentence and those around it give, the sentence after.

    `previous`: the judgement of the amount before in its sentence; `last`: the amount before in the mail.
    """

    beside: frozenset[str]
    following: Sentence | None
    previous: Verdict | None
    last: Decided | None


class Deciding:
    """One email on its way: what its lines say of themselves, then each amount in turn.

    After `decide` has run, `unread` is a refusal for what lies beyond the bounds, if anything does.
    """

    def __init__(self, email: Email, context: Context) -> None:
        self._email = email
        self.text = email.body
        self.moment = _local(email, context)
        self.sent = self.moment.date() if self.moment else _EPOCH
        offset = self.moment.utcoffset() if self.moment else None
        self.calendar = Calendar(email.new_text(), self.sent, east=offset > timedelta(0) if offset else None)
        self.subject = tokenise(email.subject)
        self.unread: Refusal | None = None
        words = words_of(email)
        self._of_few_words = of_few_words(words)
        self._mail_signs = subject_signs(self.subject) | lawyerly_signs(words, odds_of_lawyer(words))
        self._setting = _setting_of(email)
        self._quotes = Quotes(email.body, email.new)
        self._sections = section_numbers(email)
        self._timekeepers = Timekeepers(email)
        self._lines = Lines(email, self.calendar, self._setting)

    def decide(self) -> list[Decided]:
        """Every amount, in the order of the text."""
        decided = self.amounts()
        beside = among([each.standing for each in decided], [each.odds for each in decided])
        totals = [total_of_work(each.odds, signs) for each, signs in zip(decided, beside, strict=True)]
        unsure = {place for place, each in enumerate(decided) if in_doubt(totals[place], each.odds, each.signs)}
        asked = unsure | {
            place
            for place, each in enumerate(decided)
            if totals[place] > 0 and place not in unsure and each.nature.in_doubt
        }
        heard = self._heard(decided, asked) if asked else {}
        chances = [
            as_chance(self._with_heard(total, heard.get(place) if place in unsure else None, each.signs))
            for place, (total, each) in enumerate(zip(totals, decided, strict=True))
        ]
        lawyers = self._setting.legal or is_lawyerly(self._mail_signs)
        usual = ENOUGH if lawyers or keeps_time(chances) else ENOUGH_ELSEWHERE
        enough = [ENOUGH_ELSEWHERE if SPAN_TO_COME in each.signs else usual for each in decided]
        return [
            replace(
                each,
                verdict=weighed(
                    each.judged,
                    each.signs,
                    chance=chances[place],
                    enough=enough[place],
                    by_ear=(chances[place] >= enough[place]) != (as_chance(totals[place]) >= enough[place]),
                ),
                heard=heard.get(place),
            )
            for place, each in enumerate(decided)
        ]

    def _with_heard(self, total: float, heard: Heard | None, signs: frozenset[str]) -> float:
        """In a mail of few words the encoder is believed for work, not against it: it has learned from few of them."""
        both = with_heard(total, heard, signs)
        return max(total, both) if self._of_few_words else both

    def _heard(self, decided: list[Decided], asked: set[int]) -> dict[int, Heard]:
        """What the encoder hears of those in doubt, and of the others in the same stretches: type and charge."""
        spans = [Span(each.candidate.amount.start, each.candidate.amount.end) for each in decided]
        return hearing().hear(self._email, spans, asked)

    def amounts(self) -> list[Decided]:
        """Every amount, in the order of the text, by its own signs alone."""
        decided: list[Decided] = []
        for sentence, line, following in _with_next(self._sentences()):
            if not sentence.marks:
                continue
            beside = self._mail_signs.union(signs_before(sentence), signs_after(sentence, following))
            gaps = self._gaps(sentence)
            previous: Verdict | None = None
            for place, said in enumerate(islice(candidates(sentence), _MOST_AMOUNTS - len(decided))):
                seen = beside.union(correction_signs(*gaps[place : place + 2]))
                near = _Near(seen, following, previous, decided[-1] if decided else None)
                decided.append(self._decide(multiplied(said), line, near))
                previous = decided[-1].judged
            if len(decided) >= _MOST_AMOUNTS:
                cut = Span(sentence.passage.end, len(self.text))
                self.unread = Refusal(cut, "", 0.0, "<text> beyond the bound", TOO_MUCH, 0.5)
                break
        return decided

    def _gaps(self, sentence: Sentence) -> list[str | None]:
        """The words before, between and after the amounts of a sentence; None before the first and after the last."""
        amounts = [amount for amount in sentence.read.amounts if amount]
        return [None, *(self.text[one.end : two.start] for one, two in pairwise(amounts)), None]

    def _sentences(self) -> Iterator[tuple[Sentence, Line]]:
        before: Sentence | None = None
        for passage, line in list(self._lines.read()):
            if line.heading:
                continue
            read = read_passage(self.text, passage.start, passage.end)
            if line.times:
                times = [(cell, unit) for cell, unit, _ in line.times]
                read = with_columns(read, self.text, times, line.blank, together=line.column == TOGETHER)
            else:
                lawyers = self._setting.legal or self._setting.reported(passage.block)
                read = with_loose(read, self.text, whole=lawyers)
                read = with_columns(read, self.text, (), line.blank) if line.blank else read
            for sentence in sentences(read, passage, self.text, before):
                before = sentence
                yield sentence, line

    def _decide(self, candidate: Candidate, line: Line, near: _Near) -> Decided:
        passage = candidate.sentence.passage
        last = near.last if near.last and passage.block - near.last.candidate.sentence.passage.block <= 1 else None
        whose = self._timekeepers.whose(passage.start, passage.end, candidate.amount.start)
        elses = whose is Whose.ELSES
        around = Around(
            setting=self._setting,
            dated=line.day is not None,
            matter=line.matter is not None,
            quoted=line.drafted or self._quotes.hold(candidate.amount.start),
            over=self._over(candidate, line),
            previous=near.previous,
            near=last.judged if last else None,
            others=line.other or elses,
            numbered=candidate.amount.start in self._sections,
            column=_column(line, candidate),
            phrases=tuple(not_work.matching(candidate.tokens)),
        )
        names = self._names(candidate)
        judged = judge(candidate, names, around, self.text)
        seen = near.beside.union(signs(candidate, judged, around, names, self.text), [whose] if whose else ())
        standing = Standing(
            block=passage.block,
            passage=passage.start,
            sentence=candidate.tokens.starts[0],
            form=str(candidate.amount.form),
            minutes=candidate.amount.best,
            legal=self._setting.legal,
            elses=elses,
        )
        beyond = elses or around.numbered or around.quoted
        odds = BEYOND_DOUBT if beyond else odds_of_work(seen)
        nature = Nature(candidate, self.subject, near.following)
        return Decided(candidate, judged, judged, odds, standing, line, seen, nature)

    def _names(self, candidate: Candidate) -> frozenset[int]:
        starts = candidate.tokens.starts
        return frozenset(index for index in range(1, len(starts)) if self.text[starts[index]].isupper())

    def _over(self, candidate: Candidate, line: Line) -> bool | None:
        """Whether a clock span lies before the moment the mail was sent; None if that can't be told."""
        clock = candidate.amount.clock
        if clock is None or self.moment is None:
            return None
        day = line.day_at(candidate.amount.start)
        if day is not None and day != self.sent:
            return day < self.sent
        tokens = candidate.tokens
        named = self.calendar.mentions(self.text, tokens.starts[0], tokens.ends[-1])
        if any(each.day < self.sent for each in named):
            return True
        return clock[1] <= self.moment.hour * 60 + self.moment.minute + 10


def _column(line: Line, candidate: Candidate) -> str:
    """What the column of time is called in which an amount stands; empty if it stands in none."""
    at = candidate.amount.start
    return line.column if any(cell.start <= at < cell.end for cell, _, _ in line.times) else ""


def _with_next(told: Iterator[tuple[Sentence, Line]]) -> Iterator[tuple[Sentence, Line, Sentence | None]]:
    """Each sentence with its line and the sentence after it; none is read before it is needed."""
    now = next(told, None)
    while now:
        after = next(told, None)
        yield *now, after[0] if after else None
        now = after


def in_doubt(total: float, odds: float, signs: frozenset[str]) -> bool:
    """Whether the encoder is asked of an amount: its signs, among the others, come to no clear `total`.

    Also of what is likely work in a mail that may be no lawyer's: what other people tell of their hours reads the same
    but for what it is about. Not of what is settled (`odds`), nor of a span of the clock that lay ahead when it was
    sent: the encoder has no clock.
    """
    if odds <= BEYOND_DOUBT or SPAN_TO_COME in signs:
        return False
    return abs(total) < _IN_DOUBT or (total > 0 and short_of_a_lawyers(signs) > 0)


def _local(email: Email, context: Context) -> datetime | None:
    """When the mail was sent, where its timekeeper was."""
    sent = email.sent_at
    return sent.astimezone(context.time_zone) if sent is not None and context.time_zone is not None else sent


def _setting_of(email: Email) -> Setting:
    reports, plans = subject_of(_REPLY.sub("", email.subject))
    setting = Setting(reports, plans and not reports, about_their_time(email.subject))
    setting.subject_reports |= any(_KEEPS_TIME.search(each.address) for each in email.recipients)
    setting.lawyers_words = lawyers_words(email)
    setting.personal = is_personal(email)
    setting.tenths = sum(len(_TENTHS.findall(email.body, span.start, span.end)) for span in email.new)
    return setting
