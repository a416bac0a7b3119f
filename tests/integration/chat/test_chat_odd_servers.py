"""Servers that speak chat completions each in its own way, byte for byte."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pydantic import SecretStr

from shared.errors import ModelError, ModelUnavailable, ModelUnusable
from shared.llm.client import ModelApi
from shared.llm.streaming import Bounds, CallPiece, ChatModel, Delta, TextPiece

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
DONE = b"data: [DONE]\n\n"


def event(data: Any) -> bytes:
    return b"data: " + json.dumps(data).encode() + b"\n\n"


def chunk(finish: str | None = None, **delta: Any) -> bytes:
    return event({"choices": [{"delta": delta, "finish_reason": finish}]})


HELLO = chunk(content="Hello.")
STOP = chunk("stop")


@asynccontextmanager
async def serving(*sent: bytes, hang: bool = False, drip: bytes = b"") -> AsyncIterator[ChatModel]:
    """A model whose server answers each request with these bytes, then closes, hangs, or drips."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.writelines([HEAD, *sent])
        try:
            while drip:
                writer.write(drip)
                await writer.drain()
                await asyncio.sleep(0.02)  # the server's own pace
            if hang:
                await reader.read(-1)
        except ConnectionError:
            return
        finally:
            writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        model = ChatModel(ModelApi(SecretStr("sk-x"), f"http://127.0.0.1:{port}/v1", "some-model"))
        yield model
        await model.close()


async def read(model: ChatModel) -> list[Delta]:
    bounds = Bounds(output_tokens=500, silence_seconds=0.5, deadline_seconds=30)
    messages = [{"role": "user", "content": "Hello"}]
    async with asyncio.timeout(20):
        return [piece async for piece in model.stream(messages, tools=[], tool_choice="auto", bounds=bounds)]


@pytest.mark.parametrize(
    "sent",
    [
        [HELLO, STOP, DONE],
        [HELLO, STOP],
        [b": wait\n\n", HELLO, STOP, DONE],
        [event({"choices": []}), event({"choices": None}), HELLO, STOP, event({"choices": [], "usage": None}), DONE],
        [chunk("stop", content="Hello."), event({"usage": {"prompt_tokens": 3}}), DONE],
        [HELLO, STOP, b"data: {\n\n"],
        [chunk(refusal="Hello."), STOP, DONE],
        [event({"choices": [{"delta": None}]}), HELLO, STOP, DONE],
    ],
    ids=["plain", "no DONE", "comments", "no choices", "all in one", "broken after the end", "refusal", "no delta"],
)
async def test_an_answer_is_read_whoever_gives_it(sent: list[bytes]) -> None:
    async with serving(*sent) as model:
        assert await read(model) == [TextPiece("Hello.")]


async def test_an_answer_that_has_ended_is_whole_although_the_server_hangs() -> None:
    async with serving(HELLO, STOP, hang=True) as model:
        assert await read(model) == [TextPiece("Hello.")]


async def test_calls_are_read_without_a_number_and_with_any_end() -> None:
    whole = {"id": "call_1", "type": "function", "function": {"name": "scan", "arguments": "{}"}}
    async with serving(chunk("stop", tool_calls=[whole]), DONE) as model:
        assert await read(model) == [CallPiece(0, "call_1", "scan", "{}")]


async def test_half_a_character_breaks_nothing() -> None:
    async with serving(chunk(content="a\ud83d"), STOP, DONE) as model:
        assert await read(model) == [TextPiece("a?")]


@pytest.mark.parametrize(
    ("sent", "more", "error"),
    [
        ([HELLO], {}, ModelUnusable),
        ([HELLO, DONE], {}, ModelUnusable),
        ([], {}, ModelUnusable),
        ([DONE], {}, ModelUnusable),
        ([HELLO, b"data: {\n\n"], {}, ModelUnusable),
        ([HELLO, event({"choices": [{"delta": {"content": [7]}}]})], {}, ModelUnusable),
        ([HELLO, event([1])], {}, ModelUnusable),
        ([HELLO, event(7)], {}, ModelUnusable),
        ([HELLO, event({"error": {"message": "overloaded", "code": 529}})], {}, ModelUnavailable),
        ([HELLO, event({"error": "overloaded"})], {}, ModelUnavailable),
        ([HELLO], {"hang": True}, ModelUnavailable),
        ([HELLO], {"drip": b": still there\n\n"}, ModelUnavailable),
    ],
)
async def test_what_is_no_answer_is_an_error_of_ours(
    sent: list[bytes], more: dict[str, Any], error: type[ModelError]
) -> None:
    async with serving(*sent, **more) as model:
        with pytest.raises(error):
            await read(model)
