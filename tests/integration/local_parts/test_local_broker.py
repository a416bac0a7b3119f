"""What only our own broker is held to: its pace, its limits, and what it refuses because it doesn't do it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import grpc
import pytest
from google.api_core import exceptions
from google.pubsub_v1 import (
    BigQueryConfig,
    DeadLetterPolicy,
    PublisherAsyncClient,
    PubsubMessage,
    PushConfig,
    SubscriberAsyncClient,
    Subscription,
)
from google.pubsub_v1.services.publisher.transports import PublisherGrpcAsyncIOTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcAsyncIOTransport

from infra.local.pubsub import Pubsub, broker
from infra.local.pubsub.broker.backlog import Backlog, Delivery, Patience
from infra.local.pubsub.broker.push import Pusher
from tests.integration.local_parts.wire import Received, Wire

TOPIC = "projects/law-firm/topics/sent-emails"
SUBSCRIPTION = "projects/law-firm/subscriptions/sent-emails"


class Endpoint(Wire):
    """Holds every push until it is let go."""

    def __init__(self, status: int = 204) -> None:
        super().__init__(self.hold)
        self.status = status
        self.held: asyncio.Queue[asyncio.Event] = asyncio.Queue()
        self.all: list[asyncio.Event] = []

    async def hold(self, _: Received, writer: asyncio.StreamWriter) -> None:
        released = asyncio.Event()
        self.all.append(released)
        self.held.put_nowait(released)
        await released.wait()
        length = b"" if self.status in (102, 204) else b"content-length: 0\r\n"
        writer.write(b"HTTP/1.1 %d Said\r\n%b\r\n" % (self.status, length))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        async with super().running():
            yield self
            for released in self.all:
                released.set()

    async def next(self) -> asyncio.Event:
        return await asyncio.wait_for(self.held.get(), 20)


def nobody_takes_it(_: Delivery) -> bool:
    return False


def message(number: int) -> Any:
    return PubsubMessage.pb()(data=b"%d" % number, message_id=str(number))


@asynccontextmanager
async def pushing(endpoint: Endpoint, backlog: Backlog, deadline: float = 20) -> AsyncIterator[Pusher]:
    pusher = Pusher(backlog, SUBSCRIPTION, f"http://127.0.0.1:{endpoint.port}/", deadline)
    yield pusher
    await pusher.close()
    backlog.close()


def backlog_of(count: int, patience: Patience | None = None) -> Backlog:
    backlog = Backlog(patience or Patience(), nobody_takes_it)
    for number in range(count):
        backlog.add(message(number))
    return backlog


async def test_pushes_start_slowly_and_one_more_goes_out_for_each_that_is_acked() -> None:
    async with Endpoint().running() as endpoint, pushing(endpoint, backlog_of(50)) as pusher:
        first = [await endpoint.next() for _ in range(3)]
        assert len(pusher._out) == 3
        for released in first:
            released.set()
        second = [await endpoint.next() for _ in range(6)]
        assert len(pusher._out) == 6
        for released in second:
            released.set()
        third = [await endpoint.next() for _ in range(12)]
        assert len(pusher._out) == 12
        for released in third:
            released.set()


async def test_an_endpoint_that_fails_is_pushed_to_more_gently() -> None:
    patience = Patience(first_pause=0.01, longest_pause=0.01)
    async with Endpoint(500).running() as endpoint, pushing(endpoint, backlog_of(10, patience)) as pusher:
        for _ in range(6):
            (await endpoint.next()).set()
        last = await endpoint.next()
        assert len(pusher._out) == 1
        last.set()


@pytest.mark.parametrize(
    ("status", "acked"),
    [
        *((status, True) for status in (102, 200, 201, 202, 204)),
        *((status, False) for status in (203, 302, 400, 429, 503)),
    ],
)
async def test_only_these_answers_acknowledge(status: int, acked: bool) -> None:
    given_up: list[Delivery] = []

    def take_over(delivery: Delivery) -> bool:
        given_up.append(delivery)
        return True

    backlog = Backlog(Patience(tries=1), take_over)
    backlog.add(message(1))
    async with Endpoint(status).running() as endpoint, pushing(endpoint, backlog) as pusher:
        answered = await endpoint.next()
        (push,) = pusher._out
        answered.set()
        await asyncio.wait_for(push, 10)
    assert (given_up == []) is acked


async def test_an_answer_that_takes_too_long_counts_as_none() -> None:
    given_up = asyncio.Event()

    def take_over(delivery: Delivery) -> bool:
        assert delivery.tries == 2
        given_up.set()
        return True

    backlog = Backlog(Patience(first_pause=0.01, tries=2), take_over)
    backlog.add(message(1))
    async with Endpoint().running() as endpoint, pushing(endpoint, backlog, deadline=0.1):
        await asyncio.wait_for(given_up.wait(), 10)


async def test_a_message_that_nobody_takes_over_is_tried_on() -> None:
    backlog = backlog_of(1, Patience(first_pause=0.01, longest_pause=0.01, tries=1))
    async with Endpoint(500).running() as endpoint, pushing(endpoint, backlog):
        for _ in range(4):
            (await endpoint.next()).set()


def test_pauses_double_from_the_first_to_the_longest() -> None:
    patience = Patience(first_pause=1, longest_pause=5)
    assert [patience.pause(tries) for tries in (1, 2, 3, 4, 5, 10_000)] == [1, 2, 4, 5, 5, 5]


Clients = tuple[PublisherAsyncClient, SubscriberAsyncClient]


@pytest.fixture(scope="module")
async def part(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pubsub]:
    async with broker(tmp_path_factory.mktemp("broker")) as part:
        yield part


@pytest.fixture
async def clients(part: Pubsub) -> AsyncIterator[Clients]:
    """With a topic; after the test it is gone again, and so is the test's subscription."""
    async with grpc.aio.insecure_channel(part.host) as channel:
        publisher = PublisherAsyncClient(transport=PublisherGrpcAsyncIOTransport(channel=channel))
        subscriber = SubscriberAsyncClient(transport=SubscriberGrpcAsyncIOTransport(channel=channel))
        await publisher.create_topic(name=TOPIC)
        yield publisher, subscriber
        async for subscription in await publisher.list_topic_subscriptions(topic=TOPIC):
            await subscriber.delete_subscription(subscription=subscription)
        await publisher.delete_topic(topic=TOPIC)


@pytest.mark.parametrize(
    "wish",
    [
        {"filter": 'attributes.kind = "a"'},
        {"enable_message_ordering": True},
        {"enable_exactly_once_delivery": True},
        {"bigquery_config": BigQueryConfig(table="p.d.t")},
        {"push_config": PushConfig(push_endpoint="https://example.com/")},
        {
            "push_config": PushConfig(
                push_endpoint="http://127.0.0.1/", oidc_token=PushConfig.OidcToken(service_account_email="a@b.example")
            )
        },
        {"ack_deadline_seconds": 9},
        {"ack_deadline_seconds": 601},
        {"dead_letter_policy": DeadLetterPolicy(dead_letter_topic=TOPIC, max_delivery_attempts=4)},
        {"dead_letter_policy": DeadLetterPolicy(dead_letter_topic="dead-letter")},
        {"name": "projects/law-firm/subscriptions/ab"},
        {"name": "projects/law-firm/subscriptions/google-things"},
        {"name": TOPIC},
    ],
    ids=str,
)
async def test_what_the_broker_does_not_do_it_refuses(clients: Clients, wish: dict[str, Any]) -> None:
    with pytest.raises(exceptions.InvalidArgument):
        await clients[1].create_subscription(request=Subscription({"name": SUBSCRIPTION, "topic": TOPIC} | wish))


async def test_a_call_that_the_broker_does_not_have_says_so(clients: Clients) -> None:
    with pytest.raises(exceptions.MethodNotImplemented):
        await clients[1].seek(request={"subscription": SUBSCRIPTION})


async def test_too_many_or_too_large_messages_are_refused_as_a_whole(clients: Clients) -> None:
    publisher, subscriber = clients
    await subscriber.create_subscription(name=SUBSCRIPTION, topic=TOPIC)
    for messages in ([PubsubMessage(data=b"x")] * 1001, [PubsubMessage(data=bytes(5_000_001))] * 2):
        with pytest.raises(exceptions.InvalidArgument):
            await publisher.publish(topic=TOPIC, messages=messages)
    answer = await subscriber.pull(subscription=SUBSCRIPTION, max_messages=1, timeout=1)
    assert not answer.received_messages


async def test_a_lease_that_runs_out_gives_the_message_back_and_counts_as_a_try(clients: Clients) -> None:
    publisher, subscriber = clients
    policy = DeadLetterPolicy(dead_letter_topic=TOPIC)
    await subscriber.create_subscription(
        request=Subscription(name=SUBSCRIPTION, topic=TOPIC, dead_letter_policy=policy)
    )
    await publisher.publish(topic=TOPIC, messages=[PubsubMessage(data=b"x")])
    for tries in (1, 2):
        (received,) = (await subscriber.pull(subscription=SUBSCRIPTION, max_messages=1)).received_messages
        assert received.delivery_attempt == tries
        await subscriber.modify_ack_deadline(
            subscription=SUBSCRIPTION, ack_ids=[received.ack_id], ack_deadline_seconds=1
        )
    (received,) = (await subscriber.pull(subscription=SUBSCRIPTION, max_messages=1)).received_messages
    assert received.delivery_attempt == 3


async def test_a_lease_that_was_prolonged_or_acknowledged_does_not_run_out(clients: Clients) -> None:
    publisher, subscriber = clients
    await subscriber.create_subscription(name=SUBSCRIPTION, topic=TOPIC)
    await publisher.publish(topic=TOPIC, messages=[PubsubMessage(data=b"acked"), PubsubMessage(data=b"prolonged")])
    received = (await subscriber.pull(subscription=SUBSCRIPTION, max_messages=2)).received_messages
    acked, prolonged = (each.ack_id for each in received)
    for ids, seconds in (([acked, prolonged], 1), ([prolonged], 600)):
        await subscriber.modify_ack_deadline(subscription=SUBSCRIPTION, ack_ids=ids, ack_deadline_seconds=seconds)
    await subscriber.acknowledge(subscription=SUBSCRIPTION, ack_ids=[acked])
    answer = await subscriber.pull(subscription=SUBSCRIPTION, max_messages=2, timeout=5)  # waits past the first end
    assert not answer.received_messages


async def test_message_ids_rise_and_go_on_rising_after_a_restart(tmp_path: Path) -> None:
    ids: list[int] = []
    async with broker(tmp_path) as part:
        for _ in range(2):
            async with grpc.aio.insecure_channel(part.host) as channel:
                publisher = PublisherAsyncClient(transport=PublisherGrpcAsyncIOTransport(channel=channel))
                await publisher.create_topic(name=TOPIC)
                answer = await publisher.publish(topic=TOPIC, messages=[PubsubMessage(data=b"x")] * 3)
            ids += map(int, answer.message_ids)
            await part.restart()
    assert all(earlier < later for earlier, later in pairwise(ids))


async def test_a_new_endpoint_gets_what_the_old_one_had_not_acked(clients: Clients) -> None:
    publisher, subscriber = clients
    async with Endpoint().running() as old, Endpoint().running() as new:
        config = PushConfig(push_endpoint=f"http://127.0.0.1:{old.port}/")
        await subscriber.create_subscription(name=SUBSCRIPTION, topic=TOPIC, push_config=config)
        await publisher.publish(topic=TOPIC, messages=[PubsubMessage(data=b"x")])
        await old.next()
        config = PushConfig(push_endpoint=f"http://127.0.0.1:{new.port}/")
        await subscriber.modify_push_config(subscription=SUBSCRIPTION, push_config=config)
        (await new.next()).set()
