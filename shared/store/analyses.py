"""Analyses: what one needs to know before, and recording what it found. `record_analysis` decides what is new."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import structlog
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, field_validator

from shared import metrics
from shared.models import AnalysisMode, Matter, RoundingMode, RoundingScope
from shared.store.client import StoreClient
from shared.store.mailboxes import MailboxState

if TYPE_CHECKING:  # gmail_push asks this store too, and starts without the grammar
    from shared.extraction.found import Entry
    from shared.extraction.grounding import Judged
    from shared.mail.email import Span

Count = Annotated[int, Field(ge=0)]

log = structlog.get_logger()


class Outcome(StrEnum):
    """What became of a sent email."""

    ENTRIES = "entries"
    NONE = "none"
    GONE = "gone"
    NOT_SENT = "not_sent"
    EXCLUDED = "excluded"
    FAILED = "failed"


READINGS: Final = frozenset({Outcome.ENTRIES, Outcome.NONE, Outcome.EXCLUDED})
"""Outcomes of an email that was read; the others may be different next time."""


class Processed(BaseModel):
    """What is on record of an email. `second_look`: a code for why it should be read again; None: it needn't."""

    model_config = ConfigDict(frozen=True)

    outcome: Outcome
    analyser_version: int
    settings_version: int
    second_look: str | None = None


class TimekeeperSettings(BaseModel):
    """A timekeeper's settings, as far as an analysis heeds them; the defaults are for those who set none."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    version: int = 0
    analysis_version: int = 0
    """Rises when emails would be read differently from now on; a changed rounding rule or rate doesn't raise it."""
    time_zone: ZoneInfo | None = None
    rounding_increment: int = 6
    rounding_mode: RoundingMode = RoundingMode.UP
    rounding_scope: RoundingScope = RoundingScope.ENTRY
    rounding_minimum: int = 0
    rate_category: str | None = None
    hourly_rate: float | None = None
    analysis_mode: AnalysisMode = AnalysisMode.SNIPPETS
    minimum_confidence: float = 0.0
    auto_analysis: bool = True
    excluded_recipients: tuple[str, ...] = ()
    excluded_labels: tuple[str, ...] = ()
    default_client_matter: str | None = None

    @field_validator("time_zone", mode="before")
    @classmethod
    def _known_here(cls, name: str | None) -> ZoneInfo | None:
        """A zone that the database knows and this machine doesn't must not cost anyone an entry."""
        try:
            return None if name is None else ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            log.warning("settings.time_zone_unknown_here")
            return None


class DirectoryMatter(Matter):
    """A line of the directory, with the rate that its entries are made under."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    rate_category: str | None = None
    hourly_rate: float | None = None


class ReadingContext(BaseModel):
    """What is to be known of the timekeeper to read an email."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    user_id: UUID
    settings: TimekeeperSettings | None
    matters: tuple[DirectoryMatter, ...]

    @property
    def timekeeper(self) -> TimekeeperSettings:
        return self.settings or TimekeeperSettings()


class AnalysisContext(ReadingContext):
    """All that one analysis needs to know besides the email."""

    mailbox_id: UUID
    state: MailboxState
    refresh_token_encrypted: str
    processed: Processed | None

    def is_settled(self, analyser_version: int) -> bool:
        """Whether this email needs no further look by this analyser version."""
        known = self.processed
        return (
            known is not None
            and known.outcome in READINGS
            and known.analyser_version >= analyser_version
            and known.second_look is None
        )


@dataclass(frozen=True, slots=True)
class Analysis:
    """What became of one email: what is recorded.

    `failure` is a code, given if and only if it failed. `judged`: how it went with the model, where one was asked; if
    that was away, a second look is on record as due.
    """

    email_id: str
    outcome: Outcome
    analyser_version: int
    correlation_id: str
    sent_at: datetime | None = None
    entries: "Sequence[Entry]" = ()
    failure: str | None = None
    judged: "Judged | None" = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the database made of an analysis. `is_new` False: it had an equal or better one."""

    email_id: str
    is_new: bool
    entry_count: int


class OnRecord(BaseModel):
    """What is known of some emails: numbers, `failed` by code; `missing`: the ids of those of which nothing is."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    with_entries: Count
    without_entries: Count
    excluded: Count
    gone: Count
    not_sent: Count
    failed: dict[str, Count]
    waiting: Count
    missing: tuple[str, ...]


class _Row(BaseModel):
    email_id: str
    recorded: bool
    entry_count: int


_ROWS = TypeAdapter(tuple[_Row, ...])
_IDS = TypeAdapter(tuple[str, ...])


class AnalysisStore:
    """Reads contexts and records analyses. Every method raises StoreUnavailable or StoreRefused."""

    def __init__(self, client: StoreClient) -> None:
        self._client = client

    async def context(self, mailbox_id: UUID, email_id: str) -> AnalysisContext | None:
        """What is to be known before an email is analysed; None: no such mailbox."""
        found = await self._client.call("analysis_context", {"p_mailbox_id": str(mailbox_id), "p_email_id": email_id})
        return None if found is None else AnalysisContext.model_validate(found)

    async def still_to_analyse(
        self,
        mailbox_id: UUID,
        email_ids: Iterable[str],
        analyser_version: int = 0,
        settings_version: int = 0,
        *,
        second_looks: bool = True,
    ) -> tuple[str, ...]:
        """Those of the emails, in their order, that no analyser of this version or a later one has read for good.

        Nor under settings of this analysis version or a later one. `second_looks` False: an email that waits for the
        model to come back is no reason to read it again.
        """
        arguments = {
            "p_mailbox_id": str(mailbox_id),
            "p_email_ids": list(email_ids),
            "p_analyser_version": analyser_version,
            "p_settings_version": settings_version,
            "p_second_looks": second_looks,
        }
        return _IDS.validate_python(await self._client.call("emails_to_analyse", arguments))

    async def emails_on_record(self, user_id: UUID, email_ids: Sequence[str]) -> OnRecord:
        """What became of these emails of the user's."""
        arguments = {"p_user_id": str(user_id), "p_email_ids": list(email_ids)}
        return OnRecord.model_validate(await self._client.call("emails_on_record", arguments))

    async def mode(self, user_id: UUID) -> AnalysisMode:
        """What a model may see of this user's mail right now."""
        return AnalysisMode(await self._client.call("analysis_mode_of", {"p_user_id": str(user_id)}))

    async def await_analysis(self, mailbox_id: UUID, email_ids: Iterable[str]) -> None:
        """Note that these emails are handed on to analysis: each waits until something is on record of it.

        Those that were read wait for nothing. Noting one again changes nothing.
        """
        await self._client.call("await_analysis", {"p_mailbox_id": str(mailbox_id), "p_email_ids": list(email_ids)})

    async def record(self, context: AnalysisContext, analyses: Sequence[Analysis]) -> tuple[Recorded, ...]:
        """Record analyses of one mailbox's emails, each email once, in one transaction.

        Entries that a person edited, approved or dismissed are left alone; recording twice changes nothing.
        """
        arguments = {
            "p_user_id": str(context.user_id),
            "p_analyses": [_analysis_row(context, analysis) for analysis in analyses],
        }
        with metrics.stage("record"):
            rows = _ROWS.validate_python(await self._client.call("record_analysis", arguments))
        _count(analyses)
        return tuple(Recorded(row.email_id, row.recorded, row.entry_count) for row in rows)


def _count(analyses: "Iterable[Analysis]") -> None:
    for analysis in analyses:
        metrics.emails.add(1, {"outcome": analysis.outcome, "code": analysis.failure or ""})
        for entry in analysis.entries:
            metrics.entries.add(1, {"extractor": entry.extractor})
        for reason, count in analysis.judged.dropped.items() if analysis.judged else ():
            metrics.model_verdicts.add(count, {"verdict": reason.value})
        if analysis.judged and analysis.judged.believed:
            metrics.model_verdicts.add(analysis.judged.believed, {"verdict": "believed"})


def _analysis_row(context: AnalysisContext, analysis: Analysis) -> dict[str, Any]:
    return {
        "email_id": analysis.email_id,
        "mailbox_id": str(context.mailbox_id),
        "outcome": analysis.outcome,
        "failure": analysis.failure,
        "second_look": analysis.judged.second_look if analysis.judged else None,
        "sent_at": None if analysis.sent_at is None else analysis.sent_at.isoformat(),
        "analyser_version": analysis.analyser_version,
        "settings_version": context.timekeeper.analysis_version,
        "correlation_id": analysis.correlation_id,
        "entries": [_entry_row(context, entry) for entry in analysis.entries],
    }


def _entry_row(context: AnalysisContext, entry: "Entry") -> dict[str, Any]:
    """An entry with a snapshot of the rounding rule and the rate it is made under."""
    rule = context.timekeeper
    matter = next((m for m in context.matters if m.id == entry.matter_id), None)
    client_matter = entry.client_matter or rule.default_client_matter
    return {
        "evidence_key": evidence_key(entry),
        "duration_minutes": entry.duration_minutes,
        "entry_type": entry.entry_type,
        "date_performed": entry.date_performed.isoformat(),
        "client_matter": None if client_matter is None else _storable(client_matter),
        "matter_id": None if entry.matter_id is None else str(entry.matter_id),
        "description": _storable(entry.description),
        "billable": entry.billable,
        "rate_category": (matter and matter.rate_category) or rule.rate_category,
        "hourly_rate": matter.hourly_rate if matter and matter.hourly_rate is not None else rule.hourly_rate,
        "confidence_score": round(entry.confidence_score, 3),
        "extracted_text": _storable(entry.extracted_text),
        "evidence": _range(entry.evidence),
        "amount": _range(entry.amount),
        "extractor": entry.extractor,
        "rounding_increment": rule.rounding_increment,
        "rounding_mode": rule.rounding_mode,
        "rounding_scope": rule.rounding_scope,
        "rounding_minimum": rule.rounding_minimum,
    }


def evidence_key(entry: "Entry") -> str:
    """What tells this entry from the others of its email: its words and where they say the time."""
    words = f"{entry.amount.start}:{entry.amount.end}:{entry.extracted_text}"
    return hashlib.sha256(words.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _storable(text: str) -> str:
    """The text without what a database's text can't hold: NUL and halves of surrogate pairs."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _range(span: "Span") -> str:
    return f"[{span.start},{span.end})"
