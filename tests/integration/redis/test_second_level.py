"""What processes share of what they have worked out: encrypted, for a while, and no harm when it is gone."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from pydantic import BaseModel, SecretStr, TypeAdapter
from redis.asyncio import Redis
from structlog.testing import capture_logs

from infra.local.ports import free_port
from infra.local.valkey import Valkey
from shared.cache import Cache
from shared.redis_level import RedisLevel
from shared.tokens import TokenVault


class Found(BaseModel):
    words: str
    minutes: int = 0


KIND: TypeAdapter[Found] = TypeAdapter(Found)
SECRET = Found(words="Quillfeather settles at four million", minutes=90)
KEY = ("analysis", "user-1", "m1", 2)


def vault() -> TokenVault:
    return TokenVault(SecretStr(Fernet.generate_key().decode()))


@pytest.fixture(scope="module")
async def valkey(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Valkey]:
    async with Valkey(tmp_path_factory.mktemp("valkey")) as part:
        yield part


@pytest.fixture
async def level(valkey: Valkey) -> AsyncIterator[RedisLevel[Found]]:
    kept = RedisLevel(valkey.url, vault(), KIND, seconds=60)
    yield kept
    await kept.aclose()


async def test_what_one_puts_another_with_the_same_keys_gets(valkey: Valkey) -> None:
    keys = vault()
    one, other = (RedisLevel(valkey.url, keys, KIND, seconds=60) for _ in range(2))
    await one.put(KEY, SECRET)
    assert await other.get(KEY) == SECRET
    assert await other.get((*KEY, "more")) is None
    await one.aclose()
    await other.aclose()


async def test_nothing_of_it_can_be_read_in_redis(valkey: Valkey, level: RedisLevel[Found]) -> None:
    await level.put(("analysis", "dana@whitfieldlaw.example"), SECRET)
    async with Redis.from_url(valkey.url, decode_responses=True) as redis:
        names = [str(name) for name in await redis.keys()]
        held = " ".join([*names, *[str(await redis.get(name)) for name in names]])
    assert names
    for word in ("Quillfeather", "dana", "whitfieldlaw", "minutes"):
        assert word not in held


async def test_under_other_keys_it_is_as_if_there_were_nothing(valkey: Valkey, level: RedisLevel[Found]) -> None:
    await level.put(KEY, SECRET)
    stranger = RedisLevel(valkey.url, vault(), KIND, seconds=60)
    assert await stranger.get(KEY) is None
    await stranger.aclose()


async def test_what_another_version_put_there_is_nothing(valkey: Valkey) -> None:
    keys = vault()
    other: RedisLevel[list[int]] = RedisLevel(valkey.url, keys, TypeAdapter(list[int]), seconds=60)
    await other.put(KEY, [1, 2])
    ours = RedisLevel(valkey.url, keys, KIND, seconds=60)
    assert await ours.get(KEY) is None
    await other.aclose()
    await ours.aclose()


async def test_it_ends_by_itself(valkey: Valkey) -> None:
    kept = RedisLevel(valkey.url, vault(), KIND, seconds=0.05)
    await kept.put(KEY, SECRET)
    async with asyncio.timeout(5):
        while await kept.get(KEY) is not None:  # noqa: ASYNC110  Redis tells nobody that a key has ended
            await asyncio.sleep(0.01)
    await kept.aclose()


async def test_without_redis_each_process_works_for_itself() -> None:
    nowhere = RedisLevel(f"redis://127.0.0.1:{free_port()}/0", vault(), KIND, seconds=60)
    cache: Cache[Found] = Cache("test", most=10, seconds=60, second=nowhere)
    made = 0

    async def make() -> Found:
        nonlocal made
        made += 1
        return SECRET

    with capture_logs() as logs:
        assert [await cache.get(key, make) for key in ("a", "b", "a")] == [SECRET] * 3
    assert made == 2
    assert [line["event"] for line in logs] == ["cache.redis_away", "breaker.opened"]  # it is left alone for a while
    await nowhere.aclose()


async def test_a_redis_that_hangs_holds_nobody_up(tmp_path: Path) -> None:
    async with Valkey(tmp_path) as part:
        level = RedisLevel(part.url, vault(), KIND, seconds=60)
        await level.put(KEY, SECRET)
        os.kill(part.pid, signal.SIGSTOP)
        try:
            async with asyncio.timeout(5):
                assert await level.get(KEY) is None
        finally:
            os.kill(part.pid, signal.SIGCONT)
        await level.aclose()
