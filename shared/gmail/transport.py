"""Sends what google-api-python-client built. Its own transport is neither async nor safe between threads."""

from typing import Any, Protocol

import httplib2
import httpx

from shared.errors import AnswerTooLarge, GmailUnavailable
from shared.gmail.errors import from_answer, from_transport

MOST_BYTES_OF_AN_ERROR = 64 * 1024


class ApiRequest(Protocol):
    """The parts of googleapiclient.http.HttpRequest that are used here."""

    uri: str
    method: str
    body: str | bytes | None
    headers: dict[str, str]
    methodId: str  # noqa: N815  the library's name

    def postproc(self, resp: httplib2.Response, content: bytes, /) -> Any: ...


async def send(http: httpx.AsyncClient, request: ApiRequest, access_token: str, *, most_bytes: int) -> Any:
    """Send one request once and give what its answer holds.

    Raises the errors of `shared.gmail.errors`, and AnswerTooLarge as soon as an answer passes `most_bytes`
    (decompressed), so that a huge email costs no memory.
    """
    headers = {**request.headers, "authorization": f"Bearer {access_token}"}
    try:
        async with http.stream(request.method, request.uri, headers=headers, content=request.body) as answer:
            if not answer.is_success:
                body = await _read(answer, request.methodId, MOST_BYTES_OF_AN_ERROR)
                raise from_answer(request.methodId, answer.status_code, answer.headers, body)
            content = await _read(answer, request.methodId, most_bytes)
    except httpx.HTTPError as error:
        raise from_transport(request.methodId, error) from error
    try:
        return request.postproc(httplib2.Response({"status": str(answer.status_code)}), content)
    except ValueError as error:
        raise GmailUnavailable(f"{request.methodId}: the answer is not JSON") from error


async def _read(answer: httpx.Response, method_id: str, most_bytes: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in answer.aiter_bytes():
        size += len(chunk)
        if size > most_bytes:
            raise AnswerTooLarge(f"{method_id}: the answer is larger than {most_bytes} bytes")
        chunks.append(chunk)
    return b"".join(chunks)
