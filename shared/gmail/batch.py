"""The batch endpoint's wire format: calls written as one body, and a reader of the answers as they stream in.

Source: Gmail API guide, "Batching requests". As in googleapiclient.http.BatchHttpRequest, the nth call has the
Content-ID `<id + n>`, and its answer `<response-id + n>`; answers may come in any order.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.message import Message
from typing import Final, Protocol
from urllib.parse import urlsplit

import httpx

PATH: Final = "batch/gmail/v1"
MOST_CALLS: Final = 50  # what Gmail's guide advises; above, its own limit of calls at once refuses some
# The headers of an answer and of the part around it: Gmail's are below 2 kB.
MOST_HEAD_BYTES: Final = 16 * 1024
_MOST_PADDING: Final = 64
# A part is never to come compressed for itself: only the whole is unpacked.
_LEFT_OUT: Final = frozenset({"accept-encoding", "content-length"})

_BLANK_LINE: Final = re.compile(rb"\r?\n\r?\n")
_FOLD: Final = re.compile(rb"\r?\n[ \t]+")
_STATUS: Final = re.compile(rb"HTTP/[\d.]+ (\d{3})\b[^\n]*(?:\n|$)")
_NUMBER: Final = re.compile(r"\+\s*(\d{1,9})\s*>?\s*$")


class Call(Protocol):
    """The parts of googleapiclient.http.HttpRequest that go into a batch."""

    uri: str
    method: str
    body: str | bytes | None
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class Part:
    """The answer to the call of this number. `body` None: it was larger than may be held."""

    number: int
    status: int
    headers: httpx.Headers
    body: bytes | None


def written(calls: Sequence[Call], batch_id: str) -> tuple[str, bytes]:
    """The content type and the body of a batch. The calls' own hosts are left out: they are the outer one's."""
    boundary = f"batch_{batch_id}"
    pieces = [piece for number, call in enumerate(calls) for piece in _call(call, f"<{batch_id} + {number}>", boundary)]
    body = b"".join([*pieces, f"--{boundary}--\r\n".encode()])
    return f'multipart/mixed; boundary="{boundary}"', body


def boundary_of(content_type: str) -> str | None:
    """The boundary that a multipart/mixed answer names; None when it is no such answer."""
    header = Message()
    header["content-type"] = content_type
    return header.get_boundary() if header.get_content_type() == "multipart/mixed" else None


class PartsReader:
    """Reads a multipart/mixed body as it comes, in chunks of any size.

    Holds one part at a time, and of that no more than its head and `most_bytes`; the time it takes grows with the
    length of the body alone. A part that is no answer to a call of this batch is passed over.
    """

    def __init__(self, boundary: str, *, most_bytes: int) -> None:
        self._delimiter = b"\n--" + boundary.encode("latin-1", "replace")
        self._most_bytes = most_bytes
        # The first delimiter may stand at the very beginning.
        self._unread = bytearray(b"\n")
        self._part: _PartBytes | None = None
        self.ended = False

    def feed(self, chunk: bytes) -> list[Part]:
        """The parts that this chunk ends. One that is cut off by the body's end is none."""
        parts: list[Part] = []
        self._unread += chunk
        at = 0
        while not self.ended:
            found = self._unread.find(self._delimiter, at)
            if found < 0:
                # What may turn out to be a delimiter stays, with the \r before it.
                at = self._keep(at, len(self._unread) - len(self._delimiter))
                break
            line = self._line_after(found)
            if line is None:
                at = self._keep(at, found - 1)
                break
            rest, after = line
            if rest.strip(b" \t\r") and not rest.startswith(b"--"):
                at = self._keep(at, found + 1)
                continue
            before = found - 1 if self._unread[found - 1] == ord("\r") else found
            self._keep(at, before)
            part = self._part and self._part.read()
            self._part = _PartBytes(self._most_bytes)
            at = after
            self.ended = rest.startswith(b"--")
            if part:
                parts.append(part)
        del self._unread[: len(self._unread) if self.ended else at]
        return parts

    def _line_after(self, found: int) -> tuple[bytes, int] | None:
        """The rest of a delimiter's line, and where the next begins; None: that isn't here yet."""
        begins = found + len(self._delimiter)
        end = self._unread.find(b"\n", begins, begins + _MOST_PADDING)
        if end >= 0:
            return bytes(self._unread[begins:end]), end + 1
        rest = bytes(self._unread[begins : begins + _MOST_PADDING])
        if rest.startswith(b"--") or len(rest) == _MOST_PADDING:
            return rest, begins + len(rest)
        return None

    def _keep(self, start: int, stop: int) -> int:
        """Adds what stands there to the part, if one has begun; gives where it stopped."""
        if stop <= start:
            return start
        if self._part is not None:
            self._part.add(self._unread, start, stop)
        return stop


class _PartBytes:
    """The bytes of one part, as far as they may be held."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._held = bytearray()
        self._size = 0

    def add(self, source: bytearray, start: int, stop: int) -> None:
        self._size += stop - start
        if self._size <= MOST_HEAD_BYTES + self._most_bytes:
            self._held += memoryview(source)[start:stop]
        elif len(self._held) < MOST_HEAD_BYTES:
            self._held += memoryview(source)[start : min(stop, start + MOST_HEAD_BYTES - len(self._held))]
        else:
            # Too large in any case: the head alone says which call's answer this was.
            del self._held[MOST_HEAD_BYTES:]

    def read(self) -> Part | None:
        """The answer; None when it can't be told whose it is."""
        head, blank = self._until_blank(0)
        number = _NUMBER.search(_headers(head).get("content-id", ""))
        status = _STATUS.match(self._held, blank)
        if number is None or status is None:
            return None
        # An answer without headers has its blank line at once: the status line's own end is half of it.
        inner, begins = self._until_blank(status.end() - 1)
        body = bytes(self._held[begins:]) if self._size - begins <= self._most_bytes else None
        return Part(int(number[1]), int(status[1]), _headers(inner), body)

    def _until_blank(self, start: int) -> tuple[bytes, int]:
        """What stands before the next blank line, and where what follows it begins."""
        blank = _BLANK_LINE.search(self._held, start, MOST_HEAD_BYTES)
        if blank is None:
            return bytes(self._held[start:MOST_HEAD_BYTES]), len(self._held)
        return bytes(self._held[start : blank.start()]), blank.end()


def _call(call: Call, content_id: str, boundary: str) -> Iterator[bytes]:
    target = urlsplit(call.uri)._replace(scheme="", netloc="").geturl()
    body = call.body.encode() if isinstance(call.body, str) else call.body or b""
    yield (
        f"--{boundary}\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n"
        f"Content-ID: {content_id}\r\n\r\n{call.method} {target} HTTP/1.1\r\n"
    ).encode()
    for name, value in _kept(call.headers, len(body)):
        yield f"{name}: {value}\r\n".encode()
    yield b"\r\n" + body + b"\r\n"


def _kept(headers: Mapping[str, str], length: int) -> Iterable[tuple[str, str]]:
    kept = [(name, value) for name, value in headers.items() if name.lower() not in _LEFT_OUT]
    return [*kept, ("content-length", str(length))] if length else kept


def _headers(block: bytes) -> httpx.Headers:
    lines = (line.partition(b":") for line in _FOLD.sub(b" ", block).splitlines())
    return httpx.Headers([(name.strip(), value.strip()) for name, colon, value in lines if colon])
