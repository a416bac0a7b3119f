"""The wire: HTTP in, HTTP out, with the latency and the broken connections that are asked for."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from infra.local.gmail.api import (
    METADATA_TOKEN,
    GmailApi,
    Request,
    ask_consent,
    exchange_token,
    revoke_token,
    sign_jwt,
)
from infra.local.gmail.batch import answer_batch
from infra.local.gmail.errors import Answer, GmailError
from infra.local.gmail.faults import BATCH, REVOKE, TOKEN, CallFault
from infra.local.gmail.sim import SimulatorRoutes, refused
from infra.local.gmail.simulator import Simulator

# What is no method of Gmail's, and can go wrong all the same.
_WIRE = frozenset({BATCH, TOKEN, REVOKE})
_ABORT = "infra.local.gmail.abort"


class AbortableProtocol(HttpToolsProtocol):
    """Lets a call's connection be torn down instead of answered."""

    def on_message_begin(self) -> None:
        """Puts the means to do so where the application finds it."""
        super().on_message_begin()
        self.scope["extensions"] = {_ABORT: {"abort": self.abort}}

    def abort(self) -> None:
        """Resets the connection: what a caller then reads is an error, not an end."""
        # On, and for no time at all: closing sends RST.
        linger = struct.pack("ii", 1, 0)
        self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.transport.abort()


class _Aborted(Response):
    """No answer: the connection is reset."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  nothing is sent
        scope["extensions"][_ABORT]["abort"]()
        while (await receive())["type"] != "http.disconnect":
            continue


class _Silence(Response):
    """No answer: the caller waits until it gives up."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  nothing is sent
        while (await receive())["type"] != "http.disconnect":
            continue


class Wire:
    """Endpoints that speak as Google does."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._api = GmailApi(simulator)

    def routes(self) -> list[Route]:
        """All of them."""
        verbs = ["GET", "POST", "PUT", "PATCH", "DELETE"]
        return [
            Route("/gmail/v1/{rest:path}", self.gmail, methods=verbs),
            Route("/upload/gmail/v1/{rest:path}", self.gmail, methods=verbs),
            Route("/batch/gmail/v1", self.batch, methods=["POST"]),
            Route("/batch", self.batch, methods=["POST"]),
            Route("/o/oauth2/v2/auth", self.consent, methods=["GET"]),
            Route("/token", self.token, methods=["POST"]),
            Route("/revoke", self.revoke, methods=["POST"]),
            Route("/v1/projects/-/serviceAccounts/{account}:signJwt", self.sign, methods=["POST"]),
            Route("/computeMetadata/v1/instance/service-accounts/default/token", self.metadata, methods=["GET"]),
        ]

    async def gmail(self, http: HttpRequest) -> Response:
        """One call."""
        request = await _request(http)
        routed = self._api.route(request)
        return await self._deliver(routed.method.name if routed else "", request, self._call)

    async def batch(self, http: HttpRequest) -> Response:
        """Up to a hundred calls."""
        at_once = self._simulator.behaviour.batch_parallel
        return await self._deliver(BATCH, await _request(http), lambda whole: answer_batch(whole, self._call, at_once))

    async def token(self, http: HttpRequest) -> Response:
        """OAuth's token endpoint."""
        return await self._deliver(TOKEN, await _request(http), self._exchange)

    async def consent(self, http: HttpRequest) -> Response:
        """OAuth's consent screen, agreed to at once."""
        return _response(ask_consent(self._simulator, dict(http.query_params)))

    async def revoke(self, http: HttpRequest) -> Response:
        """OAuth's revocation endpoint."""
        return await self._deliver(REVOKE, await _request(http), self._revoke)

    async def sign(self, http: HttpRequest) -> Response:
        """IAM's signJwt."""
        account, authorization = http.path_params["account"], http.headers.get("authorization")
        return _response(sign_jwt(self._simulator, account, authorization, await http.body()))

    async def metadata(self, http: HttpRequest) -> Response:
        """The token of the account that whoever asks runs as."""
        if http.headers.get("metadata-flavor") != "Google":
            return Response(status_code=403)
        answer = {"access_token": METADATA_TOKEN, "expires_in": 3599, "token_type": "Bearer"}  # nosec B105  a simulator's
        return _response(Answer.json(answer))

    async def _call(self, request: Request) -> Answer:
        """One call, alone or out of a batch, after a latency of its own."""
        with self._simulator.under_way.call(self._api.address(request)):
            await self._latency()
            return self._api.answer(request)

    async def _exchange(self, request: Request) -> Answer:
        await self._latency()
        return exchange_token(self._simulator, _form(request), f"http://{request.headers['host']}/token")

    async def _revoke(self, request: Request) -> Answer:
        await self._latency()
        return revoke_token(self._simulator, _form(request))

    async def _deliver(self, method: str, request: Request, answer: Callable[[Request], Awaitable[Answer]]) -> Response:
        """The answer, through what is planned to happen to the connection."""
        if method in _WIRE:
            self._simulator.calls[method] += 1
        fault = self._simulator.faults.on_wire(method, self._api.address(request))
        if fault and fault.delay_ms:
            await asyncio.sleep(fault.delay_ms / 1000)
        match fault.kind if fault else None:
            case CallFault.TIMEOUT:
                return _Silence()
            case CallFault.RESET:
                await self._latency()
                return _Aborted()
        try:
            if method in _WIRE:
                self._simulator.faults.refuse(method, "")
        except GmailError as refusal:
            await self._latency()
            answered = refusal.answer()
        else:
            answered = await answer(request)
        if fault and fault.kind is CallFault.MALFORMED:
            answered = Answer(answered.status, answered.body[: len(answered.body) // 2], answered.headers)
        return _response(answered)

    async def _latency(self) -> None:
        behaviour = self._simulator.behaviour
        latency_ms = behaviour.latency_ms + self._simulator.randomness.uniform(0, behaviour.jitter_ms)
        if latency_ms:
            await asyncio.sleep(latency_ms / 1000)


def make_app(open_simulator: Callable[[], Simulator]) -> ASGIApp:
    """The application. The simulator is opened when the server starts, within its event loop."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        simulator = open_simulator()
        app.router.routes.extend([*Wire(simulator).routes(), *SimulatorRoutes(simulator).routes()])
        simulator.pushes.resume()
        yield
        await simulator.close()

    return Starlette(routes=[Route("/healthz", _healthy)], lifespan=lifespan, exception_handlers={GmailError: refused})


async def _healthy(_request: HttpRequest) -> Response:
    return Response("ok", media_type="text/plain")


async def _request(http: HttpRequest) -> Request:
    path = http.scope["raw_path"].decode("latin-1")
    query = http.scope["query_string"].decode("latin-1")
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in http.scope["headers"]}
    return Request(http.method, f"{path}?{query}" if query else path, headers, await http.body())


def _form(request: Request) -> Mapping[str, str]:
    return dict(parse_qsl(request.body.decode("utf-8", "replace"))) | dict(parse_qsl(request.path.partition("?")[2]))


def _response(answer: Answer) -> Response:
    headers: dict[str, Any] = {"content-type": "application/json; charset=UTF-8"} if answer.body else {}
    headers |= {name.lower(): value for name, value in answer.headers.items()}
    return Response(answer.body, answer.status, headers)
