"""analyze_time_entry: why one email, or a pasted text, comes to these entries and to no others. Writes nothing."""

import asyncio
import hashlib
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email.message import EmailMessage
from email.policy import SMTP
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field

from shared.analyst import Analyst, Read
from shared.cache import Cache
from shared.caller import Caller
from shared.errors import (
    AccessRevoked,
    GmailRefused,
    GmailUnavailable,
    InConflict,
    InvalidArguments,
    MessageGone,
    NotFound,
    WrongArgument,
)
from shared.extraction import ANALYSER_VERSION, Entry, Refusal
from shared.extraction.explain import explain
from shared.gmail.client import SENT, FetchedEmail, Gmail
from shared.models import AnalysisMode, EntryStatus, EntryType, Extractor
from shared.store.analyses import Outcome, ReadingContext, evidence_key
from shared.store.entries import OwnData, Row
from shared.store.mailboxes import MailboxStore
from shared.store.timekeepers import Timekeeper, Timekeepers
from shared.tools.mailboxes import CONNECT, RECONNECT, notice
from shared.tools.registry import Arguments, Report, ToolAnswer
from shared.tools.told import words

NAME: Final = "analyze_time_entry"
DESCRIPTION: Final = (
    "Explains one sent email, by its id, or a pasted text: each amount of time in it, which of them are billable work"
    " and why, which are not and why not. Stores nothing."
)
LONGEST_TEXT: Final = 60_000


class AnalyzeArguments(Arguments):
    """One of the two."""

    email_id: Annotated[
        str | None,
        Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$", description="Gmail's id of a sent email."),
    ] = None
    text: Annotated[
        str | None,
        Field(min_length=1, max_length=LONGEST_TEXT, description="The text of an email, as the user wrote it."),
    ] = None
    use_cache: Annotated[bool, Field(description="False: read it again, even if that was done just now.")] = True


class Place(BaseModel):
    """Where words stand in the decoded body: code points, the end not included."""

    start: int
    end: int


class Candidate(BaseModel):
    """Work that the email states. `low` to `high`: minutes that its words allow.

    `rules`: what led to it, outermost first. `entry_id` and `status`: of the entry on record, where there is one, by
    its `evidence_key`; `below_minimum`: it is less sure than the user wants, so none is stored.
    """

    duration_minutes: float
    low: float
    high: float
    entry_type: EntryType
    date_performed: date
    client_matter: str | None
    description: str
    billable: bool
    confidence_score: float
    below_minimum: bool
    extracted_text: str
    evidence: Place
    amount: Place
    extractor: Extractor
    rules: tuple[str, ...]
    explanation: str
    evidence_key: str
    entry_id: UUID | None = None
    status: EntryStatus | None = None


class Refused(BaseModel):
    """An amount of time that is no billable work, and the reason. `confidence_score`: how sure that is."""

    text: str
    minutes: float
    amount: Place
    reason: str
    rule: str
    confidence_score: float
    rules: tuple[str, ...]
    explanation: str


class AskedModel(BaseModel):
    """How it went with the language model: amounts asked about, believed, and dropped by reason."""

    doubts: int
    believed: int
    dropped: dict[str, int]
    second_look: str | None


_FACTS: Final = {
    *("duration_minutes", "entry_type", "date_performed", "billable", "confidence_score", "entry_id", "status")
}


class AnalyzedEmail(ToolAnswer):
    """What one email holds. `outcome` other than entries and none: it is not read, and that says why."""

    email_id: str | None
    sent_at: AwareDatetime | None
    outcome: str
    candidates: tuple[Candidate, ...]
    refused: tuple[Refused, ...]
    model: AskedModel | None
    analyser_version: int
    from_cache: bool = False

    def for_model(self, mode: AnalysisMode) -> dict[str, Any]:
        told = self.model_dump(mode="json", exclude={"candidates", "refused"})
        told["candidates"] = [
            each.model_dump(mode="json", include=_FACTS)
            | words(mode, client_matter=each.client_matter, extracted_text=each.extracted_text)
            for each in self.candidates
        ]
        told["refused"] = [
            {"minutes": each.minutes, "reason": each.reason, "confidence_score": each.confidence_score}
            | words(mode, text=each.text)
            for each in self.refused
        ]
        return told


@dataclass(frozen=True, slots=True)
class Analyze:
    """The parts that it takes."""

    timekeepers: Timekeepers
    own: OwnData
    gmail: Gmail
    mailboxes: MailboxStore
    analyst: Analyst
    cache: Cache[AnalyzedEmail]
    deadline_seconds: float
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    async def run(self, caller: Caller, arguments: AnalyzeArguments, _report: Report) -> AnalyzedEmail:
        """Raises InvalidArguments, NotFound and InConflict, and AccessRevoked and the transient errors of its parts."""
        if (arguments.email_id is None) == (arguments.text is None):
            raise InvalidArguments(WrongArgument("email_id", "give either email_id or text"))
        try:
            async with asyncio.timeout(self.deadline_seconds):
                return await self._run(caller, arguments)
        except TimeoutError:
            raise GmailUnavailable("no answer before the deadline") from None

    async def _run(self, caller: Caller, arguments: AnalyzeArguments) -> AnalyzedEmail:
        timekeeper = await self.timekeepers.get(caller.user_id)
        made = False

        async def make() -> AnalyzedEmail:
            nonlocal made
            made = True
            return await self._analyzed(timekeeper, arguments)

        key = self._key(timekeeper, arguments)
        if arguments.use_cache:
            analyzed = await self.cache.get(key, make, keeps=_is_complete)
        else:
            analyzed = await make()
            if _is_complete(analyzed):
                await self.cache.made(key, analyzed)
        analyzed = analyzed.model_copy(update={"from_cache": not made})
        if arguments.email_id is None:
            return analyzed
        return _with_entries(analyzed, (await self.own.found_in(caller, [arguments.email_id])).entries)

    def _key(self, timekeeper: Timekeeper, arguments: AnalyzeArguments) -> tuple[Hashable, ...]:
        """Whatever the reading depends on; a text without a date of its own is read as of today."""
        rules = timekeeper.rules
        versions = (ANALYSER_VERSION, rules.analysis_version, self.analyst.asks(rules))
        if arguments.text is not None:
            text = hashlib.sha256(arguments.text.encode("utf-8", "replace")).hexdigest()
            today = self.now().astimezone(rules.time_zone or UTC).date().isoformat()
            return ("text", str(timekeeper.user_id), text, today, *versions)
        mailboxes = tuple(str(each.id) for each in timekeeper.readable)
        return ("email", str(timekeeper.user_id), arguments.email_id, mailboxes, *versions)

    async def _analyzed(self, timekeeper: Timekeeper, arguments: AnalyzeArguments) -> AnalyzedEmail:
        fetched = (
            _as_email(arguments.text, self.now())
            if arguments.text is not None
            else await self._fetched(timekeeper, arguments.email_id or "")
        )
        context = ReadingContext(user_id=timekeeper.user_id, settings=timekeeper.settings, matters=timekeeper.matters)
        reading = await self.analyst.read(fetched, context, "analyze", apart=True)
        if reading.read is None:
            outcome = reading.analysis.failure or reading.analysis.outcome
            return _answer(arguments.email_id, fetched, outcome)
        return await self._judged(arguments.email_id, fetched, reading.read, context)

    async def _fetched(self, timekeeper: Timekeeper, email_id: str) -> FetchedEmail:
        """The email, out of the one of the user's mailboxes that has it. Raises NotFound, InConflict, AccessRevoked."""
        if not timekeeper.readable:
            raise InConflict(RECONNECT if timekeeper.mailboxes else CONNECT)
        revoked: AccessRevoked | None = None
        for mailbox in timekeeper.readable:
            inbox = self.gmail.mailbox(
                mailbox.id, mailbox.refresh_token_encrypted, patience_seconds=self.deadline_seconds
            )
            try:
                fetched = await inbox.fetch(email_id)
            except (MessageGone, GmailRefused):  # an id of another mailbox is no id here
                continue
            except AccessRevoked as error:  # the email may be in another
                await self.mailboxes.mark_access_revoked(mailbox.id, mailbox.refresh_token_encrypted)
                self.timekeepers.changed(timekeeper.user_id)
                revoked = AccessRevoked(RECONNECT)
                revoked.__cause__ = error
                continue
            if fetched.is_sent:
                return fetched
        if revoked is not None:
            raise revoked
        said = notice(each.state for each in timekeeper.mailboxes)
        raise NotFound("there is no sent email of this id" + (f". {said}" if said else ""))

    async def _judged(
        self, email_id: str | None, fetched: FetchedEmail, read: Read, context: ReadingContext
    ) -> AnalyzedEmail:
        judged = await self.analyst.judged(read, context)
        found, least = judged.found, context.timekeeper.minimum_confidence
        default = context.timekeeper.default_client_matter
        candidates = tuple(_candidate(entry, least, default) for entry in found.entries)
        kept = any(not each.below_minimum for each in candidates)
        asked = (
            AskedModel(
                doubts=judged.asked,
                believed=judged.believed,
                dropped={reason.value: count for reason, count in judged.dropped.items()},
                second_look=judged.second_look,
            )
            if judged.asked
            else None
        )
        outcome = Outcome.ENTRIES if kept else Outcome.NONE
        return _answer(
            email_id,
            fetched,
            outcome,
            candidates=candidates,
            refused=tuple(_refused(refusal) for refusal in found.refusals),
            model=asked,
        )


def _is_complete(analyzed: AnalyzedEmail) -> bool:
    """Not one that the model is to look at again: the next who asks may have it better."""
    return analyzed.model is None or analyzed.model.second_look is None


def _answer(email_id: str | None, fetched: FetchedEmail, outcome: str, **found: Any) -> AnalyzedEmail:
    given = {"candidates": (), "refused": (), "model": None, **found}
    return AnalyzedEmail(
        email_id=email_id,
        sent_at=fetched.received_at if email_id else None,
        outcome=str(outcome),
        analyser_version=ANALYSER_VERSION,
        **given,
    )


def _candidate(entry: Entry, least: float, default: str | None) -> Candidate:
    return Candidate(
        duration_minutes=entry.duration_minutes,
        low=entry.low,
        high=entry.high,
        entry_type=entry.entry_type,
        date_performed=entry.date_performed,
        client_matter=entry.client_matter or default,
        description=entry.description,
        billable=entry.billable,
        confidence_score=round(entry.confidence_score, 3),
        below_minimum=entry.confidence_score < least,
        extracted_text=entry.extracted_text,
        evidence=Place(start=entry.evidence.start, end=entry.evidence.end),
        amount=Place(start=entry.amount.start, end=entry.amount.end),
        extractor=entry.extractor,
        rules=entry.rules,
        explanation=explain(entry),
        evidence_key=evidence_key(entry),
    )


def _refused(refusal: Refusal) -> Refused:
    return Refused(
        text=refusal.text,
        minutes=refusal.minutes,
        amount=Place(start=refusal.amount.start, end=refusal.amount.end),
        reason=refusal.reason,
        rule=refusal.rule,
        confidence_score=round(refusal.confidence_score, 3),
        rules=refusal.rules,
        explanation=explain(refusal),
    )


def _with_entries(analyzed: AnalyzedEmail, rows: Iterable[Row]) -> AnalyzedEmail:
    """The same, with the entries that are on record of it."""
    on_record = {row["evidence_key"]: row for row in rows}
    candidates = tuple(
        each.model_copy(update={"entry_id": UUID(row["id"]), "status": EntryStatus(row["status"])})
        if (row := on_record.get(each.evidence_key))
        else each
        for each in analyzed.candidates
    )
    return analyzed.model_copy(update={"candidates": candidates})


def _as_email(text: str, now: datetime) -> FetchedEmail:
    """A pasted text as an email that the user sends now."""
    message = EmailMessage(policy=SMTP)
    message.set_content(text.encode("utf-8", "replace").decode())
    return FetchedEmail(id="text", label_ids=frozenset({SENT}), received_at=now, raw=message.as_bytes())
