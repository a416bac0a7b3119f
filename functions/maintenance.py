"""What Cloud Scheduler calls: POST /maintenance/{task}."""

import os
from functools import cache
from typing import TYPE_CHECKING

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from functions import answering, machines
from functions.start import settled
from shared.errors import NotFound
from shared.settings import MaintenanceSettings

if TYPE_CHECKING:
    from shared.maintenance.running import Maintenance


@cache
def upkeep() -> "Maintenance":
    """The process's parts, built when the first request comes."""
    from shared.wiring import maintenance as build  # noqa: PLC0415  heavy, and only this function's process needs it

    return settled(build(MaintenanceSettings.from_environ(os.environ)))


@functions_framework.aio.http
async def maintenance(request: Request) -> Response:
    """Run a task: what it did, and whether there is more. 5xx only where nothing could be done: it is tried again."""

    async def work() -> Response:
        await machines.verify(request)
        match request.method, request.url.path.strip("/").split("/"):
            # Cloud Functions takes its own name off the path.
            case "POST", ["maintenance", task] | [task] if task:
                done = await upkeep().run(task)
                return JSONResponse({"task": task, "done": done.counts, "more": done.more})
        raise NotFound("there is POST /maintenance/{task}")

    return await answering.answer(request, "maintenance", work)
