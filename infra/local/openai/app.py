"""The wire: HTTP in, HTTP out, with the latency and the broken connections that are asked for."""

import asyncio
import json
import secrets
from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from infra.local.openai.broken import Cut, Drip, Reset, Silence
from infra.local.openai.completion import chunks, usage, whole
from infra.local.openai.errors import OpenAiError, nothing_left, server_error, too_many, wrong_key
from infra.local.openai.judge import LIES, honest, lie
from infra.local.openai.request import ChatRequest, is_streamed, read_request
from infra.local.openai.said import Said, spoilt, tokens
from infra.local.openai.sim import SimulatorRoutes
from infra.local.openai.simulator import REFUSALS, Fault, Simulator
from infra.local.openai.stream import EventStream
from infra.local.openai.talker import speak

# Faults in place of whatever the model says: a scripted turn is kept for the next try.
_UNSAID: Final = frozenset({"hang", "drip", "reset", "html", "empty", "refusal", "no_choices"})


class ChatCompletions:
    """POST /v1/chat/completions."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    async def answer(self, http: Request) -> Response:
        """One call, as the real API answers it or as it is planned."""
        with self._simulator.call_under_way():
            return await self._answer(http)

    async def _answer(self, http: Request) -> Response:
        simulator = self._simulator
        try:
            body = await http.body()
        except ClientDisconnect:
            return Silence()
        simulator.counts["requests"] += 1
        fault = simulator.take_fault(streamed=is_streamed(body))
        try:
            response = self._completion(http, body, fault)  # before the wait: limits count what arrives
        except OpenAiError as refusal:
            simulator.counts[f"refused_{refusal.status}"] += 1
            response = refusal.response()
        wait_ms = simulator.draw_wait_ms() + (fault.delay_ms if fault else 0)
        simulator.counts["waited_ms"] += round(wait_ms)
        if wait_ms:
            await asyncio.sleep(wait_ms / 1000)
        match fault.kind if fault else None:
            case "hang":
                return Silence()
            case "drip":
                return Drip()
            case "reset":
                return Reset()
            case "cut" if not isinstance(response, EventStream):  # a stream cuts itself
                return Cut(response, len(response.body) // 2)
            case "html":
                return HTMLResponse("<html><body>It works!</body></html>")
        return response

    def _completion(self, http: Request, body: bytes, fault: Fault | None) -> Response:
        simulator = self._simulator
        limits = simulator.limits_of(http.headers.get("authorization"))
        if limits is None:
            raise wrong_key()
        request = read_request(body, simulator.models)
        simulator.record(json.loads(body))
        if fault is not None and fault.kind in REFUSALS:
            raise _refusal(fault)
        prompt = tokens(body)
        headers = limits.spend(prompt + (request.max_completion_tokens or 0))
        headers["x-request-id"] = f"req_{secrets.token_hex(12)}"
        kind = fault.kind if fault else ""
        said = spoilt(self._said(request, kind), kind).within(request.max_completion_tokens)
        simulator.counts["prompt_tokens"] += prompt
        simulator.counts["completion_tokens"] += said.tokens
        used = usage(prompt, said.tokens)
        nothing: dict[str, Any] = {"choices": []} if kind == "no_choices" else {}
        if request.stream:
            pieces = chunks(said, request.model, used if request.wants_usage else None)
            return EventStream(simulator, [{**piece, **nothing} for piece in pieces], headers, kind)
        return JSONResponse({**whole(said, request.model, used), **nothing}, headers=headers)

    def _said(self, request: ChatRequest, kind: str) -> Said:
        """What the model says, before a fault spoils it."""
        if kind in _UNSAID:
            return Said("")
        if not request.wants_json or request.tools:
            return speak(request, self._simulator.turns)
        asked, scripts = request.messages[-1].content or "", self._simulator.scripts
        answer = lie(kind, asked, scripts) if kind in LIES else honest(asked, scripts)
        properties = (request.schema_asked or {"properties": answer})["properties"]
        return Said(json.dumps({name: answer.get(name, []) for name in properties}))


def _refusal(fault: Fault) -> OpenAiError:
    match fault.kind:
        case "429":
            return too_many("requests", fault.retry_after_s)
        case "insufficient_quota":
            return nothing_left()
        case "401":
            return wrong_key()
    return server_error(int(fault.kind))


def make_app(simulator: Simulator) -> Starlette:
    """The application."""

    async def models(_http: Request) -> Response:
        listed = [{"id": name, "object": "model", "created": 0, "owned_by": "simulator"} for name in simulator.models]
        return JSONResponse({"object": "list", "data": listed})

    async def healthy(_http: Request) -> Response:
        return PlainTextResponse("ok")

    routes = [
        Route("/healthz", healthy),
        Route("/v1/models", models),
        Route("/v1/chat/completions", ChatCompletions(simulator).answer, methods=["POST"]),
        *SimulatorRoutes(simulator).routes(),
    ]
    return Starlette(routes=routes)
