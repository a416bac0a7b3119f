"""Whether what a function depends on answers right now. For operators: it names parts, and tells nothing of them."""

import asyncio
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import httpx
import structlog

from shared.breaker import open_breakers
from shared.settings import Settings
from shared.store.client import StoreClient

PUBSUB: Final = "pubsub.googleapis.com:443"
# No mailbox has this id: the database is asked for nobody's data.
NOBODY: Final = UUID(int=0)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Found:
    """`answers`: by part, `ok` or `unreachable`. `breakers`: those of this process that are open."""

    answers: Mapping[str, str]
    breakers: tuple[str, ...]

    @property
    def works(self) -> bool:
        return all(answer == "ok" for part, answer in self.answers.items() if part != "redis")

    @property
    def is_whole(self) -> bool:
        return not self.breakers and all(answer == "ok" for answer in self.answers.values())


async def look(settings: Settings, *, within_seconds: float) -> Found:
    """Ask each part once, all at the same time, on connections of their own: a stuck pool would answer for itself."""
    parts: dict[str, Awaitable[None]] = {"database": _database(settings)}
    if "gcp_project" in type(settings).model_fields:
        parts["pubsub"] = _pubsub(getattr(settings, "pubsub_emulator_host", None) or PUBSUB, settings)
    if settings.redis_url is not None:
        parts["redis"] = _redis(str(settings.redis_url))

    async def asked(name: str, part: Awaitable[None]) -> str:
        try:
            async with asyncio.timeout(within_seconds):
                await part
        except Exception as error:  # noqa: BLE001  whatever it is, it doesn't answer as it should
            log.warning("health.unreachable", part=name, error=type(error).__name__)
            return "unreachable"
        return "ok"

    answers = await asyncio.gather(*(asked(name, part) for name, part in parts.items()))
    return Found(dict(zip(parts, answers, strict=True)), tuple(sorted(open_breakers())))


async def _database(settings: Settings) -> None:
    async with httpx.AsyncClient() as http:
        store = StoreClient(http, str(settings.supabase_url), settings.supabase_secret_key)
        await store.call("analysis_context", {"p_mailbox_id": str(NOBODY), "p_email_id": ""})


async def _pubsub(host: str, settings: Settings) -> None:
    """Whether its front end can be reached. Not whether we may publish: that shows in the first delivery."""
    import grpc  # noqa: PLC0415  only where messages are published

    emulated = getattr(settings, "pubsub_emulator_host", None) is not None
    channel = (
        grpc.aio.insecure_channel(host) if emulated else grpc.aio.secure_channel(host, grpc.ssl_channel_credentials())
    )
    try:
        await channel.channel_ready()
    finally:
        await channel.close()


async def _redis(url: str) -> None:
    from redis.asyncio import Redis  # noqa: PLC0415  0.15 s that only those need who have one

    redis: Any = Redis.from_url(url, protocol=2)
    try:
        await redis.ping()
    finally:
        await redis.aclose()
