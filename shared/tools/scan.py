"""scan_billable_time: read what was sent lately, store what is found, and say what there is."""

import asyncio
import base64
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final
from uuid import UUID, uuid4

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, field_validator

from shared.bulk_analysis import BulkAnalysis, BulkResult
from shared.caller import Caller
from shared.errors import (
    AccessRevoked,
    GmailRefused,
    InConflict,
    InvalidArguments,
    OverQuota,
    StoreUnavailable,
    WrongArgument,
)
from shared.extraction import ANALYSER_VERSION
from shared.gmail.client import Gmail, GmailMailbox, SentPage
from shared.gmail.query import LONGEST, narrowing
from shared.models import AnalysisMode, BillableTimeEntry
from shared.store.entries import OwnData
from shared.store.timekeepers import OwnMailbox, Timekeeper, Timekeepers
from shared.tools.clients import known_client
from shared.tools.mailboxes import CONNECT, RECONNECT, MailboxShown, notice
from shared.tools.registry import Arguments, Progress, Report, ToolAnswer
from shared.tools.told import told_all

NAME: Final = "scan_billable_time"
DESCRIPTION: Final = (
    "Reads the email that the user has sent lately, stores the billable time that it states as draft entries, and lists"
    " them. Emails that were read before are not read again."
)


MOST_DAYS: Final = 30


class ScanArguments(Arguments):
    """What to scan."""

    date_range_days: Annotated[int, Field(ge=1, le=MOST_DAYS, description="How many days back.")] = 7
    max_emails: Annotated[int, Field(ge=1, le=500, description="At most so many emails, the newest first.")] = 100
    query_filter: Annotated[
        str | None,
        Field(max_length=LONGEST, description="Gmail search words that narrow the scan, such as to:ortiz@example.com."),
    ] = None
    client_filter: Annotated[
        str | None,
        Field(min_length=1, max_length=200, description="List only entries of this client or matter."),
    ] = None
    use_cache: Annotated[bool, Field(description="False: also read again what was read before.")] = True
    continue_from: Annotated[
        str | None,
        Field(max_length=20_000, description="What an incomplete scan gave as continue_from, to go on there."),
    ] = None

    @field_validator("query_filter")
    @classmethod
    def _only_narrows(cls, query: str | None) -> str | None:
        return None if query is None else narrowing(query)


class FailedEmail(BaseModel):
    """An email that could not be read. `code` says why."""

    email_id: str
    code: str


class BatchProcessingResult(ToolAnswer):
    """What a scan did.

    `total_processed` emails, of which `cache_hits` had been read before and `cache_misses` were read now; `failed` of
    these can not be read. `time_entries_found`: how many `entries` there are, of all these emails. `api_calls_made`:
    calls of Gmail as its quota counts them, `llm_calls`: questions to a language model. `truncated`: there is more,
    because of max_emails, the time or Gmail's quota (`stopped_by`); the same arguments with `continue_from` go on
    there. `mailboxes`: which there are; one whose state is not connected was left out, and `notice` says what to do.
    """

    total_processed: int
    time_entries_found: int
    processing_time_ms: float
    cache_hits: int
    cache_misses: int
    failed: int
    failures: tuple[FailedEmail, ...]
    memory_usage_mb: float
    api_calls_made: int
    llm_calls: int
    truncated: bool
    stopped_by: str | None
    continue_from: str | None
    mailboxes: tuple[MailboxShown, ...]
    notice: str | None
    entries: tuple[BillableTimeEntry, ...]

    def for_model(self, mode: AnalysisMode) -> dict[str, Any]:
        told = self.model_dump(mode="json", exclude={"entries", "failures", "memory_usage_mb"})
        return told | told_all(self.entries, mode)


class Cursor(BaseModel):
    """Where a scan goes on: the page of the mailbox at which it stopped, of mail sent after `after` (epoch seconds).

    `read`: emails of the page that were read anew already, where what is on record counts for nothing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    mailbox_id: UUID
    page_token: str | None = None
    after: int
    read: tuple[str, ...] = ()

    def written(self) -> str:
        return base64.urlsafe_b64encode(self.model_dump_json().encode()).decode()

    @classmethod
    def read_from(cls, text: str, now: datetime) -> "Cursor":
        """Raises InvalidArguments."""
        try:
            cursor = cls.model_validate_json(base64.urlsafe_b64decode(text))
        except ValueError:
            cursor = None
        oldest = int((now - timedelta(days=MOST_DAYS + 1)).timestamp())
        if cursor is None or not oldest <= cursor.after <= now.timestamp():
            raise InvalidArguments(WrongArgument("continue_from", "is nothing that a scan gave, or too old"))
        return cursor


_ENTRIES = TypeAdapter(tuple[BillableTimeEntry, ...])


@dataclass(frozen=True, slots=True)
class Scan:
    """The parts that a scan takes. `deadline_seconds`: then it answers with what it has, and where to go on."""

    timekeepers: Timekeepers
    own: OwnData
    gmail: Gmail
    bulk: BulkAnalysis
    deadline_seconds: float
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    async def run(self, caller: Caller, arguments: ScanArguments, report: Report) -> BatchProcessingResult:
        """Raises InvalidArguments and InConflict, and AccessRevoked and the transient errors of its parts."""
        begun = time.monotonic()
        clock = asyncio.get_running_loop().time
        stop_at = clock() + self.deadline_seconds
        cursor = Cursor.read_from(arguments.continue_from, self.now()) if arguments.continue_from else None
        try:
            async with asyncio.timeout_at(stop_at):
                timekeeper = await self.timekeepers.get(caller.user_id)
                client = await known_client(self.own, caller, arguments.client_filter)
        except TimeoutError:
            raise StoreUnavailable("no answer before the scan's deadline") from None
        mailboxes = _readable(timekeeper, cursor)
        after = cursor.after if cursor else int((self.now() - timedelta(days=arguments.date_range_days)).timestamp())
        done = _Done(report)
        goes_on: Cursor | None = None
        for mailbox in mailboxes:
            here = cursor if cursor and cursor.mailbox_id == mailbox.id else Cursor(mailbox_id=mailbox.id, after=after)
            if done.total >= arguments.max_emails:
                goes_on = here
                break
            inbox = self.gmail.mailbox(
                mailbox.id, mailbox.refresh_token_encrypted, patience_seconds=max(stop_at - clock(), 0.0)
            )
            try:
                goes_on = await self._scan_page(_Page(timekeeper, mailbox, inbox, here), arguments, done, stop_at)
            except AccessRevoked as revoked:
                await self.bulk.mailboxes.mark_access_revoked(mailbox.id, mailbox.refresh_token_encrypted)
                self.timekeepers.changed(caller.user_id)
                raise AccessRevoked(RECONNECT) from revoked
            if goes_on is not None:
                break
        found = await self.own.found_in(caller, done.email_ids, client)
        entries = _ENTRIES.validate_python(found.entries, strict=False)
        failures = found.failures | done.failures
        return BatchProcessingResult(
            total_processed=done.hits + done.misses,
            time_entries_found=len(entries),
            processing_time_ms=round((time.monotonic() - begun) * 1000, 1),
            cache_hits=done.hits,
            cache_misses=done.misses,
            failed=len(failures),
            failures=tuple(FailedEmail(email_id=email_id, code=code) for email_id, code in failures.items()),
            memory_usage_mb=_memory_mb(),
            api_calls_made=done.api_calls,
            llm_calls=done.model_calls,
            truncated=goes_on is not None,
            stopped_by=(done.stopped or "max_emails") if goes_on else None,
            continue_from=goes_on.written() if goes_on else None,
            mailboxes=tuple(MailboxShown(id=each.id, state=each.state) for each in timekeeper.mailboxes),
            notice=notice(each.state for each in timekeeper.mailboxes),
            entries=entries,
        )

    async def _scan_page(self, at: "_Page", arguments: ScanArguments, done: "_Done", stop_at: float) -> "Cursor | None":
        """Read one page of one mailbox. Gives where to go on, None at its end."""
        try:
            async with asyncio.timeout_at(stop_at):
                page = await self._list(at, arguments, arguments.max_emails - done.total)
                unread = await self._unread(at, page.ids, arguments)
        except TimeoutError:
            done.read(BulkResult(stopped="deadline"), at.inbox.calls_made)
            return at.here
        except OverQuota as error:
            done.read(BulkResult(stopped=error.code), at.inbox.calls_made)
            return at.here
        done.listed(page.ids, unread)
        result = BulkResult()
        if unread:
            context = at.timekeeper.context(at.mailbox)
            correlation_id = f"scan-{uuid4()}"
            result = await self.bulk.run(
                context, at.inbox, unread, correlation_id, stop_at=stop_at, report=done.progress
            )
        done.read(result, at.inbox.calls_made)
        if result.stopped is not None:
            # What is on record now is not read again; what would be, whatever is on record, is named.
            read = () if arguments.use_cache else (*at.here.read, *result.email_ids)
            return at.here.model_copy(update={"read": read})
        if page.next_page_token is None:
            return None
        return at.here.model_copy(update={"page_token": page.next_page_token, "read": ()})

    async def _list(self, at: "_Page", arguments: ScanArguments, most: int) -> SentPage:
        query = f"after:{at.here.after} {arguments.query_filter or ''}".strip()
        try:
            return await at.inbox.sent_page(query, at.here.page_token, most)
        except GmailRefused:
            if at.here.page_token is None:
                raise
            raise InvalidArguments(WrongArgument("continue_from", "is nothing that a scan gave")) from None

    async def _unread(self, at: "_Page", ids: tuple[str, ...], arguments: ScanArguments) -> tuple[str, ...]:
        """Those that are to be read now."""
        if not ids:
            return ()
        if not arguments.use_cache:
            read = set(at.here.read)
            return tuple(email_id for email_id in ids if email_id not in read)
        rules = at.timekeeper.rules
        return await self.bulk.analyses.still_to_analyse(
            at.mailbox.id,
            ids,
            ANALYSER_VERSION,
            rules.analysis_version,
            second_looks=self.bulk.analyst.asks(rules),
        )


@dataclass(frozen=True, slots=True)
class _Page:
    """One page of one mailbox of one timekeeper, that is to be read."""

    timekeeper: Timekeeper
    mailbox: OwnMailbox
    inbox: GmailMailbox
    here: Cursor


class _Done:
    """What the scan has come to so far, over all mailboxes."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._entries = 0
        self.total = self.hits = self.misses = self.api_calls = self.model_calls = 0
        self.email_ids: list[str] = []
        self.failures: dict[str, str] = {}
        self.stopped: str | None = None

    def listed(self, ids: tuple[str, ...], unread: tuple[str, ...]) -> None:
        left = set(unread)
        known = [email_id for email_id in ids if email_id not in left]
        self.total += len(ids)
        self.hits += len(known)
        self.email_ids += known
        self._report(Progress(self.hits + self.misses, self.total, self._entries))

    def progress(self, result: BulkResult) -> None:
        self._report(Progress(self.hits + self.misses + result.done, self.total, self._entries + result.entries))

    def read(self, result: BulkResult, api_calls: int) -> None:
        self._entries += result.entries
        self.misses += result.done
        self.failures |= result.failed
        self.email_ids += [each.email_id for each in result.recorded]
        self.api_calls += api_calls
        self.model_calls += result.model_calls
        self.stopped = result.stopped


def _readable(timekeeper: Timekeeper, cursor: Cursor | None) -> tuple[OwnMailbox, ...]:
    """The mailboxes to read, from the cursor's on. Raises InConflict where there is none that can be read."""
    if not timekeeper.mailboxes:
        raise InConflict(CONNECT)
    readable = timekeeper.readable
    if not readable:
        raise InConflict(RECONNECT)
    if cursor is None:
        return readable
    ids = [each.id for each in readable]
    if cursor.mailbox_id not in ids:
        raise InvalidArguments(WrongArgument("continue_from", "is of a mailbox that is not connected"))
    return readable[ids.index(cursor.mailbox_id) :]


def _memory_mb() -> float:
    """What this process holds in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / (1024 * 1024), 1)
