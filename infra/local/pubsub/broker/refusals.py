"""What the broker doesn't take, with the status that Pub/Sub gives it."""

import re
from typing import Any

import grpc

_NAME = re.compile(r"projects/[^/]+/(topics|subscriptions)/(?!goog)[A-Za-z][A-Za-z0-9\-._~+%]{2,254}")
_SUBSCRIPTION_FIELDS = frozenset(
    ("name", "topic", "push_config", "ack_deadline_seconds", "dead_letter_policy", "retry_policy")
) | {"message_retention_duration", "expiration_policy", "labels"}
_SHORTEST_ACK_SECONDS, _LONGEST_ACK_SECONDS = 10, 600
_FEWEST_TRIES, _MOST_TRIES = 5, 100
_MESSAGE_BYTES = 10_000_000
_MESSAGES_A_CALL = 1000


class Refused(Exception):
    """A call that can't be carried out, and the gRPC status that says so."""

    def __init__(self, code: grpc.StatusCode, details: str) -> None:
        self.code = code
        self.details = details
        super().__init__(details)


def invalid(details: str) -> Refused:
    """INVALID_ARGUMENT."""
    return Refused(grpc.StatusCode.INVALID_ARGUMENT, details)


def missing(name: str) -> Refused:
    """NOT_FOUND."""
    return Refused(grpc.StatusCode.NOT_FOUND, f"Resource not found (resource={name.rpartition('/')[2]})")


def existing(name: str) -> Refused:
    """ALREADY_EXISTS."""
    return Refused(grpc.StatusCode.ALREADY_EXISTS, f"Resource already exists (resource={name.rpartition('/')[2]})")


def check_name(name: str, kind: str) -> None:
    """Raises Refused unless it is `projects/P/<kind>/N`, N of 3 to 255 characters."""
    match = _NAME.fullmatch(name)
    if match is None or match[1] != kind:
        raise invalid(f"Invalid [{kind}] name: (name={name})")


def check_subscription(config: Any) -> None:
    """Raises Refused for what is out of Pub/Sub's limits, or isn't done here."""
    check_name(config.name, "subscriptions")
    for field, _ in config.ListFields():
        if field.name not in _SUBSCRIPTION_FIELDS:
            raise invalid(f"{field.name} is not supported by this broker")
    check_push(config.push_config)
    if not (
        config.ack_deadline_seconds == 0
        or _within(config.ack_deadline_seconds, _SHORTEST_ACK_SECONDS, _LONGEST_ACK_SECONDS)
    ):
        raise invalid(f"Invalid ack deadline (ack_deadline_seconds={config.ack_deadline_seconds})")
    tries = config.dead_letter_policy.max_delivery_attempts
    if tries and not _within(tries, _FEWEST_TRIES, _MOST_TRIES):
        raise invalid(f"Invalid max delivery attempts (max_delivery_attempts={tries})")
    if config.HasField("dead_letter_policy"):
        check_name(config.dead_letter_policy.dead_letter_topic, "topics")


def check_push(config: Any) -> None:
    """Raises Refused for a push that this broker can't make: only plain HTTP, without a token."""
    for field, _ in config.ListFields():
        if field.name not in ("push_endpoint", "attributes", "pubsub_wrapper"):
            raise invalid(f"{field.name} is not supported by this broker")
    if config.push_endpoint and not re.match(r"http://[^/\s]+", config.push_endpoint):
        raise invalid("Unsupported push_endpoint")


def check_messages(messages: Any) -> None:
    """Raises Refused for none, too many, too large or empty ones."""
    if not messages:
        raise invalid("The publish request has no messages")
    if len(messages) > _MESSAGES_A_CALL or sum(message.ByteSize() for message in messages) > _MESSAGE_BYTES:
        raise invalid(f"A publish request holds at most {_MESSAGES_A_CALL} messages and {_MESSAGE_BYTES} bytes")
    if any(not message.data and not message.attributes for message in messages):
        raise invalid("Some messages are empty")


def _within(value: int, least: int, most: int) -> bool:
    return least <= value <= most
