"""Gmail's quota, as data, and keeping within it.

Source: Gmail API usage limits. Projects made since 1 May 2026 have the `2026` profile, older ones `legacy`.
"""

import asyncio
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from aiolimiter import AsyncLimiter
from cachetools import LRUCache

from shared.errors import OverQuota

WINDOW_SECONDS: Final = 60.0
MAILBOXES_KEPT: Final = 10_000


@dataclass(frozen=True, slots=True)
class QuotaProfile:
    """Quota units a minute, and what each method costs.

    `burst_share`: the share of a user's minute that may be spent at once. A leaky bucket that holds b units and
    refills r a second lets b + 60 r through in the fullest minute, so r is what the burst leaves over.
    """

    units_a_user_minute: float
    units_a_project_minute: float
    cost: MappingProxyType[str, int]
    burst_share: float = 0.4


_COSTS_2026: Final = {
    "gmail.users.messages.get": 20,
    "gmail.users.messages.attachments.get": 20,
    "gmail.users.messages.list": 5,
    "gmail.users.history.list": 2,
    "gmail.users.getProfile": 1,
    "gmail.users.watch": 100,
    "gmail.users.stop": 50,
}
_COSTS_LEGACY: Final = {
    **_COSTS_2026,
    "gmail.users.messages.get": 5,
    "gmail.users.messages.attachments.get": 5,
}

PROFILES: Final = MappingProxyType(
    {
        "2026": QuotaProfile(6_000, 1_200_000, MappingProxyType(_COSTS_2026)),
        "legacy": QuotaProfile(15_000, 1_200_000, MappingProxyType(_COSTS_LEGACY)),
        # For stands-in of Gmail that count nothing.
        "unmetered": QuotaProfile(1e9, 1e9, MappingProxyType(_COSTS_2026)),
    }
)


class Quota:
    """Keeps one process within the quota of each user and of the project."""

    def __init__(self, profile: QuotaProfile) -> None:
        self._profile = profile
        self._project = _limiter(profile.units_a_project_minute, profile.burst_share)
        self._users: LRUCache[str, AsyncLimiter] = LRUCache(maxsize=MAILBOXES_KEPT)

    async def spend(self, user: str, method_id: str, *, patience_seconds: float) -> None:
        """Wait until this call fits into the quota. Raises OverQuota when that takes longer than the patience."""
        units = self._profile.cost[method_id]
        limiter = self._users.get(user)
        if limiter is None:
            limiter = self._users[user] = _limiter(self._profile.units_a_user_minute, self._profile.burst_share)
        try:
            async with asyncio.timeout(patience_seconds):
                await limiter.acquire(units)
                await self._project.acquire(units)
        except TimeoutError:
            # Waited for long enough already: the next try is Pub/Sub's.
            raise OverQuota("the mailbox's quota of the minute is used up", retry_after=WINDOW_SECONDS) from None


def _limiter(units_a_minute: float, burst_share: float) -> AsyncLimiter:
    """A bucket whose burst and refill together never pass the units in any window of a minute."""
    burst = units_a_minute * burst_share
    refill_a_second = (units_a_minute - burst) / WINDOW_SECONDS
    return AsyncLimiter(max_rate=burst, time_period=burst / refill_a_second)
