"""A cache's second level in Redis or Valkey: what one process has worked out, the others need not.

Values are clients' confidences: they lie there encrypted, under keys that say nothing. Redis away is no error: there is
nothing in it then.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Hashable
from functools import cached_property
from typing import TYPE_CHECKING, Final, Generic, TypeVar

import structlog
from pydantic import TypeAdapter, ValidationError

from shared.breaker import Breaker
from shared.errors import KeyMissing, TransientError
from shared.tokens import TokenVault

if TYPE_CHECKING:
    from redis.asyncio import Redis

V = TypeVar("V")
T = TypeVar("T")

ANSWER_SECONDS: Final = 0.25
REST_SECONDS: Final = 5.0

log = structlog.get_logger()


class RedisAway(TransientError):
    """Redis failed, hangs or can't be reached. Never leaves this module."""

    code = "redis_away"


class RedisLevel(Generic[V]):
    """Holds values of one kind for so many seconds. Library and connection come with the first question."""

    def __init__(self, url: str, vault: TokenVault, kind: TypeAdapter[V], *, seconds: float) -> None:
        self._url = url
        self._vault = vault
        self._kind = kind
        self._seconds = seconds
        self._breaker = Breaker(
            "redis",
            threshold=1,
            rest_seconds=REST_SECONDS,
            counts=(RedisAway,),
            open_error=lambda rest: RedisAway("left alone", retry_after=rest),
        )

    async def get(self, key: Hashable) -> V | None:
        """The value, None if there is none that can be had and read."""
        try:
            held = await self._breaker.call(lambda: _answer(self._redis.get(_name(key))))
        except RedisAway:
            return None
        if held is None:
            return None
        try:
            return self._kind.validate_json(self._vault.decrypt(held if isinstance(held, str) else held.decode()))
        except (KeyMissing, ValidationError, ValueError):  # of other keys, or of another version of this program
            return None

    async def put(self, key: Hashable, value: V) -> None:
        """Keep the value, if Redis can be reached."""
        held = self._vault.encrypt(self._kind.dump_json(value).decode())
        try:
            await self._breaker.call(
                lambda: _answer(self._redis.set(_name(key), held, px=max(1, round(self._seconds * 1000))))
            )
        except RedisAway:
            return

    async def aclose(self) -> None:
        """Let go of the connection."""
        if "_redis" in vars(self):
            await self._redis.aclose()

    @cached_property
    def _redis(self) -> "Redis":
        from redis.asyncio import Redis  # noqa: PLC0415  0.15 s that only those need who share

        return Redis.from_url(self._url)


async def _answer(asked: Awaitable[T]) -> T:
    """What Redis answers. Raises RedisAway."""
    from redis.exceptions import RedisError  # noqa: PLC0415  loaded by the client

    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await asked
    except (RedisError, OSError, TimeoutError) as error:
        log.warning("cache.redis_away", kind=type(error).__name__)
        raise RedisAway(type(error).__name__) from error


def _name(key: Hashable) -> str:
    return f"tenths:cache:{hashlib.sha256(repr(key).encode()).hexdigest()}"
