"""What is no push, no email, or hardly one: acked and on record, never a retry loop, and never in the way of others."""

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from tests.e2e.conftest import Running, Timekeeper, email, push_body, work

SENTENCE = "I spent 24 minutes on the phone with the adjuster."


def _json(body: dict[str, Any]) -> bytes:
    return json.dumps(body).encode()


BAD_BODIES = {
    "empty": b"",
    "not JSON": b"{",
    "JSON nested too deep": b"[" * 100_000,
    "no message": b"{}",
    "a list": b"[]",
    "no data": _json({"message": {"messageId": "1"}}),
    "data that is no base64": _json({"message": {"data": "%%%", "messageId": "1"}}),
    "data that is no JSON": _json(push_body(b"hello")),
    "data without the fields": _json(push_body(b"{}")),
    "a history id that is none": _json(push_body(b'{"emailAddress":"a@b.example","historyId":"x"}')),
    "a history id too large": _json(push_body(b'{"emailAddress":"a@b.example","historyId":99999999999999999999}')),
    "an unknown mailbox": _json(push_body(b'{"emailAddress":"nobody@firm.example","historyId":1}')),
    "an email of an unknown mailbox": _json(push_body(b'{"mailbox_id":"%s","email_id":"m1"}' % str(uuid4()).encode())),
    "an email id that is a path": _json(
        push_body(b'{"mailbox_id":"%s","email_id":"../../drafts"}' % str(uuid4()).encode())
    ),
    "more than a push may hold": b" " * 300_000,
}


@pytest.mark.parametrize("function", ["gmail_push", "analyze_email"])
@pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES.keys())
async def test_a_body_that_is_no_delivery_is_acked_and_logged(running: Running, function: str, body: bytes) -> None:
    before = _refusals(running, function)
    answer = await running.deliver(function, content=body)
    assert answer.status_code == 204
    assert _refusals(running, function) == before + 1


def _refusals(running: Running, function: str) -> int:
    return sum(event["message"] == "delivery.refused" for event in running.log(function))


async def test_a_push_inside_a_cloud_event_is_a_push(running: Running, dana: Timekeeper) -> None:
    await running.fault("push_drop", count=1)
    sent = await dana.mailbox.send(work())
    data = json.dumps({"emailAddress": dana.user.email, "historyId": 1}).encode()
    event = {
        "specversion": "1.0",
        "type": "google.cloud.pubsub.topic.v1.messagePublished",
        "source": "//pubsub.googleapis.com/projects/p/topics/gmail-events",
        "id": "1",
        "data": push_body(data),
    }
    answer = await running.deliver("gmail_push", json=event, headers={"Content-Type": "application/cloudevents+json"})
    assert answer.status_code == 204
    assert await dana.until_outcomes(sent) == {sent: "entries"}


ODD_MAIL = {
    "no Date": email(SENTENCE).replace(b"Date: Wed, 02 Sep 2026 18:12:00 -0400\n", b""),
    "an absurd Date": email(SENTENCE).replace(b"Wed, 02 Sep 2026", b"Wed, 99 Foo 9999"),
    "a Date in the far past": email(SENTENCE).replace(b"02 Sep 2026", b"02 Sep 1902"),
    "an unknown charset": email(SENTENCE).replace(b'charset="utf-8"', b'charset="klingon"'),
    "a charset that the bytes break": email(SENTENCE + " Grüße").replace(b'charset="utf-8"', b'charset="ascii"'),
    "a boundary that never comes": (
        b'From: d@x.example\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="zz"\n\n'
        b"--zz\nContent-Type: text/plain\n\n" + SENTENCE.encode()
    ),
    "fifty levels of nesting": (
        b"From: d@x.example\nMIME-Version: 1.0\n"
        + b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (n, n) for n in range(50))
        + b"Content-Type: text/plain\n\n"
        + SENTENCE.encode()
        + b"".join(b"\n--b%d--" % n for n in reversed(range(50)))
    ),
}


@pytest.mark.parametrize("raw", ODD_MAIL.values(), ids=ODD_MAIL.keys())
async def test_an_odd_email_is_read_as_far_as_it_can_be(dana: Timekeeper, raw: bytes) -> None:
    sent = await dana.mailbox.send(raw)
    assert await dana.until_outcomes(sent) == {sent: "entries"}
    assert [row["duration_minutes"] for row in await dana.entries()] == [24]


async def test_an_email_without_a_date_counts_for_the_day_gmail_sent_it(dana: Timekeeper) -> None:
    sent = await dana.mailbox.send(ODD_MAIL["no Date"])
    await dana.until_outcomes(sent)
    [row] = await dana.entries()
    assert row["date_performed"] == row["processed_at"][:10]


async def test_twenty_five_megabytes_of_attachments_are_not_in_the_way(dana: Timekeeper) -> None:
    message = (
        b"From: d@x.example\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=zz\n\n"
        b"--zz\nContent-Type: text/plain; charset=utf-8\n\n" + SENTENCE.encode() + b"\n"
        b"--zz\nContent-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n"
        b'Content-Disposition: attachment; filename="a.pdf"\n\n' + b"QUJD" * 18 * 350_000 + b"\n--zz--\n"
    )
    assert len(message) > 25_000_000
    sent = await dana.mailbox.send(message)
    assert await dana.until_outcomes(sent) == {sent: "entries"}
    [row] = await dana.entries()
    assert row["extracted_text"] in SENTENCE


async def test_an_email_without_any_text_is_on_record(dana: Timekeeper) -> None:
    sent = await dana.mailbox.send(b"From: d@x.example\nTo: r@y.example\nSubject: \n\n")
    assert await dana.until_outcomes(sent) == {sent: "none"}


@pytest.fixture(autouse=True)
async def nothing_becomes_a_dead_letter(running: Running, dana: Timekeeper) -> AsyncIterator[None]:
    yield
    assert await running.dead_letters(dana.mailbox) == 0
