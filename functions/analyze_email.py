"""One newly sent email is to be analysed: Pub/Sub topic sent-emails pushes here."""

import os
from functools import cache
from typing import TYPE_CHECKING, Any

import functions_framework.aio
import structlog
from starlette.requests import Request
from starlette.responses import Response

from functions import delivery
from functions.start import settled
from shared.pubsub.decode import Envelope
from shared.pubsub.messages import SentEmail
from shared.settings import AnalyzeEmailSettings

if TYPE_CHECKING:
    from shared.extraction.grounding import Judged
    from shared.handlers.analyze_email import AnalyzeEmailHandler

log = structlog.get_logger()


@cache
def handler() -> "AnalyzeEmailHandler":
    """The process's one handler, built when the first delivery comes."""
    from shared.wiring import analyze_email_handler  # noqa: PLC0415  heavy, and only this function's process needs it

    return settled(analyze_email_handler(AnalyzeEmailSettings.from_environ(os.environ)))


@functions_framework.aio.http
async def analyze_email(request: Request) -> Response:
    """Answer one delivery: 204 once what became of the email is on record, 503 to be pushed again."""

    async def work(envelope: Envelope) -> None:
        message = envelope.message(SentEmail)
        analyzed = await handler().handle(message, envelope.correlation_id)
        log.info(
            "analysis.recorded" if analyzed.outcome else "analysis.not_needed",
            mailbox_id=str(message.mailbox_id),
            email_id=message.email_id,
            outcome=analyzed.outcome,
            entries=analyzed.entries,
            is_new=analyzed.is_new,
            note=analyzed.note,
            **_model(analyzed.judged),
        )

    return await delivery.answer(request, "analyze_email", work)


def _model(judged: "Judged | None") -> dict[str, Any]:
    """How it went with the model, in counts; nothing where it had nothing to do."""
    if judged is None or not judged.asked:
        return {}
    return {
        "doubts": judged.asked,
        "believed": judged.believed,
        "further": judged.further,
        "dropped": {reason.value: count for reason, count in judged.dropped.items()},
        "second_look": judged.second_look,
    }
