"""Server-sent events: a completion in pieces, as long as the client stays, or until what is planned goes wrong."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from infra.local.openai.broken import gone
from infra.local.openai.errors import server_error
from infra.local.openai.simulator import Simulator

DONE: Final = b"data: [DONE]\n\n"

Ending = Literal["whole", "cut", "silence"]


class EventStream(Response):
    """The chunks of one completion as events. `kind`: the fault that it meets, if that is one of streams."""

    media_type = "text/event-stream"

    def __init__(
        self, simulator: Simulator, chunks: Sequence[dict[str, Any]], headers: Mapping[str, str], kind: str
    ) -> None:
        super().__init__(headers=headers)
        del self.headers["content-length"]
        self._simulator = simulator
        self._events, self._ending = events(chunks, kind)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  asked already
        self._simulator.counts["streams"] += 1
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        left = asyncio.create_task(gone(receive))
        try:
            with self._simulator.call_under_way():
                await self._send(send, left)
        finally:
            left.cancel()

    async def _send(self, send: Send, left: asyncio.Task[None]) -> None:
        for place, event in enumerate(self._events):
            if place and await self._paused(left):
                return
            # What ends the stream and the end of the body go out together: who leaves after that left nothing.
            more = self._ending != "whole" or place < len(self._events) - 1
            await send({"type": "http.response.body", "body": event, "more_body": more})
        match self._ending:
            case "cut":
                raise ConnectionAbortedError  # the server closes the connection of an application that fails
            case "silence":
                await left
                self._simulator.counts["streams_abandoned"] += 1

    async def _paused(self, left: asyncio.Task[None]) -> bool:
        """Whether the client went away in the pause between two chunks."""
        await asyncio.wait([left], timeout=self._simulator.chunk_delay_ms / 1000)
        if left.done():
            self._simulator.counts["streams_abandoned"] += 1
        return left.done()


def events(chunks: Sequence[dict[str, Any]], kind: str) -> tuple[list[bytes], Ending]:
    """What goes over the wire, and what follows it: the end of the body, of the connection, or nothing for ever."""
    whole = [_event(chunk) for chunk in chunks]
    half = len(whole) // 2
    match kind:
        case "cut" | "stream_cut":
            return [*whole[:half], whole[half][: len(whole[half]) // 2]], "cut"
        case "stream_hang":
            return whole[:half], "silence"
        case "stream_error":
            return [*whole[:half], _event(server_error(500).body)], "whole"
        case "stream_no_done":
            return [_event(chunk) for chunk in chunks if _unfinished(chunk)], "whole"
    return [*whole, DONE], "whole"


def _unfinished(chunk: dict[str, Any]) -> bool:
    return bool(chunk["choices"]) and chunk["choices"][0]["finish_reason"] is None


def _event(data: Any) -> bytes:
    return f"data: {json.dumps(data, ensure_ascii=False, separators=(',', ':'))}\n\n".encode()
