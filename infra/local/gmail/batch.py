"""The batch endpoint: many calls in one multipart/mixed body, answered one by one."""

import asyncio
import re
import secrets
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from email.parser import BytesHeaderParser
from http import HTTPStatus
from urllib.parse import urlsplit

from infra.local.gmail.api import Request
from infra.local.gmail.errors import Answer, GmailError, bad_request

LARGEST_BATCH = 100

_BOUNDARY = re.compile(r'boundary="?([^";]+)"?', re.IGNORECASE)
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_REQUEST_LINE = re.compile(rb"([A-Z]+) (\S+)(?: HTTP/[\d.]+)?\r?\n?")


@dataclass(frozen=True, slots=True)
class _Part:
    content_id: str | None
    request: Request


async def answer_batch(request: Request, answer: Callable[[Request], Awaitable[Answer]], at_once: int) -> Answer:
    """Lets `answer` answer each call, in order and at most `at_once` at a time; the last one ends the batch.

    A batch that can't be read, or that is too large, is refused whole.
    """
    try:
        parts = list(_read(request))
    except GmailError as refusal:
        return refusal.answer()
    turns = asyncio.Semaphore(at_once)

    async def answered(part: _Part) -> Answer:
        async with turns:
            return await answer(part.request)

    answers = await asyncio.gather(*map(answered, parts))
    boundary = f"batch_{secrets.token_urlsafe(24)}"
    body = b"".join(_written(boundary, part.content_id, given) for part, given in zip(parts, answers, strict=True))
    return Answer(200, body + f"--{boundary}--\r\n".encode(), {"Content-Type": f"multipart/mixed; boundary={boundary}"})


def _read(request: Request) -> Iterator[_Part]:
    content_type = request.headers.get("content-type", "")
    boundary = _BOUNDARY.search(content_type)
    if not content_type.lower().startswith("multipart/mixed") or not boundary:
        raise bad_request("Failed to parse batch request, error: missing boundary")
    delimiter = re.compile(rb"(?:^|\r?\n)--" + re.escape(boundary[1].encode()) + rb"(?:--)?[ \t]*(?:\r?\n|$)")
    pieces = delimiter.split(request.body)[1:-1]
    if not pieces:
        raise bad_request("Failed to parse batch request, error: 0 items")
    if len(pieces) > LARGEST_BATCH:
        raise bad_request(f"The batch request could not be processed: more than {LARGEST_BATCH} calls")
    for piece in pieces:
        headers, content = _split(piece)
        yield _Part(headers.get("content-id"), _request(content, request.headers.get("authorization")))


def _split(piece: bytes) -> tuple[Mapping[str, str], bytes]:
    blank = _BLANK_LINE.search(piece)
    if not blank:
        return _headers(piece), b""
    return _headers(piece[: blank.start()]), piece[blank.end() :]


def _headers(block: bytes) -> dict[str, str]:
    return {name.lower(): str(value) for name, value in BytesHeaderParser().parsebytes(block + b"\n\n").items()}


def _request(content: bytes, authorization: str | None) -> Request:
    """The inner call; it is the outer one's caller's unless it brings a token of its own."""
    line = _REQUEST_LINE.match(content)
    if not line:
        raise bad_request("Failed to parse batch request, error: missing request line")
    headers, body = _split(content[line.end() :])
    url = urlsplit(line[2].decode("latin-1"))
    path = f"{url.path}?{url.query}" if url.query else url.path
    if authorization and "authorization" not in headers:
        headers = {**headers, "authorization": authorization}
    return Request(line[1].decode(), path, headers, body)


def _written(boundary: str, content_id: str | None, answer: Answer) -> bytes:
    lines = [f"--{boundary}", "Content-Type: application/http"]
    if content_id:
        lines.append(f"Content-ID: <response-{content_id.strip().strip('<>')}>")
    lines += [
        "",
        f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}",
        "Content-Type: application/json; charset=UTF-8",
        *(f"{name}: {value}" for name, value in answer.headers.items()),
        f"Content-Length: {len(answer.body)}",
        "",
        "",
    ]
    return "\r\n".join(lines).encode() + answer.body + b"\r\n"
