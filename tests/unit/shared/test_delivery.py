import base64
import json
from typing import Any

import pytest
from starlette.requests import Request
from structlog.testing import capture_logs

from functions import delivery
from shared.errors import KeysUnavailable, NotAuthenticated, StoreRefused, StoreUnavailable, UnknownMailbox
from shared.pubsub.decode import Envelope

SECRET = "Quillfeather settlement"


def request() -> Request:
    body = json.dumps({"message": {"data": base64.b64encode(b"{}").decode(), "messageId": "7"}}).encode()

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    return Request({"type": "http", "method": "POST", "path": "/", "headers": [], "query_string": b""}, receive)


async def known(_request: Request) -> None:
    """Whoever calls is Pub/Sub."""


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (None, 204),
        (UnknownMailbox("no such mailbox"), 204),
        (StoreUnavailable("away"), 503),
        (StoreRefused("record_analysis: 23514"), 503),
        (ValueError(SECRET), 503),
        (RecursionError(SECRET), 503),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
async def test_an_ack_says_that_nothing_is_lost_and_no_log_line_what_the_email_said(
    error: Exception | None, status: int
) -> None:
    async def work(_envelope: Envelope) -> None:
        if error is not None:
            raise error

    with capture_logs() as lines:
        answer = await delivery.answer(request(), "analyze_email", work, known)
    assert answer.status_code == status
    assert SECRET not in str(lines)
    assert len(lines) == (error is not None)


@pytest.mark.parametrize(
    ("error", "status"),
    [(NotAuthenticated("no token"), 401), (KeysUnavailable("away"), 503)],
    ids=["stranger", "no keys"],
)
async def test_what_nobody_vouches_for_is_not_worked_on_and_not_acked(error: Exception, status: int) -> None:
    async def unknown(_request: Request) -> None:
        raise error

    async def work(_envelope: Envelope) -> None:
        pytest.fail("it was worked on")

    assert (await delivery.answer(request(), "analyze_email", work, unknown)).status_code == status
