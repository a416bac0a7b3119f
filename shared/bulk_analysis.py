"""Many emails of one mailbox, read and recorded as they come in: scans and rescans of what was sent before.

Fetching, reading, asking and recording overlap. What is recorded stays, whatever happens after.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final

import structlog

from shared import metrics
from shared.analyst import Analyst, Reading, in_question, not_fetched
from shared.errors import AccessRevoked, OverQuota, PermanentError, StoreRefused, TenthsError
from shared.gmail.client import FetchedEmail, GmailMailbox
from shared.store.analyses import Analysis, AnalysisContext, AnalysisStore, Outcome, Recorded
from shared.store.mailboxes import MailboxStore

# So many are written in one call of the database.
WRITTEN_TOGETHER: Final = 25
# Once it is time to stop: what is being asked or written may still come to its end.
GRACE_SECONDS: Final = 3.0

log = structlog.get_logger()


@dataclass(slots=True)
class BulkResult:
    """What became of the emails. `failed`: a code by email id, whether on record or left for another try.

    `stopped`: why some were left out, `deadline` or `over_quota`; None: all are dealt with.
    """

    recorded: list[Recorded] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    model_calls: int = 0
    stopped: str | None = None

    @property
    def email_ids(self) -> set[str]:
        """The emails that are dealt with."""
        return {each.email_id for each in self.recorded} | self.failed.keys()

    @property
    def done(self) -> int:
        """How many emails are dealt with."""
        return len(self.email_ids)

    @property
    def entries(self) -> int:
        return sum(each.entry_count for each in self.recorded)


Report = Callable[[BulkResult], None]


def _unwatched(_result: BulkResult) -> None:
    """For callers who don't watch."""


@dataclass(frozen=True, slots=True)
class BulkAnalysis:
    """The parts that it takes."""

    analyst: Analyst
    mailboxes: MailboxStore
    analyses: AnalysisStore

    async def run(
        self,
        context: AnalysisContext,
        inbox: GmailMailbox,
        email_ids: Sequence[str],
        correlation_id: str,
        *,
        stop_at: float | None = None,
        report: Report = _unwatched,
    ) -> BulkResult:
        """Analyse the emails and record what becomes of each.

        `stop_at`: the event loop's time at which no further email is begun; what is under way then has a few seconds
        more. `report` is called whenever something was recorded. One email that fails fails alone. Raises AccessRevoked
        after noting it on the mailbox, and what keeps all of them from being read or recorded; what was read until
        then is recorded all the same.
        """
        return await _Run(self, context, correlation_id, stop_at, report).run(inbox, email_ids)


class _Run:
    """One run: what is waiting to be asked about or written, and what became of the rest."""

    def __init__(
        self,
        parts: BulkAnalysis,
        context: AnalysisContext,
        correlation_id: str,
        stop_at: float | None,
        report: Report,
    ) -> None:
        self._parts = parts
        self._context = context
        self._correlation_id = correlation_id
        self._stop_at = stop_at
        self._report = report
        self._sure: list[Analysis] = []
        self._doubtful: list[Reading] = []
        self._result = BulkResult()

    async def run(self, inbox: GmailMailbox, email_ids: Sequence[str]) -> BulkResult:
        try:
            async with asyncio.TaskGroup() as tasks:
                broken = await self._read_all(inbox, email_ids, tasks)
                self._write(tasks)
                self._ask(tasks)
        except BaseExceptionGroup as errors:
            raise _first(errors) from None
        if broken is not None:
            raise broken
        return self._result

    async def _read_all(
        self, inbox: GmailMailbox, email_ids: Sequence[str], tasks: asyncio.TaskGroup
    ) -> TenthsError | None:
        """Read until all are read, it is time, or nothing more can be fetched: then the error that says why."""
        try:
            async with asyncio.timeout_at(self._stop_at), aclosing(inbox.fetch_many(email_ids)) as fetching:
                async for email_id, fetched in fetching:
                    if isinstance(fetched, OverQuota):
                        self._result.stopped = fetched.code
                        return None
                    await self._take(email_id, fetched)
                    if len(self._sure) >= WRITTEN_TOGETHER:
                        self._write(tasks)
                    if self._parts.analyst.model and in_question(self._doubtful) >= self._most_doubts:
                        self._ask(tasks)
        except TimeoutError:
            self._result.stopped = "deadline"
        except TenthsError as error:
            if isinstance(error, AccessRevoked):
                context = self._context
                await self._parts.mailboxes.mark_access_revoked(context.mailbox_id, context.refresh_token_encrypted)
            return error
        return None

    @property
    def _most_doubts(self) -> int:
        model = self._parts.analyst.model
        return model.limits.doubts if model else 0

    async def _take(self, email_id: str, fetched: FetchedEmail | TenthsError) -> None:
        if isinstance(fetched, PermanentError):
            self._sure.append(not_fetched(email_id, self._correlation_id, fetched))
        elif isinstance(fetched, TenthsError):
            self._result.failed[email_id] = fetched.code  # not on record: the next try may well succeed
        else:
            # Apart: else each email read would hold up the next ones on their way here by some milliseconds.
            with metrics.stage("read"):
                reading = await self._parts.analyst.read(fetched, self._context, self._correlation_id, apart=True)
            if reading.read is not None and reading.read.question is not None:
                self._doubtful.append(reading)
            else:
                self._sure.append(await self._parts.analyst.conclude(reading, self._context))

    def _write(self, tasks: asyncio.TaskGroup) -> None:
        if self._sure:
            tasks.create_task(self._record(self._sure))
            self._sure = []

    def _ask(self, tasks: asyncio.TaskGroup) -> None:
        if self._doubtful:
            tasks.create_task(self._ask_and_record(self._doubtful))
            self._doubtful = []

    async def _ask_and_record(self, readings: list[Reading]) -> None:
        try:
            async with asyncio.timeout_at(None if self._stop_at is None else self._stop_at + GRACE_SECONDS):
                analyses, calls = await self._parts.analyst.conclude_many(readings, self._context)
        except TimeoutError:
            self._result.stopped = "deadline"
            return
        self._result.model_calls += calls
        await self._record(analyses)

    async def _record(self, analyses: Sequence[Analysis]) -> None:
        try:
            recorded = await self._parts.analyses.record(self._context, analyses)
        except StoreRefused as refusal:
            if len(analyses) > 1:
                for each in analyses:  # one that the database can't take must not keep the others out
                    await self._record([each])
                return
            self._result.failed[analyses[0].email_id] = refusal.code
            log.error("analysis.not_recorded", email_id=analyses[0].email_id, reason=str(refusal))  # noqa: TRY400  no rows
            return
        for each in analyses:
            if each.outcome is Outcome.FAILED:
                self._result.failed[each.email_id] = each.failure or each.outcome
        self._result.recorded += recorded
        self._report(self._result)


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first error that says what went wrong."""
    first = errors.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
