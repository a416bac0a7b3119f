"""What a user asks of rescans: start one, look at them, cancel one."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final
from uuid import UUID, uuid4

from pydantic import AwareDatetime, BeforeValidator, Field, field_validator

from shared.auth import UserTokens
from shared.caller import Caller
from shared.errors import InConflict, InvalidArguments, NotFound, PublishFailed, WrongArgument
from shared.gmail.query import LONGEST, narrowing
from shared.pubsub.messages import RescanPage, rescan_correlation
from shared.pubsub.publish import Publisher
from shared.store.rescans import OwnRescans, RescanJob, RescanRange, RescanStore, Start, StartVerdict
from shared.tools.mailboxes import CONNECT, RECONNECT
from shared.tools.registry import Arguments

GMAIL_BEGAN: Final = datetime(2004, 4, 1, tzinfo=UTC)
# Clocks differ: a range that ends "now" may end a little later here.
CLOCK_SKEW: Final = timedelta(minutes=1)


def _written_out(moment: object) -> object:
    """A bare number would be taken for seconds, a date for its midnight somewhere."""
    if isinstance(moment, str) and "T" in moment.upper():
        return moment
    raise ValueError("write date, time and zone, such as 2026-09-01T00:00:00Z")


# Not strict: a strict value would have to be a moment already, which JSON has none of.
Moment = Annotated[AwareDatetime, Field(strict=False), BeforeValidator(_written_out)]


class RescanRequest(Arguments):
    """What to read again. The range is given in days back from now, or from a moment to another one, before it."""

    date_range_days: Annotated[int, Field(ge=1, le=3_650)] | None = None
    range_start: Moment | None = None
    range_end: Moment | None = None
    query_filter: Annotated[str, Field(max_length=LONGEST)] | None = None
    use_cache: bool = True
    mailbox_id: UUID | None = None
    """Needed only by those who have several mailboxes."""

    @field_validator("query_filter")
    @classmethod
    def _only_narrows(cls, query: str | None) -> str | None:
        if query is None:
            return None
        narrowing(query)
        return " ".join(query.split())

    def range(self, now: datetime) -> RescanRange:
        """Raises InvalidArguments, naming what is missing or wrong."""
        start, end = self.range_start, self.range_end
        if self.date_range_days is not None:
            if start is not None or end is not None:
                raise _wrong("date_range_days", "give this or range_start and range_end, not both")
            return RescanRange(start=now - timedelta(days=self.date_range_days), end=now)
        if start is None and end is None:
            raise _wrong("date_range_days", "is required, or range_start and range_end in its place")
        if start is None:
            raise _wrong("range_start", "is required where there is a range_end")
        if end is None:
            raise _wrong("range_end", "is required where there is a range_start")
        if start < GMAIL_BEGAN:
            raise _wrong("range_start", "is before there was any Gmail")
        if end > now + CLOCK_SKEW:
            raise _wrong("range_end", "is in the future")
        if start >= end:
            raise _wrong("range_end", "has to be later than range_start")
        return RescanRange(start=start, end=end)


class RescanRunning(InConflict):
    """A rescan of the mailbox is under way: one at a time."""

    code = "rescan_running"

    def __init__(self, job_id: UUID) -> None:
        super().__init__(f"rescan {job_id} of this mailbox is under way: wait for its end, or cancel it")
        self.job_id = job_id


@dataclass(frozen=True, slots=True)
class Rescanning:
    """The parts that it takes; lives with the process. Methods raise the transient errors of these, too."""

    tokens: UserTokens
    own: OwnRescans
    jobs: RescanStore
    publisher: Publisher
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    async def start(self, caller: Caller, request: RescanRequest) -> RescanJob:
        """Start a job, and hand its first page on. Raises InvalidArguments, InConflict and RescanRunning."""
        span = request.range(self.now())
        started = await self.jobs.start(
            uuid4(),
            caller.user_id,
            mailbox_id=request.mailbox_id,
            start=span.start,
            end=span.end,
            query_filter=request.query_filter,
            use_cache=request.use_cache,
        )
        job = _job_of(started)
        if started.unpublished_step is not None:
            # Also of a job that runs already: whoever was to publish it may have died.
            await self._publish(RescanPage(job_id=job.id, step=started.unpublished_step))
        if started.verdict is StartVerdict.RUNNING:
            raise RescanRunning(job.id)
        return job

    async def get(self, caller: Caller, job_id: str) -> RescanJob:
        """Raises InvalidArguments and NotFound."""
        return _found(await self.own.get(caller, _id(job_id)))

    async def latest(self, caller: Caller) -> tuple[RescanJob, ...]:
        """The user's latest 50, the newest first."""
        return await self.own.latest(caller)

    async def cancel(self, caller: Caller, job_id: str) -> RescanJob:
        """Cancel the job; one that has ended stays as it is. Raises InvalidArguments and NotFound."""
        return _found(await self.jobs.cancel(caller.user_id, _id(job_id)))

    async def _publish(self, page: RescanPage) -> None:
        try:
            await self.publisher.publish([page], rescan_correlation(page.job_id))
        except PublishFailed as error:
            # Nobody may ever begin it, and its user may try again at once. If Pub/Sub took it after all, it is acked.
            await self.jobs.fail_unbegun(page.job_id, error.code)
            raise
        await self.jobs.published(page.job_id, page.step)


def _job_of(started: Start) -> RescanJob:
    """The job that was started or runs. Raises InvalidArguments and InConflict where there is none."""
    if started.job is not None:
        return started.job
    match started.verdict:
        case StartVerdict.UNKNOWN_MAILBOX:
            raise _wrong("mailbox_id", "is no connected mailbox of yours")
        case StartVerdict.SEVERAL_MAILBOXES:
            ids = ", ".join(str(mailbox_id) for mailbox_id in started.mailbox_ids)
            raise _wrong("mailbox_id", f"is required, since you have several mailboxes: {ids}")
        case StartVerdict.RECONNECT_NEEDED:
            raise InConflict(RECONNECT)
    raise InConflict(CONNECT)


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise _wrong("id", "is no UUID") from None


def _found(job: RescanJob | None) -> RescanJob:
    if job is None:
        raise NotFound("there is no rescan of this id")
    return job


def _wrong(field: str, message: str) -> InvalidArguments:
    return InvalidArguments(WrongArgument(field, message))
