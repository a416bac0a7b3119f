"""Dead letters: messages that a function failed to deal with as often as its subscription tries. Pub/Sub keeps them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import grpc
from google.api_core.exceptions import DeadlineExceeded, GoogleAPICallError, RetryError
from google.pubsub_v1 import SubscriberAsyncClient
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcAsyncIOTransport

from shared.errors import PullFailed

# What Pub/Sub says of where a dead letter comes from. Source: Pub/Sub, dead-letter topics, forwarded messages.
SOURCE_ATTRIBUTES: Final = "CloudPubSubDeadLetterSource"
SOURCE_SUBSCRIPTION: Final = f"{SOURCE_ATTRIBUTES}Subscription"
# Ours: how often this message was published again, and by which run the last time.
REPLAYS_ATTRIBUTE: Final = "replays"
RUN_ATTRIBUTE: Final = "replayed_by"
WAIT_SECONDS: Final = 5.0
CALL_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A dead letter. `source`: the subscription that gave it up, which has its topic's name. `ack_id`: of this pull."""

    message_id: str
    ack_id: str
    data: bytes
    attributes: dict[str, str]

    @property
    def source(self) -> str:
        """The name alone, however Pub/Sub writes it."""
        return self.attributes.get(SOURCE_SUBSCRIPTION, "").rpartition("/")[2]

    @property
    def replays(self) -> int:
        """How often it was published again before."""
        said = self.attributes.get(REPLAYS_ATTRIBUTE, "0")
        return int(said) if said.isascii() and said.isdecimal() and len(said) <= 9 else 0

    def is_of(self, run: str) -> bool:
        """Whether this run has published it again, and it was given up once more already."""
        return self.attributes.get(RUN_ATTRIBUTE) == run

    def next_attributes(self, run: str) -> dict[str, str]:
        """Its own attributes for being published once more, by this run."""
        own = {name: value for name, value in self.attributes.items() if not name.startswith(SOURCE_ATTRIBUTES)}
        return {**own, REPLAYS_ATTRIBUTE: str(self.replays + 1), RUN_ATTRIBUTE: run}


class DeadLetters:
    """The pull subscription that keeps them. What was pulled and isn't acked comes again."""

    def __init__(self, client: SubscriberAsyncClient, subscription: str) -> None:
        self._client = client
        self._subscription = subscription

    @classmethod
    def connect(cls, project: str, subscription: str, emulator_host: str | None) -> Self:
        if emulator_host is None:
            client = SubscriberAsyncClient()
        else:
            channel = grpc.aio.insecure_channel(emulator_host)
            client = SubscriberAsyncClient(transport=SubscriberGrpcAsyncIOTransport(channel=channel))
        return cls(client, f"projects/{project}/subscriptions/{subscription}")

    async def pull(self, most: int) -> tuple[DeadLetter, ...]:
        """Some of what there is; empty: nothing came within a few seconds. Raises PullFailed."""
        try:
            answer = await self._client.pull(
                subscription=self._subscription, max_messages=most, timeout=WAIT_SECONDS, retry=None
            )
        except DeadlineExceeded:
            return ()
        except (GoogleAPICallError, RetryError) as error:
            raise PullFailed(f"Pub/Sub answered {type(error).__name__}") from error
        return tuple(
            DeadLetter(
                received.message.message_id,
                received.ack_id,
                received.message.data,
                dict(received.message.attributes),
            )
            for received in answer.received_messages
        )

    async def ack(self, letters: Sequence[DeadLetter]) -> None:
        """Let go of these: they are safe elsewhere. Raises PullFailed."""
        if not letters:
            return
        ids = [letter.ack_id for letter in letters]
        try:
            await self._client.acknowledge(subscription=self._subscription, ack_ids=ids, timeout=CALL_SECONDS)
        except (GoogleAPICallError, RetryError) as error:
            raise PullFailed(f"Pub/Sub answered {type(error).__name__}") from error

    async def close(self) -> None:
        await self._client.transport.close()  # type: ignore[no-untyped-call]  # generated without types
