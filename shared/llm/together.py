"""The model's limits as all processes count them together, in Redis or Valkey, through its absences."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from shared.gmail.shared_window import Limit, SharedWindow, SharedWindowLost

# What was sent while Redis was away is counted in parts of so much of a window: in few questions, yet none that all
# of a window has to be empty for.
PART_OF_A_WINDOW: Final = 50


@dataclass(frozen=True, slots=True)
class _Uncounted:
    """A call that was sent while Redis was away, at this time of the event loop."""

    at: float
    tokens: int


class Together:
    """Those of one process that have the same shares of the limits: they ask Redis one by one, in their order.

    limits_of: what so many calls, of so many tokens in all, are counted in. requests: how many calls fit in the
    smallest of these windows.
    """

    def __init__(
        self, shared: SharedWindow, limits_of: Callable[[int, int], Sequence[Limit]], *, requests: int
    ) -> None:
        self._shared = shared
        self._limits_of = limits_of
        self._most = max(1, requests // PART_OF_A_WINDOW)
        self._turn = asyncio.Lock()
        self._uncounted: deque[_Uncounted] = deque()

    async def count(self, tokens: int, until: float) -> None:
        """Wait until one call of so many tokens fits, and count it. Raises TimeoutError.

        Where Redis is away nobody waits: the call is counted once Redis is back, before any that comes then. So what
        was away for a moment, or has forgotten all, soon knows again what was sent in this window.
        """
        try:
            async with asyncio.timeout_at(until):
                await self._turn.acquire()
            try:
                await self._catch_up(until)
                await self._admit(1, tokens, until)
            finally:
                self._turn.release()
        except SharedWindowLost:
            self._uncounted.append(_Uncounted(asyncio.get_running_loop().time(), tokens))

    async def _catch_up(self, until: float) -> None:
        """Raises TimeoutError, SharedWindowLost."""
        clock = asyncio.get_running_loop().time
        while self._uncounted:
            if clock() - self._uncounted[0].at >= self._shared.window_seconds:
                self._uncounted.popleft()
                continue
            calls = min(self._most, len(self._uncounted))
            await self._admit(calls, sum(self._uncounted[place].tokens for place in range(calls)), until)
            for _ in range(calls):
                self._uncounted.popleft()

    async def _admit(self, calls: int, tokens: int, until: float) -> None:
        """Raises TimeoutError, SharedWindowLost."""
        clock, limits = asyncio.get_running_loop().time, self._limits_of(calls, tokens)
        while (seconds := await self._shared.admit(1, limits)) > 0:
            left = until - clock()
            if left <= 0:
                raise TimeoutError
            await asyncio.sleep(min(seconds, left))
