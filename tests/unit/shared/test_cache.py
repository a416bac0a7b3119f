"""What was worked out is worked out once, for those who may have it, while it is good."""

import asyncio
from collections.abc import Hashable

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
