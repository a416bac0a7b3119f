"""The batch endpoint, through Google's own batch request."""

from typing import Any

import httpx
import pytest
from googleapiclient.errors import HttpError

from tests.integration.gmail_simulator.caller import Mailbox
from tests.integration.gmail_simulator.process import Process

PART = b"--b\r\nContent-Type: application/http\r\n\r\nGET /gmail/v1/users/me/profile\r\n\r\n"


def batch(mailbox: Mailbox, ids: list[str]) -> dict[str, dict[str, Any] | int]:
    """Gets in one batch: the message, or the status it was refused with, by request id."""
    found: dict[str, dict[str, Any] | int] = {}

    def answered(request_id: str, message: dict[str, Any], refused: HttpError | None) -> None:
        found[request_id] = refused.status_code if refused else message

    whole = mailbox.app.new_batch_http_request(callback=answered)
    for number, message_id in enumerate(ids):
        whole.add(
            mailbox.app.users().messages().get(userId="me", id=message_id, format="raw"), request_id=f"part {number}"
        )
    whole.execute()
    return found


def body(calls: int) -> bytes:
    return PART * calls + b"--b--\r\n"


def post(mailbox: Mailbox, content: bytes, content_type: str = "multipart/mixed; boundary=b") -> httpx.Response:
    headers = {"Authorization": f"Bearer {mailbox.owner_access_token}", "Content-Type": content_type}
    return mailbox.http.post("batch/gmail/v1", content=content, headers=headers)


def test_parts_are_answered_by_their_ids_and_fail_one_by_one(mailbox: Mailbox) -> None:
    sent = [mailbox.send(f"Matter {number} – Ünïcode")["id"] for number in range(3)]
    found = batch(mailbox, [sent[0], "18c0000000000000", sent[1], sent[2]])
    assert found["part 1"] == 404
    assert [found[f"part {number}"]["id"] for number in (0, 2, 3)] == sent  # type: ignore[index]


def test_each_part_counts_and_is_refused_on_its_own(simulator: Process, mailbox: Mailbox) -> None:
    sent = mailbox.send()["id"]
    for _ in range(2):
        batch(mailbox, [sent] * 100)
    mailbox.app.users().stop(userId="me").execute()
    found = batch(mailbox, [sent] * 100)
    refused = [status for status in found.values() if isinstance(status, int)]
    assert len(refused) == 3
    assert set(refused) == {403, 429}
    assert simulator.stats()["quota"]["peak_units_by_user"][mailbox.address] == 5_990


def test_a_planned_refusal_meets_parts_and_not_the_whole(simulator: Process, mailbox: Mailbox) -> None:
    sent = mailbox.send()["id"]
    simulator.fault("500", count=2)
    found = batch(mailbox, [sent] * 3)
    assert [found["part 0"], found["part 1"]] == [500, 500]
    assert isinstance(found["part 2"], dict)


def test_the_whole_batch_fails_when_it_is_meant_by_name(simulator: Process, mailbox: Mailbox) -> None:
    sent = mailbox.send()["id"]
    simulator.fault("503", method="batch")
    with pytest.raises(HttpError) as refused:
        batch(mailbox, [sent])
    assert refused.value.status_code == 503


def test_a_hundred_calls_are_the_most(mailbox: Mailbox) -> None:
    assert post(mailbox, body(100)).status_code == 200
    assert post(mailbox, body(101)).status_code == 400


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (b"", "multipart/mixed; boundary=b"),
        (body(1), "multipart/mixed"),
        (body(1), "application/json"),
        (b"--b\r\nContent-Type: application/http\r\n\r\nnonsense\r\n--b--\r\n", "multipart/mixed; boundary=b"),
    ],
)
def test_a_batch_that_cannot_be_read_is_refused_whole(mailbox: Mailbox, content: bytes, content_type: str) -> None:
    assert post(mailbox, content, content_type).status_code == 400


def test_parts_are_the_outer_callers_unless_they_say_otherwise(mailbox: Mailbox) -> None:
    answer = post(mailbox, body(2))
    assert answer.text.count("HTTP/1.1 200 OK") == 2
    another = PART.replace(b"profile\r\n", b"profile\r\nAuthorization: Bearer x\r\n")
    assert "HTTP/1.1 401 Unauthorized" in post(mailbox, another + b"--b--\r\n").text
