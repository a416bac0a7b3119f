"""An HTTP server reduced to the wire: what arrives is shown as it came, what is answered goes out as it was written."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Self

from infra.local.ports import free_port


@dataclass(frozen=True)
class Received:
    """One request. `head` ends before its empty line; `body` is what its framing encloses."""

    head: bytes
    body: bytes

    @property
    def lines(self) -> list[bytes]:
        return self.head.split(b"\r\n")


class Wire:
    """Calls `answer` for each request in turn, on as many connections as there are."""

    def __init__(self, answer: Callable[[Received, asyncio.StreamWriter], Awaitable[None]]) -> None:
        self.answer = answer
        self.port = free_port()
        self.received: list[Received] = []
        self.connections: list[asyncio.StreamWriter] = []
        self._serving: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        """Listens while the block is open; connections that are left then are closed."""
        async with await asyncio.start_server(self._connected, "127.0.0.1", self.port, limit=2**20):
            yield self
        for writer in self.connections:
            writer.close()
        await asyncio.gather(*self._serving)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections.append(writer)
        self._serving.add(asyncio.create_task(self._serve(reader, writer)))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n"))[:-4]
                self.received.append(Received(head, await _body(head.lower(), reader)))
                await self.answer(self.received[-1], writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


async def _body(head: bytes, reader: asyncio.StreamReader) -> bytes:
    body = b""
    if b"transfer-encoding: chunked" in head:
        while size := int(await reader.readline(), 16):
            body += await reader.readexactly(size)
            await reader.readline()
        await reader.readline()
    elif b"content-length: " in head:
        body = await reader.readexactly(int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0]))
    return body
