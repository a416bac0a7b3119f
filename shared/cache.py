"""What was worked out a moment ago: least recently used goes first, each for so long, one caller works for all.

    contexts = Cache("contexts", most=1_000, seconds=15.0)
    await contexts.get(user_id, lambda: store.get(user_id))

Keys hold whatever the value depends on: the user, the arguments, the version of the data. A None is a value, too.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, Protocol, TypeVar

from cachetools import TTLCache

from shared import metrics

V = TypeVar("V")


class _Nothing:
    """There is no value: None is one."""


_NOTHING = _Nothing()


class SecondLevel(Protocol[V]):
    """A cache that processes share. It may be away: then it has nothing, and keeps nothing."""

    async def get(self, key: Hashable) -> V | None: ...

    async def put(self, key: Hashable, value: V) -> None: ...


class Cache(Generic[V]):
    """Lives with the process; `second` is looked into where this one has nothing.

    `most` is how much of `size` all values have together: by default each counts one. A value larger than `largest`
    is not kept.
    """

    def __init__(
        self,
        name: str,
        *,
        most: int,
        seconds: float,
        second: SecondLevel[V] | None = None,
        size: Callable[[V], int] = lambda _value: 1,
        largest: int | None = None,
    ) -> None:
        self._name = name
        self._size = size
        self._largest = most if largest is None else min(most, largest)
        self._kept: TTLCache[Hashable, V] = TTLCache(maxsize=most, ttl=seconds, getsizeof=size)
        self._second = second
        self._under_way: dict[Hashable, asyncio.Task[V]] = {}
        self.hits = 0
        self.misses = 0

    async def get(
        self, key: Hashable, make: Callable[[], Awaitable[V]], keeps: Callable[[V], bool] = lambda _value: True
    ) -> V:
        """The value, made if need be: by the first who asks, for all who ask meanwhile. Raises what `make` raises.

        An error is nobody's value: whoever asks next makes it anew, as they do where `keeps` says no. One caller that
        goes away doesn't stop the others'.
        """
        kept = self._kept.get(key, _NOTHING)  # one look: what is there may end between two
        if not isinstance(kept, _Nothing):
            return self._hit(kept)
        task = self._under_way.get(key)
        if task is not None:
            self._count(hit=True)
        else:
            task = asyncio.create_task(self._make(key, make, keeps))
            self._under_way[key] = task
            task.add_done_callback(lambda done: self._forget_task(key, done))
        return await asyncio.shield(task)

    async def peek(self, key: Hashable) -> V | None:
        """The value if there is one. Counts nothing: whoever peeks says `used` or `made` once they know."""
        kept = self._kept.get(key, _NOTHING)
        if not isinstance(kept, _Nothing):
            return kept
        return await self._second.get(key) if self._second else None

    def used(self) -> None:
        """What was peeked at was still good."""
        self._count(hit=True)

    async def made(self, key: Hashable, value: V) -> None:
        """It wasn't there, or no longer good: this is."""
        self._count(hit=False)
        await self._keep(key, value)

    def forget(self, key: Hashable) -> None:
        """Whoever asks from now on gets what is made from now on."""
        self._kept.pop(key, None)
        self._under_way.pop(key, None)

    async def _make(self, key: Hashable, make: Callable[[], Awaitable[V]], keeps: Callable[[V], bool]) -> V:
        kept = await self._second.get(key) if self._second else None
        if kept is not None:
            self._count(hit=True)
            value = kept
        else:
            self._count(hit=False)
            value = await make()
        forgotten = self._under_way.get(key) is not asyncio.current_task()
        if not forgotten and keeps(value):
            await self._keep(key, value, everywhere=kept is None)
        return value

    async def _keep(self, key: Hashable, value: V, *, everywhere: bool = True) -> None:
        if self._size(value) > self._largest:
            return
        self._kept[key] = value
        if self._second and everywhere:
            await self._second.put(key, value)

    def _forget_task(self, key: Hashable, done: "asyncio.Task[V]") -> None:
        if self._under_way.get(key) is done:
            del self._under_way[key]
        if not done.cancelled():
            done.exception()  # whoever awaited it has it

    def _hit(self, value: V) -> V:
        self._count(hit=True)
        return value

    def _count(self, *, hit: bool) -> None:
        self.hits += hit
        self.misses += not hit
        metrics.cache_lookups.add(1, {"cache": self._name, "result": "hit" if hit else "miss"})
