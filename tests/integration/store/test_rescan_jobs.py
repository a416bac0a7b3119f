"""A rescan's job goes from step to step: one delivery at a time, each email counted once, its own user's alone."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from pydantic import SecretStr

from shared.caller import Caller
from shared.errors import StoreRefused
from shared.store.analyses import Analysis, Outcome
from shared.store.rescans import (
    Advance,
    ClaimVerdict,
    Hold,
    OwnRescans,
    PageWork,
    RescanJob,
    RescanState,
    RescanStep,
    RescanStore,
    Start,
    StartVerdict,
)
from tests.integration.store.conftest import Database, MakeEntry, Timekeeper

END = datetime(2026, 9, 1, tzinfo=UTC)
START = END - timedelta(days=30)
CALLS: dict[str, dict[str, Any]] = {
    "start_rescan": {
        "p_job_id": str(uuid4()),
        "p_user_id": str(uuid4()),
        "p_mailbox_id": None,
        "p_range_start": START.isoformat(),
        "p_range_end": END.isoformat(),
        "p_query_filter": None,
        "p_use_cache": True,
    },
    "cancel_rescan": {"p_user_id": str(uuid4()), "p_job_id": str(uuid4())},
    "claim_rescan_step": {"p_job_id": str(uuid4()), "p_step": 0, "p_lease": str(uuid4()), "p_lease_seconds": 60},
    "rescan_step_hold": {"p_job_id": str(uuid4()), "p_lease": str(uuid4())},
    "advance_rescan": {
        "p_job_id": str(uuid4()),
        "p_step": 0,
        "p_lease": str(uuid4()),
        "p_page_listed": 0,
        "p_page_done": [],
        "p_is_page_done": True,
        "p_next_page_token": None,
    },
    "rescan_step_published": {"p_job_id": str(uuid4()), "p_step": 0},
    "release_rescan_step": {"p_job_id": str(uuid4()), "p_lease": str(uuid4()), "p_in_vain": False},
    "fail_rescan": {"p_job_id": str(uuid4()), "p_lease": str(uuid4()), "p_failure": "stalled"},
}


@dataclass(frozen=True)
class Rescans:
    """Dana's jobs: as machines move them, and as she sees them."""

    database: Database
    dana: Timekeeper
    jobs: RescanStore
    own: OwnRescans

    async def try_start(self, job_id: UUID | None = None, mailbox_id: UUID | None = None) -> Start:
        return await self.jobs.start(
            job_id or uuid4(),
            self.dana.id,
            mailbox_id=mailbox_id,
            start=START,
            end=END,
            query_filter=None,
            use_cache=True,
        )

    async def start(self) -> UUID:
        started = await self.try_start()
        assert started.verdict is StartVerdict.STARTED
        assert started.job is not None
        return started.job.id

    async def claim(self, job_id: UUID, number: int = 0, *, seconds: float = 60.0) -> RescanStep:
        claimed = await self.jobs.claim(job_id, number, uuid4(), seconds)
        assert claimed.verdict is ClaimVerdict.CLAIMED
        assert claimed.step is not None
        return claimed.step

    async def verdict(self, job_id: UUID, number: int = 0) -> ClaimVerdict:
        return (await self.jobs.claim(job_id, number, uuid4(), 60.0)).verdict

    async def job(self, job_id: UUID, of: Timekeeper | None = None) -> RescanJob | None:
        user = of or self.dana
        token = self.database.keys.user_token(user.id, "user@firm.example")
        return await self.own.get(Caller(user.id, SecretStr(token)), job_id)

    async def seen(self, job_id: UUID) -> RescanJob:
        job = await self.job(job_id)
        assert job is not None
        return job

    async def counts(self, job_id: UUID) -> tuple[int, int, int, int]:
        job = await self.seen(job_id)
        return job.listed, job.processed, job.failed, job.entries_found

    async def age(self, job_id: UUID, minutes: float) -> None:
        await self.database.sql.execute(
            "update public.rescan_jobs set updated_at = now() - $2 * interval '1 minute' where id = $1", job_id, minutes
        )


@pytest.fixture
async def rescans(database: Database, dana: Timekeeper) -> AsyncIterator[Rescans]:
    async with httpx.AsyncClient() as http:
        own = OwnRescans(http, database.gateway.url, SecretStr(database.keys.publishable_key))
        yield Rescans(database, dana, RescanStore(database.client), own)


def finished(*done: str, next_page_token: str | None = None) -> PageWork:
    return PageWork(done, len(done), is_done=True, next_page_token=next_page_token)


async def test_a_job_begins_with_nothing_done(rescans: Rescans) -> None:
    job = await rescans.seen(await rescans.start())
    assert (job.state, job.failure, job.mailbox_id) == (RescanState.QUEUED, None, rescans.dana.mailbox_id)
    assert (job.range.start, job.range.end) == (START, END)
    assert await rescans.counts(job.id) == (0, 0, 0, 0)


async def test_a_call_to_start_that_is_repeated_starts_one_job(rescans: Rescans) -> None:
    job_id = uuid4()
    first, second = await rescans.try_start(job_id), await rescans.try_start(job_id)
    assert first.verdict is second.verdict is StartVerdict.STARTED
    assert first.job == second.job


async def test_of_many_started_at_once_one_is_and_the_others_learn_which(rescans: Rescans) -> None:
    started = await asyncio.gather(*(rescans.try_start() for _ in range(8)))
    assert sorted(each.verdict for each in started) == ["running"] * 7 + ["started"]
    assert len({each.job.id for each in started if each.job}) == 1


@pytest.mark.parametrize("state", ["done", "cancelled", "failed"])
async def test_the_next_may_start_once_the_first_has_ended(rescans: Rescans, state: str) -> None:
    job_id = await rescans.start()
    if state == "cancelled":
        await rescans.jobs.cancel(rescans.dana.id, job_id)
    else:
        step = await rescans.claim(job_id)
        await (rescans.jobs.advance(step, finished()) if state == "done" else rescans.jobs.fail(step, "gmail_refused"))
    assert (await rescans.seen(job_id)).state == state
    assert await rescans.start() != job_id


@pytest.mark.parametrize(("minutes", "verdict"), [(14.9, "running"), (15.1, "started")])
async def test_a_job_that_has_not_moved_for_a_quarter_of_an_hour_makes_room(
    rescans: Rescans, minutes: float, verdict: str
) -> None:
    first = await rescans.start()
    step = await rescans.claim(first)
    await rescans.age(first, minutes)
    assert (await rescans.try_start()).verdict == verdict
    if verdict == "started":
        job = await rescans.seen(first)
        assert (job.state, job.failure) == ("failed", "stalled")
        assert await rescans.jobs.hold(step) is Hold.OVER
        assert await rescans.jobs.advance(step, finished("m1")) is Advance.OVER


async def test_a_try_of_a_step_is_a_move(rescans: Rescans) -> None:
    job_id = await rescans.start()
    await rescans.age(job_id, 20)
    await rescans.claim(job_id)
    assert (await rescans.try_start()).verdict is StartVerdict.RUNNING


@pytest.mark.parametrize(
    ("state", "verdict"), [("disconnected", "no_mailbox"), ("reconnect_needed", "reconnect_needed")]
)
async def test_what_cannot_be_read_is_not_rescanned(rescans: Rescans, state: str, verdict: str) -> None:
    await rescans.database.sql.execute(
        "update public.mailboxes set state = $2::public.mailbox_state where id = $1", rescans.dana.mailbox_id, state
    )
    assert (await rescans.try_start()).verdict == verdict


async def test_who_has_two_mailboxes_says_which_and_may_rescan_both_at_once(rescans: Rescans) -> None:
    second = await rescans.database.mailboxes.connect(
        user_id=rescans.dana.id,
        email_address=f"second.{rescans.dana.id.hex}@firm.example",
        history_id=1,
        watch_expires_at=None,
        refresh_token_encrypted="encrypted",
    )
    unsaid = await rescans.try_start()
    assert (unsaid.verdict, set(unsaid.mailbox_ids)) == ("several_mailboxes", {rescans.dana.mailbox_id, second})
    for mailbox_id in (rescans.dana.mailbox_id, second):
        started = await rescans.try_start(mailbox_id=mailbox_id)
        assert started.verdict is StartVerdict.STARTED
        assert started.job is not None
        assert started.job.mailbox_id == mailbox_id


async def test_another_users_mailbox_is_as_one_that_does_not_exist(rescans: Rescans, priya: Timekeeper) -> None:
    assert (await rescans.try_start(mailbox_id=priya.mailbox_id)).verdict is StartVerdict.UNKNOWN_MAILBOX
    assert (await rescans.try_start(mailbox_id=uuid4())).verdict is StartVerdict.UNKNOWN_MAILBOX


async def test_a_step_is_one_deliverys_until_its_lease_ends(rescans: Rescans) -> None:
    job_id = await rescans.start()
    dead = await rescans.claim(job_id, seconds=0.2)
    assert await rescans.verdict(job_id) is ClaimVerdict.TAKEN
    assert await rescans.jobs.hold(dead) is Hold.HELD
    async with asyncio.timeout(10):
        while (claim := await rescans.jobs.claim(job_id, 0, uuid4(), 60.0)).step is None:  # noqa: ASYNC110  a lease just ends
            await asyncio.sleep(0.02)
    assert claim.step is not None
    assert await rescans.jobs.hold(dead) is Hold.LOST
    assert await rescans.jobs.hold(claim.step) is Hold.HELD
    assert await rescans.jobs.advance(dead, finished("m1")) is Advance.LOST
    assert await rescans.counts(job_id) == (0, 0, 0, 0)


async def test_of_many_deliveries_at_once_one_gets_the_step(rescans: Rescans) -> None:
    job_id = await rescans.start()
    verdicts = await asyncio.gather(*(rescans.verdict(job_id) for _ in range(8)))
    assert sorted(verdicts) == ["claimed"] + ["taken"] * 7


async def test_a_claim_that_is_repeated_is_the_same_deliverys(rescans: Rescans) -> None:
    job_id, lease = await rescans.start(), uuid4()
    claims = [await rescans.jobs.claim(job_id, 0, lease, 60.0) for _ in range(2)]
    assert [claim.verdict for claim in claims] == [ClaimVerdict.CLAIMED] * 2


async def test_a_step_that_is_given_up_for_now_is_free_at_once(rescans: Rescans) -> None:
    job_id = await rescans.start()
    await rescans.jobs.release(await rescans.claim(job_id))
    assert (await rescans.claim(job_id)).tries == 0


async def test_tries_in_vain_are_counted_once_each_and_for_their_step_alone(rescans: Rescans) -> None:
    job_id = await rescans.start()
    for before in range(3):
        step = await rescans.claim(job_id)
        assert step.tries == before
        for _ in range(2):  # the call itself may be repeated
            await rescans.jobs.release(step, in_vain=True)
    await rescans.jobs.advance(await rescans.claim(job_id), finished(next_page_token="2"))
    assert (await rescans.claim(job_id, 1)).tries == 0


async def test_messages_of_other_steps_have_nothing_to_do(rescans: Rescans) -> None:
    job_id = await rescans.start()
    assert await rescans.verdict(job_id, 1) is ClaimVerdict.AHEAD
    assert await rescans.jobs.advance(await rescans.claim(job_id), finished(next_page_token="2")) is Advance.ADVANCED
    assert await rescans.verdict(job_id) is ClaimVerdict.UNPUBLISHED
    await rescans.jobs.published(job_id, 1)
    assert await rescans.verdict(job_id) is ClaimVerdict.PASSED
    second = await rescans.claim(job_id, 1)
    assert second.page_token == "2"
    assert await rescans.jobs.advance(second, finished()) is Advance.DONE
    assert await rescans.verdict(job_id, 1) is ClaimVerdict.OVER
    assert await rescans.verdict(uuid4()) is ClaimVerdict.UNKNOWN


async def test_a_late_note_of_an_earlier_step_takes_nothing_back(rescans: Rescans) -> None:
    job_id = await rescans.start()
    await rescans.jobs.advance(await rescans.claim(job_id), finished(next_page_token="2"))
    await rescans.jobs.published(job_id, 1)
    await rescans.jobs.published(job_id, 0)
    assert await rescans.verdict(job_id) is ClaimVerdict.PASSED


async def test_each_email_is_counted_once_over_the_steps_of_a_page(rescans: Rescans, entry: MakeEntry) -> None:
    record = rescans.database.analyses.record
    await record(
        rescans.dana.context,
        [
            Analysis("m1", Outcome.ENTRIES, 1, "push-1", entries=[entry(0), entry(40)]),
            Analysis("m2", Outcome.FAILED, 1, "push-1", failure="unreadable"),
            Analysis("m3", Outcome.NONE, 1, "push-1"),
        ],
    )
    job_id = await rescans.start()
    first = await rescans.claim(job_id)
    half = PageWork(("m1", "m2"), 4, is_done=False, next_page_token="2")
    assert await rescans.jobs.advance(first, half) is Advance.ADVANCED
    assert await rescans.counts(job_id) == (4, 2, 1, 2)
    assert await rescans.jobs.advance(first, half) is Advance.ADVANCED, "the call itself may be repeated"
    assert await rescans.counts(job_id) == (4, 2, 1, 2)

    second = await rescans.claim(job_id, 1)
    assert (second.page_token, second.page_done) == (None, ("m1", "m2"))
    await record(rescans.dana.context, [Analysis("m4", Outcome.ENTRIES, 1, "push-1", entries=[entry(0)])])
    await rescans.jobs.advance(second, finished("m1", "m2", "m3", "m4", next_page_token="2"))
    assert await rescans.counts(job_id) == (4, 4, 1, 3)

    third = await rescans.claim(job_id, 2)
    assert (third.page_token, third.page_done) == ("2", ())
    assert await rescans.jobs.advance(third, finished("m5")) is Advance.DONE
    assert await rescans.jobs.advance(third, finished("m5")) is Advance.DONE
    assert await rescans.counts(job_id) == (5, 5, 1, 3)
    assert (await rescans.seen(job_id)).state is RescanState.DONE


async def test_what_another_user_has_on_record_counts_for_nobody_else(
    rescans: Rescans, priya: Timekeeper, entry: MakeEntry
) -> None:
    theirs = Analysis("m1", Outcome.ENTRIES, 1, "push-1", entries=[entry()])
    await rescans.database.analyses.record(priya.context, [theirs])
    job_id = await rescans.start()
    await rescans.jobs.advance(await rescans.claim(job_id), finished("m1"))
    assert await rescans.counts(job_id) == (1, 1, 0, 0)


async def test_a_cancelled_job_goes_no_further(rescans: Rescans) -> None:
    job_id = await rescans.start()
    step = await rescans.claim(job_id)
    cancelled = await rescans.jobs.cancel(rescans.dana.id, job_id)
    assert cancelled is not None
    assert cancelled.state is RescanState.CANCELLED
    assert await rescans.jobs.hold(step) is Hold.OVER
    assert await rescans.jobs.advance(step, finished("m1", next_page_token="2")) is Advance.OVER
    assert await rescans.verdict(job_id) is ClaimVerdict.OVER
    assert await rescans.jobs.cancel(rescans.dana.id, job_id) == cancelled


async def test_what_has_ended_is_not_cancelled(rescans: Rescans) -> None:
    job_id = await rescans.start()
    await rescans.jobs.advance(await rescans.claim(job_id), finished())
    job = await rescans.jobs.cancel(rescans.dana.id, job_id)
    assert job is not None
    assert job == await rescans.seen(job_id)
    assert job.state is RescanState.DONE


async def test_only_who_holds_the_step_can_fail_the_job(rescans: Rescans) -> None:
    job_id = await rescans.start()
    step = await rescans.claim(job_id)
    await rescans.jobs.fail_unbegun(job_id, "publish_failed")
    await rescans.jobs.fail(step.model_copy(update={"lease": uuid4()}), "gmail_refused")
    assert (await rescans.seen(job_id)).state is RescanState.RUNNING
    await rescans.jobs.fail(step, "access_revoked")
    job = await rescans.seen(job_id)
    assert (job.state, job.failure) == ("failed", "access_revoked")


async def test_a_job_that_nobody_has_begun_can_be_failed(rescans: Rescans) -> None:
    job_id = await rescans.start()
    await rescans.jobs.fail_unbegun(job_id, "publish_failed")
    assert (await rescans.seen(job_id)).failure == "publish_failed"


async def test_a_failure_is_a_code_and_no_text(rescans: Rescans) -> None:
    step = await rescans.claim(await rescans.start())
    with pytest.raises(StoreRefused):
        await rescans.jobs.fail(step, "Dear Ray, ...")


async def test_another_users_job_is_not_seen_and_not_cancelled(rescans: Rescans, priya: Timekeeper) -> None:
    job_id = await rescans.start()
    assert await rescans.job(job_id, of=priya) is None
    assert await rescans.jobs.cancel(priya.id, job_id) is None
    assert (await rescans.seen(job_id)).state is RescanState.QUEUED


async def test_a_user_sees_their_own_latest_jobs_the_newest_first(rescans: Rescans, priya: Timekeeper) -> None:
    await rescans.database.sql.execute(
        """insert into public.rescan_jobs (user_id, mailbox_id, range_start, range_end, state, created_at)
           select $1::uuid, $2::uuid, $4::timestamptz, $5::timestamptz, 'done'::public.rescan_state,
             now() - n * interval '1 hour'
           from generate_series(1, 55) n
           union all select $6::uuid, $3::uuid, $4, $5, 'done', now()""",
        *(rescans.dana.id, rescans.dana.mailbox_id, priya.mailbox_id, START, END, priya.id),
    )
    token = rescans.database.keys.user_token(rescans.dana.id, "user@firm.example")
    latest = await rescans.own.latest(Caller(rescans.dana.id, SecretStr(token)))
    assert len(latest) == 50
    assert {job.mailbox_id for job in latest} == {rescans.dana.mailbox_id}
    assert [job.created_at for job in latest] == sorted((job.created_at for job in latest), reverse=True)


@pytest.mark.parametrize("function", sorted(CALLS))
async def test_users_cannot_move_jobs_themselves(rescans: Rescans, function: str) -> None:
    assert (await rescans.dana.rest.post(f"/rpc/{function}", json=CALLS[function])).status_code == 403
    async with rescans.database.rest(apikey=rescans.database.keys.publishable_key) as anonymous:
        assert (await anonymous.post(f"/rpc/{function}", json=CALLS[function])).status_code == 401


@pytest.mark.parametrize(("function", "arguments"), [("rescan_job", "p_job_id"), ("latest_rescans", "p_most")])
async def test_nobody_without_a_token_sees_a_job(database: Database, function: str, arguments: str) -> None:
    given = {arguments: str(uuid4()) if arguments == "p_job_id" else 50}
    async with database.rest(apikey=database.keys.publishable_key) as anonymous:
        assert (await anonymous.post(f"/rpc/{function}", json=given)).status_code == 401


async def test_a_user_cannot_write_a_job_past_the_functions(rescans: Rescans) -> None:
    job_id = await rescans.start()
    changed = await rescans.dana.rest.patch("/rescan_jobs", params={"id": f"eq.{job_id}"}, json={"state": "done"})
    assert changed.status_code == 403
    assert (await rescans.seen(job_id)).state is RescanState.QUEUED
