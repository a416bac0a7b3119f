"""Redis is a help, never a need: when it is away, each process keeps its own quota."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest
from redis.asyncio import Redis

from infra.local.ports import free_port
from infra.local.valkey import Valkey
from tests.integration.redis.conftest import Events, MakeQuota, spend, spend_all

LOST, FOUND = "quota.shared_window_lost", "quota.shared_window_found"
SOON, NEVER = 0.02, 3600.0
LOCAL_BURST = 8  # calls: 40 % of a minute's


@contextmanager
def hanging(valkey: Valkey) -> Iterator[None]:
    os.kill(valkey.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(valkey.pid, signal.SIGCONT)


@asynccontextmanager
async def answering(answer: bytes) -> AsyncIterator[str]:
    """The address of a server that answers the same to every command."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while sent := await reader.read(4096):
            writer.write(answer * (b"\r\n" + sent).count(b"\r\n*"))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0"


async def test_calls_go_on_when_valkey_is_killed_and_share_again_when_it_is_back(
    valkey: Valkey, redis: Redis, make_quota: MakeQuota, events: Events
) -> None:
    quota = make_quota(retry_seconds=SOON)
    await spend(quota, "dana")
    await valkey.kill9()
    for number in range(10):
        await spend(quota, f"user {number}", patience=0)
    assert events.names == [LOST]

    await valkey.start()
    async with asyncio.timeout(30):
        while FOUND not in events.names:
            await spend(quota, "somebody else")
    await redis.flushall()
    # For a window it may not know what was spent, so the process that lost it keeps to its own share as well.
    assert await spend_all(quota, "priya", most=12) == LOCAL_BURST
    assert await spend_all(make_quota(), "priya") == 20 - LOCAL_BURST
    assert events.names == [LOST, FOUND]


async def test_a_valkey_that_comes_back_empty_brings_no_second_minute(
    valkey: Valkey, make_quota: MakeQuota, events: Events
) -> None:
    quota = make_quota(retry_seconds=SOON)
    assert await spend_all(quota, "dana") == 20
    await valkey.kill9()
    await spend(quota, "somebody else")
    await valkey.start()
    async with asyncio.timeout(30):
        while FOUND not in events.names:
            await spend(quota, "somebody else")
    assert await spend_all(quota, "dana") == 0


async def test_a_valkey_that_was_restarted_between_two_calls_brings_no_second_minute(
    valkey: Valkey, make_quota: MakeQuota, events: Events
) -> None:
    quota = make_quota()
    assert await spend_all(quota, "dana") == 20
    await valkey.kill9()
    await valkey.start()
    assert await spend_all(quota, "dana") == 0
    assert events.names == ["quota.shared_window_restarted"]
    # The same server on another connection is no other.
    assert await spend_all(quota, "priya", most=12) == LOCAL_BURST
    assert events.names == ["quota.shared_window_restarted"]


async def test_each_outage_is_logged_once(valkey: Valkey, make_quota: MakeQuota, events: Events) -> None:
    quota = make_quota(retry_seconds=SOON)
    for outage in range(3):
        await valkey.kill9()
        await asyncio.gather(*(spend(quota, f"user {outage} {number}") for number in range(50)))
        await valkey.start()
        async with asyncio.timeout(30):
            while events.names.count(FOUND) <= outage:
                await spend(quota, "somebody else")
    assert events.names == [LOST, FOUND] * 3


async def test_those_who_wait_go_on_when_valkey_is_killed(
    valkey: Valkey, make_quota: MakeQuota, events: Events
) -> None:
    quota, other = make_quota(retry_seconds=NEVER), make_quota()
    assert await spend_all(other, "dana") == 20
    waiting = [asyncio.create_task(spend(quota, "dana")) for _ in range(LOCAL_BURST)]
    await asyncio.sleep(0)
    await valkey.kill9()
    async with asyncio.timeout(10):
        await asyncio.gather(*waiting)
    assert events.names == [LOST]


async def test_a_valkey_that_hangs_is_not_waited_for(valkey: Valkey, make_quota: MakeQuota, events: Events) -> None:
    quota = make_quota(answer_seconds=0.25, retry_seconds=NEVER)
    await spend(quota, "dana")
    with hanging(valkey):
        async with asyncio.timeout(5):
            await asyncio.gather(*(spend(quota, f"user {number}", patience=0) for number in range(100)))
    assert events.names == [LOST]


async def test_a_valkey_that_hung_is_found_again(valkey: Valkey, make_quota: MakeQuota, events: Events) -> None:
    quota = make_quota(answer_seconds=0.25, retry_seconds=SOON)
    with hanging(valkey):
        async with asyncio.timeout(10):
            for number in range(5):
                await spend(quota, f"user {number}")
    async with asyncio.timeout(30):
        while FOUND not in events.names:
            await spend(quota, "somebody else")
    assert events.names == [LOST, FOUND]


async def test_a_lost_valkey_is_left_alone_for_a_while(valkey: Valkey, redis: Redis, make_quota: MakeQuota) -> None:
    quota = make_quota(retry_seconds=NEVER)
    await valkey.kill9()
    await spend(quota, "dana")
    await valkey.start()
    await spend(quota, "dana")
    assert await redis.dbsize() == 0


async def test_a_lost_valkey_is_asked_again_by_one_caller_while_the_others_go_on(make_quota: MakeQuota) -> None:
    asked = 0

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        await reader.read()
        writer.close()

    async with await asyncio.start_server(say_nothing, "127.0.0.1", 0) as server:
        url = f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0"
        quota = make_quota(url=url, answer_seconds=0.25, retry_seconds=1.0)
        await spend(quota, "dana")
        assert asked == 1
        async with asyncio.timeout(30):
            while asked == 1:
                await asyncio.gather(*(spend(quota, f"user {number}") for number in range(100)))
        await quota.aclose()
    assert asked == 2


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n",
        b"+OK\r\n",
        b":1\r\n",
        b"-ERR unknown command\r\n",
        b"-READONLY You can't write against a read only replica.\r\n",
        b"$5\r\nhello\r\n",
        b"*2\r\n$3\r\nold\r\n$3\r\nnew\r\n",
        b"\x00\xff\xfe\r\n",
        b"",
    ],
    ids=["http", "ok", "number", "error", "read-only", "text", "words", "bytes", "nothing"],
)
async def test_an_answer_that_makes_no_sense_is_no_answer(make_quota: MakeQuota, events: Events, answer: bytes) -> None:
    async with answering(answer) as url:
        quota = make_quota(url=url, answer_seconds=0.25)
        assert await spend_all(quota, "dana") == LOCAL_BURST
        assert await spend_all(quota, "priya") == LOCAL_BURST
        await quota.aclose()
    assert events.names == [LOST]


@pytest.mark.parametrize("url", [f"redis://127.0.0.1:{free_port()}/0", "redis://nowhere.invalid/0", "no address"])
async def test_an_address_where_nobody_is_costs_nothing(make_quota: MakeQuota, events: Events, url: str) -> None:
    assert await spend_all(make_quota(url=url, answer_seconds=0.25), "dana") == LOCAL_BURST
    assert events.names == [LOST]


async def test_an_outage_brings_no_second_burst(valkey: Valkey, make_quota: MakeQuota) -> None:
    quota = make_quota(retry_seconds=NEVER)
    assert await spend_all(quota, "dana") == 20
    await valkey.kill9()
    assert await spend_all(quota, "dana") == 0
    assert await spend_all(quota, "priya") == LOCAL_BURST


async def test_background_calls_keep_their_share_without_valkey(valkey: Valkey, make_quota: MakeQuota) -> None:
    quota = make_quota(retry_seconds=NEVER)
    await valkey.kill9()
    assert await spend_all(quota, "dana", background=True) == 4
    assert await spend_all(quota, "dana") == LOCAL_BURST - 4


async def test_a_process_that_was_busy_itself_does_not_take_valkey_for_lost(
    make_quota: MakeQuota, events: Events
) -> None:
    quota = make_quota(answer_seconds=0.25)
    await spend(quota, "dana")
    call = asyncio.create_task(spend(quota, "dana"))
    await asyncio.sleep(0)
    time.sleep(0.6)  # noqa: ASYNC251  as loading a large library does
    await call
    assert events.names == []
