import base64
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import BadDelivery
from shared.pubsub.decode import decode
from shared.pubsub.messages import GmailPush, SentEmail

DATA = b'{"emailAddress":"dana@firm.example","historyId":"18446744073709551615"}'


def push(**message: Any) -> dict[str, Any]:
    given_message = {"data": base64.b64encode(DATA).decode(), "messageId": "7", "publishTime": "2026-09-02T18:12:00Z"}
    return {"message": {**given_message, **message}, "subscription": "projects/p/subscriptions/s"}


@pytest.mark.parametrize(
    "body",
    [
        push(),
        push(deliveryAttempt=3),
        {"specversion": "1.0", "id": "1", "type": "t", "source": "s", "data": push()},
        push(messageId=None, message_id="7"),
    ],
    ids=["raw push", "with deliveryAttempt", "CloudEvent", "snake case"],
)
def test_a_push_is_read_whatever_it_is_wrapped_in(body: dict[str, Any]) -> None:
    envelope = decode(json.dumps(body).encode())
    gmail_push = envelope.message(GmailPush)
    assert (gmail_push.email_address, gmail_push.history_id) == ("dana@firm.example", 2**64 - 1)
    assert envelope.correlation_id == "7"


def test_the_correlation_id_that_the_publisher_set_is_kept() -> None:
    assert decode(json.dumps(push(attributes={"correlation_id": "push-3"})).encode()).correlation_id == "push-3"


def test_a_history_id_comes_as_a_number_too() -> None:
    data = base64.b64encode(b'{"emailAddress":"dana@firm.example","historyId":12345}').decode()
    assert decode(json.dumps(push(data=data)).encode()).message(GmailPush).history_id == 12345


@pytest.mark.parametrize(
    ("data", "field"),
    [
        (b'{"mailbox_id":"x","email_id":"m1"}', "mailbox_id"),
        (b'{"mailbox_id":"0b7f4c1e-58b5-4a61-9f5f-0d2a2f1b7f10"}', "email_id"),
        (b'{"mailbox_id":"0b7f4c1e-58b5-4a61-9f5f-0d2a2f1b7f10","email_id":"a/b"}', "email_id"),
        (b"[]", "data"),
    ],
)
def test_a_message_that_is_wrong_names_the_field_and_not_its_value(data: bytes, field: str) -> None:
    envelope = decode(json.dumps(push(data=base64.b64encode(data).decode())).encode())
    with pytest.raises(BadDelivery, match=f"^{field}: ") as caught:
        envelope.message(SentEmail)
    assert "a/b" not in str(caught.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["message", "data", "messageId", "attributes", "x"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.binary(max_size=200) | JSON.map(lambda document: json.dumps(document).encode()))
def test_no_body_raises_anything_else(body: bytes) -> None:
    with suppress(BadDelivery):
        assert decode(body).data is not None
