"""Whose mail is read: connect a mailbox, see one's own, disconnect one.

POST /mailbox/connect, GET /mailbox/callback and POST /mailbox/finish, or POST /mailbox/delegate; GET /mailbox;
DELETE /mailbox/{id}. How the first three belong together stands in shared/connecting/connecting.py.
"""

import html
import json
import os
from functools import cache
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

import functions_framework.aio
import structlog
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from functions import answering
from functions.start import settled
from shared.caller import Caller
from shared.errors import NotFound, RequestRefused
from shared.settings import MailboxSettings

if TYPE_CHECKING:
    from shared.connecting.connecting import Connecting
    from shared.connecting.opening import Opened

MOST_BYTES: Final = 16 * 1024
LONGEST_CODE: Final = 2_000
# A page of plain words: it runs nothing, loads nothing, can't be framed, and tells nobody where it was.
_PAGE_HEADERS: Final = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none';"
    " base-uri 'none'; form-action 'none'",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
}
_PAGE: Final = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="robots" content="noindex"><title>Tenths</title>
<style>body{{font:1rem/1.5 sans-serif;max-width:38rem;margin:3rem auto;padding:0 1rem}}pre{{white-space:pre-wrap;\
overflow-wrap:anywhere;border:1px solid;padding:1rem}}</style>
<h1>{title}</h1><p>{text}</p>{more}</html>
"""
_UNFINISHED: Final = (
    "Your mailbox is not connected yet. If you began this yourself, in a program of yours, give it the lines below: it"
    " sends them to /mailbox/finish, signed in as you. If someone else sent you here, give them to nobody and close"
    " this page: then nothing is connected."
)

log = structlog.get_logger()


@cache
def connecting() -> "Connecting":
    """The process's parts, built when the first request comes."""
    from shared.wiring import connecting as build  # noqa: PLC0415  heavy, and only this function's process needs it

    return settled(build(MailboxSettings.from_environ(os.environ)))


@functions_framework.aio.http
async def mailbox(request: Request) -> Response:
    """Answer one request."""
    return await answering.answer(request, "mailbox", lambda: _route(request))


async def _route(request: Request) -> Response:
    path = request.url.path.strip("/").split("/")
    if path[0] == "mailbox":  # in the cloud the function's own name may be gone from the path
        path = path[1:]
    match request.method, [segment for segment in path if segment]:
        case "GET", ["callback"]:
            return _callback(request)
        case "POST", ["connect"]:
            return await _connect(request, await _caller(request))
        case "POST", ["finish"]:
            return await _finish(request, await _caller(request))
        case "POST", ["delegate"]:
            return await _delegate(request, await _caller(request))
        case "GET", []:
            mailboxes = await connecting().all(await _caller(request))
            return JSONResponse({"mailboxes": [each.model_dump(mode="json") for each in mailboxes]})
        case "DELETE", [mailbox_id]:
            return await _disconnect(await _caller(request), mailbox_id)
    raise NotFound(
        "there are GET /mailbox, POST /mailbox/connect, GET /mailbox/callback, POST /mailbox/finish,"
        " POST /mailbox/delegate and DELETE /mailbox/{id}"
    )


async def _caller(request: Request) -> Caller:
    return await connecting().tokens.verify(request.headers.get("authorization"))


async def _connect(request: Request, caller: Caller) -> Response:
    from shared.connecting.connecting import ConnectRequest  # noqa: PLC0415  loads Gmail's client
    from shared.tools.registry import checked  # noqa: PLC0415  only what is asked needs it

    asked = checked(ConnectRequest, await answering.body(request, MOST_BYTES))
    return _json(await connecting().begin(caller, asked))


async def _finish(request: Request, caller: Caller) -> Response:
    from shared.connecting.connecting import FinishRequest  # noqa: PLC0415  loads Gmail's client
    from shared.tools.registry import checked  # noqa: PLC0415  only what is asked needs it

    asked = checked(FinishRequest, await answering.body(request, MOST_BYTES))
    return _opened(await connecting().finish(caller, asked))


async def _delegate(request: Request, caller: Caller) -> Response:
    from shared.tools.registry import Arguments, checked  # noqa: PLC0415  only what is asked needs it

    checked(Arguments, await answering.body(request, MOST_BYTES))  # it takes none: least of all an address
    return _opened(await connecting().delegating.connect(caller))


async def _disconnect(caller: Caller, mailbox_id: str) -> Response:
    done = await connecting().disconnect(caller, mailbox_id)
    said = (
        "It is not read any more, and Google knows: what this service was permitted has ended. Time entries stay."
        if done.is_complete
        else "It is not read any more. Google could not be told yet: that is tried until it is. Time entries stay."
    )
    return JSONResponse(
        {"id": str(done.mailbox_id), "state": "disconnected", "is_complete": done.is_complete, "said": said},
        200 if done.is_complete else 202,
    )


def _callback(request: Request) -> Response:
    """Back from Google, in whoever's browser: nothing is done, code and state are passed on.

    In the fragment, which no server and no log gets to see.
    """
    query = request.query_params
    try:
        state = connecting().states.read(query.get("state", ""))
    except RequestRefused as refusal:
        log.warning("callback.refused", code=refusal.code)
        return _page(400, "This link can't be used", str(refusal))
    code, error = query.get("code", ""), query.get("error", "")
    if error or not 0 < len(code) <= LONGEST_CODE:
        log.info("callback.denied")
        passed = {"error": "access_denied" if error == "access_denied" else "no_permission"}
    else:
        passed = {"state": query["state"], "code": code}
    if state.return_to is not None:
        to = f"{state.return_to}#{urlencode(passed)}"
        return RedirectResponse(to, 303, {"referrer-policy": "no-referrer"})
    if "error" in passed:
        return _page(200, "Nothing was connected", "Reading your email was not allowed. You can close this page.")
    return _page(200, "One more step", _UNFINISHED, json.dumps(passed, indent=1))


def _page(status: int, title: str, text: str, lines: str | None = None) -> Response:
    more = "" if lines is None else f"<pre>{html.escape(lines)}</pre>"
    content = _PAGE.format(title=html.escape(title), text=html.escape(text), more=more)
    return HTMLResponse(content, status, _PAGE_HEADERS)


def _opened(opened: "Opened") -> Response:
    watched = opened.watch_expires_at
    said = (
        "Connected. Email is read as it is sent, from now on."
        if watched
        else "Connected. Gmail does not push its email yet, and is asked again; until then email is read now and then."
    )
    content = {
        "id": str(opened.mailbox_id),
        "email_address": opened.email_address,
        "state": "connected",
        "watch_expires_at": watched and watched.isoformat(),
        "said": said,
    }
    return JSONResponse(content, 201)


def _json(answer: BaseModel) -> Response:
    return Response(answer.model_dump_json(), media_type="application/json")
