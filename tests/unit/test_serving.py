"""What a streamed answer has counted is sent when it ends, since nothing computes afterwards; so is how it ended."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from functions import answering, serving


class Sending:
    """Notes when it is told to send, among what else happens."""

    def __init__(self, happened: list[str]) -> None:
        self.happened = happened

    async def flush(self, *, at_once: bool) -> None:
        self.happened.append(f"sent{', at once' if at_once else ''}")


@pytest.fixture
def happened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    monkeypatch.setattr(serving, "telemetry", lambda: Sending(found))
    return found


async def served(happened: list[str], function: str = "tools") -> StreamingResponse:
    async def pieces() -> AsyncGenerator[bytes, None]:
        try:
            for number in (1, 2):
                happened.append(f"piece {number}")
                yield b"x"
        finally:
            happened.append("closed")

    async def work() -> Response:
        return StreamingResponse(pieces())

    scope: dict[str, Any] = {"type": "http", "method": "POST", "path": "/chat", "query_string": b"", "headers": []}
    response = await serving.serve(Request(scope), function, work)
    assert isinstance(response, StreamingResponse)
    assert happened == []
    return response


async def test_it_is_sent_after_the_last_piece(happened: list[str]) -> None:
    response = await served(happened)
    assert [piece async for piece in response.body_iterator] == [b"x", b"x"]
    assert happened == ["piece 1", "piece 2", "closed", "sent"]


async def test_it_is_sent_and_the_work_ends_when_the_reader_goes_away(happened: list[str]) -> None:
    body = (await served(happened)).body_iterator
    assert isinstance(body, AsyncGenerator)
    await anext(body)
    await body.aclose()
    assert happened == ["piece 1", "closed", "sent"]


@pytest.mark.parametrize(("reads", "code"), [(2, "too_late"), (1, "gone_away")])
async def test_a_streamed_answer_is_counted_by_how_it_ended(reads: int, code: str) -> None:
    ending, counted = answering.Ending(), list[str]()

    async def pieces() -> AsyncGenerator[bytes, None]:
        yield b"x"
        ending.code = "too_late"
        yield b"y"

    response = answering.Streamed(pieces(), ending)
    response.counted(counted.append)
    body = response.body_iterator
    assert isinstance(body, AsyncGenerator)
    for _ in range(reads):
        await anext(body)
    assert counted == [], "not before it has ended"
    await body.aclose()
    assert counted == [code]
