import base64
from typing import Any

from shared.gmail.payload import large_texts, to_rfc822
from shared.mail import read


def part(mime: str, data: bytes | None, filename: str = "", **body: Any) -> dict[str, Any]:
    headers = [{"name": "Content-Type", "value": mime}, {"name": "Content-Transfer-Encoding", "value": "8bit"}]
    content = {**body} if data is None else {"data": base64.urlsafe_b64encode(data).decode().rstrip("="), **body}
    return {"mimeType": mime.partition(";")[0], "filename": filename, "headers": headers, "body": content}


def mixed(*parts: dict[str, Any]) -> dict[str, Any]:
    headers = [
        {"name": "From", "value": "Dana Whitfield <dana@whitfieldlaw.example>"},
        {"name": "Date", "value": "Wed, 02 Sep 2026 18:12:00 -0400"},
        {"name": "Content-Type", "value": 'multipart/mixed; boundary="outer"'},
    ]
    return {"mimeType": "multipart/mixed", "filename": "", "headers": headers, "body": {"size": 0}, "parts": [*parts]}


def test_text_around_an_attachment_that_was_left_out_is_read_as_it_was_written() -> None:
    payload = mixed(
        part("text/plain; charset=iso-8859-1", "Grüße, spent 1.2 hrs".encode("latin-1")),
        part("application/pdf", None, "a.pdf", attachmentId="A", size=25_000_000),
        part("text/plain; charset=utf-8", "and .3 – afterwards".encode()),
    )
    email = read(to_rfc822(payload))
    assert email.sender.address == "dana@whitfieldlaw.example"
    assert email.sent_at is not None
    assert email.sent_at.isoformat() == "2026-09-02T18:12:00-04:00"
    assert "Grüße, spent 1.2 hrs" in email.new_text()
    assert "and .3 – afterwards" in email.new_text()


def test_a_text_that_gmail_kept_out_is_named_and_an_attached_one_is_not() -> None:
    large = part("text/plain", None, attachmentId="T", size=9_000_000)
    attached = part("text/plain", None, "notes.txt", attachmentId="N", size=9_000_000)
    assert [body["attachmentId"] for body in large_texts(mixed(attached, mixed(large)))] == ["T"]


def test_a_message_of_one_part_is_one() -> None:
    payload = part("text/plain; charset=utf-8", b"TC w/ client .4")
    assert read(to_rfc822(payload)).body == "TC w/ client .4"


def test_nesting_without_end_ends() -> None:
    payload = part("text/plain", b"x")
    for _ in range(300):
        payload = mixed(payload)
    assert to_rfc822(payload)
