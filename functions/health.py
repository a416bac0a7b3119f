"""GET /health: the process is up and its settings are good. With ?deep=1, for machines: so is what it depends on.

Not /healthz: Cloud Run's front end keeps that path for itself.
"""

import os
from collections.abc import Mapping
from typing import Final

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from functions import machines
from functions.start import SETTINGS
from shared.errors import KeysUnavailable, NotAuthenticated, SettingsError

PATHS: Final = ("health", "healthz")
# A try takes no longer, so that whoever looks has an answer before they give up.
LOOK_SECONDS: Final = 2.0

log = structlog.get_logger()


def is_asked(request: Request, function: str) -> bool:
    """Whether this is a look at the function's health. A router may leave the function's name before it."""
    path = request.url.path.strip("/").removeprefix(f"{function}/")
    return request.method in {"GET", "HEAD"} and path in PATHS


async def answer(request: Request, function: str) -> Response:
    """200 while it can work, else 503. Deep: 401 to whoever is not one of the function's machine callers.

    What is needed is the database, and Pub/Sub where the function publishes; without Redis it works, worse.
    """
    if request.query_params.get("deep", "") in {"", "0"}:
        return _said(200, {"status": "ok", "function": function})
    try:
        await machines.verify(request)
    except (NotAuthenticated, SettingsError) as error:
        log.warning("health.not_authenticated", reason=str(error))
        return _said(401, {"status": "unknown", "function": function})
    except KeysUnavailable:
        return _said(503, {"status": "unknown", "function": function})
    from shared.dependencies import look  # noqa: PLC0415  only who looks deeper needs it

    kind = SETTINGS[function]
    found = await look(kind.from_environ(os.environ), within_seconds=LOOK_SECONDS)
    if not found.works:
        log.warning("health.impaired", **found.answers)
    status = "ok" if found.is_whole else "degraded" if found.works else "failing"
    content = {"status": status, "function": function, **found.answers, "breakers": found.breakers}
    return _said(200 if found.works else 503, content)


def _said(status: int, content: Mapping[str, object]) -> Response:
    return JSONResponse(content, status, {"cache-control": "no-store", "x-content-type-options": "nosniff"})
