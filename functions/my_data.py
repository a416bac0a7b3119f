"""Placeholder."""

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from functions import answering
from shared.errors import NotFound


@functions_framework.aio.http
async def my_data(request: Request) -> Response:
    """Answer one request."""

    async def work() -> Response:
        raise NotFound("there is nothing at this path")

    return await answering.answer(request, "my_data", work)
