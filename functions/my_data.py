"""What is stored about a user: GET /my_data gives all of it, DELETE /my_data deletes it."""

import json
import os
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from functools import cache
from typing import TYPE_CHECKING, Final, Literal

import functions_framework.aio
import structlog
from pydantic import BaseModel, ConfigDict
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from functions import answering
from functions.start import settled
from shared.caller import Caller
from shared.errors import NotFound, TenthsError
from shared.log import where
from shared.settings import MyDataSettings

if TYPE_CHECKING:
    from shared.my_data.parts import MyDataParts

MOST_BYTES: Final = 4 * 1024
NDJSON: Final = "application/x-ndjson"

log = structlog.get_logger()


class Deletion(BaseModel):
    """What deletes everything. `without_google`: also while Google can't be told that its permission is given back."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    confirm: Literal["delete everything"]
    without_google: bool = False


@cache
def parts() -> "MyDataParts":
    """The process's parts, built when the first request comes."""
    from shared.wiring import my_data_parts  # noqa: PLC0415  heavy, and only this function's process needs it

    return settled(my_data_parts(MyDataSettings.from_environ(os.environ)))


@functions_framework.aio.http
async def my_data(request: Request) -> Response:
    """Answer one request."""
    return await answering.answer(request, "my_data", lambda: _route(request))


async def _route(request: Request) -> Response:
    caller = await parts().tokens.verify(request.headers.get("authorization"))
    match request.method, request.url.path.strip("/"):
        case "GET", "my_data" | "":
            return await _export(request, caller)
        case "DELETE", "my_data" | "":
            return await _delete(request, caller)
    raise NotFound("there are GET /my_data and DELETE /my_data")


async def _export(request: Request, caller: Caller) -> Response:
    from shared.my_data.export import export  # noqa: PLC0415  only what is asked needs it

    lines = export(parts().own_rows(caller))
    first = await anext(lines)  # what is refused is refused before it begins
    headers = {"content-disposition": 'attachment; filename="my_data.ndjson"'}
    return StreamingResponse(_whole(first, lines, request.url.path), headers=headers, media_type=NDJSON)


async def _whole(first: bytes, lines: AsyncGenerator[bytes, None], path: str) -> AsyncIterator[bytes]:
    """Headers are out: what goes wrong now can only be told in a line, and the last one is missing."""
    async with aclosing(lines):  # whoever goes away ends the work
        yield first
        try:
            async for line in lines:
                yield line
        except TenthsError as error:
            log.warning("request.refused", code=error.code, reason=str(error))
            yield _problem(error, path)
        except Exception as error:  # noqa: BLE001  its message might quote a row
            log.error("request.broken", error=type(error).__name__, where=where(error))  # noqa: TRY400  no message, see above
            yield _problem(answering.BROKEN, path)


def _problem(error: TenthsError, path: str) -> bytes:
    return json.dumps({"problem": answering.problem_details(error, path)}).encode() + b"\n"


async def _delete(request: Request, caller: Caller) -> Response:
    from shared.my_data.erase import erase  # noqa: PLC0415  only what is asked needs it
    from shared.tools.registry import checked  # noqa: PLC0415  the same

    asked = checked(Deletion, await answering.body(request, MOST_BYTES))
    rows, connections = parts().rows_of(caller.user_id), parts().connections
    erased = await erase(caller.user_id, rows, connections, without_google=asked.without_google)
    return Response(erased.model_dump_json(), media_type="application/json")
