"""What a user asks: GET /tools, POST /tools/{name}, POST /chat."""

import asyncio
import json
import os
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable
from contextlib import aclosing
from functools import cache
from typing import TYPE_CHECKING, Final

import functions_framework.aio
import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from functions import answering
from functions.start import settled
from shared.caller import Caller
from shared.errors import NotFound, NotOffered, RequestRefused, TenthsError
from shared.log import where
from shared.settings import ToolsSettings
from shared.tools.registry import Progress, ToolAnswer, checked

if TYPE_CHECKING:
    from shared.tools.parts import ToolsParts

MOST_CHAT_BYTES: Final = 2 * 1024 * 1024

log = structlog.get_logger()


@cache
def parts() -> "ToolsParts":
    """The process's parts, built when the first request comes."""
    from shared.wiring import tools_parts  # noqa: PLC0415  heavy, and only this function's process needs it

    return settled(tools_parts(ToolsSettings.from_environ(os.environ)))


@functions_framework.aio.http
async def tools(request: Request) -> Response:
    """Answer one request."""
    return await answering.answer(request, "tools", lambda: _route(request))


async def _route(request: Request) -> Response:
    match request.method, request.url.path.strip("/").split("/"):
        case "GET", ["tools"]:
            return await _list(request)
        case "POST", ["tools", name]:
            return await _call(request, name)
        case "POST", ["chat"]:
            return await _chat(request)
    raise NotFound("there are GET /tools, POST /tools/{name} and POST /chat")


async def _list(request: Request) -> Response:
    """The tools as function schemas. With a token, what its user is likely to ask first is got ready meanwhile."""
    if "authorization" in request.headers:
        parts().warm(await parts().tokens.verify(request.headers["authorization"]))
    return JSONResponse({"tools": parts().toolbox.schemas()})


async def _call(request: Request, name: str) -> Response:
    caller = await parts().tokens.verify(request.headers.get("authorization"))
    arguments = await answering.body(request)
    parts().toolbox.check(name, arguments)  # what is wrong with the arguments is said before any event
    if answering.EVENT_STREAM in request.headers.get("accept", ""):
        ending = answering.Ending()
        return answering.Streamed(_events(request, caller, name, arguments, ending), ending)
    result = await parts().toolbox.call(caller, name, arguments)
    return Response(result.model_dump_json(), media_type="application/json")


async def _events(
    request: Request, caller: Caller, name: str, arguments: bytes, ending: answering.Ending
) -> AsyncIterator[bytes]:
    """Server-sent events: `progress` {done, total, entries} now and then, at the end `result` or `problem`.

    Whoever goes away cancels the work; what was stored until then stays.
    """
    news: asyncio.Queue[Progress | None] = asyncio.Queue()

    async def work() -> ToolAnswer:
        try:
            return await parts().toolbox.call(caller, name, arguments, news.put_nowait)
        finally:
            news.put_nowait(None)

    working = asyncio.create_task(work())
    try:
        while (progress := await news.get()) is not None:
            done = {"done": progress.done, "total": progress.total, "entries": progress.entries}
            yield _event("progress", json.dumps(done))
        ending.code, event = await _outcome(working, request.url.path)
        yield event
    finally:
        working.cancel()


async def _outcome(working: Awaitable[ToolAnswer], path: str) -> tuple[str, bytes]:
    """A code, and the last event. Headers are out: what goes wrong now can only be told in an event."""
    try:
        return answering.DONE, _event("result", (await working).model_dump_json())
    except TenthsError as error:
        log.warning("request.refused", code=error.code, reason="" if isinstance(error, RequestRefused) else str(error))
        return error.code, _event("problem", json.dumps(answering.problem_details(error, path)))
    except Exception as error:  # noqa: BLE001  its message might quote an email
        log.error("request.broken", error=type(error).__name__, where=where(error))  # noqa: TRY400  no message, see above
        broken = answering.BROKEN
        return broken.code, _event("problem", json.dumps(answering.problem_details(broken, path)))


def _event(name: str, data: str) -> bytes:
    return f"event: {name}\ndata: {data}\n\n".encode()


async def _chat(request: Request) -> Response:
    caller = await parts().tokens.verify(request.headers.get("authorization"))
    chat = parts().chat
    if chat is None:
        raise NotOffered("chat needs a language model, and none is set up here; the tools work without")
    from shared.chat.messages import ChatRequest  # noqa: PLC0415  only those need it who have a model
    from shared.chat.stream import HEADERS  # noqa: PLC0415  the same

    asked = checked(ChatRequest, await answering.body(request, MOST_CHAT_BYTES))
    parts().warm(caller)
    ending = answering.Ending()

    def ended(result: str) -> None:
        ending.code = result

    stream = chat.stream(caller, asked, ended)
    first = await anext(stream)  # what is refused is refused before it begins
    return answering.Streamed(_whole(first, stream), ending, HEADERS)


async def _whole(first: bytes, stream: AsyncGenerator[bytes, None]) -> AsyncIterator[bytes]:
    async with aclosing(stream):  # whoever goes away ends the work
        yield first
        async for data in stream:
            yield data
