"""A leaky bucket whose burst and leak together never pass its units in any window: a quota that one process keeps."""

import asyncio
from collections.abc import Iterator
from typing import TypeVar

from aiolimiter import AsyncLimiter

Units = TypeVar("Units", int, float)


class Bucket(AsyncLimiter):
    """At most `units` in any `window_seconds`, of which `burst_share` at once and the rest as it leaks.

    A bucket that holds b units and leaks r a second lets b + 60 r through in the fullest minute, so r is what the burst
    leaves over. The small go first: a large spend that waits holds up none that fits.
    """

    def __init__(self, units: float, *, window_seconds: float, burst_share: float) -> None:
        burst = units * burst_share
        self._leak_a_second = (units - burst) / window_seconds
        super().__init__(max_rate=burst, time_period=burst / self._leak_a_second)
        self._gate = asyncio.Lock()

    async def take(self, units: float) -> None:
        """Wait until so many units fit.

        More than the burst is taken in parts, with nobody between them, since the first fits an empty bucket only and
        the gate is shut. It is used in one go at the end, when the first parts have leaked away: so the bucket then
        holds all of it, and is over full until that has leaked, too.
        """
        if units <= self.max_rate and not self._gate.locked():
            await self.acquire(units)
            return
        async with self._gate:
            for part in parts(units, self.max_rate):
                await self.acquire(part)
            self._level += max(units - self.max_rate, 0.0)

    def keep(self, units: float, seconds: float) -> None:
        """Count so many units, taken so many seconds ago, as used now: what leaked of them meanwhile comes back."""
        self._leak()
        self._level += min(units, seconds * self._leak_a_second)

    def pour(self, units: float) -> None:
        """Count units that were spent by other means, as far as they fit."""
        self._leak()
        self._level = max(self._level, min(self._level + units, self.max_rate))


def parts(units: Units, most: Units) -> Iterator[Units]:
    """These units in parts of at most so many."""
    while units > 0:
        part = min(units, most)
        yield part
        units -= part
