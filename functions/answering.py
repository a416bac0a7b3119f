"""How a function answers a user: JSON, or problem+json (RFC 9457) with a stable `type`."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any, Final
from uuid import uuid4

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from functions import cors, serving
from shared import metrics
from shared.errors import (
    AccessRevoked,
    GmailRefused,
    InConflict,
    InvalidArguments,
    ModelError,
    NotAuthenticated,
    NotFound,
    NotOffered,
    OverQuota,
    PermanentError,
    RequestRefused,
    RequestTooLarge,
    TenthsError,
    TransientError,
)
from shared.log import where

# Text of 60,000 characters, each as six of JSON's, is what a tool takes at most.
MOST_BYTES: Final = 512 * 1024
MOST_NAME: Final = 200
PROBLEM: Final = "application/problem+json"
EVENT_STREAM: Final = "text/event-stream"
# What an answer is counted as that was no problem.
DONE: Final = "done"
GONE_AWAY: Final = "gone_away"

# (error, status, title), most specific first.
_TABLE: Final[tuple[tuple[type[TenthsError], int, str], ...]] = (
    (NotAuthenticated, 401, "Not authenticated"),
    (NotFound, 404, "Not found"),
    (InConflict, 409, "Not possible now"),
    (RequestTooLarge, 413, "Too large"),
    (InvalidArguments, 422, "Invalid arguments"),
    (NotOffered, 503, "Not offered here"),
    (RequestRefused, 400, "Refused"),
    (AccessRevoked, 409, "The mailbox has to be connected again"),
    (GmailRefused, 502, "Gmail refuses the request"),
    (OverQuota, 429, "Gmail's quota is used up for now"),
    (ModelError, 503, "The language model is not available"),
    (TransientError, 503, "Not available for now"),
    (PermanentError, 500, "Failed"),
)
# For these the message says what only operators need; a user is told the title.
_FOR_USERS: Final = (RequestRefused, AccessRevoked)
_HEADERS: Final[Mapping[str, str]] = MappingProxyType(
    {"cache-control": "no-store", "x-content-type-options": "nosniff"}
)

log = structlog.get_logger()


class Ending:
    """How a streamed answer ended. Whoever makes it says so at its end; until then its reader may have gone away."""

    code = GONE_AWAY


class Streamed(StreamingResponse):
    """An answer whose status is out long before anybody knows how it ends: it is counted when it has ended."""

    def __init__(self, pieces: AsyncIterator[bytes], ending: Ending, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(pieces, headers=headers, media_type=EVENT_STREAM)
        self._pieces = pieces
        self._ending = ending

    def counted(self, count: Callable[[str], None]) -> None:
        """Have it counted, by its code."""

        async def finish() -> None:
            count(self._ending.code)

        self.body_iterator = serving.then(self._pieces, finish)


async def answer(request: Request, function: str, work: Callable[[], Awaitable[Response]]) -> Response:
    """Do the work; whatever it raises becomes a problem. Unforeseen errors tell nobody outside what they say."""
    return await serving.serve(request, function, lambda: _answer(request, function, work))


async def _answer(request: Request, function: str, work: Callable[[], Awaitable[Response]]) -> Response:
    before = cors.preflight(request)
    if before is not None:
        return before
    structlog.contextvars.bind_contextvars(correlation_id=f"request-{uuid4()}")
    code = DONE
    try:
        response = await work()
    except ClientDisconnect:
        code = GONE_AWAY
        response = Response(status_code=400)
    except TenthsError as error:
        code = error.code
        response = problem(error, request.url.path)
        log.warning("request.refused", code=error.code, status=response.status_code, reason=_reason(error))
    except Exception as error:  # noqa: BLE001  its message might quote an email
        log.error("request.broken", error=type(error).__name__, where=where(error))  # noqa: TRY400  no message, see above
        code = BROKEN.code
        response = problem(BROKEN, request.url.path)
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    cors.allow(request, response)

    def count(code: str) -> None:
        metrics.requests.add(1, {"function": function, "status": response.status_code, "code": code})

    if isinstance(response, Streamed):
        response.counted(count)
    else:
        count(code)
    return response


class Broken(TenthsError):
    """Something unforeseen happened."""

    code = "broken"


BROKEN: Final = Broken("something went wrong; it is on record, and trying again may help")


def problem(error: TenthsError, instance: str) -> Response:
    """The error as an answer."""
    content = problem_details(error, instance)
    headers = {}
    if content["status"] == 401:
        headers["www-authenticate"] = "Bearer"
    if isinstance(error, TransientError) and error.retry_after is not None:
        headers["retry-after"] = str(max(1, round(error.retry_after)))
    return JSONResponse(content, content["status"], headers, PROBLEM)


def problem_details(error: TenthsError, instance: str) -> dict[str, Any]:
    """The members of a problem. `errors` names each argument that is wrong."""
    status, title = next(
        ((status, title) for kind, status, title in _TABLE if isinstance(error, kind)), (500, "Failed")
    )
    details: dict[str, Any] = {
        "type": f"urn:tenths:problem:{error.code}",
        "title": title,
        "status": status,
        "detail": str(error) if isinstance(error, (*_FOR_USERS, Broken)) else title,
        "instance": instance,
    }
    if isinstance(error, InvalidArguments):
        details["errors"] = [
            {"field": each.field[:MOST_NAME], "message": "; ".join(filter(None, (each.message, each.details)))}
            for each in error.errors
        ]
    return details


async def body(request: Request, most_bytes: int = MOST_BYTES) -> bytes:
    """The request's body. Raises RequestTooLarge before it holds more than that."""
    too_large = RequestTooLarge(f"the body is larger than {most_bytes} bytes")
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > most_bytes:
        raise too_large
    whole = bytearray()
    async for chunk in request.stream():
        whole += chunk
        if len(whole) > most_bytes:
            raise too_large
    return bytes(whole)


def _reason(error: TenthsError) -> str:
    """What may be logged: a user's own words may be in a refusal, so of those only which fields were wrong."""
    if isinstance(error, InvalidArguments):
        # Of an unknown argument the name is the caller's own words, too.
        return ", ".join("unknown" if each.is_unknown else each.field.partition(".")[0] for each in error.errors)
    return "" if isinstance(error, RequestRefused) else str(error)
