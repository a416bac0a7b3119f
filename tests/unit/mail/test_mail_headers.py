"""Who wrote to whom, about what, and when."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from shared.mail import Address, read

ARRIVED = datetime(2026, 9, 2, 22, 12, 30, tzinfo=UTC)
EDT = timezone(timedelta(hours=-4))


@pytest.mark.parametrize(
    ("header", "name", "address"),
    [
        ("Ines Marlowe <Ines@Marlowe.Example>", "Ines Marlowe", "ines@marlowe.example"),
        ("ines@marlowe.example", "", "ines@marlowe.example"),
        ("<ines@marlowe.example>", "", "ines@marlowe.example"),
        ('"Marlowe, Ines" <i@m.example>', "Marlowe, Ines", "i@m.example"),
        (r'"Ines \"Nessie\" Marlowe" <i@m.example>', 'Ines "Nessie" Marlowe', "i@m.example"),
        ("i@m.example (Ines Marlowe)", "Ines Marlowe", "i@m.example"),
        ("=?utf-8?q?In=C3=A9s_Marlowe?= <i@m.example>", "Inés Marlowe", "i@m.example"),
        ("=?UTF-8?B?SW7DqXMs?= Marlowe <i@m.example>", "Inés, Marlowe", "i@m.example"),
        ("=?iso-8859-1?Q?In=E9s?= =?iso-8859-1?Q?_Marlowe?= <i@m.example>", "Inés Marlowe", "i@m.example"),
        ("=?utf-8?b?SW7D?= =?utf-8?b?qXM=?= <i@m.example>", "Inés", "i@m.example"),
        ("=?utf-8?q?Ines_=3Ci=40m=2Eexample=3E?=", "Ines", "i@m.example"),
        ("Dr. =?utf-8?q?In=C3=A9s?= M. =?utf-8?q?Marlowe?= <i@m.example>", "Dr. Inés M. Marlowe", "i@m.example"),
        ("=?utf-8?q?In=C3=A9s?= =?iso-8859-1?q?_Marl=F6we?= <i@m.example>", "Inés Marlöwe", "i@m.example"),
        ("Inés Marlowe <i@m.example>", "Inés Marlowe", "i@m.example"),
        ("Ines\n Marlowe\n\t<i@m.example>", "Ines Marlowe", "i@m.example"),
        ("=?utf-8?q?unfinished <i@m.example>", "=?utf-8?q?unfinished", "i@m.example"),
        ("=?x-nothing?q?Ines?= <i@m.example>", "Ines", "i@m.example"),
        ("Ines Marlowe", "Ines Marlowe", ""),
        ("Ines <i@m.example", "Ines", "i@m.example"),
        ('"Ines <i@m.example>', "Ines <i@m.example>", ""),
        ("", "", ""),
    ],
)
def test_the_sender_is_the_from_header(header: str, name: str, address: str) -> None:
    assert read(f"From: {header}\n\n.4".encode()).sender == Address(name, address)


def test_recipients_are_to_cc_and_bcc_in_that_order() -> None:
    raw = (
        b"Cc: Wanda <w@p.example>\nTo: Otto <o@p.example>, team: a@t.example, b@t.example;, hugo@l.example\n"
        b"Bcc: undisclosed-recipients:;\nBcc: x@y.example\n\n.4"
    )
    found = [recipient.address for recipient in read(raw).recipients]
    assert found == ["o@p.example", "a@t.example", "b@t.example", "hugo@l.example", "w@p.example", "x@y.example"]


def test_the_subject_is_decoded_and_the_message_id_kept() -> None:
    email = read(
        b"Subject: =?utf-8?q?Koslow_=E2=80=93?= =?utf-8?q?_deed?=\n of gift\nMessage-ID:\n <1@m.example>\n\n.4"
    )
    assert email.subject == "Koslow – deed of gift"
    assert email.message_id == "<1@m.example>"


def test_a_mail_without_headers_has_empty_ones() -> None:
    email = read(b"Koslow .4")
    assert (email.subject, email.message_id, email.recipients, email.sent_at) == ("", "", (), None)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("Wed, 02 Sep 2026 18:12:00 -0400", datetime(2026, 9, 2, 18, 12, tzinfo=EDT)),
        ("Wed, 2 Sep 2026 18:12:00 -0400 (Eastern Daylight Time)", datetime(2026, 9, 2, 18, 12, tzinfo=EDT)),
        ("2 Sep 2026 18:12 EDT", datetime(2026, 9, 2, 18, 12, tzinfo=EDT)),
        ("Wed, 02 Sep 2026 22:12:00 -0000", datetime(2026, 9, 2, 22, 12, tzinfo=UTC)),
        ("Thu, 03 Sep 2026 18:12:00 -0400", datetime(2026, 9, 3, 18, 12, tzinfo=EDT)),
        ("Mon, 05 Mar 2012 18:12:00 -0400", datetime(2012, 3, 5, 18, 12, tzinfo=EDT)),
    ],
)
def test_a_plausible_date_keeps_its_offset(header: str, expected: datetime) -> None:
    for received_at in (ARRIVED, None):
        sent_at = read(f"Date: {header}\n\n.4".encode(), received_at).sent_at
        assert sent_at == expected
        assert sent_at is not None
        assert sent_at.utcoffset() == expected.utcoffset()


@pytest.mark.parametrize(
    "header",
    [
        "",
        "yesterday",
        "Wed, 02 Sep 2026 99:99:99 -0400",
        "Wed, 32 Foo 2026 18:12:00",
        "Wed, 02 Sep 2026 18:12:00 +9999999",
        "Thu, 01 Jan 1970 00:00:00 +0000",
        "Sun, 06 Sep 2026 18:12:00 -0400",
        "Wed, 02 Sep 9999 23:12:00 -2300",
        "x" * 10_000,
    ],
)
def test_arrival_takes_the_place_of_an_absurd_date(header: str) -> None:
    assert read(f"Date: {header}\n\n.4".encode(), ARRIVED).sent_at == ARRIVED


def test_the_offset_of_a_clock_that_is_wrong_is_kept() -> None:
    sent_at = read(b"Date: Sat, 01 Jan 1983 00:01:00 -0400\n\n.4", ARRIVED).sent_at
    assert sent_at == ARRIVED
    assert sent_at is not None
    assert sent_at.utcoffset() == timedelta(hours=-4)


@pytest.mark.parametrize(
    "header", ["", "yesterday", "Thu, 01 Jan 1970 00:00:00 +0000", "Wed, 02 Sep 2150 18:12:00 -0400"]
)
def test_no_plausible_date_and_no_arrival_is_no_date(header: str) -> None:
    assert read(f"Date: {header}\n\n.4".encode()).sent_at is None
