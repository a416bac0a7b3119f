"""What the gateway does with a request, as an ASGI application: admit it, choose a server, pass it on, stream back."""

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from infra.local.api_keys import ApiKeys, KeyRefused
from infra.local.google_identity import HOUR_SECONDS, GoogleIdentity
from infra.local.tokens import ProjectKeys
from infra.local.upstream import Answer, Headers, Upstream, UpstreamAway

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

_REST = b"/rest/v1"
_REST_SECONDS = 60.0
_FUNCTION_SECONDS = 540.0  # the longest that a function on Google Cloud may take
# These speak about one connection, not about the message (RFC 9110, 7.6.1); our own server answers `expect`.
_OF_THE_CONNECTION = frozenset(
    b"connection keep-alive te trailer transfer-encoding upgrade expect"
    b" proxy-connection proxy-authenticate proxy-authorization".split()
)


@dataclass(frozen=True)
class _Call:
    """One request, as ASGI hands it over."""

    scope: Scope
    receive: Receive
    send: Send


class Pushes:
    """What Google adds to a push: a token that says from whom it comes and for whom it is. One is good for many."""

    def __init__(self, identity: GoogleIdentity, secret: str, audience: str, account: str) -> None:
        self.jwks = identity.jwks()
        self._identity = identity
        self._secret = secret.encode()
        self._audience = audience
        self._account = account
        self._header: tuple[bytes, bytes] | None = None
        self._good_until = 0.0

    def function(self, path: bytes) -> bytes | None:
        """The function that a push to this path is for; None where it isn't Pub/Sub that knows the path."""
        match path.split(b"/"):
            case [b"", b"_pubsub", secret, name] if secrets.compare_digest(secret, self._secret):
                return name
        return None

    def signed(self, headers: Headers) -> Headers:
        """The push's headers with its token."""
        if self._header is None or time.monotonic() >= self._good_until:
            token = self._identity.token(self._audience, self._account)
            self._header = (b"authorization", b"Bearer " + token.encode())
            self._good_until = time.monotonic() + HOUR_SECONDS / 2
        return [*(header for header in headers if header[0] != b"authorization"), self._header]


class _ClientGone(Exception):
    """Whoever asked has closed the connection."""


class GatewayApp:
    """Both listeners: a request that came in on `functions_port` is for a function, any other for Supabase."""

    def __init__(
        self,
        keys: ProjectKeys,
        *,
        rest: Upstream,
        functions: Mapping[str, Upstream],
        functions_port: int,
        pushes: Pushes | None = None,
    ) -> None:
        self._api_keys = ApiKeys(keys)
        self._jwks = keys.jwks()
        self._rest = rest
        self._functions = {name.encode(): server for name, server in functions.items()}
        self._functions_port = functions_port
        self._pushes = pushes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        path: bytes = scope["raw_path"]
        try:
            if scope["server"][1] == self._functions_port:
                await self._to_function(path, _Call(scope, receive, send))
            elif path == _REST or path.startswith(_REST + b"/"):
                await self._to_rest(path[len(_REST) :] or b"/", _Call(scope, receive, send))
            elif path == b"/auth/v1/.well-known/jwks.json":
                await _answer(send, 200, self._jwks)
            elif path == b"/healthz":
                await _answer(send, 200, {"status": "ok"})
            else:
                await _answer(send, 404, {"message": "there is nothing at this path"})
        except KeyRefused as refusal:
            await _answer(send, 401, {"message": str(refusal)})

    async def _to_rest(self, path: bytes, call: _Call) -> None:
        headers: Headers = call.scope["headers"]
        # A browser's question before the request carries no key; PostgREST answers it from no data.
        if not (call.scope["method"] == "OPTIONS" and _header(headers, b"access-control-request-method")):
            headers = self._api_keys.admitted(headers)
        await _pass_on(call, self._rest, path, headers, _REST_SECONDS)

    async def _to_function(self, path: bytes, call: _Call) -> None:
        if path == b"/healthz":
            await _answer(call.send, 200, {"status": "ok"})
            return
        headers: Headers = call.scope["headers"]
        if self._pushes is not None:
            if path == b"/_google/certs":
                await _answer(call.send, 200, self._pushes.jwks)
                return
            pushed = self._pushes.function(path)
            if pushed is not None:
                path, headers = b"/" + pushed, self._pushes.signed(headers)
        name = path.split(b"/", 2)[1]
        server = self._functions.get(name)
        if server is None:
            await _answer(call.send, 404, {"message": f"no function is called {name.decode(errors='replace')!r}"})
            return
        await _pass_on(call, server, path, headers, _FUNCTION_SECONDS)


async def _pass_on(call: _Call, server: Upstream, path: bytes, headers: Headers, deadline: float) -> None:
    query: bytes = call.scope["query_string"]
    target = path + b"?" + query if query else path
    headers = [header for header in headers if header[0] not in _OF_THE_CONNECTION]
    first = await call.receive()
    if first["type"] == "http.disconnect":
        return
    whole: bytes = first.get("body", b"")
    more = first.get("more_body", False)
    if whole and not more and not _header(headers, b"content-length"):  # it came in chunks
        headers.append((b"content-length", b"%d" % len(whole)))
    body = _body(whole, call.receive) if more else whole
    method: bytes = call.scope["method"].encode()
    answering = False
    try:
        async with server.request(method, target, headers, body, deadline=deadline) as answer:
            answering = True
            await _send_answer(answer, call)
    except _ClientGone:
        return
    except UpstreamAway as away:
        if answering:
            raise  # the server cuts the client's connection, so that half an answer isn't taken for a whole one
        await _answer(call.send, 503, {"message": str(away)})
    except TimeoutError:
        await _answer(call.send, 504, {"message": f"no answer within {deadline:g} s"})


async def _body(first: bytes, receive: Receive) -> AsyncIterator[bytes]:
    yield first
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _ClientGone
        yield message.get("body", b"")
        more = message.get("more_body", False)


async def _send_answer(answer: Answer, call: _Call) -> None:
    headers = [header for header in answer.headers if header[0] not in _OF_THE_CONNECTION]
    await call.send({"type": "http.response.start", "status": answer.status, "headers": headers})
    if answer.arrived:
        body = b"".join([chunk async for chunk in answer.chunks()])
        await call.send({"type": "http.response.body", "body": body})
        return
    streaming = asyncio.create_task(_stream(answer, call.send))
    leaving = asyncio.create_task(_until_gone(call.receive))
    try:
        await asyncio.wait((streaming, leaving), return_when=asyncio.FIRST_COMPLETED)
        if streaming.done():
            streaming.result()
    finally:
        streaming.cancel()
        leaving.cancel()
        await asyncio.gather(streaming, leaving, return_exceptions=True)


async def _stream(answer: Answer, send: Send) -> None:
    async for chunk in answer.chunks():
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _answer(send: Send, status: int, content: Mapping[str, Any]) -> None:
    body = json.dumps(content).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _header(headers: Headers, wanted: bytes) -> bytes | None:
    return next((value for name, value in headers if name == wanted), None)
