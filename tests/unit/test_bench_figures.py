"""What the measured figures are compared with, and the mail that they are measured on."""

from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path

import pytest

from infra.local.gmail.mbox import MboxMessage, stream
from shared.gmail.quota import PROFILES
from tests.performance.bound import Latency, latency_seconds, quota_seconds, scan_seconds
from tests.performance.sample import dated, lately, some, with_attachments, write_mbox

NOON = datetime(2026, 9, 7, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "emails", "calls_at_once", "model_seconds"),
    [
        (1.53, 50, 10, 0.9),  # a token, a list, five rounds, one answer
        (0.63, 50, 10, 0.0),  # nobody was asked
        (0.72, 51, 10, 0.0),  # a round of one is a round
        (0.18, 0, 10, 0.0),
    ],
)
def test_a_scan_takes_a_token_and_a_list_then_rounds_of_gets_then_one_answer(
    seconds: float, emails: int, calls_at_once: int, model_seconds: float
) -> None:
    assert seconds == pytest.approx(latency_seconds(emails, calls_at_once, 0.09, model_seconds))


@pytest.mark.parametrize(
    ("seconds", "emails", "profile"),
    [
        (0.0, 50, "2026"),
        (0.0, 299, "2026"),  # 5 + 299 x 20 = 5,985 of 6,000 units
        (60.0, 300, "2026"),
        (180.0, 1000, "2026"),  # 20,005 units: three more minutes have to begin
        (0.0, 1000, "legacy"),
    ],
)
def test_quota_alone_makes_a_scan_wait_for_the_minutes_that_have_to_begin(
    seconds: float, emails: int, profile: str
) -> None:
    assert seconds == quota_seconds(emails, PROFILES[profile])


def test_the_bound_is_the_larger_of_latency_and_quota() -> None:
    assert scan_seconds(50, 10, 0.09, 0.9, PROFILES["2026"]) == pytest.approx(1.53)
    assert scan_seconds(300, 10, 0.09, 0.9, PROFILES["2026"]) == 60.0


def test_a_latency_is_on_average_its_base_and_half_its_jitter() -> None:
    assert Latency(80.0, 20.0).mean_seconds == pytest.approx(0.09)


@pytest.mark.parametrize(
    "raw",
    [
        b"Date: Tue, 01 Sep 2026 09:47:53 -0400\nSubject: x\n\nDate: in the text\n",
        b"Subject: x\nDATE:\n Tue, 01 Sep 2026\n\t09:47:53 -0400\nTo: a@b.example\n\nDate: in the text\n",
        b"Subject: x\n\nDate: in the text\n",
    ],
)
def test_an_email_of_another_date_has_one_date_and_the_same_text(raw: bytes) -> None:
    message = message_from_bytes(dated(raw, NOON), policy=SMTP)
    assert [format_datetime(NOON)] == message.get_all("Date")
    assert (message["Subject"], message.get_payload()) == ("x", "Date: in the text\n")


def test_mail_is_read_back_from_the_mailbox_file_as_it_was_written(tmp_path: Path) -> None:
    mail = [b"X-Gmail-Labels: Sent\n\nFrom here on, 1.4 hours.\n>From there\n", b"X-Gmail-Labels: Sent\n\nSecond\n"]
    with (tmp_path / "some.mbox").open("wb") as file:
        write_mbox(file, mail)
    read = [message for message in stream(tmp_path / "some.mbox") if isinstance(message, MboxMessage)]
    assert mail == [message.raw for message in read]
    assert all(message.sent for message in read)


def test_mail_of_the_last_days_is_newest_first_and_before_now() -> None:
    dates = [message_from_bytes(raw)["Date"] for raw in lately([b"\n\nx"] * 2, NOON)]
    expected = [format_datetime(NOON - timedelta(minutes=minutes)) for minutes in (3, 6)]
    assert expected == dates


def test_a_sample_too_small_goes_round_again() -> None:
    assert some([b"a", b"b", b"c"], 4, start=4) == [b"b", b"c", b"a", b"b"]


def test_an_attachment_is_as_large_as_asked_for_and_leaves_the_text_alone() -> None:
    [raw] = with_attachments([b"Subject: x\n\nI spent 30 minutes on the reply.\n"], 1)
    message = message_from_bytes(raw, policy=SMTP)
    body, [attached] = message.get_body(("plain",)), list(message.iter_attachments())
    assert body is not None
    assert "I spent 30 minutes on the reply." in body.get_content()
    assert len(attached.get_content()) == 1024 * 1024
