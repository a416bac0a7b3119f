"""Logs are events: a name and fields, ids and counts. Never text or addresses of an email.

In the cloud a line is JSON as Cloud Logging reads it; on a terminal it is made for eyes. Whatever is bound with
`structlog.contextvars` (the correlation id of a delivery) stands on each line of that delivery.
"""

import logging
import sys
import traceback
from typing import Any, Literal

import stamina.instrumentation
import structlog
from structlog.typing import EventDict, Processor

from shared import metrics
from shared.errors import TenthsError


def _severity(_logger: Any, _name: str, event: EventDict) -> EventDict:
    """Cloud Logging reads `severity` and `message`."""
    event["severity"] = str(event.pop("level", "info")).upper()
    event["message"] = event.pop("event")
    return event


def _tried_again(details: stamina.instrumentation.RetryDetails) -> None:
    error = details.caused_by
    code = error.code if isinstance(error, TenthsError) else type(error).__name__
    metrics.tries.add(1, {"code": code})
    structlog.get_logger().warning(
        "call.tried_again",
        code=code,
        attempt=details.retry_num,
        after_seconds=details.wait_for,
    )


def configure(log_format: Literal["json", "console"]) -> None:
    """Set up logging for this process; libraries' own lines are kept from warnings upwards."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[Processor] = (
        [_severity, structlog.processors.JSONRenderer()]
        if log_format == "json"
        else [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
    )
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    stamina.instrumentation.set_on_retry_hooks([_tried_again])
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")


def where(error: BaseException) -> str:
    """Where an unforeseen error came from, `file:line` innermost first: its message might quote an email."""
    frames = traceback.extract_tb(error.__traceback__)
    return " < ".join(f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}" for frame in reversed(frames[-6:]))
