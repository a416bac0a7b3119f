"""Pushes are lost, repeated, late and out of order; every email is read once all the same."""

import asyncio

import pytest

from tests.e2e.conftest import Running, Timekeeper, until, work


async def test_a_push_that_comes_twice_gives_each_entry_once(running: Running, dana: Timekeeper) -> None:
    await running.fault("push_duplicate", count=3)
    ids = [await dana.mailbox.send(work(minutes)) for minutes in (12, 18, 24)]
    await dana.until_outcomes(*ids)
    assert sorted(row["duration_minutes"] for row in await dana.entries()) == [12, 18, 24]


async def test_a_lost_push_is_made_good_by_the_next_one(running: Running, dana: Timekeeper) -> None:
    await running.fault("push_drop", count=1)
    lost = await dana.mailbox.send(work(12))
    await until(lambda: _pending(running), lambda pending: pending == 0)
    found = await dana.mailbox.send(work(18))
    await dana.until_outcomes(lost, found)
    assert sorted(row["duration_minutes"] for row in await dana.entries()) == [12, 18]


@pytest.mark.parametrize("kind", ["push_delay", "push_reorder"])
async def test_late_and_disordered_pushes_lose_and_repeat_nothing(
    running: Running, dana: Timekeeper, kind: str
) -> None:
    await running.fault(kind, count=4, delay_ms=500)
    ids = []
    for minutes in (6, 12, 18, 24, 30, 36):
        ids.append(await dana.mailbox.send(work(minutes)))
        await asyncio.sleep(0.1)  # each its own push
    await dana.until_outcomes(*ids)
    assert sorted(row["duration_minutes"] for row in await dana.entries()) == [6, 12, 18, 24, 30, 36]


async def test_a_push_that_is_faster_than_the_history_it_announces_is_tried_again(
    running: Running, dana: Timekeeper
) -> None:
    await running.fault("history_lag", delay_ms=1500)
    try:
        sent = await dana.mailbox.send(work())
        assert await dana.until_outcomes(sent) == {sent: "entries"}
    finally:
        await running.fault("history_lag", delay_ms=0)


async def test_a_history_that_gmail_no_longer_has_is_made_good_by_listing_what_was_sent(
    running: Running, dana: Timekeeper
) -> None:
    await running.fault("push_drop", count=2)
    missed = [await dana.mailbox.send(work(minutes)) for minutes in (12, 18)]
    await dana.mailbox.bin(missed[0])  # it was sent all the same
    await until(lambda: _pending(running), lambda pending: pending == 0)
    await running.fault("expire_history", address=dana.user.email)
    last = await dana.mailbox.send(work(24))
    await dana.until_outcomes(*missed, last)
    assert sorted(row["duration_minutes"] for row in await dana.entries()) == [12, 18, 24]
    before = int((await dana.mailbox_row())["history_id"])
    after = await dana.mailbox.send(work(30))
    await dana.until_outcomes(after)
    assert int((await dana.mailbox_row())["history_id"]) > before


async def test_three_hundred_emails_at_once_cost_a_few_looks_at_history(running: Running, dana: Timekeeper) -> None:
    before = await running.calls()
    ids = await asyncio.gather(*(dana.mailbox.send(work(6 + n % 60)) for n in range(300)))
    await dana.until_outcomes(*ids)
    assert len(await dana.entries()) == 300
    after = await running.calls()
    assert after["messages.get"] - before.get("messages.get", 0) == 300
    assert after["history.list"] - before.get("history.list", 0) < 100


async def _pending(running: Running) -> int:
    stats = (await running.stack.http.get(f"{running.stack.gmail_url}/_sim/stats")).json()
    return int(stats["faults_pending"])
