"""Topics, subscriptions and what passes between them: the broker's whole state, in memory."""

import itertools
import time
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp  # type: ignore[import-untyped]  # it ships no types
from google.pubsub_v1 import types

from infra.local.pubsub.broker.backlog import Delivery
from infra.local.pubsub.broker.body import timestamp
from infra.local.pubsub.broker.refusals import (
    Refused,
    check_messages,
    check_name,
    check_push,
    check_subscription,
    existing,
    missing,
)
from infra.local.pubsub.broker.subscription import BrokerSubscription

_DELETED_TOPIC = "_deleted-topic_"
_SOURCE = "CloudPubSubDeadLetterSource"


class Topics:
    """All calls raise Refused with the status that Pub/Sub would answer."""

    def __init__(self) -> None:
        self._topics: dict[str, Any] = {}
        self._subscriptions: dict[str, BrokerSubscription] = {}
        # Ids go on rising over restarts, as a message that was published twice must not look like one published once.
        self._message_ids = itertools.count(time.time_ns() // 1000)

    def create_topic(self, topic: Any) -> Any:
        """The new topic. Its labels are kept; whatever else it asks for isn't."""
        check_name(topic.name, "topics")
        if topic.name in self._topics:
            raise existing(topic.name)
        self._topics[topic.name] = topic
        return topic

    def topic(self, name: str) -> Any:
        """The topic of that name."""
        if name not in self._topics:
            raise missing(name)
        return self._topics[name]

    def topics(self, project: str) -> list[Any]:
        """All topics of `projects/P`."""
        return [topic for name, topic in self._topics.items() if name.startswith(f"{project}/")]

    def delete_topic(self, name: str) -> None:
        """Its subscriptions stay, with what they hold."""
        self.topic(name)
        del self._topics[name]
        for subscription in self._of(name):
            subscription.config.topic = _DELETED_TOPIC

    def subscriptions_of(self, topic: str) -> list[str]:
        """Names of the topic's subscriptions."""
        self.topic(topic)
        return [subscription.config.name for subscription in self._of(topic)]

    def publish(self, topic: str, messages: Any) -> list[str]:
        """The messages' ids, once every subscription of the topic has them."""
        self.topic(topic)
        check_messages(messages)
        now = Timestamp()
        now.FromMilliseconds(time.time_ns() // 1_000_000)
        subscriptions = self._of(topic)
        for message in messages:
            message.message_id = str(next(self._message_ids))
            message.publish_time.CopyFrom(now)
            for subscription in subscriptions:
                subscription.add(message)
        return [message.message_id for message in messages]

    def create_subscription(self, config: Any) -> Any:
        """The new subscription, which gets what is published from now on."""
        check_subscription(config)
        self.topic(config.topic)
        if config.name in self._subscriptions:
            raise existing(config.name)
        subscription = self._subscriptions[config.name] = BrokerSubscription(config, self._give_up)
        return subscription.config

    def subscription(self, name: str) -> BrokerSubscription:
        """The subscription of that name."""
        if name not in self._subscriptions:
            raise missing(name)
        return self._subscriptions[name]

    def subscriptions(self, project: str) -> list[Any]:
        """All subscriptions of `projects/P`."""
        return [found.config for name, found in self._subscriptions.items() if name.startswith(f"{project}/")]

    async def modify_push(self, name: str, push_config: Any) -> None:
        """Another endpoint for that subscription, or none."""
        check_push(push_config)
        await self.subscription(name).set_push(push_config)

    async def delete_subscription(self, name: str) -> None:
        """What it holds is gone."""
        await self.subscription(name).close()
        del self._subscriptions[name]

    async def close(self) -> None:
        """Ends all subscriptions."""
        for name in list(self._subscriptions):
            await self.delete_subscription(name)

    def _of(self, topic: str) -> list[BrokerSubscription]:
        return [subscription for subscription in self._subscriptions.values() if subscription.config.topic == topic]

    def _give_up(self, config: Any, delivery: Delivery) -> bool:
        """Publishes a message that failed too often to the dead-letter topic; False where there is none."""
        _, project, _, name = config.name.split("/")
        letter = types.PubsubMessage.pb()(data=delivery.message.data, attributes=dict(delivery.message.attributes))
        letter.attributes[f"{_SOURCE}DeliveryCount"] = str(delivery.tries)
        letter.attributes[f"{_SOURCE}Subscription"] = name
        letter.attributes[f"{_SOURCE}SubscriptionProject"] = project
        letter.attributes[f"{_SOURCE}TopicPublishTime"] = timestamp(delivery.message.publish_time)
        try:
            self.publish(config.dead_letter_policy.dead_letter_topic, [letter])
        except Refused:  # no such topic: it keeps being tried, as Pub/Sub does
            return False
        return True
