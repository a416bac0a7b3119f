"""One step of a rescan: list a page of a mailbox's past, read what is unread of it, count it, hand the next step on.

A step is leased to one delivery. What it records stays, whatever happens after; what it counts is counted once, when
the step is done. So it can be done again from any point: after a kill, by a duplicate, with half of a page read.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import uuid4

import structlog

from shared.bulk_analysis import BulkAnalysis, BulkResult
from shared.errors import AccessRevoked, BadDelivery, GmailUnavailable, OverQuota, PermanentError, TransientError
from shared.extraction import ANALYSER_VERSION
from shared.gmail.client import Gmail, GmailMailbox, SentPage
from shared.gmail.query import narrowing
from shared.pubsub.messages import RescanPage, rescan_correlation
from shared.pubsub.publish import Publisher
from shared.store.analyses import Analysis, AnalysisContext, Outcome
from shared.store.mailboxes import MailboxState
from shared.store.rescans import Advance, ClaimVerdict, Hold, PageWork, RescanStep, RescanStore

# How soon a page in work notices that its job was cancelled.
LOOK_EVERY_SECONDS: Final = 2.0
# An email that Gmail lists but fails to give, time after time, is put on record as failed, so that it holds up no
# other. More of them at once are Gmail's own failure, which passes. The last of these tries is before Pub/Sub's last.
TRIES: Final = 4
MOST_GIVEN_UP: Final = 10

log = structlog.get_logger()


class PageOutcome(StrEnum):
    """What became of a delivery."""

    ADVANCED = "advanced"
    """The step is done, and the next one is published."""
    DONE = "done"
    """It was the last step."""
    FAILED = "failed"
    """The job can't be gone on with."""
    REPUBLISHED = "republished"
    """An earlier delivery had done the step, and died before it published the next one."""
    NOTHING = "nothing"
    """There was nothing to do: the step was done, or the job has ended."""


@dataclass(frozen=True, slots=True)
class PageRead:
    """How it went. `note`: why there was nothing to do, or a code for why the job failed."""

    outcome: PageOutcome
    note: str | None = None
    emails: int = 0
    read: int = 0


class _Dropped(Exception):
    """The step is no longer this delivery's."""

    def __init__(self, hold: Hold) -> None:
        super().__init__(hold)
        self.hold = hold


class _InVain(TransientError):
    """Gmail lists the page, and gives none of its emails."""

    code = "page_in_vain"


@dataclass(frozen=True, slots=True)
class RescanPageHandler:
    """The parts that it takes.

    page_emails: on one page. page_seconds: then what is left of the page is the next step's; with the time that what
    is under way may still take, it has to be below the ack deadline.
    """

    gmail: Gmail
    bulk: BulkAnalysis
    jobs: RescanStore
    publisher: Publisher
    page_emails: int
    page_seconds: float

    @property
    def lease_seconds(self) -> float:
        """Then another delivery may take the step over: its holder is dead, or hangs."""
        return self.page_seconds * 1.25 + 2

    async def handle(self, message: RescanPage) -> PageRead:
        """Do the step, or whatever is left to be done about it.

        Raises BadDelivery, and the transient errors of its parts, also while another delivery is at work on the step:
        that one may die, and then there has to be a next one.
        """
        claim = await self.jobs.claim(message.job_id, message.step, uuid4(), self.lease_seconds)
        if claim.step is not None:
            return await self._do(claim.step)
        if claim.verdict is ClaimVerdict.TAKEN:
            raise TransientError("another delivery is at work on this step")
        if claim.verdict is ClaimVerdict.AHEAD:
            raise BadDelivery("step: the job has not come so far")
        if claim.verdict is ClaimVerdict.UNPUBLISHED:
            await self._publish(RescanPage(job_id=message.job_id, step=message.step + 1))
            return PageRead(PageOutcome.REPUBLISHED)
        return PageRead(PageOutcome.NOTHING, claim.verdict)

    async def _do(self, step: RescanStep) -> PageRead:
        try:
            context = await self.bulk.analyses.context(step.mailbox_id, "")
            if context is None or context.state is MailboxState.DISCONNECTED:
                return await self._fail(step, "disconnected")
            if context.state is MailboxState.RECONNECT_NEEDED:
                return await self._fail(step, AccessRevoked.code)
            return await self._go_on(step, *await self._work(step, context))
        except PermanentError as error:
            log.warning("rescan.failed", job_id=str(step.id), code=error.code, reason=str(error))
            return await self._fail(step, error.code)
        except _Dropped as dropped:
            return _dropped(is_over=dropped.hold is Hold.OVER)
        except Exception as error:
            await self.jobs.release(step, in_vain=isinstance(error, _InVain))
            raise

    async def _go_on(self, step: RescanStep, work: PageWork, read: int) -> PageRead:
        """Count what was done, set the next step, and only then publish it."""
        advance = await self.jobs.advance(step, work)
        if advance in {Advance.OVER, Advance.LOST}:
            return _dropped(is_over=advance is Advance.OVER)
        if advance is Advance.DONE:
            return PageRead(PageOutcome.DONE, emails=work.listed, read=read)
        await self._publish(RescanPage(job_id=step.id, step=step.step + 1))
        return PageRead(PageOutcome.ADVANCED, emails=work.listed, read=read)

    async def _work(self, step: RescanStep, context: AnalysisContext) -> tuple[PageWork, int]:
        """Read what is unread of the page; how far it has come then, and how many emails were read for it.

        Raises what keeps all of it from being read, and _Dropped.
        """
        stop_at = asyncio.get_running_loop().time() + self.page_seconds
        inbox = self.gmail.mailbox(
            context.mailbox_id, context.refresh_token_encrypted, background=True, patience_seconds=self.page_seconds
        )
        page = await self._list(step, context, inbox, stop_at)
        counted = set(step.page_done)
        unread: Sequence[str] = [email_id for email_id in page.ids if email_id not in counted]
        if step.use_cache and unread:
            rules = context.timekeeper
            unread = await self.bulk.analyses.still_to_analyse(
                context.mailbox_id,
                unread,
                ANALYSER_VERSION,
                rules.analysis_version,
                second_looks=self.bulk.analyst.asks(rules),
            )
        result = await self._read(step, context, inbox, unread, stop_at) if unread else BulkResult()
        recorded = {each.email_id for each in result.recorded}
        left = [email_id for email_id in unread if email_id not in recorded]
        # Quota comes back, and Gmail has if it gave any. An email on which it hangs to the end of the page's time, each
        # time, doesn't.
        if left and not recorded and result.stopped != OverQuota.code and step.tries + 1 >= TRIES:
            given_up = left[:MOST_GIVEN_UP]
            await self._give_up(step, context, given_up, result)
            left = left[MOST_GIVEN_UP:]
        seen, undone = dict.fromkeys((*step.page_done, *page.ids)), set(left)
        done = tuple(email_id for email_id in seen if email_id not in undone)
        if left and len(done) == len(step.page_done):
            if result.stopped == OverQuota.code:
                raise OverQuota("the mailbox's quota of the minute is used up")
            raise _InVain(
                f"nothing of the page could be read: {result.stopped or next(iter(result.failed.values()), '')}"
            )
        return PageWork(done, len(seen), not left, page.next_page_token), len(recorded)

    async def _list(self, step: RescanStep, context: AnalysisContext, inbox: GmailMailbox, stop_at: float) -> SentPage:
        # Gmail counts in seconds: `after` takes its second in, `before` doesn't.
        query = f"after:{int(step.range_start.timestamp())} before:{int(step.range_end.timestamp()) + 1}"
        if step.query_filter is not None:
            query += f" {narrowing(step.query_filter)}"
        try:
            async with asyncio.timeout_at(stop_at):
                return await inbox.sent_page(query, step.page_token, self.page_emails, with_binned=True)
        except TimeoutError:
            raise GmailUnavailable("the page was not listed in time") from None
        except AccessRevoked:
            await self.bulk.mailboxes.mark_access_revoked(context.mailbox_id, context.refresh_token_encrypted)
            raise

    async def _read(
        self, step: RescanStep, context: AnalysisContext, inbox: GmailMailbox, unread: Sequence[str], stop_at: float
    ) -> BulkResult:
        """Read and record, for as long as the step is this delivery's."""
        reading = asyncio.create_task(
            self.bulk.run(context, inbox, unread, rescan_correlation(step.id), stop_at=stop_at)
        )
        watching = asyncio.create_task(self._until_dropped(step))
        try:
            await asyncio.wait((reading, watching), return_when=asyncio.FIRST_COMPLETED)
            if reading.done():
                return reading.result()
            raise _Dropped(watching.result())
        finally:
            reading.cancel()
            watching.cancel()
            await asyncio.gather(reading, watching, return_exceptions=True)

    async def _until_dropped(self, step: RescanStep) -> Hold:
        while (hold := await self.jobs.hold(step)) is Hold.HELD:  # noqa: ASYNC110  nothing tells of a change in the database
            await asyncio.sleep(LOOK_EVERY_SECONDS)
        return hold

    async def _give_up(
        self, step: RescanStep, context: AnalysisContext, left: Sequence[str], result: BulkResult
    ) -> None:
        """Put emails on record as failed; the next rescan tries them again."""
        analyses = [
            Analysis(
                email_id,
                Outcome.FAILED,
                ANALYSER_VERSION,
                rescan_correlation(step.id),
                failure=result.failed.get(email_id, GmailUnavailable.code),
            )
            for email_id in left
        ]
        await self.bulk.analyses.record(context, analyses)

    async def _fail(self, step: RescanStep, code: str) -> PageRead:
        if not await self.jobs.fail(step, code):
            return _dropped(is_over=await self.jobs.hold(step) is Hold.OVER)
        return PageRead(PageOutcome.FAILED, code)

    async def _publish(self, page: RescanPage) -> None:
        await self.publisher.publish([page], rescan_correlation(page.job_id))
        await self.jobs.published(page.job_id, page.step)


def _dropped(*, is_over: bool) -> PageRead:
    """Raises TransientError where another delivery has the step: an ack could be of the message that both are of."""
    if not is_over:
        raise TransientError("another delivery took the step over")
    return PageRead(PageOutcome.NOTHING, ClaimVerdict.OVER)
