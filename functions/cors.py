"""Which pages' scripts may read the answers that users get (CORS): those of APP_ORIGINS, in any browser.

Nobody is let in by that: who calls is told by the token, which no browser sends along by itself.
"""

import os
from functools import cache
from typing import Final

from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response

from shared.settings import BrowserSettings

METHODS: Final = ("GET", "POST", "DELETE")
HEADERS: Final = ("authorization", "content-type", "user-agent")  # Safari and Firefox ask about the last
# What a script can read besides the few that it always can.
SHOWN: Final = ("content-disposition", "retry-after", "location", "x-vercel-ai-ui-message-stream")
# As long as Chromium remembers at most, seconds: a preflight is one more round trip.
REMEMBERED_SECONDS: Final = 7_200


def preflight(request: Request) -> Response | None:
    """The answer to a browser that asks before it sends; None where this is the request itself."""
    if request.method != "OPTIONS" or "access-control-request-method" not in request.headers:
        return None
    return None if "origin" not in request.headers else _rules().preflight_response(request.headers)


def allow(request: Request, response: Response) -> None:
    """Tell the browser whether the page that asked may read this."""
    origin = request.headers.get("origin")
    rules = _rules()
    if origin is not None and rules.is_allowed_origin(origin):
        response.headers.update(rules.simple_headers)
        rules.allow_explicit_origin(response.headers, origin)
    else:
        response.headers.add_vary_header("Origin")  # no cache on the way may give one's answer to the other


@cache
def _rules() -> CORSMiddleware:
    # Its rules, not itself: functions-framework builds the application.
    return CORSMiddleware(
        _no_application,
        allow_origins=BrowserSettings.from_environ(os.environ).app_origins,
        allow_methods=METHODS,
        allow_headers=HEADERS,
        expose_headers=SHOWN,
        max_age=REMEMBERED_SECONDS,
    )


async def _no_application(*_: object) -> None:
    raise AssertionError("only the rules are used")
