"""What a person and a machine write to the same rows at the same moment: both come through, and neither's is lost.

Each test stops the first of two writers in the middle of its statement, with locks in its hands, and lets the second
run into it. A deadlock then ends one of the two with an error. The store's own client would hide that by trying again:
so whatever could meet one is asked for by plain requests.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from shared.store.analyses import Analysis, Outcome, _analysis_row
from shared.store.rescans import Advance, ClaimVerdict, PageWork, RescanState, RescanStep, RescanStore
from tests.integration.store.conftest import Database, MakeEntry, Timekeeper

MONDAY = datetime(2026, 8, 31, tzinfo=UTC)
EMAILS = [f"m{n:02}" for n in range(24)]
A = TypeVar("A")
B = TypeVar("B")
# Any number that no lock of the project's has.
GATE = 4_242


@dataclass(frozen=True)
class Gate:
    """What holds the first writer: a lock of this test's, which a trigger asks for."""

    keeper: "asyncpg.Connection[asyncpg.Record]"

    async def both(self, first: Awaitable[A], second: Awaitable[B]) -> tuple[A, B]:
        """Let the first run into the gate and the second into the first, then open the gate; what came of both."""
        one = asyncio.ensure_future(first)
        await self._until_waiting(1, one)
        assert not one.done(), "nobody was held at the gate"
        other = asyncio.ensure_future(second)
        await self._until_waiting(2, other)
        await self.keeper.execute("select pg_advisory_unlock($1)", GATE)
        return await asyncio.gather(one, other)

    async def _until_waiting(self, number: int, last: "asyncio.Future[Any]") -> None:
        async with asyncio.timeout(30):
            while await self._waiting() < number and not last.done():  # noqa: ASYNC110  Postgres tells only who asks
                await asyncio.sleep(0.01)

    async def _waiting(self) -> int:
        count = "select count(distinct pid) from pg_locks where not granted"
        return int(await self.keeper.fetchval(count))


@asynccontextmanager
async def gate(database: Database, before: str, table: str) -> AsyncIterator[Gate]:
    """Stop whoever next does this (`insert`, `update`, `delete`) to the table, at its first row, once it is locked."""
    await database.sql.execute(
        f"""create or replace function private.wait_at_the_gate() returns trigger language plpgsql as $$
            begin
              perform pg_advisory_xact_lock({GATE});
              return case when tg_op = 'DELETE' then old else new end;
            end $$;
            grant execute on function private.wait_at_the_gate to public;
            create trigger a_gate before {before} on public.{table}
              for each row execute function private.wait_at_the_gate()"""
    )
    keeper = await asyncpg.connect(database.postgres.url)
    try:
        await keeper.execute("select pg_advisory_lock($1)", GATE)
        yield Gate(keeper)
    finally:
        await keeper.close()
        await database.sql.execute(f"drop trigger a_gate on public.{table}; drop function private.wait_at_the_gate()")


@dataclass(frozen=True)
class Reading:
    """Dana's emails, as machines read them."""

    database: Database
    dana: Timekeeper
    entry: MakeEntry
    machine: httpx.AsyncClient

    async def record(self, version: int, matter_id: UUID | None = None) -> httpx.Response:
        """One entry in each email, as an analyser of this version reads it."""
        rows = [
            _analysis_row(
                self.dana.context,
                Analysis(
                    email_id,
                    Outcome.ENTRIES,
                    version,
                    "rescan-1",
                    sent_at=MONDAY,
                    entries=[self.entry(0, matter_id=matter_id)],
                ),
            )
            for email_id in EMAILS
        ]
        arguments = {"p_user_id": str(self.dana.id), "p_analyses": rows}
        return await self.machine.post("/rpc/record_analysis", json=arguments)

    async def ids(self) -> list[str]:
        return [row["id"] for row in await self.dana.entries()]

    async def approve(self, ids: Sequence[str]) -> httpx.Response:
        return await self.dana.rest.post("/rpc/set_entry_status", json={"p_entry_ids": ids, "p_status": "approved"})

    async def known(self) -> list[tuple[str, str, int]]:
        """Of each entry its email, its status and the version that read it."""
        return [(row["email_id"], row["status"], row["analyser_version"]) for row in await self.dana.entries()]

    async def add_matter(self) -> UUID:
        answer = await self.dana.rest.post("/matters", json={"user_id": str(self.dana.id), "client": "Ortiz"})
        return UUID(answer.json()[0]["id"])

    async def remove_matter(self, matter_id: UUID) -> httpx.Response:
        return await self.dana.rest.delete("/matters", params={"id": f"eq.{matter_id}"})


@pytest.fixture
async def reading(database: Database, dana: Timekeeper, entry: MakeEntry) -> AsyncIterator[Reading]:
    dana.rest.timeout = httpx.Timeout(60)
    async with database.rest(apikey=database.keys.secret_key) as machine:
        machine.timeout = httpx.Timeout(60)
        yield Reading(database, dana, entry, machine)


def statuses(answers: Sequence[httpx.Response]) -> list[int]:
    return [answer.status_code for answer in answers]


async def test_approving_entries_while_their_emails_are_read_anew_fails_neither(reading: Reading) -> None:
    await reading.record(1)
    ids = await reading.ids()
    async with gate(reading.database, "delete", "time_tracking_entries") as at:
        answers = await at.both(reading.record(2), reading.approve(ids))
    assert statuses(answers) == [200, 200], [answer.text[:200] for answer in answers]
    assert answers[1].json() == [], "what was replaced meanwhile is not said to be approved"
    assert await reading.known() == [(email_id, "draft", 2) for email_id in EMAILS]


async def test_reading_emails_anew_while_their_entries_are_approved_takes_no_approval_back(reading: Reading) -> None:
    await reading.record(1)
    ids = await reading.ids()
    async with gate(reading.database, "update", "time_tracking_entries") as at:
        answers = await at.both(reading.approve(ids), reading.record(2))
    assert statuses(answers) == [200, 200], [answer.text[:200] for answer in answers]
    assert [row["id"] for row in answers[0].json()] == ids
    assert await reading.known() == [(email_id, "approved", 1) for email_id in EMAILS]
    assert await reading.ids() == ids


async def test_removing_a_matter_while_its_emails_are_read_anew_fails_neither_and_keeps_the_entries(
    reading: Reading,
) -> None:
    matter_id = await reading.add_matter()
    await reading.record(1, matter_id)
    async with gate(reading.database, "insert", "time_tracking_entries") as at:
        answers = await at.both(reading.record(2, matter_id), reading.remove_matter(matter_id))
    assert statuses(answers) == [200, 200], [answer.text[:200] for answer in answers]
    await _kept_without_matter(reading)


async def test_reading_emails_anew_while_their_matter_is_removed_fails_neither_and_keeps_the_entries(
    reading: Reading,
) -> None:
    matter_id = await reading.add_matter()
    await reading.record(1, matter_id)
    async with gate(reading.database, "delete", "matters") as at:
        answers = await at.both(reading.remove_matter(matter_id), reading.record(2, matter_id))
    assert statuses(answers) == [200, 200], [answer.text[:200] for answer in answers]
    await _kept_without_matter(reading)


async def _kept_without_matter(reading: Reading) -> None:
    assert await reading.known() == [(email_id, "draft", 2) for email_id in EMAILS]
    entries = await reading.dana.entries()
    assert {(row["matter_id"], row["client_matter"]) for row in entries} == {(None, "Ortiz")}


async def _claimed(jobs: RescanStore, dana: Timekeeper) -> RescanStep:
    started = await jobs.start(
        uuid4(),
        dana.id,
        mailbox_id=None,
        start=MONDAY,
        end=MONDAY + timedelta(days=1),
        query_filter=None,
        use_cache=True,
    )
    assert started.job is not None
    claim = await jobs.claim(started.job.id, 0, uuid4(), 60.0)
    assert claim.verdict is ClaimVerdict.CLAIMED
    assert claim.step is not None
    return claim.step


LAST_PAGE = PageWork((), 0, is_done=True, next_page_token=None)


async def test_a_step_that_ends_while_its_job_is_cancelled_does_not_make_it_done(
    database: Database, dana: Timekeeper
) -> None:
    jobs = RescanStore(database.client)
    step = await _claimed(jobs, dana)
    async with gate(database, "update", "rescan_jobs") as at:
        cancelled, advance = await at.both(jobs.cancel(dana.id, step.id), jobs.advance(step, LAST_PAGE))
    assert cancelled is not None
    assert (cancelled.state, advance) == (RescanState.CANCELLED, Advance.OVER)
    assert await database.sql.fetchval("select state from public.rescan_jobs where id = $1", step.id) == "cancelled"


async def test_a_job_that_ends_while_it_is_being_cancelled_is_told_to_be_done(
    database: Database, dana: Timekeeper
) -> None:
    jobs = RescanStore(database.client)
    step = await _claimed(jobs, dana)
    async with gate(database, "update", "rescan_jobs") as at:
        advance, cancelled = await at.both(jobs.advance(step, LAST_PAGE), jobs.cancel(dana.id, step.id))
    assert cancelled is not None
    assert (advance, cancelled.state) == (Advance.DONE, RescanState.DONE)
    assert await database.sql.fetchval("select state from public.rescan_jobs where id = $1", step.id) == "done"
