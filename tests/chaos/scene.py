"""The stack of a run, its people, and what is asked of both."""

import asyncio
import contextlib
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

import asyncpg
import httpx
from google.api_core.exceptions import GoogleAPICallError
from google.pubsub_v1 import PublisherAsyncClient, PubsubMessage
from google.pubsub_v1.services.publisher.transports import PublisherGrpcAsyncIOTransport
from grpc.aio import AioRpcError, insecure_channel

from infra.local.mailbox import ConnectedMailbox
from infra.local.pubsub.topology import Delivery
from infra.local.stack import PROJECT, Stack, User
from tests.chaos.plan import Person, Plan
from tests.e2e.wire import Wire

T = TypeVar("T")
WIRED: Final = frozenset({"gmail_push", "analyze_email"})
PAUSE_SECONDS: Final = 0.25
TURN_SECONDS: Final = 15.0
MET: Final = "met: "
"""How a scene counts what a fault has hit, where nobody else does."""
LEAST_MODEL_REQUESTS: Final = 75
UNAIDED_MODEL_REQUESTS: Final = 3_500
# What a client of the stack may meet while parts of it are away.
AWAY: Final = (
    *(httpx.HTTPError, OSError, TimeoutError),
    *(asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.OperatorInterventionError),
)


@dataclass
class Timekeeper:
    """A person of the plan who has signed up, with mailboxes connected."""

    person: Person
    user: User
    rest: httpx.AsyncClient
    mailboxes: list[ConnectedMailbox]
    matters: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Scene:
    """What a run plays on. `sent`: the mails' Gmail ids by their numbers. `counts`: what was done, by kind."""

    stack: Stack
    wires: dict[tuple[str, str], Wire]
    people: list[Timekeeper] = field(default_factory=list)
    sent: dict[int, str] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    turns: defaultdict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))
    """Who kills a function at a step waits for those who do so already."""
    valkey_away: list[tuple[float, float]] = field(default_factory=list)
    """From when to when Valkey was down or stood still, epoch seconds."""
    model_refused_at: list[float] = field(default_factory=list)
    """When the model refused a call over its limits, epoch seconds, to within the time between two looks."""
    ends_at: float = float("inf")
    """When nothing more begins to go wrong, by the event loop's clock."""

    @property
    def left_seconds(self) -> float:
        """How long whatever had to wait for its turn may still begin."""
        return self.ends_at + TURN_SECONDS - asyncio.get_running_loop().time()

    async def gmail(self, **fault: Any) -> None:
        """A fault of the Gmail simulator."""
        answer = await self.stack.http.post(f"{self.stack.gmail_url}/_sim/faults", json=fault)
        answer.raise_for_status()

    async def gmail_stats(self) -> dict[str, Any]:
        answer = await self.stack.http.get(f"{self.stack.gmail_url}/_sim/stats")
        stats: dict[str, Any] = answer.raise_for_status().json()
        return stats

    async def model(self, method: str, path: str, **body: Any) -> Any:
        """Something of the model simulator's."""
        url = f"{self.stack.model.url.removesuffix('/v1')}/_sim/{path}"
        answer = await self.stack.http.request(method, url, json=body or None)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    async def look_for_refusals(self) -> None:
        """Note how often the model has refused calls over its limits since the last look."""
        limits = await self.model("GET", "limits")
        refused = sum(each["refused_requests"] + each["refused_tokens"] for each in limits)
        self.model_refused_at += [time.time()] * (refused - len(self.model_refused_at))

    async def publish(self, topic: str, *data: bytes, deadline: float = 60.0) -> None:
        """Raises TimeoutError when Pub/Sub doesn't take it by the deadline."""

        async def once() -> None:
            async with insecure_channel(self.stack.pubsub.host) as channel:
                client = PublisherAsyncClient(transport=PublisherGrpcAsyncIOTransport(channel=channel))
                messages = [PubsubMessage(data=piece) for piece in data]
                # Without Google's own retries: they may take ten minutes.
                await client.publish(
                    topic=f"projects/{PROJECT}/topics/{topic}", messages=messages, retry=None, timeout=5.0
                )

        await patiently(once, deadline, (AioRpcError, GoogleAPICallError, TimeoutError))

    async def rows(self, query: str, *arguments: Any) -> list[dict[str, Any]]:
        """What the database holds, seen by who may see all; waits while it is away."""

        async def ask() -> list[dict[str, Any]]:
            connection = await asyncpg.connect(self.stack.postgres.url, timeout=5.0)
            try:
                return [dict(row) for row in await connection.fetch(query, *arguments)]
            finally:
                await connection.close()

        return await patiently(ask, 60.0)

    async def connect(self, timekeeper: Timekeeper, mailbox: int) -> ConnectedMailbox:
        """Connect a mailbox, or connect it again; a person tries until it works."""
        user = replace(timekeeper.user, email=timekeeper.person.address(mailbox))
        return await patiently(lambda: self.stack.connect(user), 60.0)


class _Stack(Stack):
    """With a model that may be asked seldom."""

    model_requests: int

    def function_settings(self, function: str | None = None) -> dict[str, str]:
        return {**super().function_settings(function), "OPENAI_REQUESTS_A_MINUTE": str(self.model_requests)}


def model_requests(plan: Plan) -> int:
    """How often a minute the model may be asked: so often that a run comes near it, where maintenance asks later.

    Without maintenance nobody asks again for whom there was no room in time.
    """
    sent = sum(mail.fate == "sent" for mail in plan.mails)
    return max(LEAST_MODEL_REQUESTS, sent // 4) if plan.aided else UNAIDED_MODEL_REQUESTS


async def _sign_up(scene: Scene, ending: contextlib.AsyncExitStack, person: Person) -> Timekeeper:
    user = await scene.stack.add_user(person.address(0))
    rest = await ending.enter_async_context(scene.stack.rest(user))
    timekeeper = Timekeeper(person, user, rest, [])
    own = {"user_id": str(user.id)}
    (await rest.post("/time_tracking_settings", json={**own, **person.settings})).raise_for_status()
    for matter in person.matters:
        (await rest.post("/matters", json={**own, **matter})).raise_for_status()
    timekeeper.matters = (await rest.get("/matters", params={"order": "client,matter"})).raise_for_status().json()
    for mailbox in range(person.mailboxes):
        timekeeper.mailboxes.append(await scene.connect(timekeeper, mailbox))
    return timekeeper


def _delivery(*, aided: bool) -> Delivery:
    """Shorter than in production: what the emulator loses sight of is tried again within the run.

    Where maintenance replays dead letters there are to be some.
    """
    return Delivery(
        ack_deadline=timedelta(seconds=20),
        minimum_backoff=timedelta(seconds=1),
        maximum_backoff=timedelta(seconds=4),
        tries=6 if aided else 50,
    )


@asynccontextmanager
async def scene(folder: Path, plan: Plan, *, quota_profile: str) -> AsyncIterator[Scene]:
    """A stack that restarts whatever ends, with everybody signed up and connected."""
    wires: dict[tuple[str, str], Wire] = {}

    def rewire(function: str, part: str, port: int) -> int:
        if function not in WIRED:
            return port
        return wires.setdefault((function, part), Wire(port)).port

    stack = _Stack(
        folder,
        quota_profile=quota_profile,
        simulate_model=True,
        rewire=rewire,
        keep_all=True,
        # Google's emulator now and then forgets a message that was refused for seconds. Pub/Sub doesn't, nor does ours.
        prefer_pubsub="auto" if plan.aided else "broker",
        gmail_options=("--seed", str(plan.seed)),
        delivery=_delivery(aided=plan.aided),
    )
    stack.model_requests = model_requests(plan)
    async with contextlib.AsyncExitStack() as ending:
        await ending.enter_async_context(stack)
        for wire in wires.values():
            await wire.open()
            ending.push_async_callback(wire.close)
        made = Scene(stack, wires)
        for person in plan.persons:
            made.people.append(await _sign_up(made, ending, person))
        yield made


async def patiently(
    work: Callable[[], Awaitable[T]], deadline: float, expected: tuple[type[BaseException], ...] = AWAY
) -> T:
    """Do it again until it works. Raises TimeoutError, from the last failure, at the deadline."""
    last: BaseException | None = None
    try:
        async with asyncio.timeout(deadline):
            while True:
                try:
                    return await work()
                except expected as failure:
                    last = failure
                    await asyncio.sleep(PAUSE_SECONDS)
    except TimeoutError as late:
        raise TimeoutError(f"still {last!r} after {deadline:g} s") from last or late
