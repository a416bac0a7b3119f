"""Maintenance on a real database and a real Pub/Sub; its tasks run in the test's own process."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from google.pubsub_v1 import PublisherAsyncClient, PubsubMessage, SubscriberAsyncClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcAsyncIOTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcAsyncIOTransport
from grpc.aio import insecure_channel

from infra.local.pubsub import Preference, find_emulator, lay_out, pubsub
from infra.local.pubsub.topology import DEAD_LETTERS, Delivery
from shared.maintenance.running import Maintenance
from shared.settings import UpkeepSettings
from shared.wiring import maintenance
from tests.integration.local_parts.wire import Received, Wire
from tests.integration.store.conftest import Database, dana, database, entry, priya

__all__ = ["dana", "database", "entry", "priya"]

PROJECT = "law-firm"
TOPICS = ("gmail-events", "sent-emails", "rescan-pages")
DEADLINE_SECONDS = 60.0
QUICK = Delivery(minimum_backoff=timedelta(seconds=0.1), maximum_backoff=timedelta(seconds=0.3))
EMULATOR = pytest.param(
    "emulator", marks=pytest.mark.skipif(find_emulator() is None, reason="Google's emulator is not installed here")
)


class Endpoint(Wire):
    """Where a topic's pushes arrive, and the status that they are answered with."""

    def __init__(self) -> None:
        super().__init__(self._take)
        self.status = 204
        self.arrived: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def next(self) -> tuple[dict[str, Any], dict[str, str]]:
        """What the next push carries, and its attributes."""
        push = await asyncio.wait_for(self.arrived.get(), DEADLINE_SECONDS)
        message = push["message"]
        return json.loads(base64.b64decode(message["data"])), message.get("attributes", {})

    def forget(self) -> None:
        while not self.arrived.empty():
            self.arrived.get_nowait()

    async def _take(self, request: Received, writer: asyncio.StreamWriter) -> None:
        self.arrived.put_nowait(json.loads(request.body))
        writer.write(b"HTTP/1.1 %d Said\r\ncontent-length: 0\r\n\r\n" % self.status)


@dataclass
class Bus:
    """A Pub/Sub with the system's topics, each pushing to an endpoint of its own."""

    host: str
    topics: dict[str, Endpoint]
    publisher: PublisherAsyncClient
    subscriber: SubscriberAsyncClient

    async def publish(self, topic: str, data: bytes, **attributes: str) -> None:
        message = PubsubMessage(data=data, attributes=attributes)
        await self.publisher.publish(topic=f"projects/{PROJECT}/topics/{topic}", messages=[message])

    async def until_dead(self, number: int = 1) -> None:
        """Wait until so many dead letters are there; they stay, for whoever pulls next."""
        path = f"projects/{PROJECT}/subscriptions/{DEAD_LETTERS}"
        seen: dict[str, str] = {}
        async with asyncio.timeout(DEADLINE_SECONDS):
            while len(seen) < number:
                answer = await self.subscriber.pull(subscription=path, max_messages=100, timeout=DEADLINE_SECONDS)
                seen |= {each.message.message_id: each.ack_id for each in answer.received_messages}
        await self.subscriber.modify_ack_deadline(
            subscription=path, ack_ids=list(seen.values()), ack_deadline_seconds=0
        )


@pytest.fixture(scope="session", params=["broker", EMULATOR])
async def bus(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bus]:
    prefer: Preference = request.param
    async with AsyncExitStack() as running:
        endpoints = {topic: await running.enter_async_context(Endpoint().running()) for topic in TOPICS}
        part = await running.enter_async_context(pubsub(tmp_path_factory.mktemp(prefer), prefer=prefer))
        urls = {topic: f"http://127.0.0.1:{endpoint.port}/" for topic, endpoint in endpoints.items()}
        await lay_out(part.host, PROJECT, urls, delivery=QUICK)
        channel = await running.enter_async_context(insecure_channel(part.host))
        yield Bus(
            part.host,
            endpoints,
            PublisherAsyncClient(transport=PublisherGrpcAsyncIOTransport(channel=channel)),
            SubscriberAsyncClient(transport=SubscriberGrpcAsyncIOTransport(channel=channel)),
        )


Upkeep = Callable[..., Maintenance]


@pytest.fixture
async def upkeep(database: Database, bus: Bus) -> AsyncIterator[Upkeep]:
    """Builds maintenance as it is deployed, with settings of the test's own."""
    built: list[Maintenance] = []

    def build(**settings: str) -> Maintenance:
        built.append(
            maintenance(
                UpkeepSettings.from_environ(
                    {
                        "SUPABASE_URL": database.gateway.url,
                        "SUPABASE_SECRET_KEY": database.keys.secret_key,
                        "GOOGLE_CLIENT_ID": "id",
                        "GOOGLE_CLIENT_SECRET": "secret",
                        "TOKEN_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
                        "GCP_PROJECT": PROJECT,
                        "PUBSUB_EMULATOR_HOST": bus.host,
                        **settings,
                    }
                )
            )
        )
        return built[-1]

    yield build
    for each in built:
        await each.aclose()
    for endpoint in bus.topics.values():
        endpoint.status = 204
        endpoint.forget()
