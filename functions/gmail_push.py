"""Gmail says that a mailbox changed: Pub/Sub topic gmail-events pushes here."""

import os
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

import functions_framework.aio
import structlog
from starlette.requests import Request
from starlette.responses import Response

from functions import delivery
from functions.start import settled
from shared.pubsub.decode import Envelope
from shared.pubsub.messages import GmailPush
from shared.settings import GmailPushSettings

if TYPE_CHECKING:
    from shared.handlers.gmail_push import GmailPushHandler

log = structlog.get_logger()


@cache
def handler() -> "GmailPushHandler":
    """The process's one handler, built when the first delivery comes."""
    from shared.wiring import gmail_push_handler  # noqa: PLC0415  heavy, and only this function's process needs it

    return settled(gmail_push_handler(GmailPushSettings.from_environ(os.environ)))


@functions_framework.aio.http
async def gmail_push(request: Request) -> Response:
    """Answer one push: 204 once every newly sent email is published, 503 to be pushed again."""

    async def work(envelope: Envelope) -> None:
        push = envelope.message(GmailPush)
        read = await handler().handle(push, envelope.correlation_id, datetime.now(UTC))
        log.info(
            "push.read_on",
            mailbox_id=str(read.mailbox_id),
            published=read.published,
            history_id=str(read.history_id),
            caught_up=read.caught_up,
        )

    return await delivery.answer(request, "gmail_push", work)
