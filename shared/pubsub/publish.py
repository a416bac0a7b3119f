"""Publishing: acked or raised, nothing between. One call for all messages of a page."""

from collections.abc import Mapping, Sequence
from typing import Self

import grpc
from google.api_core.exceptions import GoogleAPICallError, RetryError
from google.pubsub_v1 import PublisherAsyncClient, PubsubMessage
from google.pubsub_v1.services.publisher.transports import PublisherGrpcAsyncIOTransport
from pydantic import BaseModel

from shared import metrics
from shared.errors import PublishFailed
from shared.pubsub.decode import CORRELATION_ATTRIBUTE

MOST_MESSAGES_A_CALL = 1000  # Pub/Sub's own limit
TIMEOUT_SECONDS = 10.0


class Publisher:
    """Publishes to one topic.

    The generated async client instead of `pubsub_v1.PublisherClient`: that one collects messages in threads and
    acks each for itself, while the watermark wants one answer for one page of history.
    """

    def __init__(self, client: PublisherAsyncClient, topic: str) -> None:
        self._client = client
        self._topic = topic

    @classmethod
    def connect(cls, project: str, topic: str, emulator_host: str | None) -> Self:
        if emulator_host is None:
            client = PublisherAsyncClient()
        else:
            channel = grpc.aio.insecure_channel(emulator_host)
            client = PublisherAsyncClient(transport=PublisherGrpcAsyncIOTransport(channel=channel))
        return cls(client, f"projects/{project}/topics/{topic}")

    async def publish(self, messages: Sequence[BaseModel], correlation_id: str) -> None:
        """Publish all, in order. Raises PublishFailed if one of them may not have been taken."""
        attributes = {CORRELATION_ATTRIBUTE: correlation_id}
        await self.publish_as_is([(each.model_dump_json(by_alias=True).encode(), attributes) for each in messages])

    async def publish_as_is(self, messages: Sequence[tuple[bytes, Mapping[str, str]]]) -> None:
        """The same for data that is encoded already, each with its attributes."""
        for start in range(0, len(messages), MOST_MESSAGES_A_CALL):
            chunk = [
                PubsubMessage(data=data, attributes=dict(attributes))
                for data, attributes in messages[start : start + MOST_MESSAGES_A_CALL]
            ]
            result = "failed"
            try:
                with metrics.stage("publish"):
                    answer = await self._client.publish(topic=self._topic, messages=chunk, timeout=TIMEOUT_SECONDS)
                if len(answer.message_ids) != len(chunk):
                    raise PublishFailed("Pub/Sub acked fewer messages than were sent")
                result = "done"
            except (GoogleAPICallError, RetryError) as error:
                raise PublishFailed(f"Pub/Sub answered {type(error).__name__}") from error
            finally:
                labels = {"topic": self._topic.rpartition("/")[2], "result": result}
                metrics.published.add(len(chunk), labels)

    async def close(self) -> None:
        await self._client.transport.close()  # type: ignore[no-untyped-call]  # generated without types
