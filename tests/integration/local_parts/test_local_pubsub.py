"""The same behaviour from our broker and, where it is installed, from Google's emulator, through Google's clients."""

import asyncio
import base64
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import grpc
import pytest
from google.api_core import exceptions
from google.pubsub_v1 import PublisherAsyncClient, PubsubMessage, PushConfig, SubscriberAsyncClient, Subscription
from google.pubsub_v1.services.publisher.transports import PublisherGrpcAsyncIOTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcAsyncIOTransport

from infra.local.ports import free_port
from infra.local.pubsub import Preference, Pubsub, find_emulator, lay_out, pubsub
from infra.local.pubsub.topology import Delivery
from tests.integration.local_parts.wire import Received, Wire

PROJECT = "law-firm"
DEADLINE = 60
# The emulator makes a second of any shorter pause.
QUICK = Delivery(minimum_backoff=timedelta(seconds=0.1), maximum_backoff=timedelta(seconds=0.3))


class Endpoint(Wire):
    """Where pushes arrive. `answers`: the statuses to give, the last one from then on."""

    def __init__(self, answers: list[int]) -> None:
        super().__init__(self.take)
        self.answers = list(answers)
        self.arrived: asyncio.Queue[Any] = asyncio.Queue()
        self.times: dict[bytes, int] = defaultdict(int)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/gmail_push?token=abc"

    async def next(self) -> Any:
        return await asyncio.wait_for(self.arrived.get(), DEADLINE)

    async def take(self, request: Received, writer: asyncio.StreamWriter) -> None:
        push = json.loads(request.body)
        self.times[base64.b64decode(push["message"]["data"])] += 1
        status = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        body = b"\r\n" if status == 204 else b"content-length: 4\r\n\r\nbody"
        writer.write(b"HTTP/1.1 %d Said\r\n%b" % (status, body))
        self.arrived.put_nowait(push)


@dataclass
class Bus:
    part: Pubsub
    publisher: PublisherAsyncClient
    subscriber: SubscriberAsyncClient
    names: Iterator[int]

    def name(self, kind: str) -> str:
        return f"{kind}-{next(self.names)}"

    def topic(self, name: str) -> str:
        return f"projects/{PROJECT}/topics/{name}"

    def subscription(self, name: str) -> str:
        return f"projects/{PROJECT}/subscriptions/{name}"

    async def publish(self, topic: str, *data: bytes, **attributes: str) -> list[str]:
        messages = [PubsubMessage(data=each, attributes=attributes) for each in data]
        answer = await self.publisher.publish(topic=self.topic(topic), messages=messages)
        return list(answer.message_ids)

    async def pull(self, subscription: str, most: int = 10) -> list[Any]:
        """Waits for at least one; both answer with none after a while."""
        async with asyncio.timeout(DEADLINE):
            while True:
                answer = await self.subscriber.pull(
                    subscription=self.subscription(subscription), max_messages=most, timeout=DEADLINE
                )
                if answer.received_messages:
                    return list(answer.received_messages)

    async def pull_subscription(self) -> tuple[str, str]:
        name = self.name("pulled")
        await self.publisher.create_topic(name=self.topic(name))
        await self.subscriber.create_subscription(
            request=Subscription(name=self.subscription(name), topic=self.topic(name))
        )
        return name, self.subscription(name)


EMULATOR = pytest.param(
    "emulator", marks=pytest.mark.skipif(find_emulator() is None, reason="Google's emulator is not installed here")
)


@pytest.fixture(scope="module", params=["broker", EMULATOR])
async def bus(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bus]:
    prefer: Preference = request.param
    async with (
        pubsub(tmp_path_factory.mktemp(prefer), prefer=prefer) as part,
        grpc.aio.insecure_channel(part.host) as channel,
    ):
        yield Bus(
            part,
            PublisherAsyncClient(transport=PublisherGrpcAsyncIOTransport(channel=channel)),
            SubscriberAsyncClient(transport=SubscriberGrpcAsyncIOTransport(channel=channel)),
            iter(range(1000)),
        )


@pytest.fixture
async def endpoint(request: pytest.FixtureRequest) -> AsyncIterator[Endpoint]:
    async with Endpoint(getattr(request, "param", [204])).running() as endpoint:
        yield endpoint


async def test_a_push_has_the_body_that_functions_decode(bus: Bus, endpoint: Endpoint) -> None:
    topic = bus.name("gmail-events")
    await lay_out(bus.part.host, PROJECT, {topic: endpoint.url})
    (message_id,) = await bus.publish(topic, '{"historyId": "9", "für": "§"}'.encode(), correlation_id="c-1", word="ü")
    push = await endpoint.next()
    published = push["message"]["publishTime"]
    assert push == {
        "subscription": f"projects/{PROJECT}/subscriptions/{topic}",
        "message": {
            "data": base64.b64encode('{"historyId": "9", "für": "§"}'.encode()).decode(),
            "messageId": message_id,
            "message_id": message_id,
            "publishTime": published,
            "publish_time": published,
            "attributes": {"correlation_id": "c-1", "word": "ü"},
        },
    }
    assert published[10] == "T"
    assert (published[-5], published[-1]) == (".", "Z")
    (request,) = endpoint.received
    assert request.lines[0] == b"POST /gmail_push?token=abc HTTP/1.1"
    assert b"content-type: application/json" in [line.lower() for line in request.lines]


@pytest.mark.parametrize("endpoint", [[200], [201], [202], [204]], indirect=True, ids=str)
async def test_an_acked_message_does_not_come_again(bus: Bus, endpoint: Endpoint) -> None:
    topic = bus.name("acked")
    await lay_out(bus.part.host, PROJECT, {topic: endpoint.url})
    await bus.publish(topic, *(b"%d" % number for number in range(20)))
    for _ in range(20):
        await endpoint.next()
    await bus.publish(topic, b"after them")
    await endpoint.next()
    assert set(endpoint.times.values()) == {1}
    assert len(endpoint.times) == 21


@pytest.mark.parametrize("endpoint", [[404, 429, 500, 200]], indirect=True, ids=str)
async def test_any_other_answer_brings_the_message_back_until_it_is_acked(bus: Bus, endpoint: Endpoint) -> None:
    topic = bus.name("retried")
    await lay_out(bus.part.host, PROJECT, {topic: endpoint.url}, delivery=QUICK)
    (message_id,) = await bus.publish(topic, b"again")
    assert {(await endpoint.next())["message"]["messageId"] for _ in range(4)} == {message_id}
    await bus.publish(topic, b"after it")
    await endpoint.next()
    assert endpoint.times == {b"again": 4, b"after it": 1}


@pytest.mark.parametrize("endpoint", [[500]], indirect=True, ids=str)
async def test_after_five_tries_the_dead_letters_hold_the_message_and_where_it_came_from(
    bus: Bus, endpoint: Endpoint
) -> None:
    topic, dead = bus.name("poison"), bus.name("dead-letter")
    await lay_out(bus.part.host, PROJECT, {topic: endpoint.url}, dead_letters=dead, delivery=QUICK)
    await bus.publish(topic, b"poison", correlation_id="c-2")
    first = await endpoint.next()
    (letter,) = await bus.pull(dead)
    assert endpoint.times == {b"poison": 5}
    assert letter.message.data == b"poison"
    assert dict(letter.message.attributes) == {
        "correlation_id": "c-2",
        "CloudPubSubDeadLetterSourceDeliveryCount": "5",
        "CloudPubSubDeadLetterSourceSubscription": topic,
        "CloudPubSubDeadLetterSourceSubscriptionProject": PROJECT,
        "CloudPubSubDeadLetterSourceTopicPublishTime": first["message"]["publishTime"],
    }


async def test_an_endpoint_that_comes_up_late_still_gets_the_message(bus: Bus) -> None:
    topic = bus.name("late")
    endpoint = Endpoint([204])
    await lay_out(bus.part.host, PROJECT, {topic: endpoint.url})
    await bus.publish(topic, b"patience")
    async with endpoint.running():
        await endpoint.next()
    assert endpoint.times == {b"patience": 1}


async def test_laying_out_again_keeps_what_is_there_and_turns_pushes_to_the_new_endpoint(
    bus: Bus, endpoint: Endpoint
) -> None:
    topic = bus.name("moved")
    nowhere = f"http://127.0.0.1:{free_port()}/"
    for url in (nowhere, endpoint.url):
        await lay_out(bus.part.host, PROJECT, {topic: url})
    config = await bus.subscriber.get_subscription(subscription=bus.subscription(topic))
    assert config.push_config.push_endpoint == endpoint.url
    assert config.dead_letter_policy.max_delivery_attempts == 5
    assert config.ack_deadline_seconds == 60
    await bus.publish(topic, b"found")
    assert (await endpoint.next())["message"]["data"] == base64.b64encode(b"found").decode()


async def test_every_subscription_of_a_topic_gets_every_message(bus: Bus, endpoint: Endpoint) -> None:
    topic = bus.name("shared")
    await lay_out(bus.part.host, PROJECT, {topic: endpoint.url})
    other = bus.name("other")
    await bus.subscriber.create_subscription(request=Subscription(name=bus.subscription(other), topic=bus.topic(topic)))
    await bus.publish(topic, b"to both")
    await endpoint.next()
    (received,) = await bus.pull(other)
    assert received.message.data == b"to both"


async def test_what_was_pulled_and_acknowledged_is_gone_and_what_was_given_back_returns(bus: Bus) -> None:
    topic, subscription = await bus.pull_subscription()
    await bus.publish(topic, b"kept", b"returned")
    received: dict[bytes, str] = {}
    while len(received) < 2:
        received |= {each.message.data: each.ack_id for each in await bus.pull(topic)}
    await bus.subscriber.acknowledge(subscription=subscription, ack_ids=[received[b"kept"]])
    await bus.subscriber.modify_ack_deadline(
        subscription=subscription, ack_ids=[received[b"returned"]], ack_deadline_seconds=0
    )
    (again,) = await bus.pull(topic)
    assert again.message.data == b"returned"


async def test_an_empty_pull_answers_with_nothing(bus: Bus) -> None:
    _, subscription = await bus.pull_subscription()
    answer = await bus.subscriber.pull(subscription=subscription, max_messages=1, timeout=2)
    assert list(answer.received_messages) == []


async def test_deleted_topics_and_subscriptions_are_gone(bus: Bus) -> None:
    topic, subscription = await bus.pull_subscription()
    await bus.subscriber.delete_subscription(subscription=subscription)
    with pytest.raises(exceptions.NotFound):
        await bus.subscriber.get_subscription(subscription=subscription)
    listed = [each.name async for each in await bus.publisher.list_topics(project=f"projects/{PROJECT}")]
    assert bus.topic(topic) in listed
    await bus.publisher.delete_topic(topic=bus.topic(topic))
    with pytest.raises(exceptions.NotFound):
        await bus.publisher.get_topic(topic=bus.topic(topic))
    with pytest.raises(exceptions.NotFound):
        await bus.publish(topic, b"too late")


async def test_what_pub_sub_refuses_is_refused_with_its_status(bus: Bus) -> None:
    topic, subscription = await bus.pull_subscription()
    unknown = bus.topic("unknown")
    refused: list[tuple[type[Exception], Any]] = [
        (exceptions.AlreadyExists, bus.publisher.create_topic(name=bus.topic(topic))),
        (exceptions.InvalidArgument, bus.publisher.create_topic(name=bus.topic("ab"))),
        (exceptions.InvalidArgument, bus.publisher.create_topic(name="gmail-events")),
        (exceptions.NotFound, bus.publisher.get_topic(topic=unknown)),
        (exceptions.NotFound, bus.publisher.delete_topic(topic=unknown)),
        (exceptions.NotFound, bus.publish("unknown", b"x")),
        (exceptions.InvalidArgument, bus.publish(topic, b"")),
        (exceptions.AlreadyExists, bus.subscriber.create_subscription(name=subscription, topic=bus.topic(topic))),
        (
            exceptions.NotFound,
            bus.subscriber.create_subscription(name=bus.subscription(bus.name("of-unknown")), topic=unknown),
        ),
        (
            exceptions.InvalidArgument,
            bus.subscriber.create_subscription(
                name=bus.subscription(bus.name("nowhere")),
                topic=bus.topic(topic),
                push_config=PushConfig(push_endpoint="no url"),
            ),
        ),
        (exceptions.InvalidArgument, bus.subscriber.acknowledge(subscription=subscription, ack_ids=["of nothing"])),
        (
            exceptions.NotFound,
            bus.subscriber.pull(subscription=bus.subscription("unknown"), max_messages=1, timeout=DEADLINE),
        ),
    ]
    for kind, call in refused:
        with pytest.raises(kind):
            await call
