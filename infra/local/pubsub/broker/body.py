"""The body of a push, field for field what the emulator sends (which is what Pub/Sub sends, less deliveryAttempt)."""

import base64
import json
from typing import Any


def push_body(subscription: str, message: Any) -> bytes:
    """The JSON for one google.pubsub.v1.PubsubMessage."""
    published = timestamp(message.publish_time)
    content = {
        "data": base64.b64encode(message.data).decode(),
        "messageId": message.message_id,
        "message_id": message.message_id,
        "publishTime": published,
        "publish_time": published,
        "attributes": dict(message.attributes),
    }
    return json.dumps({"subscription": subscription, "message": content}).encode()


def timestamp(moment: Any) -> str:
    """A protobuf Timestamp as RFC 3339 with milliseconds."""
    return str(moment.ToDatetime().isoformat(timespec="milliseconds")) + "Z"
