from pathlib import Path

from redis.asyncio import Redis

from infra.local.valkey import Valkey


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


async def test_it_speaks_redis_and_only_to_this_machine(redis: Redis, valkey: Valkey) -> None:
    assert valkey.url == f"redis://127.0.0.1:{valkey.port}/0"
    assert await redis.ping()
    assert (await redis.config_get("bind"))["bind"] == "127.0.0.1"


async def test_it_keeps_nothing_on_disk_and_comes_back_empty_on_its_port(tmp_path: Path) -> None:
    async with Valkey(tmp_path) as valkey:
        async with Redis.from_url(valkey.url) as client:
            await client.set("tenths", 1)
        await valkey.kill9()
        assert not await valkey.answers()
        await valkey.start()
        async with Redis.from_url(valkey.url) as client:
            assert await client.get("tenths") is None
            await client.set("tenths", 1)
        await valkey.restart()
        async with Redis.from_url(valkey.url) as client:
            assert await client.get("tenths") is None
    assert files(tmp_path) == {"valkey.log"}
