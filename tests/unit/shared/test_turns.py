"""Calls under way: so many for one mailbox, so many for all, and none lost when somebody goes away."""

import asyncio

import pytest

from shared.gmail.turns import Turns


async def test_a_mailbox_has_so_many_turns_and_no_more() -> None:
    turns = Turns(3, asyncio.Semaphore(10))
    assert await turns.acquire_free(5) == 3
    waiting = asyncio.create_task(turns.acquire())
    await asyncio.sleep(0)
    assert not waiting.done()
    turns.release()
    await waiting


async def test_one_mailbox_leaves_another_its_own() -> None:
    in_all = asyncio.Semaphore(10)
    busy, other = Turns(3, in_all), Turns(3, in_all)
    assert (await busy.acquire_free(5), await other.acquire_free(5)) == (3, 3)


async def test_all_together_have_so_many() -> None:
    in_all = asyncio.Semaphore(4)
    first, second = Turns(3, in_all), Turns(3, in_all)
    assert (await first.acquire_free(5), await second.acquire_free(5)) == (3, 1)
    first.release(3)
    second.release(1)
    assert await second.acquire_free(5) == 3


async def test_whoever_goes_away_while_waiting_takes_no_turn_along() -> None:
    in_all = asyncio.Semaphore(1)
    first, second = Turns(2, in_all), Turns(2, in_all)
    await first.acquire()
    waiting = asyncio.create_task(second.acquire())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    first.release()
    assert await second.acquire_free(2) == 1
    second.release()
    async with first:
        assert in_all.locked()
    assert not in_all.locked()
