"""Takeout .mbox files: every message, what was sent, what is broken, in bounded memory."""

import tracemalloc
from collections.abc import Iterable
from pathlib import Path

import pytest

from infra.local.gmail.mbox import BrokenMessage, MboxMessage, stream
from tests.integration.gmail_simulator.caller import Mailbox
from tests.integration.gmail_simulator.process import Process

SEPARATOR = b"From 1798%015d@xxx Fri May 03 10:00:00 +0000 2024\n"


def write(path: Path, messages: Iterable[bytes], *, crlf: bool = False) -> Path:
    with path.open("wb") as file:
        for number, message in enumerate(messages):
            entry = SEPARATOR % number + message + b"\n"
            file.write(entry.replace(b"\n", b"\r\n") if crlf else entry)
    return path


def letter(
    labels: str | None = "Sent", body: str = "Spent 1.4 on the reply brief.\n", sender: str = "a@x.example"
) -> bytes:
    headers = f"From: {sender}\nTo: b@y.example\nSubject: Smith\nDate: Fri, 03 May 2024 10:00:00 +0000\n"
    if labels is not None:
        headers = f"X-GM-THRID: 1798000000000000001\nX-Gmail-Labels: {labels}\n{headers}"
    return f"{headers}\n{body}".encode()


def messages(path: Path) -> list[MboxMessage]:
    found = list(stream(path))
    assert all(isinstance(item, MboxMessage) for item in found), found
    return [item for item in found if isinstance(item, MboxMessage)]


@pytest.mark.parametrize("crlf", [False, True])
def test_messages_come_in_order_as_they_were_written(tmp_path: Path, crlf: bool) -> None:
    written = [letter(body="one\n"), letter(body="two\n\nFrom me to you\n"), letter(body="")]
    found = messages(write(tmp_path / "m", written, crlf=crlf))
    expected = [content.replace(b"\n", b"\r\n") if crlf else content for content in written]
    assert expected == [message.raw for message in found]
    assert [message.ordinal for message in found] == [1, 2, 3]


def test_an_offset_is_where_the_from_line_begins(tmp_path: Path) -> None:
    path = write(tmp_path / "m", [letter(body="é" * 50), letter()])
    for number, message in enumerate(messages(path)):
        assert path.read_bytes()[message.offset :].startswith(SEPARATOR % number)


def test_an_escaped_from_loses_one_bracket_and_a_quoted_word_none(tmp_path: Path) -> None:
    path = write(tmp_path / "m", [letter(body=">From the court\n>>From them\n>Fromage\n> From x\n")])
    assert messages(path)[0].raw.endswith(b"\n\nFrom the court\n>From them\n>Fromage\n> From x\n")


@pytest.mark.parametrize(
    "line",
    ["From now on I bill 0.4", "From: the desk", "From a@b.example Fri", "From Fri May 03 10:00:00 2024 on"],
)
def test_a_line_that_only_begins_like_a_separator_is_text(tmp_path: Path, line: str) -> None:
    path = write(tmp_path / "m", [letter(body=f"Hello\n\n{line}\nBye\n")])
    assert line.encode() in messages(path)[0].raw


def test_other_programs_separators_count_after_an_empty_line_only(tmp_path: Path) -> None:
    path = tmp_path / "m"
    separator = b"From a@x.example Fri May  3 10:00:00 2024\n"
    path.write_bytes(separator + letter(body="x\n" + separator.decode() + "y\n") + b"\n" + separator + letter())
    assert [message.raw.count(b"From a@x.example Fri") for message in messages(path)] == [1, 0]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ("Sent,Important", True),
        ("Inbox,Unread", False),
        ("Archived,Sent mail drafts", False),
        ("=?UTF-8?Q?Envoy=C3=A9s,Ouvert?=", True),
        ("=?UTF-8?B?R2VzZW5kZXQ=?=", True),
        ('"Smith, John",Sent', True),
        ('"Sent, not received"', False),
        ("Important,\n Sent", True),
        ("=?x-nobody?Q?Sent?=", False),
        (None, None),
    ],
)
def test_labels_tell_what_was_sent_in_any_language_of_takeouts(
    tmp_path: Path, labels: str | None, expected: bool | None
) -> None:
    assert expected is messages(write(tmp_path / "m", [letter(labels)]))[0].sent


def test_labels_with_commas_stay_whole(tmp_path: Path) -> None:
    path = write(tmp_path / "m", [letter('"Smith, John",Sent,=?UTF-8?Q?=C3=9Cber?=')])
    assert messages(path)[0].labels == ("Smith, John", "Sent", "Über")


def test_a_label_header_within_a_forwarded_message_says_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "m", [letter(None, body="X-Gmail-Labels: Sent\n")])
    assert messages(path)[0].sent is None


def test_what_cannot_be_read_is_reported_with_its_place_and_the_rest_is_read(
    tmp_path: Path,
) -> None:
    path = write(
        tmp_path / "m", [letter(), b"", b"no header at all\n\nbody\n", letter(body="x" * 10_001), letter(body="last\n")]
    )
    found = list(stream(path, largest_bytes=10_000))
    broken = [(item.ordinal, item.reason.split(":")[0]) for item in found if isinstance(item, BrokenMessage)]
    assert [message.ordinal for message in found if isinstance(message, MboxMessage)] == [1, 5]
    assert [ordinal for ordinal, _ in broken] == [2, 3, 4]
    assert broken[0][1] == "empty"
    assert broken[1][1] == "doesn't begin with a header"


def test_text_before_the_first_separator_is_broken_and_a_file_of_nothing_is_nothing(tmp_path: Path) -> None:
    path = tmp_path / "m"
    path.write_bytes(b"garbage\n" + SEPARATOR % 1 + letter())
    assert [type(item) for item in stream(path)] == [BrokenMessage, MboxMessage]
    path.write_bytes(b"\n\n")
    assert list(stream(path)) == []


def test_a_file_cut_off_in_the_middle_gives_what_is_there(tmp_path: Path) -> None:
    path = write(tmp_path / "m", [letter(), letter(body="a long one " * 100)])
    path.write_bytes(path.read_bytes()[:-500])
    assert len(messages(path)) == 2


def test_memory_is_that_of_one_message_however_large_the_file(tmp_path: Path) -> None:
    path = write(tmp_path / "m", (letter(body=("x" * 75 + "\n") * 1_000) for _ in range(270)))
    assert path.stat().st_size > 20_000_000
    tracemalloc.start()
    try:
        count = sum(1 for _ in stream(path))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == 270
    assert peak < 4_000_000


def test_a_message_too_large_is_skipped_without_being_held(tmp_path: Path) -> None:
    path = tmp_path / "m"
    with path.open("wb") as file:
        file.write(SEPARATOR % 1 + letter(body=""))
        for _ in range(20):
            file.write(b"y" * 1_000_000)
        file.write(b"\n" + SEPARATOR % 2 + letter())
    tracemalloc.start()
    try:
        first, second = stream(path, largest_bytes=4_000_000)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert isinstance(first, BrokenMessage)
    assert isinstance(second, MboxMessage)
    assert peak < 12_000_000


def test_an_mbox_is_loaded_as_sent_and_received_without_history_or_pushes(
    simulator: Process, mailbox: Mailbox, tmp_path: Path
) -> None:
    written = [
        letter("Gesendet,Important"),
        letter("Inbox,Unread,Clients/Smith"),
        letter("Archived"),
        letter("Drafts"),
        letter("Spam"),
        letter(None, sender=f"Me <{mailbox.address}>"),
        letter(None),
        b"nonsense\n",
    ]
    before = mailbox.history_id()
    loaded = simulator.sim("POST", f"mailboxes/{mailbox.address}/load", {"path": str(write(tmp_path / "m", written))})

    assert (loaded["sent"], loaded["received"], loaded["broken"]) == (2, 5, 1)
    assert [broken["ordinal"] for broken in loaded["broken_messages"]] == [8]
    assert mailbox.history_id() == before

    found = mailbox.app.users().messages()
    totals = {
        label: len(found.list(userId="me", labelIds=[label]).execute().get("messages", []))
        for label in ("SENT", "INBOX", "DRAFT", "SPAM", "IMPORTANT", "UNREAD", "Label_1")
    }
    assert totals == {"SENT": 2, "INBOX": 2, "DRAFT": 1, "SPAM": 1, "IMPORTANT": 1, "UNREAD": 1, "Label_1": 1}
    names = [label["name"] for label in mailbox.app.users().labels().list(userId="me").execute()["labels"]]
    assert "Clients/Smith" in names
    assert "Gesendet" not in names
    sent = found.list(userId="me", q="label:important").execute()["messages"][0]
    assert int(sent["threadId"], 16) == 1798000000000000001
    assert found.get(userId="me", id=sent["id"]).execute()["internalDate"] == "1714730400000"


def test_a_file_that_is_not_there_is_refused(simulator: Process, mailbox: Mailbox, tmp_path: Path) -> None:
    answer = simulator.http.post(f"_sim/mailboxes/{mailbox.address}/load", json={"path": str(tmp_path / "missing")})
    assert answer.status_code == 400
    assert "No such file" in answer.text
