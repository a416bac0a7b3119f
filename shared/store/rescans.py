"""Rescans: their jobs as users see them, and the steps that carry one from page to page of a mailbox."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final
from uuid import UUID

import httpx
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, SecretStr, TypeAdapter

from shared.caller import Caller
from shared.store.client import StoreClient

LATEST: Final = 50

Count = Annotated[int, Field(ge=0)]


class RescanState(StrEnum):
    """How far a job has come; the last three are ends."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


class RescanRange(BaseModel):
    """Emails sent from `start` on and before `end`."""

    model_config = ConfigDict(frozen=True)

    start: AwareDatetime
    end: AwareDatetime


class RescanFilters(BaseModel):
    """`query_filter`: Gmail search words that narrow the rescan. `use_cache` False: also what was read before."""

    model_config = ConfigDict(frozen=True)

    query_filter: str | None
    use_cache: bool


class RescanJob(BaseModel):
    """A job, as its user sees it: numbers of emails, each counted once.

    `listed`: found in the range so far. `processed`: of these, dealt with, whether read now or before. `failed`: of
    these, could not be read. `entries_found`: time entries that the emails dealt with hold. `failure`: a code, if and
    only if the job failed. `stalled`: it is under way and has not moved for a quarter of an hour.
    """

    model_config = ConfigDict(frozen=True)

    id: UUID
    mailbox_id: UUID
    state: RescanState
    stalled: bool
    range: RescanRange
    filters: RescanFilters
    listed: Count
    processed: Count
    failed: Count
    entries_found: Count
    created_at: AwareDatetime
    updated_at: AwareDatetime
    failure: str | None


_JOBS = TypeAdapter(tuple[RescanJob, ...])


class StartVerdict(StrEnum):
    """What came of starting a job; all but the first: nothing was started."""

    STARTED = "started"
    RUNNING = "running"
    NO_MAILBOX = "no_mailbox"
    UNKNOWN_MAILBOX = "unknown_mailbox"
    SEVERAL_MAILBOXES = "several_mailboxes"
    RECONNECT_NEEDED = "reconnect_needed"


class Start(BaseModel):
    """`job`: what was started, or runs already. `unpublished_step`: the step of it whose message may not be published.

    `mailbox_ids`: those to choose from, where there are several.
    """

    model_config = ConfigDict(frozen=True)

    verdict: StartVerdict
    job: RescanJob | None = None
    unpublished_step: int | None = None
    mailbox_ids: tuple[UUID, ...] = ()


class ClaimVerdict(StrEnum):
    """What a delivery of a step's message has to do."""

    CLAIMED = "claimed"
    """The step is this delivery's until its lease ends."""
    TAKEN = "taken"
    """Another delivery is at work on it."""
    UNPUBLISHED = "unpublished"
    """It is done, and the next step's message may not be published."""
    PASSED = "passed"
    """It is done, and so is all that follows from it."""
    OVER = "over"
    """The job has ended."""
    AHEAD = "ahead"
    """The job has not come so far."""
    UNKNOWN = "unknown"
    """There is no such job."""


class RescanStep(BaseModel):
    """A step as the database has it: the page at `page_token`, less those of its emails that are dealt with already.

    `tries`: how often nothing of these could be read before, though Gmail listed them. `lease`: whose it is.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    id: UUID
    step: int
    lease: UUID
    mailbox_id: UUID
    range_start: AwareDatetime
    range_end: AwareDatetime
    query_filter: str | None
    use_cache: bool
    page_token: str | None
    page_done: tuple[str, ...]
    tries: int


class Claim(BaseModel):
    """`step`: if and only if it is claimed."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    verdict: ClaimVerdict
    step: RescanStep | None = None


class Hold(StrEnum):
    """Whether a step is still the delivery's that claimed it."""

    HELD = "held"
    LOST = "lost"
    """Its lease had ended, and it is another's now."""
    OVER = "over"
    """The job was cancelled, or has ended otherwise."""


class Advance(StrEnum):
    """What came of a step that is done."""

    ADVANCED = "advanced"
    DONE = "done"
    LOST = "lost"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class PageWork:
    """How far a page has come.

    `done`: all of its emails that are dealt with, of which there is something on record. `listed`: how many it has.
    `next_page_token` counts once the page `is_done`; None: it was the last.
    """

    done: tuple[str, ...]
    listed: int
    is_done: bool
    next_page_token: str | None


class OwnRescans:
    """A user's jobs, asked for with the user's own token. Every method raises StoreUnavailable or StoreRefused."""

    def __init__(self, http: httpx.AsyncClient, supabase_url: str, publishable_key: SecretStr) -> None:
        self._http = http
        self._url = supabase_url
        self._key = publishable_key

    async def get(self, caller: Caller, job_id: UUID) -> RescanJob | None:
        """None: the caller has no job of this id."""
        return _job(await self._call(caller, "rescan_job", {"p_job_id": str(job_id)}))

    async def latest(self, caller: Caller) -> tuple[RescanJob, ...]:
        """The newest first."""
        return _JOBS.validate_python(await self._call(caller, "latest_rescans", {"p_most": LATEST}), strict=False)

    async def _call(self, caller: Caller, function: str, arguments: dict[str, Any]) -> Any:
        return await StoreClient(self._http, self._url, self._key, caller.token).call(function, arguments)


class RescanStore:
    """Starts, cancels and moves on jobs. Every method raises StoreUnavailable or StoreRefused."""

    def __init__(self, client: StoreClient) -> None:
        self._client = client

    async def start(
        self,
        job_id: UUID,
        user_id: UUID,
        *,
        mailbox_id: UUID | None,
        start: datetime,
        end: datetime,
        query_filter: str | None,
        use_cache: bool,
    ) -> Start:
        """Start a job of this new id; a job of that mailbox that has not moved for 15 minutes is failed first.

        `mailbox_id` None: of the only mailbox that the user has.
        """
        arguments = {
            "p_job_id": str(job_id),
            "p_user_id": str(user_id),
            "p_mailbox_id": None if mailbox_id is None else str(mailbox_id),
            "p_range_start": start.isoformat(),
            "p_range_end": end.isoformat(),
            "p_query_filter": query_filter,
            "p_use_cache": use_cache,
        }
        return Start.model_validate(await self._client.call("start_rescan", arguments))

    async def cancel(self, user_id: UUID, job_id: UUID) -> RescanJob | None:
        """Cancel a job of this user's; one that has ended stays as it is. None: there is none of this id."""
        return _job(await self._client.call("cancel_rescan", {"p_user_id": str(user_id), "p_job_id": str(job_id)}))

    async def claim(self, job_id: UUID, step: int, lease: UUID, lease_seconds: float) -> Claim:
        """Have the step as one's own, for so long at most; or learn why not."""
        arguments = {"p_job_id": str(job_id), "p_step": step, "p_lease": str(lease), "p_lease_seconds": lease_seconds}
        return Claim.model_validate(await self._client.call("claim_rescan_step", arguments))

    async def hold(self, step: RescanStep) -> Hold:
        return Hold(await self._client.call("rescan_step_hold", _held(step)))

    async def advance(self, step: RescanStep, work: PageWork) -> Advance:
        """Count what the step dealt with, and set the next one: in one transaction, by whoever holds it."""
        arguments = {
            **_held(step),
            "p_step": step.step,
            "p_page_listed": work.listed,
            "p_page_done": list(work.done),
            "p_is_page_done": work.is_done,
            "p_next_page_token": work.next_page_token,
        }
        return Advance(await self._client.call("advance_rescan", arguments))

    async def published(self, job_id: UUID, step: int) -> None:
        """Note that Pub/Sub has taken the step's message."""
        await self._client.call("rescan_step_published", {"p_job_id": str(job_id), "p_step": step})

    async def release(self, step: RescanStep, *, in_vain: bool = False) -> None:
        """Let the next delivery begin at once. `in_vain`: Gmail listed the page, and nothing of it could be read."""
        await self._client.call("release_rescan_step", {**_held(step), "p_in_vain": in_vain})

    async def fail(self, step: RescanStep, failure: str) -> bool:
        """End the job for good. `failure`: a code for why. False: the step is no longer ours, so nothing was ended."""
        return bool(await self._client.call("fail_rescan", {**_held(step), "p_failure": failure}))

    async def fail_unbegun(self, job_id: UUID, failure: str) -> None:
        """The same for a job that nobody has begun; one that somebody has goes on."""
        await self._client.call("fail_rescan", {"p_job_id": str(job_id), "p_lease": None, "p_failure": failure})


def _held(step: RescanStep) -> dict[str, str]:
    return {"p_job_id": str(step.id), "p_lease": str(step.lease)}


def _job(found: Any) -> RescanJob | None:
    return None if found is None else RescanJob.model_validate(found)
