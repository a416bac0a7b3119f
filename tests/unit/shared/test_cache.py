"""What was worked out is worked out once, for those who may have it, while it is good."""

import asyncio
from collections.abc import Hashable
from functools import partial

import pytest

from shared.cache import Cache


class Work:
    """Something to be worked out: it counts how often it was, and can be held."""

    def __init__(self) -> None:
        self.times = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.error: Exception | None = None

    async def __call__(self) -> int | None:
        self.times += 1
        times = self.times
        await self.gate.wait()
        if self.error:
            raise self.error
        return times


def cache(most: int = 10, seconds: float = 60.0) -> Cache[int | None]:
    return Cache("test", most=most, seconds=seconds)


async def test_it_is_made_once_for_each_key() -> None:
    kept, work = cache(), Work()
    assert [await kept.get("a", work), await kept.get("a", work), await kept.get("b", work)] == [1, 1, 2]
    assert (kept.hits, kept.misses) == (1, 2)


async def test_all_who_ask_at_once_wait_for_one() -> None:
    kept, work = cache(), Work()
    work.gate.clear()
    asking = [asyncio.create_task(kept.get("a", work)) for _ in range(5)]
    await asyncio.sleep(0)
    work.gate.set()
    assert await asyncio.gather(*asking) == [1] * 5


async def test_none_is_a_value() -> None:
    kept, times = cache(), 0

    async def nothing() -> None:
        nonlocal times
        times += 1

    assert [await kept.get("a", nothing), await kept.get("a", nothing)] == [None, None]
    assert times == 1


async def test_an_error_is_raised_to_all_who_wait_and_kept_for_nobody() -> None:
    kept, work = cache(), Work()
    work.error = ValueError("no")
    failed = await asyncio.gather(*(kept.get("a", work) for _ in range(3)), return_exceptions=True)
    assert [type(each) for each in failed] == [ValueError] * 3
    work.error = None
    assert await kept.get("a", work) == 2


async def test_one_who_goes_away_does_not_stop_the_others() -> None:
    kept, work = cache(), Work()
    work.gate.clear()
    leaving, staying = (asyncio.create_task(kept.get("a", work)) for _ in range(2))
    await asyncio.sleep(0)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    work.gate.set()
    assert await staying == 1


async def test_what_is_forgotten_while_it_is_made_is_not_kept() -> None:
    kept, work = cache(), Work()
    work.gate.clear()
    early = asyncio.create_task(kept.get("a", work))
    await asyncio.sleep(0)
    kept.forget("a")
    late = asyncio.create_task(kept.get("a", work))
    await asyncio.sleep(0)
    work.gate.set()
    assert (await early, await late) == (1, 2)
    assert await kept.get("a", work) == 2


async def test_the_one_used_longest_ago_goes_first() -> None:
    kept, work = cache(most=2), Work()
    for key in ("a", "b", "a", "c"):
        await kept.get(key, work)
    assert await kept.get("a", work) == 1
    assert await kept.get("b", work) == 4


async def test_it_is_good_for_so_long() -> None:
    kept, work = cache(seconds=0.0), Work()
    assert [await kept.get("a", work), await kept.get("a", work)] == [1, 2]


class Shared:
    """A second level that other processes use, too."""

    def __init__(self, **held: int) -> None:
        self.held: dict[Hashable, int | None] = {}
        self.held.update(held)

    async def get(self, key: Hashable) -> int | None:
        return self.held.get(key)

    async def put(self, key: Hashable, value: int | None) -> None:
        self.held[key] = value


async def test_what_another_process_made_is_taken_and_what_is_made_here_is_given() -> None:
    shared, work = Shared(a=7), Work()
    kept: Cache[int | None] = Cache("test", most=10, seconds=60.0, second=shared)
    assert [await kept.get("a", work), await kept.get("b", work)] == [7, 1]
    assert shared.held == {"a": 7, "b": 1}
    assert (kept.hits, kept.misses) == (1, 1)


def sized(most: int, largest: int | None = None, second: Shared | None = None) -> Cache[int | None]:
    """Each value counts as much as it is."""
    return Cache("test", most=most, seconds=60.0, size=lambda value: value or 0, largest=largest, second=second)


async def given(value: int) -> int:
    return value


async def test_all_values_together_are_no_larger_than_they_may_be() -> None:
    kept = sized(most=100)
    for value in (40, 50, 30):  # the third leaves no room for the first
        await kept.get(value, partial(given, value))
    assert [await kept.peek(value) for value in (40, 50, 30)] == [None, 50, 30]


async def test_one_value_may_take_the_room_of_many() -> None:
    kept = sized(most=100)
    for value in (10, 20, 30, 95):
        await kept.made(value, value)
    assert [await kept.peek(value) for value in (10, 20, 30, 95)] == [None, None, None, 95]


@pytest.mark.parametrize(("value", "is_kept"), [(24, True), (25, True), (26, False), (101, False)])
async def test_what_is_too_large_is_given_and_not_kept_anywhere(value: int, *, is_kept: bool) -> None:
    shared = Shared()
    kept = sized(most=100, largest=25, second=shared)
    await kept.made("small", 5)
    assert await kept.get("asked", partial(given, value)) == value
    await kept.made("told", value)
    assert [await kept.peek(key) for key in ("asked", "told")] == [value if is_kept else None] * 2
    assert ("asked" in shared.held, "told" in shared.held) == (is_kept, is_kept)
    assert await kept.peek("small") == 5


async def test_nothing_is_larger_than_all_may_be_together() -> None:
    kept = sized(most=100, largest=1_000)
    assert await kept.get("a", partial(given, 101)) == 101
    assert await kept.peek("a") is None


async def test_what_is_not_to_be_kept_is_made_anew_by_whoever_asks_next() -> None:
    shared, work = Shared(), Work()
    kept: Cache[int | None] = Cache("test", most=10, seconds=60.0, second=shared)

    def from_the_second_on(value: int | None) -> bool:
        return value is not None and value > 1

    asked = [await kept.get("a", work, keeps=from_the_second_on) for _ in range(3)]
    assert asked == [1, 2, 2]
    assert shared.held == {"a": 2}


async def test_those_who_wait_meanwhile_have_what_is_not_kept() -> None:
    kept, work = cache(), Work()
    work.gate.clear()
    asking = [asyncio.create_task(kept.get("a", work, keeps=lambda _value: False)) for _ in range(3)]
    await asyncio.sleep(0)
    work.gate.set()
    assert await asyncio.gather(*asking) == [1] * 3
    assert await kept.peek("a") is None
