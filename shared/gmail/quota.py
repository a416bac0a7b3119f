"""Gmail's quota, as data, and keeping within it.

Source: Gmail API usage limits. Projects made since 1 May 2026 have the `2026` profile, older ones `legacy`.
"""

import asyncio
import contextlib
import time
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from cachetools import LRUCache

from shared import metrics
from shared.errors import OverQuota
from shared.gmail.bucket import Bucket, parts
from shared.gmail.shared_window import Limit, SharedWindow, SharedWindowLost
from shared.used_share import Fullest, Minute

WINDOW_SECONDS: Final = 60.0
MAILBOXES_KEPT: Final = 10_000
# What scans of the past may use of a user's minute: the rest is for mail that is being sent.
BACKGROUND_SHARE: Final = 0.6
# Redis holds an entry for each unit. A profile beyond this is for stand-ins, with nothing to share.
MOST_UNITS_SHARED: Final = 10_000_000


@dataclass(frozen=True, slots=True)
class QuotaProfile:
    """Quota units a minute, and what each method costs.

    `burst_share`: the share of a minute that one process may spend at once when it keeps the quota by itself.
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
    "gmail.users.labels.list": 1,
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


@dataclass(frozen=True, slots=True)
class _Mailbox:
    """One user's part. Live calls and background ones queue apart, so that the first of one hold up none of the other.

    `limits`: what Redis counts a call in, live and in the background; the buckets are the same within this process.
    """

    bucket: Bucket
    background_bucket: Bucket
    limits: tuple[Limit, ...]
    background_limits: tuple[Limit, ...]
    minute: Minute
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    background_turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class Quota:
    """Keeps within the quota of each user and of the project: this process alone, or with `shared` all of them.

    Background calls, scans of the past, use at most `background_share` of a user's minute; what they leave is for live
    ones. Redis away is no reason to wait or to fail: each process then keeps its own quota. Its buckets are poured into
    while Redis decides, though they never decide themselves: they would let only a share of the minute through, but
    empty ones would add their burst to a minute that is used up already.
    """

    def __init__(
        self,
        profile: QuotaProfile,
        *,
        shared: SharedWindow | None = None,
        background_share: float = BACKGROUND_SHARE,
        window_seconds: float = WINDOW_SECONDS,
    ) -> None:
        self._profile = profile
        self._shared = shared
        self._is_shared = shared is not None and profile.units_a_project_minute <= MOST_UNITS_SHARED
        self._background_share = background_share
        self._window_seconds = window_seconds
        self._project = self._bucket(profile.units_a_project_minute)
        self._background = self._bucket(profile.units_a_project_minute * background_share)
        self._users: LRUCache[str, _Mailbox] = LRUCache(maxsize=MAILBOXES_KEPT)
        self._minute = Minute(window_seconds)
        self._fullest = Fullest(window_seconds)
        self._fullest_mailbox = Fullest(window_seconds)
        metrics.gmail_used_share.of(self._used_shares)

    async def spend(
        self, user: str, method_id: str, *, patience_seconds: float, calls: int = 1, background: bool = False
    ) -> None:
        """Wait until these calls fit into the quota. Raises OverQuota when that takes longer than the patience.

        user: a mailbox id. calls: of this method, in one batch. Calls that cost more than a minute holds wait for
        several, though sent at once they still are too many for Gmail.
        """
        deadline = asyncio.get_running_loop().time() + patience_seconds
        try:
            with metrics.timed(metrics.gmail_waits, _priority(background)) as wait:
                await self._spend(user, method_id, calls, deadline, background)
                wait.name = "granted"
        except TimeoutError:
            # Waited for long enough already: the next try is Pub/Sub's.
            raise OverQuota("the mailbox's quota of the minute is used up", retry_after=WINDOW_SECONDS) from None

    async def spend_at_once(self, user: str, method_id: str, *, calls: int = 1, background: bool = False) -> bool:
        """Spend on these calls as `spend` does, if they fit right now. False: they don't, and may have been counted."""
        try:
            await self._spend(user, method_id, calls, asyncio.get_running_loop().time(), background)
        except TimeoutError:
            return False
        return True

    async def aclose(self) -> None:
        """Let go of the connections to Redis."""
        if self._shared is not None:
            await self._shared.aclose()

    def _used_shares(self) -> dict[str, float]:
        """Of what this process spent; what others did with the same mailbox, Redis knows at most."""
        return {"mailbox": self._fullest_mailbox.share, "project": self._fullest.share}

    async def _spend(self, user: str, method_id: str, calls: int, deadline: float, background: bool) -> None:
        """Raises TimeoutError at the deadline."""
        mailbox, units = self._mailbox(user), self._profile.cost[method_id] * calls
        await self._admit(mailbox, units, deadline, background)
        metrics.gmail_units.add(units, {"method": method_id, **_priority(background)})
        now = time.monotonic()
        self._fullest.saw(self._minute.add(units, now) / self._profile.units_a_project_minute, now)
        self._fullest_mailbox.saw(mailbox.minute.add(units, now) / self._profile.units_a_user_minute, now)

    async def _admit(self, mailbox: _Mailbox, units: int, deadline: float, background: bool) -> None:
        """Raises TimeoutError at the deadline."""
        with contextlib.suppress(SharedWindowLost):
            if self._shared is not None and self._is_shared:
                await self._spend_together(self._shared, mailbox, units, deadline, background)
                return
        await self._spend_alone(self._buckets(mailbox, background), units, deadline)

    async def _spend_together(
        self, shared: SharedWindow, mailbox: _Mailbox, units: int, deadline: float, background: bool
    ) -> None:
        """Raises TimeoutError at the deadline, SharedWindowLost."""
        clock = asyncio.get_running_loop().time
        buckets = self._buckets(mailbox, background)
        both = shared.was_away
        if both:
            # It doesn't know what was spent meanwhile, and may have forgotten all: for a minute both decide.
            await self._spend_alone(buckets, units, deadline)
        limits = mailbox.background_limits if background else mailbox.limits
        turn = mailbox.background_turn if background else mailbox.turn
        async with asyncio.timeout_at(deadline):
            await turn.acquire()
        try:
            for part in parts(units, min(limit.units for limit in limits)):
                while (seconds := await shared.admit(part, limits)) > 0:
                    left = deadline - clock()
                    if left <= 0:
                        raise TimeoutError
                    await asyncio.sleep(min(seconds, left))
        finally:
            turn.release()
        if both:
            return
        if shared.was_away:  # found out meanwhile
            await self._spend_alone(buckets, units, deadline)
            return
        for bucket in buckets:
            bucket.pour(units)

    async def _spend_alone(self, buckets: tuple[Bucket, ...], units: int, deadline: float) -> None:
        """Raises TimeoutError at the deadline."""
        clock = asyncio.get_running_loop().time
        taken: list[tuple[Bucket, float]] = []
        async with asyncio.timeout_at(deadline):
            for bucket in buckets:
                await bucket.take(units)
                taken.append((bucket, clock()))
        for bucket, at in taken:
            bucket.keep(units, clock() - at)

    def _mailbox(self, user: str) -> _Mailbox:
        mailbox = self._users.get(user)
        if mailbox is None:
            units = self._profile.units_a_user_minute
            background_units = units * self._background_share
            limits = (
                Limit(f"user/{user}", int(units)),
                Limit("project", int(self._profile.units_a_project_minute)),
            )
            mailbox = self._users[user] = _Mailbox(
                self._bucket(units),
                self._bucket(background_units),
                limits,
                (
                    Limit(f"background/{user}", int(background_units)),
                    Limit("background", int(self._profile.units_a_project_minute * self._background_share)),
                    *limits,
                ),
                Minute(self._window_seconds),
            )
        return mailbox

    def _buckets(self, mailbox: _Mailbox, background: bool) -> tuple[Bucket, ...]:
        if background:
            return (mailbox.background_bucket, self._background, mailbox.bucket, self._project)
        return (mailbox.bucket, self._project)

    def _bucket(self, units: float) -> Bucket:
        return Bucket(units, window_seconds=self._window_seconds, burst_share=self._profile.burst_share)


def _priority(background: bool) -> dict[str, str]:
    return {"priority": "background" if background else "live"}
