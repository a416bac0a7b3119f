"""The whole stack, once for all tests, with a wire between the functions and each part."""

import asyncio
import base64
import json
import subprocess
import sys
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid4

import httpx
import pytest
from google.pubsub_v1 import PublisherAsyncClient, PubsubMessage, SubscriberAsyncClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcAsyncIOTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcAsyncIOTransport
from grpc.aio import insecure_channel

from infra.local.mailbox import ConnectedMailbox
from infra.local.pubsub.topology import DEAD_LETTERS
from infra.local.stack import PROJECT, Stack, User
from tests.e2e.wire import Wire

T = TypeVar("T")
ROOT = Path(__file__).parents[2]
# Above the ack deadline of the stack's subscriptions: the emulator now and then tries again only then.
DEADLINE_SECONDS = 100.0


async def until(ask: Callable[[], Awaitable[T]], true: Callable[[T], bool], deadline: float = DEADLINE_SECONDS) -> T:
    """Ask again until the answer is as it should be; at the deadline fail with the last answer."""
    answer: Any = None
    try:
        async with asyncio.timeout(deadline):
            while True:
                answer = await ask()
                if true(answer):
                    return answer  # type: ignore[no-any-return]  # T, kept as Any for the message below
                await asyncio.sleep(0.05)
    except TimeoutError:
        pytest.fail(f"after {deadline} s it was still {answer!r}")


@dataclass
class Running:
    """The stack and its wires, by function and part."""

    stack: Stack
    wires: dict[tuple[str, str], Wire]

    async def fault(self, kind: str, **plan: Any) -> None:
        answer = await self.stack.http.post(f"{self.stack.gmail_url}/_sim/faults", json={"kind": kind, **plan})
        answer.raise_for_status()

    async def simulate(self, **settings: Any) -> None:
        answer = await self.stack.http.patch(f"{self.stack.gmail_url}/_sim/settings", json=settings)
        answer.raise_for_status()

    async def calls(self) -> dict[str, int]:
        stats = (await self.stack.http.get(f"{self.stack.gmail_url}/_sim/stats")).json()
        calls: dict[str, int] = stats["calls"]
        return calls

    async def publish(self, topic: str, *data: bytes) -> None:
        async with insecure_channel(self.stack.pubsub.host) as channel:
            client = PublisherAsyncClient(transport=PublisherGrpcAsyncIOTransport(channel=channel))
            messages = [PubsubMessage(data=piece) for piece in data]
            await client.publish(topic=f"projects/{PROJECT}/topics/{topic}", messages=messages)

    async def deliver(self, function: str, **body: Any) -> httpx.Response:
        """Have this delivered as Pub/Sub would. `body`: `content` or `json`, and `headers`, as httpx takes them."""
        headers = {"Authorization": f"Bearer {self.stack.push_token}", **body.pop("headers", {})}
        return await self.stack.http.post(f"{self.stack.gateway.functions_url}/{function}", headers=headers, **body)

    async def dead_letters(self, mailbox: ConnectedMailbox) -> int:
        """How many messages about this mailbox Pub/Sub has given up on since last asked.

        Another test may have left one, too: where what replays them is killed before it lets go, they come again.
        """
        names = (str(mailbox.id).encode(), mailbox.address.encode())
        async with insecure_channel(self.stack.pubsub.host) as channel:
            client = SubscriberAsyncClient(transport=SubscriberGrpcAsyncIOTransport(channel=channel))
            path = f"projects/{PROJECT}/subscriptions/{DEAD_LETTERS}"
            request = {"subscription": path, "max_messages": 1000, "return_immediately": True}
            with warnings.catch_warnings():  # deprecated for polling workers; a test wants what is there now
                warnings.simplefilter("ignore", DeprecationWarning)
                pulled = await client.pull(request=request)
            if pulled.received_messages:
                ids = [message.ack_id for message in pulled.received_messages]
                await client.acknowledge(subscription=path, ack_ids=ids)
            return sum(any(name in each.message.data for name in names) for each in pulled.received_messages)

    async def pushes_of(self, mailbox_id: UUID) -> int:
        """How many pushes of this mailbox were answered so far."""
        return sum(event.get("mailbox_id") == str(mailbox_id) for event in self.log("gmail_push"))

    def log(self, function: str) -> list[dict[str, Any]]:
        """The function's own events so far."""
        lines = (self.stack.folder / f"{function}.log").read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]


@dataclass
class Timekeeper:
    """A lawyer with a connected mailbox, as the outside sees her."""

    user: User
    mailbox: ConnectedMailbox
    rest: httpx.AsyncClient

    async def entries(self) -> list[dict[str, Any]]:
        return await self._rows("time_tracking_entries", order="email_id,amount")

    async def outcomes(self) -> dict[str, str]:
        rows = await self._rows("processed_emails")
        return {row["email_id"]: row["failure"] or row["outcome"] for row in rows}

    async def until_outcomes(self, *email_ids: str, deadline: float = DEADLINE_SECONDS) -> dict[str, str]:
        """Wait until something is on record of these emails."""
        return await until(self.outcomes, lambda found: set(email_ids) <= set(found), deadline)

    async def until_some_outcomes(self, number: int) -> None:
        """Wait until something is on record of so many emails, whichever."""
        await until(self._outcomes_if_reachable, lambda found: len(found) >= number)

    async def until_waiting(self, number: int) -> None:
        """Wait until so many emails are handed on to analysis and not analysed."""
        await until(lambda: self._rows("awaited_emails"), lambda rows: len(rows) == number)

    async def _outcomes_if_reachable(self) -> dict[str, str]:
        try:
            return await self.outcomes()
        except httpx.HTTPStatusError:
            return {}

    async def set(self, **settings: Any) -> None:
        """The timekeeper's settings, where there were none."""
        answer = await self.rest.post("/time_tracking_settings", json={"user_id": str(self.user.id), **settings})
        answer.raise_for_status()

    async def mailbox_row(self) -> dict[str, Any]:
        [row] = await self._rows("mailboxes")
        return row

    async def _rows(self, table: str, **params: str) -> list[dict[str, Any]]:
        answer = await self.rest.get(f"/{table}", params=params)
        answer.raise_for_status()
        rows: list[dict[str, Any]] = answer.json()
        return rows


@pytest.fixture(scope="session")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    wires: dict[tuple[str, str], Wire] = {}

    def rewire(function: str, part: str, port: int) -> int:
        return wires.setdefault((function, part), Wire(port)).port

    stack = Stack(tmp_path_factory.mktemp("stack"), quota_profile="unmetered", rewire=rewire)
    async with AsyncExitStack() as ending:
        # The wires open as soon as the functions are told of them: before the first call of any.
        await ending.enter_async_context(stack)
        for wire in wires.values():
            await wire.open()
            ending.push_async_callback(wire.close)
        yield Running(stack, wires)


@pytest.fixture
async def dana(running: Running) -> AsyncIterator[Timekeeper]:
    user = await running.stack.add_user(f"dana-{uuid4().hex[:12]}@whitfieldlaw.example")
    mailbox = await running.stack.connect(user)
    # The watch's own push comes first, so that a test's faults meet the test's pushes.
    await until(lambda: running.pushes_of(mailbox.id), lambda pushes: pushes > 0)
    async with running.stack.rest(user) as rest:
        yield Timekeeper(user, mailbox, rest)


def email(text: str, *, sender: str = "dana@whitfieldlaw.example", **headers: str) -> bytes:
    """An ordinary email with this text."""
    message = EmailMessage()
    given = {
        "From": f"Dana Whitfield <{sender}>",
        "To": "Raymond Ortiz <r.ortiz@mailbox.example>",
        "Subject": "Ortiz - where we are",
        "Date": "Wed, 02 Sep 2026 18:12:00 -0400",
        "Message-ID": f"<{uuid4()}@mail.example>",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    for name, value in given.items():
        message[name] = value
    message.set_content(text)
    return message.as_bytes()


def work(minutes: int = 24) -> bytes:
    """An email that states one piece of work of so many minutes."""
    return email(f"Ray,\n\nI spent {minutes} minutes on the phone with the adjuster.\n\nDana\n")


def extracted(*raw: bytes) -> list[list[dict[str, Any]]]:
    """What the command line gives for the same emails."""
    lines = "".join(json.dumps({"id": str(n), "raw": one.decode("latin-1")}) + "\n" for n, one in enumerate(raw))
    done = subprocess.run(
        [sys.executable, "-m", "shared.extraction"], input=lines, capture_output=True, text=True, check=True, cwd=ROOT
    )
    return [json.loads(line)["entries"] for line in done.stdout.splitlines()]


def push_body(data: bytes, message_id: str = "1") -> dict[str, Any]:
    """What Pub/Sub posts to a push endpoint."""
    message = {"data": base64.b64encode(data).decode(), "messageId": message_id, "attributes": {}}
    return {"message": message, "subscription": f"projects/{PROJECT}/subscriptions/test"}
