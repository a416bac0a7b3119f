"""From an HTTP body to a message: a raw Pub/Sub push, or a CloudEvent around one (structured or binary mode)."""

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from shared.errors import BadDelivery

CORRELATION_ATTRIBUTE = "correlation_id"
M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Envelope:
    """A delivery: the data as it was published, and what Pub/Sub says about it.

    `correlation_id` is the one that the publisher set or, where it set none, the id of the message itself.
    """

    data: bytes
    message_id: str
    correlation_id: str

    def message(self, kind: type[M]) -> M:
        """Read the data as a message of this kind. Raises BadDelivery, naming the field that is wrong."""
        try:
            return kind.model_validate_json(self.data)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            field = ".".join(str(part) for part in first["loc"]) or "data"
            raise BadDelivery(f"{field}: {first['type']}") from None


def decode(body: bytes) -> Envelope:
    """Decode a delivery's body. Raises BadDelivery."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadDelivery("body: not JSON") from error
    message = _message_of(document)
    data = message.get("data")
    if not isinstance(data, str) or not data:
        raise BadDelivery("message.data: missing")
    try:
        decoded = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadDelivery("message.data: not base64") from error
    message_id = _text(message, "messageId") or _text(message, "message_id")
    attributes = message.get("attributes")
    correlation = _text(attributes, CORRELATION_ATTRIBUTE) if isinstance(attributes, dict) else ""
    return Envelope(data=decoded, message_id=message_id, correlation_id=correlation or message_id)


def _message_of(document: Any) -> dict[str, Any]:
    """The Pub/Sub message, whether the push stands alone or is the `data` of a structured CloudEvent."""
    for holder in (document, document.get("data") if isinstance(document, dict) else None):
        if isinstance(holder, dict) and isinstance(holder.get("message"), dict):
            message: dict[str, Any] = holder["message"]
            return message
    raise BadDelivery("message: missing")


def _text(holder: dict[str, Any], name: str) -> str:
    value = holder.get(name)
    return value[:200] if isinstance(value, str) else ""
