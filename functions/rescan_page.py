"""One page of a mailbox's past is to be read again: Pub/Sub topic rescan-pages pushes here."""

import os
from functools import cache
from typing import TYPE_CHECKING

import functions_framework.aio
import structlog
from starlette.requests import Request
from starlette.responses import Response

from functions import delivery
from functions.start import settled
from shared.pubsub.decode import Envelope
from shared.pubsub.messages import RescanPage
from shared.settings import RescanPageSettings

if TYPE_CHECKING:
    from shared.handlers.rescan_page import RescanPageHandler

log = structlog.get_logger()


@cache
def handler() -> "RescanPageHandler":
    """The process's one handler, built when the first delivery comes."""
    from shared.wiring import rescan_page_handler  # noqa: PLC0415  heavy, and only this function's process needs it

    return settled(rescan_page_handler(RescanPageSettings.from_environ(os.environ)))


@functions_framework.aio.http
async def rescan_page(request: Request) -> Response:
    """Answer one delivery: 204 once the next step is published or there is none, 503 to be pushed again."""

    async def work(envelope: Envelope) -> None:
        message = envelope.message(RescanPage)
        page = await handler().handle(message)
        log.info(
            "rescan.page",
            job_id=str(message.job_id),
            step=message.step,
            outcome=page.outcome,
            note=page.note,
            emails=page.emails,
            read=page.read,
        )

    return await delivery.answer(request, "rescan_page", work)
