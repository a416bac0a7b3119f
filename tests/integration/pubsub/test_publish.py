"""Publishing against a real Pub/Sub: acked or raised."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from google.pubsub_v1 import PublisherAsyncClient, SubscriberAsyncClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcAsyncIOTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcAsyncIOTransport
from grpc.aio import insecure_channel

from infra.local.ports import free_port
from infra.local.pubsub import Pubsub, pubsub
from shared.errors import PublishFailed
from shared.pubsub import publish
from shared.pubsub.messages import SentEmail
from shared.pubsub.publish import MOST_MESSAGES_A_CALL, Publisher

PROJECT = "tenths-local"


def messages(number: int) -> list[SentEmail]:
    mailbox_id = uuid4()
    return [SentEmail(mailbox_id=mailbox_id, email_id=f"m{n}") for n in range(number)]


@pytest.fixture(scope="session")
async def bus(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pubsub]:
    async with pubsub(tmp_path_factory.mktemp("bus")) as bus:
        async with insecure_channel(bus.host) as channel:
            topics = PublisherAsyncClient(transport=PublisherGrpcAsyncIOTransport(channel=channel))
            await topics.create_topic(name=f"projects/{PROJECT}/topics/taken")
            subscriptions = SubscriberAsyncClient(transport=SubscriberGrpcAsyncIOTransport(channel=channel))
            await subscriptions.create_subscription(
                name=f"projects/{PROJECT}/subscriptions/taken", topic=f"projects/{PROJECT}/topics/taken"
            )
        yield bus


async def _pulled(bus: Pubsub, number: int) -> list[tuple[str, str]]:
    path = f"projects/{PROJECT}/subscriptions/taken"
    found: list[tuple[str, str]] = []
    async with insecure_channel(bus.host) as channel, asyncio.timeout(20):
        client = SubscriberAsyncClient(transport=SubscriberGrpcAsyncIOTransport(channel=channel))
        while len(found) < number:
            answer = await client.pull(subscription=path, max_messages=1000)
            for received in answer.received_messages:
                message = SentEmail.model_validate_json(received.message.data)
                found.append((message.email_id, received.message.attributes["correlation_id"]))
            ids = [received.ack_id for received in answer.received_messages]
            await client.acknowledge(subscription=path, ack_ids=ids)
    return found


async def test_more_messages_than_one_call_may_hold_all_arrive_with_their_correlation_id(bus: Pubsub) -> None:
    publisher = Publisher.connect(PROJECT, "taken", bus.host)
    await publisher.publish(messages(MOST_MESSAGES_A_CALL + 5), "push-1")
    await publisher.close()
    found = await _pulled(bus, MOST_MESSAGES_A_CALL + 5)
    assert sorted(found) == sorted((f"m{n}", "push-1") for n in range(MOST_MESSAGES_A_CALL + 5))


async def test_publishing_nothing_asks_nothing() -> None:
    publisher = Publisher.connect(PROJECT, "taken", f"127.0.0.1:{free_port()}")
    await publisher.publish([], "push-1")
    await publisher.close()


async def test_a_topic_that_is_missing_is_an_error_and_not_a_loss(bus: Pubsub) -> None:
    publisher = Publisher.connect(PROJECT, "missing", bus.host)
    with pytest.raises(PublishFailed):
        await publisher.publish(messages(1), "push-1")
    await publisher.close()


async def test_a_pubsub_that_is_away_is_an_error_and_not_a_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publish, "TIMEOUT_SECONDS", 0.5)
    publisher = Publisher.connect(PROJECT, "taken", f"127.0.0.1:{free_port()}")
    with pytest.raises(PublishFailed):
        await publisher.publish(messages(1), "push-1")
    await publisher.close()
