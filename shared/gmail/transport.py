"""Sends what google-api-python-client built. Its own transport is neither async nor safe between threads."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol
from uuid import uuid4

import httplib2
import httpx

from shared import metrics
from shared.errors import AnswerTooLarge, GmailUnavailable, TenthsError
from shared.gmail.batch import Call, Part, PartsReader, boundary_of, written
from shared.gmail.errors import BATCH, from_answer, from_transport

MOST_BYTES_OF_AN_ERROR: Final = 64 * 1024
# For a whole answer: the client's own timeout bounds each read, so one that trickles would never end.
ANSWER_SECONDS: Final = 30.0
NO_ANSWER: Final = "no_answer"


class ApiRequest(Call, Protocol):
    """The parts of googleapiclient.http.HttpRequest that are used here."""

    methodId: str  # noqa: N815  the library's name

    def postproc(self, resp: httplib2.Response, content: bytes, /) -> Any: ...


async def send(http: httpx.AsyncClient, request: ApiRequest, access_token: str, *, most_bytes: int) -> Any:
    """Send one request once and give what its answer holds.

    Raises the errors of `shared.gmail.errors`, and AnswerTooLarge as soon as an answer passes `most_bytes`
    (decompressed), so that a huge email costs no memory.
    """
    headers = {**request.headers, "authorization": f"Bearer {access_token}"}
    status = NO_ANSWER
    try:
        async with (
            asyncio.timeout(ANSWER_SECONDS),
            http.stream(request.method, request.uri, headers=headers, content=request.body) as answer,
        ):
            status = str(answer.status_code)
            if not answer.is_success:
                body = await _read(answer, request.methodId, MOST_BYTES_OF_AN_ERROR)
                raise from_answer(request.methodId, answer.status_code, answer.headers, body)
            content = await _read(answer, request.methodId, most_bytes)
    except httpx.HTTPError as error:
        raise from_transport(request.methodId, error) from error
    except TimeoutError as error:
        raise _too_slow(request.methodId) from error
    finally:
        metrics.gmail_calls.add(1, {"method": request.methodId, "status": status})
    return _content(request, answer.status_code, content)


async def send_together(
    http: httpx.AsyncClient,
    uri: str,
    requests: Sequence[ApiRequest],
    access_token: str,
    answered: Callable[[int, Any], None],
    *,
    most_bytes: int,
) -> None:
    """Send requests as one batch, once; `answered` gets the number of each and what its answer holds, as it comes in.

    In place of the content stands the TenthsError that `send` would raise for that request alone: AnswerTooLarge for
    an answer of more than `most_bytes`, which is never held. Raises the errors of the whole. Then, and where Gmail
    leaves one out, some requests are never answered.
    """
    content_type, content = written(requests, uuid4().hex)
    headers = {"content-type": content_type, "authorization": f"Bearer {access_token}"}
    waiting = dict(enumerate(requests))
    status = NO_ANSWER
    try:
        async with (
            asyncio.timeout(ANSWER_SECONDS),
            http.stream("POST", uri, headers=headers, content=content) as answer,
        ):
            if not answer.is_success:
                status = str(answer.status_code)
                body = await _read(answer, BATCH, MOST_BYTES_OF_AN_ERROR)
                raise from_answer(BATCH, answer.status_code, answer.headers, body)
            boundary = boundary_of(answer.headers.get("content-type", ""))
            if boundary is None:
                raise GmailUnavailable(f"{BATCH}: the answer is not multipart/mixed")
            reader = PartsReader(boundary, most_bytes=most_bytes)
            async for chunk in answer.aiter_bytes():
                for part in reader.feed(chunk):
                    request = waiting.pop(part.number, None)
                    if request is not None:
                        metrics.gmail_calls.add(1, {"method": request.methodId, "status": str(part.status)})
                        answered(part.number, _content_or_error(request, part, most_bytes))
    except httpx.HTTPError as error:
        raise from_transport(BATCH, error) from error
    except TimeoutError as error:
        raise _too_slow(BATCH) from error
    finally:
        for request in waiting.values():
            metrics.gmail_calls.add(1, {"method": request.methodId, "status": status})


def _content_or_error(request: ApiRequest, part: Part, most_bytes: int) -> Any:
    if not httpx.codes.is_success(part.status):
        return from_answer(request.methodId, part.status, part.headers, part.body or b"")
    if part.body is None:
        return _too_large(request.methodId, most_bytes)
    try:
        return _content(request, part.status, part.body)
    except TenthsError as error:
        return error


def _content(request: ApiRequest, status: int, body: bytes) -> Any:
    try:
        return request.postproc(httplib2.Response({"status": str(status)}), body)
    except ValueError as error:
        raise GmailUnavailable(f"{request.methodId}: the answer is not JSON") from error


async def _read(answer: httpx.Response, method_id: str, most_bytes: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in answer.aiter_bytes():
        size += len(chunk)
        if size > most_bytes:
            raise _too_large(method_id, most_bytes)
        chunks.append(chunk)
    return b"".join(chunks)


def _too_large(method_id: str, most_bytes: int) -> AnswerTooLarge:
    return AnswerTooLarge(f"{method_id}: the answer is larger than {most_bytes} bytes")


def _too_slow(method_id: str) -> GmailUnavailable:
    return GmailUnavailable(f"{method_id}: no whole answer within {ANSWER_SECONDS:g} s")
