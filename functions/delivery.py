"""How a function answers Pub/Sub: 204 acks a delivery, 503 has it tried again, and nothing is lost between the two."""

from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from starlette.requests import Request
from starlette.responses import Response

from functions import machines, serving
from shared import metrics
from shared.errors import BadDelivery, NotAuthenticated, PermanentError, TransientError
from shared.log import where
from shared.pubsub.decode import Envelope, decode

# A push carries ids. Pub/Sub itself sends no more than 10 MB.
MOST_BYTES: Final = 256 * 1024

ACK: Final = 204
TRY_AGAIN: Final = 503
NOT_YOURS: Final = 401

log = structlog.get_logger()


async def answer(
    request: Request,
    function: str,
    work: Callable[[Envelope], Awaitable[None]],
    verify: Callable[[Request], Awaitable[None]] = machines.verify,
) -> Response:
    """See that it is Pub/Sub who calls, decode the delivery, do the work, answer.

    Whoever else is told 401; were it Pub/Sub after all, and a setting wrong, the delivery is tried again. A permanent
    error acks: the work has recorded what was to be recorded. All else has the delivery tried again, and after the last
    try Pub/Sub keeps it in the dead letter topic.
    """
    return await serving.serve(request, function, lambda: _answer(request, function, work, verify))


async def _answer(
    request: Request,
    function: str,
    work: Callable[[Envelope], Awaitable[None]],
    verify: Callable[[Request], Awaitable[None]],
) -> Response:
    def done(status: int, result: str) -> Response:
        metrics.deliveries.add(1, {"function": function, "result": result})
        return Response(status_code=status)

    try:
        await verify(request)
        envelope = decode(await _body(request))
        structlog.contextvars.bind_contextvars(correlation_id=envelope.correlation_id)
        await work(envelope)
    except NotAuthenticated as error:
        log.warning("delivery.not_authenticated", reason=str(error))
        return done(NOT_YOURS, error.code)
    except PermanentError as error:
        log.warning("delivery.refused", code=error.code, reason=str(error))
        return done(ACK, error.code)
    except TransientError as error:
        log.warning("delivery.will_be_tried_again", code=error.code, reason=str(error))
        return done(TRY_AGAIN, error.code)
    except Exception as error:  # noqa: BLE001  unforeseen: tried again, then dead-lettered; its message might quote an email
        log.error("delivery.broken", error=type(error).__name__, where=where(error))  # noqa: TRY400  no message, see above
        return done(TRY_AGAIN, "broken")
    return done(ACK, "done")


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise BadDelivery(f"body: larger than {MOST_BYTES} bytes")
    return bytes(body)
