"""An amount decided to be work becomes an entry: its words, its day, its client or matter, its type, its price."""

import re
from collections.abc import Mapping
from datetime import date

from shared.extraction.attribution.day_signs import Days, Work
from shared.extraction.attribution.matter import Client, Matters
from shared.extraction.attribution.naming import Places
from shared.extraction.attribution.narrative import narrative
from shared.extraction.clauses import core, lead_of
from shared.extraction.confidence import confidence
from shared.extraction.context.charged import is_billed, is_given
from shared.extraction.context.done import says_work, work_in
from shared.extraction.context.repeats import Stated
from shared.extraction.deciding import Decided, Deciding
from shared.extraction.found import Context, Entry
from shared.extraction.weighing import free_by, likeliest_day, likeliest_kind
from shared.mail.email import Email, Span
from shared.models import DESCRIPTION_LIMIT, EVIDENCE_LIMIT, MINUTES_A_DAY

_ENDS = re.compile(r"[.,;:)!?]|\s*$", re.MULTILINE)
_NEAR = 2_000
"""Characters around an amount in which its matter is looked for: more than a paragraph that people write."""


class Entries:
    """Makes the entries of one email, in the order of its text."""

    def __init__(self, email: Email, context: Context, deciding: Deciding, decided: list[Decided]) -> None:
        self._email = email
        self._deciding = deciding
        self._matters = Matters(email, context.matters)
        self._begun: dict[int, str] = {}
        self._last: tuple[Decided, date] | None = None
        self._days = self._all_days(decided)
        self._written_to = [each.name.split()[0] for each in email.recipients if each.name.strip()]

    def _all_days(self, decided: list[Decided]) -> Days:
        """The days that the mail names, but for numbers that are amounts of time ("10.30 - 11.00")."""
        calendar, text = self._deciding.calendar, self._deciding.text
        taken = [(each.candidate.amount.start, each.candidate.amount.end) for each in decided]
        named = [
            mention
            for span in self._email.new
            for mention in calendar.mentions(text, span.start, span.end)
            if not (
                text[mention.start].isdigit()
                and any(start < mention.end and mention.start < end for start, end in taken)
            )
        ]
        first = taken[0][0] if taken else 0
        return Days(self._deciding.sent, calendar.mentions(self._email.subject), named, first)

    def of(self, each: Decided) -> Entry:
        """The entry that an amount makes."""
        amount = each.candidate.amount
        evidence = self.evidence(each)
        kind, kind_rule = likeliest_kind(each.nature.kind_signs, each.heard)
        clause = self._deciding.text[evidence.start : evidence.end]
        client = self._client(each, evidence)
        free = self._free(each)
        day = self._day(each, evidence)
        if each.verdict.done:
            self._last = (each, day)
        bounds = [min(max(minutes, 0.0), float(MINUTES_A_DAY)) for minutes in (amount.best, amount.low, amount.high)]
        text = self._cell_of_work(each) or self._narrative(each, evidence, client)
        return Entry(
            duration_minutes=round(bounds[0], 2),
            low=round(bounds[1], 2),
            high=round(bounds[2], 2),
            entry_type=kind,
            date_performed=day,
            client_matter=client.name,
            matter_id=client.matter_id,
            billable=free is None,
            confidence_score=confidence(each.verdict, amount),
            evidence=evidence,
            amount=Span(amount.start, amount.end),
            extracted_text=clause,
            description=(text or clause)[:DESCRIPTION_LIMIT],
            rules=(
                each.verdict.rule,
                *each.verdict.marks,
                *amount.rules,
                f"type: {kind_rule}",
                *([free] if free else []),
            ),
        )

    def _cell_of_work(self, each: Decided) -> str:
        """What its row has in a column that tells the work; empty where it stands in none or that tells nothing."""
        cell, line = each.line.work, each.line
        told = cell is not None and any(
            time.start <= each.candidate.amount.start < time.end for time, _, _ in line.times
        )
        return " ".join(self._deciding.text[cell.start : cell.end].split()) if cell and told else ""

    def _narrative(self, each: Decided, evidence: Span, client: Client) -> str:
        amount, label, text = each.candidate.amount, self._label(each), self._deciding.text
        head = Span(evidence.start, max(evidence.start, label.end if label else amount.start))
        return narrative(
            text[head.start : head.end],
            text[min(amount.end, evidence.end) : evidence.end],
            told=(*([client.name] if client.name else []), *self._written_to),
            earlier=self._earlier(each),
        )

    def _label(self, each: Decided) -> Span | None:
        """In a table with a column for each day, what its row says before them: the work of every amount in the row."""
        if each.line.day_of_column(each.candidate.amount.start) is None:
            return None
        start = each.candidate.sentence.passage.start
        end = min(cell.start for cell, _, _ in each.line.times)
        return Span(start, end) if start < end <= start + EVIDENCE_LIMIT else None

    def _earlier(self, each: Decided) -> str:
        """The sentence before, if it tells work and no time of its own: "Read the lease. Took me an hour."."""
        sentence = each.candidate.sentence.before
        if sentence is None or sentence.marks or not work_in(sentence.tokens):
            return ""
        start, end = sentence.tokens.starts[0], sentence.tokens.ends[-1]
        return self._deciding.text[start : min(end, start + EVIDENCE_LIMIT)]

    def _free(self, each: Decided) -> str | None:
        """Why the work is not charged; None if it is."""
        if is_billed(each.candidate):
            return None
        if each.line.free:
            return "its row says so"
        given = is_given(each.candidate, each.nature.following)
        return "given in the next sentence" if given else free_by(each.nature.charge_signs, each.heard)

    def _gap(self, before: Decided, each: Decided) -> str | None:
        """The words between two amounts of a passage."""
        one, two = before.candidate, each.candidate
        same = one.sentence.passage.start == two.sentence.passage.start
        return self._deciding.text[one.amount.end : two.amount.start] if same else None

    def stated(self, each: Decided, before: Decided | None) -> Stated:
        """An amount for comparison with the others of its mail; `before`: the one before it that is work, too."""
        candidate = each.candidate
        span, passage = self.evidence(each), candidate.sentence.passage
        following = self._deciding.text[candidate.amount.end : passage.end]
        words = frozenset(word for word in candidate.own.spelled if len(word) > 3 and word.isalpha())
        return Stated(
            minutes=candidate.amount.best,
            clause=self._deciding.text[span.start : span.end],
            following=following[: following.find(":") + 1],
            words=words,
            listed=passage.block if _is_terse(each) else -1,
            passage=passage.start,
            end=candidate.amount.end,
            start=candidate.amount.start,
            dated=each.line.dated,
            form=candidate.amount.form,
            span=candidate.amount.clock is not None,
            ends=bool(_ENDS.match(self._deciding.text, candidate.amount.end, passage.end)),
            gap=None if before is None else self._gap(before, each),
        )

    def _clause(self, each: Decided) -> tuple[int, int]:
        """The tokens of the sentence that state the work: of a time line all that is its own, of prose the clause."""
        candidate = each.candidate
        first, last = core(candidate)
        if _is_terse(each) or not says_work(candidate.tokens.part(first, last)):
            return candidate.first, candidate.last
        return first, last

    def evidence(self, each: Decided) -> Span:
        """The clause that states the work and its amount, without the marks around it, no longer than allowed."""
        candidate, tokens = each.candidate, each.candidate.tokens
        first, last = self._clause(each)
        start, end = tokens.starts[first], tokens.ends[last - 1]
        if label := self._label(each):
            start, end = label.start, max(candidate.amount.end, min(end, label.start + EVIDENCE_LIMIT))
        while start < end and self._deciding.text[start] in " \t\n\u00a0-–—*•,;:|.)":
            if self._deciding.text[start] == "." and self._deciding.text[start + 1 : start + 2].isdigit():
                break
            start += 1
        while end > start and self._deciding.text[end - 1] in " \t\n\u00a0,;:-–—|(":
            end -= 1
        if end - start > EVIDENCE_LIMIT:
            start = max(start, min(candidate.amount.start, end - EVIDENCE_LIMIT))
            end = min(end, start + EVIDENCE_LIMIT)
        return Span(start, end)

    def _client(self, each: Decided, evidence: Span) -> Client:
        """The client or matter; one that begins a line holds for the rest of it."""
        return self._matters.find(self.places(each, evidence))

    def names(self, each: Decided) -> dict[str, frozenset[str]]:
        """Every name that an amount's work could be for, with its signs."""
        return self._matters.naming.candidates(self.places(each, self.evidence(each)))

    def places(self, each: Decided, evidence: Span) -> Places:
        """Where the matter of an entry may be named."""
        candidate, text = each.candidate, self._deciding.text
        passage = candidate.sentence.passage
        start = candidate.own.starts[0]
        own = text[max(start, min(each.line.rest, evidence.end)) : evidence.end]
        terse = _is_terse(each)
        if begun := self._matters.naming.prefix(own, terse=terse):
            self._begun[passage.start] = begun
        heading = self._begun.get(passage.start) or each.line.matter
        amount = candidate.amount
        before = amount.start - _NEAR
        sentence = text[max(before, candidate.tokens.starts[0]) : min(amount.end + _NEAR, candidate.tokens.ends[-1])]
        paragraph = text[max(before, passage.start) : amount.start]
        lead = lead_of(candidate.sentence)
        led = text[lead.tokens.starts[0] : lead.tokens.ends[-1]] if lead else ""
        return Places(own, sentence, paragraph, heading, led, terse, each.line.matter if each.line.told else None)

    def _day(self, each: Decided, clause: Span) -> date:
        """The day of its column, else the one that its signs speak for most."""
        return each.line.day_of_column(each.candidate.amount.start) or likeliest_day(
            self.days(each, clause, self._day_before(each))
        )

    def days(self, each: Decided, clause: Span, before: tuple[date, str] | None) -> Mapping[date, frozenset[str]]:
        """Every day that an amount's work could be for, with its signs; `before`: the day of the amount before it."""
        return self._days.candidates(
            Work(
                each.candidate,
                clause,
                each.line.day_at(each.candidate.amount.start),
                each.line.dated,
                _is_terse(each),
                before,
            )
        )

    def _day_before(self, each: Decided) -> tuple[date, str] | None:
        return (self._last[1], nearness(self._last[0], each)) if self._last else None


def nearness(before: Decided, each: Decided) -> str:
    """How near two amounts of a mail stand to each other."""
    one, two = before.candidate.sentence, each.candidate.sentence
    if one is two:
        return "in its sentence"
    if one.passage.start == two.passage.start:
        return "in its paragraph"
    return "in its list" if one.passage.block == two.passage.block else "further up"


def _is_terse(each: Decided) -> bool:
    """Whether the words are a time line in shorthand, for which no verb speaks."""
    return each.judged.rule in {"<work> <t>", "<t>"}
