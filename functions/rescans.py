"""A mailbox's past read again: POST /rescans, GET /rescans, GET /rescans/{id}, DELETE /rescans/{id}."""

import os
from functools import cache
from typing import TYPE_CHECKING, Final

import functions_framework.aio
import structlog
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from functions import answering
from functions.start import settled
from shared.caller import Caller
from shared.errors import NotFound
from shared.settings import RescanSettings

if TYPE_CHECKING:
    from shared.rescanning import Rescanning

MOST_BYTES: Final = 16 * 1024

log = structlog.get_logger()


@cache
def rescanning() -> "Rescanning":
    """The process's parts, built when the first request comes."""
    from shared.wiring import rescanning as build  # noqa: PLC0415  heavy, and only this function's process needs it

    return settled(build(RescanSettings.from_environ(os.environ)))


@functions_framework.aio.http
async def rescans(request: Request) -> Response:
    """Answer one request."""
    return await answering.answer(request, "rescans", lambda: _route(request))


async def _route(request: Request) -> Response:
    caller = await rescanning().tokens.verify(request.headers.get("authorization"))
    match request.method, request.url.path.strip("/").split("/"):
        case "POST", ["rescans"]:
            return await _start(request, caller)
        case "GET", ["rescans"]:
            jobs = [job.model_dump(mode="json") for job in await rescanning().latest(caller)]
            return JSONResponse({"rescans": jobs})
        case "GET", ["rescans", job_id]:
            return _shown(await rescanning().get(caller, job_id))
        case "DELETE", ["rescans", job_id]:
            return _shown(await rescanning().cancel(caller, job_id))
    raise NotFound("there are POST /rescans, GET /rescans, GET /rescans/{id} and DELETE /rescans/{id}")


async def _start(request: Request, caller: Caller) -> Response:
    from shared.rescanning import RescanRequest, RescanRunning  # noqa: PLC0415  loads Pub/Sub's client
    from shared.tools.registry import checked  # noqa: PLC0415  only what is asked needs it

    asked = checked(RescanRequest, await answering.body(request, MOST_BYTES))
    try:
        job = await rescanning().start(caller, asked)
    except RescanRunning as error:
        log.info("rescan.already_running", job_id=str(error.job_id))
        details = {**answering.problem_details(error, request.url.path), "job_id": str(error.job_id)}
        return JSONResponse(details, 409, media_type=answering.PROBLEM)
    log.info("rescan.started", job_id=str(job.id), mailbox_id=str(job.mailbox_id))
    return _shown(job, 202, {"location": f"/rescans/{job.id}"})


def _shown(job: BaseModel, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(job.model_dump_json(), status, headers, "application/json")
