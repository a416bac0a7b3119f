"""What every function does around a request: tells its health, ties its log lines together, sends what it counted."""

import os
import re
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Final, TypeVar

import structlog
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from functions import health
from functions.start import telemetry

# Cloud Logging's name for the trace that a line belongs to, and how Google's front end and W3C name it in a request.
TRACE: Final = "logging.googleapis.com/trace"
Piece = TypeVar("Piece")
_TRACE_ID: Final = re.compile(r"(?:00-)?([0-9a-f]{32})(?:[-/;]|$)")
# What such a function finds out holds for its moment: it is told at once.
AT_ONCE: Final = ("maintenance", "rescans")


async def serve(request: Request, function: str, work: Callable[[], Awaitable[Response]]) -> Response:
    """Answer a look at this function's health, or do the work, and then send what was counted if it is time.

    Whoever looks is no request: it is counted nowhere.
    """
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(function=function, **_trace(request))
    sending = telemetry()  # first of all: what is counted before counts nowhere
    if health.is_asked(request, function):
        return await health.answer(request, function)
    response = await work()
    if sending is not None:
        flush = partial(sending.flush, at_once=function in AT_ONCE)
        if isinstance(response, StreamingResponse):  # most of it is still to be done
            response.body_iterator = then(response.body_iterator, flush)
        else:
            await flush()
    return response


async def then(stream: AsyncIterable[Piece], finish: Callable[[], Awaitable[None]]) -> AsyncIterator[Piece]:
    """The stream, and this done before it ends, also where its reader goes away: afterwards nothing computes."""
    try:
        async for piece in stream:
            yield piece
    finally:
        if isinstance(stream, AsyncGenerator):
            await stream.aclose()
        await finish()


def _trace(request: Request) -> dict[str, str]:
    given = request.headers.get("traceparent") or request.headers.get("x-cloud-trace-context") or ""
    trace = _TRACE_ID.match(given)
    if trace is None:
        return {}
    project = os.environ.get("GCP_PROJECT")
    return {TRACE: f"projects/{project}/traces/{trace[1]}" if project else trace[1]}
