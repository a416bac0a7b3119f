"""A small HTTP/1.1 client for one server next door: kept-alive connections, bodies streamed both ways.

    server = Upstream("http://127.0.0.1:3000")
    async with server.request(b"GET", b"/rpc/now", [(b"host", b"127.0.0.1")]) as answer:
        async for chunk in answer.chunks():
            ...

The gateway and the broker pass on hundreds of requests a second on a shared machine, so this does what they need and
no more. Nothing is ever sent twice: what failed on its way is the caller's to judge.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from typing import cast
from urllib.parse import urlsplit

import httptools  # type: ignore[import-untyped]  # it ships no types

Headers = Sequence[tuple[bytes, bytes]]

_CONNECT_SECONDS = 2.0
# Shorter than any server here keeps an idle connection, so that none is used while the server closes it.
_IDLE_SECONDS = 2.5
_BUFFER_BYTES = 256 * 1024


class UpstreamAway(Exception):
    """The server can't be reached, or went away before its answer was complete."""


class Answer:
    """A response whose head has arrived. Header names are lower case."""

    def __init__(self, connection: "_Connection") -> None:
        self.status = connection.status
        self.headers = connection.headers
        self._connection = connection

    @property
    def arrived(self) -> bool:
        """Whether the whole body is here already, so that `chunks` won't wait."""
        return self._connection.complete

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it arrives. Raises UpstreamAway when it breaks off."""
        while chunk := await self._connection.next_chunk():
            yield chunk


class Upstream:
    """One server, by its base URL (http, no path). `interim`: statuses that another answer to the request follows."""

    def __init__(self, url: str, *, interim: frozenset[int] = frozenset({100, 102, 103})) -> None:
        parts = urlsplit(url)
        if parts.scheme != "http" or parts.hostname is None:
            raise ValueError(f"not an http URL with a host: {url!r}")
        self.host = parts.hostname
        self.port = parts.port or 80
        self._interim = interim
        self._idle: deque[_Connection] = deque()

    @contextlib.asynccontextmanager
    async def request(
        self,
        method: bytes,
        target: bytes,
        headers: Headers,
        body: AsyncIterable[bytes] | bytes = b"",
        *,
        deadline: float | None = None,
    ) -> AsyncIterator[Answer]:
        """Sends the request; the answer is good inside the block. `target`: path and query, as they go over the wire.

        Headers go as given, names in lower case; a streamed body without content-length goes out in chunks.
        Raises UpstreamAway, or TimeoutError when the head hasn't arrived `deadline` seconds after the request.
        """
        connection = await self._connection()
        try:
            await connection.send(method, target, headers, body)
            async with asyncio.timeout(deadline):
                await connection.head()
            yield Answer(connection)
        finally:
            if connection.reusable:
                connection.idle_since = time.monotonic()
                self._idle.append(connection)
            else:
                connection.close()

    def close(self) -> None:
        """Closes the connections that are idle."""
        while self._idle:
            self._idle.pop().close()

    async def _connection(self) -> "_Connection":
        oldest = time.monotonic() - _IDLE_SECONDS
        while self._idle:
            connection = self._idle.pop()
            if connection.reusable and connection.idle_since > oldest:
                return connection
            connection.close()
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                loop = asyncio.get_running_loop()
                _, connection = await loop.create_connection(lambda: _Connection(self._interim), self.host, self.port)
        except OSError as error:  # TimeoutError is one
            raise UpstreamAway(f"nothing answers on {self.host}:{self.port}") from error
        return connection


class _Connection(asyncio.Protocol):
    """One connection, one exchange at a time. The `on_` methods are called by httptools' parser."""

    _transport: asyncio.Transport

    def __init__(self, interim: frozenset[int]) -> None:
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.complete = True
        self.idle_since = 0.0
        self._interim = interim
        self._parser = httptools.HttpResponseParser(self)
        self._chunks: deque[bytes] = deque()
        self._buffered = 0
        self._sent = True
        self._has_head = False
        self._head_only = False
        self._until_close = False
        self._keep_alive = True
        self._lost = False
        self._arrived = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()

    @property
    def reusable(self) -> bool:
        """Whether this exchange is over on both sides and another may follow."""
        return self._sent and self.complete and self._keep_alive and not self._lost and not self._chunks

    async def send(self, method: bytes, target: bytes, headers: Headers, body: AsyncIterable[bytes] | bytes) -> None:
        self._sent = self.complete = self._has_head = self._until_close = False
        self._head_only = method == b"HEAD"
        lines = [b"%b %b HTTP/1.1" % (method, target), *(b"%b: %b" % header for header in headers)]
        if isinstance(body, bytes):
            self._transport.write(b"\r\n".join((*lines, b"", body)))
            self._sent = True
            return
        chunked = not any(name == b"content-length" for name, _ in headers)
        if chunked:
            lines.append(b"transfer-encoding: chunked")
        self._transport.write(b"\r\n".join((*lines, b"", b"")))
        async for piece in body:
            if self._has_head or self._lost:
                return  # answered or gone before the body was read: nobody wants the rest
            if piece:
                self._transport.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
                await self._writable.wait()
        if chunked:
            self._transport.write(b"0\r\n\r\n")
        self._sent = True

    async def head(self) -> None:
        while not self._has_head:
            await self._more()

    async def next_chunk(self) -> bytes | None:
        while not self._chunks:
            if self.complete:
                return None
            await self._more()
        chunk = self._chunks.popleft()
        self._buffered -= len(chunk)
        if self._buffered <= _BUFFER_BYTES and not self._lost:
            self._transport.resume_reading()
        return chunk

    def close(self) -> None:
        self._lost = True
        self._transport.close()

    async def _more(self) -> None:
        if self._lost:
            raise UpstreamAway("the connection was closed before the answer was complete")
        self._arrived.clear()
        await self._arrived.wait()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's has the methods, not the base class

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self.close()
        if self._buffered > _BUFFER_BYTES:
            self._transport.pause_reading()
        self._arrived.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = True
        self.complete = self.complete or (self._until_close and exc is None)
        self._arrived.set()
        self._writable.set()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def on_message_begin(self) -> None:
        self.headers = []

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self.status = self._parser.get_status_code()
        self._has_head = self.status not in self._interim
        self._keep_alive = self._parser.should_keep_alive() and not self._head_only and self.status >= 200
        self.complete = self._has_head and self._head_only
        framed = any(name in (b"content-length", b"transfer-encoding") for name, _ in self.headers)
        self._until_close = self._has_head and not framed

    def on_body(self, body: bytes) -> None:
        self._chunks.append(body)
        self._buffered += len(body)

    def on_message_complete(self) -> None:
        self.complete = self._has_head
