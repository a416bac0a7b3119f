from collections.abc import AsyncIterator, Iterator
from types import MappingProxyType
from typing import Any, Protocol

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from infra.local.valkey import Valkey
from shared.errors import OverQuota
from shared.gmail.quota import Quota, QuotaProfile
from shared.gmail.shared_window import SharedWindow

GET = "gmail.users.messages.get"
COST = 5
UNITS = 100


class MakeQuota(Protocol):
    """Makes what one process has of the quota: 20 calls of a user in a window of a minute, unless told otherwise."""

    def __call__(self, *, project: int = ..., url: str | None = None, **window: Any) -> Quota: ...


async def spend(quota: Quota, user: str, *, patience: float = 30, calls: int = 1, background: bool = False) -> None:
    await quota.spend(user, GET, patience_seconds=patience, calls=calls, background=background)


async def spend_all(quota: Quota, user: str, *, background: bool = False, most: int = 1000) -> int:
    """How many calls are let through at once."""
    for calls in range(most):
        try:
            await spend(quota, user, patience=0, background=background)
        except OverQuota:
            return calls
    return most


@pytest.fixture(scope="session")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Valkey]:
    async with Valkey(tmp_path_factory.mktemp("valkey")) as valkey:
        yield valkey


@pytest.fixture
async def valkey(running: Valkey) -> AsyncIterator[Valkey]:
    """Empty, and running again whatever a test did to it."""
    async with Redis.from_url(running.url) as client:
        await client.flushall()
    yield running
    if not running.running:
        await running.start()


@pytest.fixture
async def redis(valkey: Valkey) -> AsyncIterator[Redis]:
    """A client of our own, to see what is there."""
    async with Redis.from_url(valkey.url, decode_responses=True) as client:
        yield client


@pytest.fixture
async def make_quota(valkey: Valkey) -> AsyncIterator[MakeQuota]:
    made: list[Quota] = []

    def make(*, project: int = 100_000, url: str | None = None, **window: Any) -> Quota:
        # This machine may be busy: a test that is not about a lost Redis doesn't lose it.
        quota = Quota(
            QuotaProfile(UNITS, project, MappingProxyType({GET: COST})),
            shared=SharedWindow(url or valkey.url, **{"answer_seconds": 30, **window}),
        )
        made.append(quota)
        return quota

    yield make
    for quota in made:
        await quota.aclose()


class Events:
    """What was logged so far."""

    def __init__(self, lines: list[Any]) -> None:
        self._lines = lines

    @property
    def names(self) -> list[str]:
        return [line["event"] for line in self._lines]


@pytest.fixture
def events() -> Iterator[Events]:
    with capture_logs() as lines:
        yield Events(lines)
