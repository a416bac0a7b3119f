"""Work that one run does for many callers: pushes come in bursts, and one look at history answers them all."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class SharedRuns(Generic[T]):
    """Callers of one key that come while a run is under way share the next one.

    So every caller gets a run that began after it came, no two runs of a key overlap, and a burst costs two runs.
    """

    def __init__(self) -> None:
        self._next: dict[Hashable, asyncio.Task[T]] = {}
        self._latest: dict[Hashable, asyncio.Task[T]] = {}

    async def join(self, key: Hashable, work: Callable[[], Awaitable[T]]) -> T:
        """Give what the next run of this key gives or raises. A caller that goes away doesn't end it for others."""
        task = self._next.get(key)
        if task is None:
            task = asyncio.create_task(self._run(key, self._latest.get(key), work))
            self._next[key] = self._latest[key] = task
            task.add_done_callback(lambda done: self._forget(key, done))
        return await asyncio.shield(task)

    async def _run(self, key: Hashable, before: "asyncio.Task[T] | None", work: Callable[[], Awaitable[T]]) -> T:
        if before is not None:
            await asyncio.wait([before])
        del self._next[key]  # whoever comes from here on may have news that this run doesn't see
        return await work()

    def _forget(self, key: Hashable, done: "asyncio.Task[T]") -> None:
        if self._latest.get(key) is done:
            del self._latest[key]
        if not done.cancelled():
            done.exception()  # whoever awaited it has it; a run that nobody awaits any more has nobody to tell
