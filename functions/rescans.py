"""A mailbox's past read again: POST /rescans, GET /rescans, GET /rescans/{id}, DELETE /rescans/{id}.

And GET /coverage?from=&to=, which counts against Gmail itself whether any of it is missing.
"""

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
from shared import metrics
from shared.caller import Caller
from shared.errors import InvalidArguments, NotFound, WrongArgument
from shared.settings import RescanSettings

if TYPE_CHECKING:
    from shared.checked_coverage import CoverageCheck
    from shared.rescanning import Rescanning

MOST_BYTES: Final = 16 * 1024

log = structlog.get_logger()


@cache
def rescanning() -> "Rescanning":
    """The process's parts, built when the first request comes."""
    from shared.wiring import rescanning as build  # noqa: PLC0415  heavy, and only this function's process needs it

    return settled(build(RescanSettings.from_environ(os.environ)))


@cache
def coverage_check() -> "CoverageCheck":
    """The same for coverage."""
    from shared.wiring import checked_coverage  # noqa: PLC0415  as above

    settings = RescanSettings.from_environ(os.environ)
    return checked_coverage(settings, settings.coverage_deadline_seconds)


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
        case "GET", ["coverage"]:
            return await _coverage(request, caller)
    raise NotFound("there are POST /rescans, GET /rescans, GET and DELETE /rescans/{id}, and GET /coverage")


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


async def _coverage(request: Request, caller: Caller) -> Response:
    given = request.query_params
    missing = [WrongArgument(name, "is required") for name in ("from", "to") if name not in given]
    unknown = [
        WrongArgument(name, "is unknown", is_unknown=True)
        for name in given
        if name not in {"from", "to", "continue_token"}
    ]
    if missing or unknown:
        raise InvalidArguments(*missing, *unknown)
    token = given.get("continue_token")
    checked = await coverage_check().check(caller.user_id, given["from"], given["to"], continue_token=token)
    metrics.coverage_missing.set(checked.missing_in_all)
    return _shown(checked)


def _shown(job: BaseModel, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(job.model_dump_json(), status, headers, "application/json")
