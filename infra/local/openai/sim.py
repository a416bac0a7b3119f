"""/_sim/: what only tests and the local stack may ask for."""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.local.openai.judge import Scripted
from infra.local.openai.simulator import KINDS, Fault, Simulator
from infra.local.openai.talker import Turn


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


B = TypeVar("B", bound=_Body)


class FaultPlan(_Body):
    """What happens to the next `count` calls; null: to all until it is taken back."""

    kind: str
    count: Annotated[int, Field(ge=1)] | None = 1
    delay_ms: Annotated[int, Field(ge=0)] = 0
    retry_after_s: Annotated[float, Field(ge=0)] | None = None

    @field_validator("kind")
    @classmethod
    def _known(cls, kind: str) -> str:
        if kind not in KINDS:
            raise ValueError(f"choose one of {', '.join(sorted(KINDS))}")
        return kind


class Script(_Body):
    """What to say of amounts whose text holds `when`; with `words` empty: work to name beyond what is asked."""

    when: Annotated[str, Field(min_length=1)]
    words: str | None = None
    verdict: dict[str, Any]


class ScriptedCall(_Body):
    """One tool call. `arguments`: an object, or the very text that goes over the wire."""

    name: Annotated[str, Field(min_length=1)]
    arguments: dict[str, Any] | str

    @property
    def text(self) -> str:
        """The arguments as they go over the wire."""
        given = self.arguments
        return given if isinstance(given, str) else json.dumps(given, ensure_ascii=False, separators=(",", ":"))


class ScriptedTurn(_Body):
    """What to say where the last words heard hold `when` (null: any), `times` times (null: always)."""

    when: Annotated[str, Field(min_length=1)] | None = None
    say: str | None = None
    calls: list[ScriptedCall] = []
    times: Annotated[int, Field(ge=1)] | None = 1

    def turn(self) -> Turn:
        """As the talker takes it."""
        return Turn(self.when, self.say, tuple((call.name, call.text) for call in self.calls), self.times)


class Settings(_Body):
    """What may be changed while running; what isn't given stays."""

    latency_ms: Annotated[float, Field(ge=0)] | None = None
    jitter_ms: Annotated[float, Field(ge=0)] | None = None
    chunk_delay_ms: Annotated[float, Field(ge=0)] | None = None
    requests_a_minute: Annotated[int, Field(ge=0)] | None = None
    tokens_a_minute: Annotated[int, Field(ge=0)] | None = None
    window_seconds: Annotated[float, Field(gt=0, le=60)] | None = None
    """What a minute is to be, so that a test needn't wait for one."""


class SimulatorRoutes:
    """The endpoints."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    def routes(self) -> list[Route]:
        """All of them."""
        return [
            Route("/_sim/faults", self.plan, methods=["POST"]),
            Route("/_sim/faults", self.faults_met, methods=["GET"]),
            Route("/_sim/faults", self.clear_faults, methods=["DELETE"]),
            Route("/_sim/answers", self.script, methods=["POST"]),
            Route("/_sim/answers", self.clear_scripts, methods=["DELETE"]),
            Route("/_sim/turns", self.script_turn, methods=["POST"]),
            Route("/_sim/turns", self.clear_turns, methods=["DELETE"]),
            Route("/_sim/turns", self.turns, methods=["GET"]),
            Route("/_sim/requests", self.requests, methods=["GET"]),
            Route("/_sim/requests", self.forget, methods=["DELETE"]),
            Route("/_sim/settings", self.change, methods=["PATCH"]),
            Route("/_sim/stats", self.stats, methods=["GET"]),
            Route("/_sim/limits", self.limits, methods=["GET"]),
        ]

    async def plan(self, http: Request) -> Response:
        """Plan what goes wrong."""
        return await _with(http, FaultPlan, lambda body: self._simulator.faults.append(Fault(**body.model_dump())))

    async def faults_met(self, _http: Request) -> Response:
        """How many calls have met which fault."""
        return JSONResponse(dict(self._simulator.met))

    async def clear_faults(self, _http: Request) -> Response:
        """All goes well from now on."""
        self._simulator.faults.clear()
        return Response(status_code=204)

    async def script(self, http: Request) -> Response:
        """Say this of that."""
        return await _with(
            http, Script, lambda body: self._simulator.scripts.append(Scripted(body.when, body.verdict, body.words))
        )

    async def clear_scripts(self, _http: Request) -> Response:
        """Back to the simple judge."""
        self._simulator.scripts.clear()
        return Response(status_code=204)

    async def script_turn(self, http: Request) -> Response:
        """Say this in a conversation."""
        return await _with(http, ScriptedTurn, lambda body: self._simulator.turns.append(body.turn()))

    async def clear_turns(self, _http: Request) -> Response:
        """Back to the simple talker."""
        self._simulator.turns.clear()
        return Response(status_code=204)

    async def turns(self, _http: Request) -> Response:
        """The turns that are still to be said."""
        return JSONResponse([asdict(turn) for turn in self._simulator.turns])

    async def requests(self, _http: Request) -> Response:
        """The bodies of all requests that were let in, in order."""
        return JSONResponse(self._simulator.requests)

    async def forget(self, _http: Request) -> Response:
        """Forget them, and count from zero."""
        self._simulator.requests.clear()
        under_way = self._simulator.counts["under_way"]
        self._simulator.counts.clear()
        self._simulator.counts["under_way"] = under_way
        for limits in self._simulator.limits.values():
            limits.reset()
        return Response(status_code=204)

    async def change(self, http: Request) -> Response:
        """Change what is given."""
        return await _with(http, Settings, self._apply)

    async def stats(self, _http: Request) -> Response:
        """What was called and what it took."""
        return JSONResponse(dict(self._simulator.counts))

    async def limits(self, _http: Request) -> Response:
        """Of each key, in their order: the most that any window held, and what was refused as too much."""
        return JSONResponse([limits.counts() for limits in self._simulator.limits.values()])

    def _apply(self, given: Settings) -> None:
        simulator = self._simulator
        if given.latency_ms is not None:
            simulator.latency_ms = given.latency_ms
        if given.jitter_ms is not None:
            simulator.set_jitter(given.jitter_ms)
        if given.chunk_delay_ms is not None:
            simulator.chunk_delay_ms = given.chunk_delay_ms
        if given.requests_a_minute is not None:
            simulator.allowed.requests = given.requests_a_minute
        if given.tokens_a_minute is not None:
            simulator.allowed.tokens = given.tokens_a_minute
        if given.window_seconds is not None:
            simulator.allowed.window_seconds = given.window_seconds


async def _with(http: Request, kind: type[B], use: Callable[[B], None]) -> Response:
    try:
        use(kind.model_validate_json(await http.body()))
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        return JSONResponse({"error": {"message": wrong}}, 400)
    return Response(status_code=204)
