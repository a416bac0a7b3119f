"""What Cloud Scheduler calls: POST /maintenance/{task}."""

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from functions import answering, machines
from shared.errors import NotFound


@functions_framework.aio.http
async def maintenance(request: Request) -> Response:
    """Answer one request."""

    async def work() -> Response:
        await machines.verify(request)
        raise NotFound("there is no such task")

    return await answering.answer(request, "maintenance", work)
