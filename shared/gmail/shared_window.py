"""Windows of time that processes and machines count together, in Redis or Valkey."""

import asyncio
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import structlog

if TYPE_CHECKING:
    from limits import RateLimitItem
    from limits.aio.strategies import MovingWindowRateLimiter
    from redis.asyncio import Redis
    from redis.asyncio.connection import AbstractConnection

# Redis counts a unit when it is asked for, Gmail when the call arrives: a token is fetched between, a turn waited for.
# Two calls that are a window apart here may arrive closer together by as much as these delays, and the clocks of two
# machines, differ. With a second more than Gmail's minute, none of Gmail's holds more than the units; 60/61 are usable.
WINDOW_SECONDS: Final = 61
# With the way to it, a call that finds Redis gone goes on within 0.3 s.
ANSWER_SECONDS: Final = 0.25
RETRY_SECONDS: Final = 5.0
# Those beyond wait here, so that what is timed is Redis and not our own queue.
ASKED_AT_ONCE: Final = 20
# Drawn by a server when it starts.
_RUN: Final = re.compile(rb"^run_id:(\w+)", re.MULTILINE)

log = structlog.get_logger()


class SharedWindowLost(Exception):
    """Redis is away, hangs or answers nonsense. Never leaves `Quota`, which goes on by itself."""


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `units` in any window. `name`: whose they are, e.g. `user/<mailbox id>`; never an address.

    `each`: what one unit that is asked for counts here, where a call costs more in one window than in another.
    """

    name: str
    units: int
    each: int = 1


class SharedWindow:
    """One for a process, on one event loop. Libraries are loaded, and the connection made, when first asked.

    url: redis:// or rediss://. namespace: whose limits they are. window_seconds: whole seconds, as Redis keeps keys.
    answer_seconds: how long one answer may take. retry_seconds: how long a lost Redis is left alone before one caller
    asks it again.
    """

    def __init__(
        self,
        url: str,
        *,
        namespace: str = "gmail",
        window_seconds: int = WINDOW_SECONDS,
        answer_seconds: float = ANSWER_SECONDS,
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        self.window_seconds = window_seconds
        self._url = url
        self._namespace = namespace
        self._answer_seconds = answer_seconds
        self._retry_seconds = retry_seconds
        self._turns = asyncio.Semaphore(ASKED_AT_ONCE)
        self._lost = False
        self._greeted = False
        self._ask_again_at = 0.0
        self._found_at = float("-inf")
        self._run: bytes | None = None

    async def admit(self, units: int, limits: Sequence[Limit]) -> float:
        """Count the units in all windows and give 0, or give the seconds after which it is worth asking again.

        Raises SharedWindowLost, at the latest after `answer_seconds`.
        """
        async with self._turns:
            was_lost, now = self._lost, asyncio.get_running_loop().time()
            if was_lost and now < self._ask_again_at:
                raise SharedWindowLost
            self._ask_again_at = now + self._retry_seconds  # meanwhile the others go on without
            try:
                seconds = await self._answer(units, limits)
            except Exception as error:  # what any server at that address may do to two libraries has no end
                if not self._lost:
                    log.warning("quota.shared_window_lost", of=self._namespace, kind=type(error).__name__)
                self._lost, self._greeted = True, False
                raise SharedWindowLost from error
            if was_lost:
                self._lost = False
                self._found_at = asyncio.get_running_loop().time()
                log.info("quota.shared_window_found", of=self._namespace)
            return seconds

    @property
    def was_away(self) -> bool:
        """Whether it came back within the window that it counts, or was restarted: it may have forgotten all."""
        return asyncio.get_running_loop().time() - self._found_at < self.window_seconds

    async def aclose(self) -> None:
        """Let go of the connections."""
        if "_redis" in vars(self):
            await self._redis.aclose()

    async def _answer(self, units: int, limits: Sequence[Limit]) -> float:
        limiter, loop = self._limiter, asyncio.get_running_loop()
        begun = loop.time()
        try:
            async with asyncio.timeout(self._answer_seconds):
                return await self._ask(limiter, units, limits)
        except TimeoutError:
            if loop.time() - begun < 2 * self._answer_seconds:
                raise
        # So late, it was this process that was busy, e.g. loading a library; the answer may have been there in time.
        async with asyncio.timeout(self._answer_seconds):
            return await self._ask(limiter, units, limits)

    async def _ask(self, limiter: "MovingWindowRateLimiter", units: int, limits: Sequence[Limit]) -> float:
        """Each window counts on its own, and takes nothing back.

        So those that are counted last are looked at first. Only when another process takes the last units in between
        does an earlier window hold units of a call that isn't made: one call's for each race lost, for one window. That
        errs on the safe side of Gmail's count.
        """
        if not self._greeted:  # something that answers OK to everything would seem to admit everything
            if not await self._redis.ping():
                raise ConnectionError("what answers is no Redis")
            self._greeted = True
        items = [(self._item(limit), limit.name, units * limit.each) for limit in limits]
        for item, name, cost in items[1:]:
            if not await limiter.test(item, name, cost=cost):
                return await self._seconds_until_free(limiter, item, name)
        for item, name, cost in items:
            if not await limiter.hit(item, name, cost=cost):
                return await self._seconds_until_free(limiter, item, name)
        return 0.0

    async def _seconds_until_free(self, limiter: "MovingWindowRateLimiter", item: "RateLimitItem", name: str) -> float:
        """Until the oldest unit leaves the window: none does earlier. A large spend may need to ask several times."""
        oldest_leaves, _ = await limiter.get_window_stats(item, name)
        return min(max(oldest_leaves - time.time(), self.window_seconds / 1000), self.window_seconds / 60)

    async def _met(self, connection: "AbstractConnection") -> None:
        """Greet Redis as the library does, and see if it is the one of before.

        Restarted between two calls it never was away, and has forgotten what was counted.
        """
        from redis.exceptions import ResponseError  # noqa: PLC0415  loaded by whoever makes connections

        await connection.on_connect()
        try:
            await connection.send_command("INFO", "server")
            said = await connection.read_response()
        except ResponseError:  # not everybody may ask
            return
        found = _RUN.search(said if isinstance(said, bytes) else b"")
        if found is None:
            return
        if self._run not in {None, found[1]}:
            self._found_at = asyncio.get_running_loop().time()
            if not self._lost:
                log.info("quota.shared_window_restarted", of=self._namespace)
        self._run = found[1]

    def _item(self, limit: Limit) -> "RateLimitItem":
        from limits import RateLimitItemPerSecond  # noqa: PLC0415  loaded by `_limiter`

        return RateLimitItemPerSecond(limit.units, self.window_seconds, namespace=self._namespace)

    @cached_property
    def _limiter(self) -> "MovingWindowRateLimiter":
        from limits.aio.storage import RedisStorage  # noqa: PLC0415  0.2 s that only those need who share a quota
        from limits.aio.strategies import MovingWindowRateLimiter  # noqa: PLC0415  the same

        # An entry for each unit: 0.13 MB for a user's minute, 24 MB for the whole project's, 0.3 ms a question at most.
        storage = RedisStorage(
            self._url,
            implementation="redispy",
            key_prefix="tenths",
            connection_pool=self._redis.connection_pool,  # type: ignore[arg-type]  # documented, but left out of the annotation
        )
        return MovingWindowRateLimiter(storage)

    @cached_property
    def _redis(self) -> "Redis":
        from redis.asyncio import Redis  # noqa: PLC0415  0.15 s, the same
        from redis.asyncio.retry import Retry  # noqa: PLC0415  the same
        from redis.backoff import NoBackoff  # noqa: PLC0415  the same

        return Redis.from_url(
            self._url,
            redis_connect_func=self._met,
            protocol=2,  # nothing newer is needed, so any server will do
            max_connections=ASKED_AT_ONCE,
            # With a time-out of its own it sends within asyncio.wait_for, which loses a cancellation that comes as the
            # sending ends: ours would then be lost, too.
            socket_timeout=None,
            socket_connect_timeout=self._answer_seconds,
            # Its own retries would take seconds. One covers a connection that was cut while it was idle.
            retry=Retry(NoBackoff(), 1),
        )
