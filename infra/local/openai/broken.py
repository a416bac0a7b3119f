"""Answers that are none: silence, a connection that ends, a body that never does."""

import asyncio
from typing import Final

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from infra.local.openai.connection import RESET

DRIP_SECONDS: Final = 0.02


class Silence(Response):
    """No answer: the caller waits until it gives up."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  nothing is sent
        await gone(receive)


class Reset(Response):
    """The connection ends before anything was answered."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  nothing is sent
        scope["extensions"][RESET]()
        await gone(receive)


class Cut(Response):
    """The connection ends `after` so many bytes of the answer's body."""

    def __init__(self, whole: Response, after: int) -> None:
        super().__init__()
        self._whole = whole
        self._after = after

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  nothing is read
        headers = self._whole.raw_headers
        await send({"type": "http.response.start", "status": self._whole.status_code, "headers": headers})
        await send({"type": "http.response.body", "body": self._whole.body[: self._after], "more_body": True})
        raise ConnectionAbortedError  # the server closes the connection of an application that fails


class Drip(Response):
    """An answer that never ends: a blank now and then, so that no single read takes long."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  nothing is read
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        left = asyncio.create_task(gone(receive))
        while not left.done():
            await send({"type": "http.response.body", "body": b" ", "more_body": True})
            await asyncio.wait([left], timeout=DRIP_SECONDS)


async def gone(receive: Receive) -> None:
    """Until the client has gone away."""
    while (await receive())["type"] != "http.disconnect":
        continue
