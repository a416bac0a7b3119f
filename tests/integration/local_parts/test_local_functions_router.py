"""FUNCTIONS_URL: what a caller sends reaches the function as it was sent, and its answer comes back as it comes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import httpx
import pytest

from infra.local.gateway import Gateway
from infra.local.ports import free_port
from infra.local.tokens import ProjectKeys
from tests.integration.local_parts.wire import Received, Wire

OK = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n"


async def hello(_: Received, writer: asyncio.StreamWriter) -> None:
    writer.write(OK + b"content-length: 5\r\n\r\nhello")


Routed = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture
def routed(tmp_path: Path) -> Routed:
    @asynccontextmanager
    async def routed(function: Wire, name: str = "tools") -> AsyncIterator[httpx.AsyncClient]:
        keys = ProjectKeys.generate("http://127.0.0.1/auth/v1")
        routes = {name: f"http://127.0.0.1:{function.port}"}
        nowhere = f"http://127.0.0.1:{free_port()}"
        gateway = Gateway(tmp_path, keys, rest_url=nowhere, functions=routes)
        async with gateway, httpx.AsyncClient(base_url=gateway.functions_url) as http:
            yield http

    return routed


async def test_a_request_arrives_as_it_was_sent(routed: Routed) -> None:
    async with Wire(hello).running() as tools, routed(tools) as http:
        answer = await http.post(
            "/tools/scan%20me?a=1&b=%2F", content=b"\x00body", headers={"Authorization": "Bearer a.b.c", "X-Own": "1"}
        )
    assert (answer.status_code, answer.text) == (200, "hello")
    (request,) = tools.received
    assert request.lines[0] == b"POST /tools/scan%20me?a=1&b=%2F HTTP/1.1"
    assert request.body == b"\x00body"
    assert b"authorization: Bearer a.b.c" in request.lines
    assert b"x-own: 1" in request.lines


async def test_requests_one_after_another_share_a_connection(routed: Routed) -> None:
    async with Wire(hello).running() as tools, routed(tools) as http:
        for _ in range(5):
            assert (await http.get("/tools")).text == "hello"
    assert len(tools.connections) == 1


async def test_many_at_once_each_get_their_own_answer(routed: Routed) -> None:
    async def echo(request: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(OK + b"content-length: %d\r\n\r\n%b" % (len(request.body), request.body))

    async with Wire(echo).running() as tools, routed(tools) as http:
        answers = await asyncio.gather(*(http.post("/tools", content=f"number {n}") for n in range(60)))
    assert [answer.text for answer in answers] == [f"number {n}" for n in range(60)]


async def test_an_event_is_seen_while_the_next_is_not_yet_sent(routed: Routed) -> None:
    seen = asyncio.Event()

    async def events(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        writer.write(b"9\r\ndata: 1\n\n\r\n")
        await seen.wait()
        writer.write(b"9\r\ndata: 2\n\n\r\n0\r\n\r\n")

    async with (
        Wire(events).running() as chat,
        routed(chat, name="chat") as http,
        http.stream("POST", "/chat", json={}) as answer,
    ):
        chunks = answer.aiter_text()
        assert await anext(chunks) == "data: 1\n\n"
        assert answer.headers["content-type"] == "text/event-stream"
        seen.set()
        assert await anext(chunks) == "data: 2\n\n"
        assert [chunk async for chunk in chunks] == []


async def test_a_caller_who_leaves_takes_the_functions_connection_along(routed: Routed) -> None:
    left = asyncio.Event()

    async def endless(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(OK + b"transfer-encoding: chunked\r\n\r\n1\r\nx\r\n")
        await writer.drain()
        while not left.is_set():
            writer.write(b"1\r\nx\r\n")
            try:
                await writer.drain()
                await asyncio.sleep(0.01)
            except ConnectionError:
                left.set()

    async with Wire(endless).running() as chat, routed(chat, name="chat") as http:
        async with http.stream("GET", "/chat") as answer:
            await anext(answer.aiter_bytes())
        async with asyncio.timeout(10):
            await left.wait()


async def test_large_bodies_go_through_in_both_directions(routed: Routed) -> None:
    large = bytes(range(256)) * 40_000

    async def echo(request: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(OK + b"content-length: %d\r\n\r\n%b" % (len(request.body), request.body))

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(large), 100_000):
            yield large[start : start + 100_000]

    async with Wire(echo).running() as tools, routed(tools) as http:
        assert (await http.post("/tools", content=large)).content == large
        assert (await http.post("/tools", content=pieces())).content == large
    assert [b"content-length" in request.head for request in tools.received] == [True, False]


async def test_a_small_body_in_chunks_arrives_with_its_end(routed: Routed) -> None:
    async with Wire(hello).running() as tools, routed(tools) as http:
        reader, writer = await asyncio.open_connection(http.base_url.host, http.base_url.port)
        for _ in range(2):
            writer.write(b"POST /tools HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n4\r\nwhat\r\n0\r\n\r\n")
            assert (await reader.readuntil(b"hello")).startswith(b"HTTP/1.1 200")
        writer.close()
    assert [request.body for request in tools.received] == [b"what", b"what"]


async def test_head_and_empty_answers_end_where_they_should(routed: Routed) -> None:
    async def answer(request: Received, writer: asyncio.StreamWriter) -> None:
        if request.head.startswith(b"HEAD"):
            writer.write(OK + b"content-length: 5\r\n\r\n")
        else:
            writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")

    async with Wire(answer).running() as tools, routed(tools) as http:
        for _ in range(2):
            head = await http.head("/tools")
            assert (head.status_code, head.headers["content-length"], head.content) == (200, "5", b"")
            assert (await http.get("/tools")).status_code == 204


async def test_an_answer_without_length_ends_with_its_connection(routed: Routed) -> None:
    async def old_style(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(OK + b"connection: close\r\n\r\nall of it")
        writer.close()

    async with Wire(old_style).running() as tools, routed(tools) as http:
        assert (await http.get("/tools")).text == "all of it"


async def test_interim_answers_are_not_taken_for_the_answer(routed: Routed) -> None:
    async def early_hints(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(0.05)  # so that it arrives alone; nothing tells when it has
        writer.write(OK + b"content-length: 2\r\n\r\nok")

    async with Wire(early_hints).running() as tools, routed(tools) as http:
        for _ in range(2):
            answer = await http.get("/tools")
            assert (answer.text, "link" in answer.headers) == ("ok", False)


async def test_half_an_answer_is_not_passed_off_as_a_whole_one(routed: Routed) -> None:
    async def dies(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(OK + b"transfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n")
        await writer.drain()
        writer.close()

    async with Wire(dies).running() as tools, routed(tools) as http:
        with pytest.raises(httpx.RemoteProtocolError):
            await http.get("/tools")


async def test_a_function_that_dies_before_answering_is_a_503_and_not_asked_again(routed: Routed) -> None:
    async def dies(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with Wire(dies).running() as tools, routed(tools) as http:
        answer = await http.post("/tools", content=b"once")
    assert answer.status_code == 503
    assert len(tools.received) == 1


async def test_a_function_that_is_away_is_a_503_until_it_is_back(routed: Routed) -> None:
    tools = Wire(hello)
    async with routed(tools) as http:
        for _ in range(2):
            answer = await http.get("/tools")
            assert (answer.status_code, answer.headers["content-type"]) == (503, "application/json")
            assert f"127.0.0.1:{tools.port}" in answer.json()["message"]
            async with tools.running():
                assert (await http.get("/tools")).text == "hello"


@pytest.mark.parametrize("path", ["/", "/no_such_function", "/toolsx", "//tools"])
async def test_a_function_nobody_knows_is_a_404_in_json(routed: Routed, path: str) -> None:
    async with Wire(hello).running() as tools, routed(tools) as http:
        answer = await http.get(str(http.base_url).rstrip("/") + path)
    assert answer.status_code == 404
    assert "no function" in answer.json()["message"]
    assert tools.received == []
