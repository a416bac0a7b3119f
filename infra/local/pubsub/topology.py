"""Topics and push subscriptions, made through Google's own clients, so that either kind of Pub/Sub takes them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import grpc
from google.api_core.exceptions import AlreadyExists
from google.pubsub_v1 import (
    DeadLetterPolicy,
    PublisherAsyncClient,
    PushConfig,
    RetryPolicy,
    SubscriberAsyncClient,
    Subscription,
)
from google.pubsub_v1.services.publisher.transports import PublisherGrpcAsyncIOTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcAsyncIOTransport

DEAD_LETTERS = "dead-letter"
_CALL_SECONDS = 10.0


@dataclass(frozen=True)
class Delivery:
    """How pushes are tried: the time for an answer, the pauses between tries, and how many before the dead letters."""

    ack_deadline: timedelta = timedelta(seconds=60)
    minimum_backoff: timedelta = timedelta(seconds=1)
    maximum_backoff: timedelta = timedelta(seconds=5)
    tries: int = 5


async def lay_out(
    host: str,
    project: str,
    pushes: Mapping[str, str],
    *,
    dead_letters: str = DEAD_LETTERS,
    delivery: Delivery | None = None,
) -> None:
    """Makes each topic of `pushes` and a subscription of the same name that pushes to its endpoint.

    Messages given up on go to the topic `dead_letters`, where a pull subscription of that name keeps them. What exists
    already stays, with its endpoint set anew. Raises google.api_core's GoogleAPICallError.
    """
    delivery = delivery or Delivery()
    async with grpc.aio.insecure_channel(host) as channel:
        topics = PublisherAsyncClient(transport=PublisherGrpcAsyncIOTransport(channel=channel))
        subscriptions = SubscriberAsyncClient(transport=SubscriberGrpcAsyncIOTransport(channel=channel))
        dead_topic = await _topic(topics, project, dead_letters)
        await _subscription(
            subscriptions, Subscription(name=_path(project, "subscriptions", dead_letters), topic=dead_topic)
        )
        for topic, endpoint in pushes.items():
            pushed = Subscription(
                name=_path(project, "subscriptions", topic),
                topic=await _topic(topics, project, topic),
                push_config=PushConfig(push_endpoint=endpoint),
                ack_deadline_seconds=int(delivery.ack_deadline.total_seconds()),
                retry_policy=RetryPolicy(
                    minimum_backoff=delivery.minimum_backoff, maximum_backoff=delivery.maximum_backoff
                ),
                dead_letter_policy=DeadLetterPolicy(dead_letter_topic=dead_topic, max_delivery_attempts=delivery.tries),
            )
            await _subscription(subscriptions, pushed)


async def _topic(client: PublisherAsyncClient, project: str, name: str) -> str:
    path = _path(project, "topics", name)
    try:
        await client.create_topic(name=path, timeout=_CALL_SECONDS)
    except AlreadyExists:
        return path
    return path


async def _subscription(client: SubscriberAsyncClient, wanted: Subscription) -> None:
    try:
        await client.create_subscription(request=wanted, timeout=_CALL_SECONDS)
    except AlreadyExists:
        await client.modify_push_config(subscription=wanted.name, push_config=wanted.push_config, timeout=_CALL_SECONDS)


def _path(project: str, kind: str, name: str) -> str:
    return f"projects/{project}/{kind}/{name}"
