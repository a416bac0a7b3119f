"""Calls under way: so many for one mailbox, so many for all, and none lost when somebody goes away."""

import asyncio

import pytest

from shared.gmail.turns import Room, Turns


async def waits(taking: "asyncio.Task[None]") -> bool:
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return not taking.done()


async def test_a_mailbox_has_so_many_turns_and_no_more() -> None:
    turns = Turns(3, Room(10))
    await turns.take(3)
    waiting = asyncio.create_task(turns.take(1))
    assert await waits(waiting)
    turns.give_back(3)
    await waiting


async def test_one_mailbox_leaves_another_its_own() -> None:
    in_all = Room(10)
    busy, other = Turns(3, in_all), Turns(3, in_all)
    await busy.take(3)
    await other.take(3)
    assert in_all.free == 4


async def test_a_batch_waits_for_room_for_all_its_calls_and_holds_nothing_meanwhile() -> None:
    in_all = Room(4)
    first, second = Turns(4, in_all), Turns(4, in_all)
    await first.take(3)
    waiting = asyncio.create_task(second.take(2))
    assert await waits(waiting)
    assert in_all.free == 1
    first.give_back(3)
    await waiting
    assert in_all.free == 2


async def test_nobody_overtakes_who_waits_for_more() -> None:
    room = Room(2)
    await room.take(1)
    large = asyncio.create_task(room.take(2))
    assert await waits(large)
    small = asyncio.create_task(room.take(1))
    assert await waits(small)
    room.give_back(1)
    await large
    assert await waits(small)
    room.give_back(2)
    await small


@pytest.mark.parametrize("late", [False, True])
async def test_whoever_goes_away_while_waiting_takes_no_turn_along(late: bool) -> None:
    in_all = Room(1)
    first, second = Turns(2, in_all), Turns(2, in_all)
    await first.take(1)
    waiting = asyncio.create_task(second.take(1))
    assert await waits(waiting)
    if late:  # it is let in and goes away before it knows
        first.give_back(1)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    if not late:
        first.give_back(1)
    assert in_all.free == 1
    await second.take(1)
    assert in_all.free == 0
    second.give_back(1)
    assert in_all.free == 1


async def test_whoever_goes_away_lets_in_who_needs_less() -> None:
    room = Room(3)
    await room.take(2)
    large, small = asyncio.create_task(room.take(2)), asyncio.create_task(room.take(1))
    assert await waits(large)
    assert await waits(small)
    large.cancel()
    await small
    assert room.free == 0
