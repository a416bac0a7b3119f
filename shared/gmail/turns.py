"""Calls under way at the same time: so many of one mailbox, as Gmail bears it, and so many of all, as memory does."""

import asyncio
from types import TracebackType


class Turns:
    """The turns of one mailbox, each of which is one of `all_turns`, too. Waits in line; `async with` takes one."""

    def __init__(self, own: int, all_turns: asyncio.Semaphore) -> None:
        self._own = asyncio.Semaphore(own)
        self._all = all_turns

    async def acquire(self) -> None:
        """Wait for a turn."""
        await self._own.acquire()
        try:
            await self._all.acquire()
        except BaseException:
            self._own.release()
            raise

    async def acquire_free(self, most: int) -> int:
        """Wait for one turn, as everybody does, and take what else is free, so that none lies idle; gives how many."""
        await self.acquire()
        taken = 1
        while taken < most and not self._own.locked() and not self._all.locked():
            await self.acquire()
            taken += 1
        return taken

    def release(self, turns: int = 1) -> None:
        """Give turns back."""
        for _ in range(turns):
            self._all.release()
            self._own.release()

    async def __aenter__(self) -> None:
        await self.acquire()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
