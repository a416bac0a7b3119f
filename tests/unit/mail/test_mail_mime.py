"""Which parts of a message are read, and how they are decoded."""

import base64
import quopri

import pytest

from shared.mail import UnreadableEmail, read

WROTE = "Closed the Abernathy file, .6 with the registrar."
PDF = (
    "Content-Type: application/pdf; name=x.pdf\nContent-Disposition: attachment\n"
    "Content-Transfer-Encoding: base64\n\nJVBERi0x\n"
)
FROM = "From: Ines Marlowe <ines@marlowe.example>\n"


def part(kind: str, text: str, *more: str) -> str:
    return "\n".join([f"Content-Type: text/{kind}; charset=utf-8", *more, "", text, ""])


def multipart(kind: str, *parts: str, boundary: str = "=_b1") -> str:
    inner = "".join(f"--{boundary}\n{each}\n" for each in parts)
    return f'Content-Type: multipart/{kind}; boundary="{boundary}"\n\nPreamble\n{inner}--{boundary}--\nEpilogue\n'


def body(message: str) -> str:
    return read((FROM + message).encode()).body


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (part("plain", WROTE), WROTE),
        (multipart("alternative", part("plain", WROTE), part("html", "<p>other</p>")), WROTE),
        (multipart("alternative", part("html", "<p>other</p>"), part("plain", WROTE)), WROTE),
        (multipart("alternative", part("plain", "  \n"), part("html", f"<p>{WROTE}</p>")), WROTE),
        (multipart("alternative", part("html", f"<p>{WROTE}</p>")), WROTE),
        (
            multipart("alternative", part("plain", "Please use HTML."), part("html", f"<p>{WROTE}</p>" * 4)),
            "\n\n".join([WROTE] * 4),
        ),
        (
            multipart(
                "alternative",
                part("plain", WROTE),
                multipart("related", part("html", "<p>other</p>"), PDF, boundary="b2"),
            ),
            WROTE,
        ),
        (multipart("mixed", part("plain", WROTE), PDF), WROTE),
        (multipart("mixed", part("plain", "first"), PDF, part("plain", "second")), "first\nsecond"),
        (multipart("mixed", part("plain", "first"), part("html", "<p>second</p>")), "first\nsecond"),
        (
            multipart(
                "mixed", part("plain", WROTE), part("plain", "no", "Content-Disposition: attachment; filename=n.txt")
            ),
            WROTE,
        ),
        (
            multipart(
                "mixed", part("plain", WROTE), part("plain", "no", "Content-Disposition: inline; filename=n.txt")
            ),
            WROTE,
        ),
        (multipart("mixed", part("plain", WROTE), part("csv", "9/2,Koslow,.4")), WROTE),
        (multipart("mixed", part("plain", WROTE), part("calendar", "BEGIN:VCALENDAR")), WROTE),
        (
            multipart("mixed", part("plain", WROTE), "Content-Type: message/rfc822\n\nFrom: o@p.example\n\n3 hours\n"),
            WROTE,
        ),
        (multipart("digest", "\nFrom: o@p.example\n\n3 hours\n", part("plain", WROTE)), WROTE),
        (
            multipart("signed", part("plain", WROTE), "Content-Type: application/pgp-signature\n\nabc\n"),
            WROTE,
        ),
        (PDF, ""),
    ],
)
def test_the_words_of_the_mail_are_read_and_nothing_attached(message: str, expected: str) -> None:
    assert body(message).strip() == expected


def test_what_stands_after_the_last_boundary_is_not_read() -> None:
    message = multipart("mixed", part("plain", WROTE)) + "--=_b1\n" + part("plain", "3 hours")
    assert body(message).strip() == WROTE


@pytest.mark.parametrize(
    "message",
    [
        multipart("mixed", part("plain", WROTE)).replace("--=_b1--\nEpilogue\n", ""),
        multipart("mixed", part("plain", WROTE)).replace("boundary=", "border="),
        multipart("mixed", part("plain", WROTE)).replace('"=_b1"', '"other"').replace("Preamble\n", ""),
        multipart("mixed", part("plain", WROTE)).replace("; boundary=", ";; charset; boundary="),
        multipart("mixed", part("plain", WROTE)).replace("Preamble", "--=_b1x\n--"),
        part("plain", WROTE).replace("text/plain", "text"),
        part("plain", WROTE).replace("text/plain", "TEXT/PLAIN"),
        part("plain", WROTE).replace("Content-Type: text/plain; charset=utf-8\n", ""),
        f"Content-Type: multipart/mixed; boundary=b\n\n{WROTE}\n",
        f"Content-Transfer-Encoding: quoted-printable, or so\n\n{WROTE}\n",
        f"Content-Transfer-Encoding: base64\n\n{WROTE}\n",
        f"not a header\n\n{WROTE}\n",
    ],
)
def test_a_broken_structure_gives_what_can_be_read(message: str) -> None:
    assert WROTE in body(message)


def test_nesting_fifty_deep_is_read() -> None:
    message = part("plain", WROTE)
    for depth in range(50):
        message = multipart("mixed", message, boundary=f"b{depth}")
    assert body(message).strip() == WROTE


def test_nesting_thousands_deep_ends() -> None:
    message = "".join(f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n" for n in range(5_000)) + WROTE
    assert read((FROM + message).encode()).sender.name == "Ines Marlowe"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_are_read_alike(end: str) -> None:
    message = FROM + multipart("alternative", part("plain", f"{WROTE}\n\nInes"), part("html", "<p>x</p>"))
    email = read(message.replace("\n", end).encode())
    assert email.body == f"{WROTE}\n\nInes"
    assert email.sender.address == "ines@marlowe.example"


TEXT = "Café – “1½ hours” für Łukasz"


@pytest.mark.parametrize(
    ("charset", "text"),
    [
        ("utf-8", TEXT),
        ("UTF8", TEXT),
        ("utf-8-sig", TEXT),
        ("utf-16", TEXT),
        ("iso-8859-1", "Café, 1½ hours"),
        ("latin1", "Café, 1½ hours"),
        ("windows-1252", "Café – “1½ hours”"),
        ("iso-8859-2", "Łukasz 1.5"),
        ("koi8-r", "Мария 1.5"),
        ("shift_jis", "会議 1.5"),
        ("gb18030", "会议 1.5"),
    ],
)
@pytest.mark.parametrize("encoding", ["8bit", "base64", "quoted-printable"])
def test_text_is_read_in_its_charset_and_transfer_encoding(charset: str, text: str, encoding: str) -> None:
    data = text.encode(charset)
    coded = {"base64": base64.encodebytes, "quoted-printable": quopri.encodestring}.get(encoding, bytes)(data)
    header = f"Content-Type: text/plain; charset={charset}\nContent-Transfer-Encoding: {encoding}\n\n"
    assert read(header.encode() + coded).body == text


@pytest.mark.parametrize(
    ("claimed", "data", "expected"),
    [
        ("us-ascii", "Café 1½".encode(), "Café 1½"),
        ("iso-8859-1", "Café – 1½".encode(), "Café – 1½"),
        ("iso-8859-1", "“1½” – x".encode("cp1252"), "“1½” – x"),
        ("utf-8", "Café 1½".encode("latin-1"), "Café 1½"),
        ("utf-8", "Łódź “x” ".encode() + b"\x96 caf\xe9", "Łódź “x” – café"),
        ("unknown-8bit", "Café".encode(), "Café"),
        ("x-no-such-thing", "Café".encode("latin-1"), "Café"),
        ("", "Café".encode(), "Café"),
        ("punycode", b"abc-", "abc-"),
        ("hex", b"abc", "abc"),
        ("utf-7", b"+2AA- .4", "\ufffd .4"),
        ("gb2312", b"\xff\xff .4", "ÿÿ .4"),
        ("utf-8", b"a\x00b", "a\ufffdb"),
        ("us-ascii", b"\xef\xbb\xbf.4", ".4"),
    ],
)
def test_a_wrong_or_missing_charset_is_guessed(claimed: str, data: bytes, expected: str) -> None:
    assert read(f"Content-Type: text/plain; charset={claimed}\n\n".encode() + data).body == expected


@pytest.mark.parametrize(
    ("coded", "expected"),
    [
        (b"Li40IEtvc2xvdw==", "..4 Koslow"),
        (b"Li40IEtvc2xvdw", "..4 Koslow"),
        (b"Li40\r\nIEtvc2\r\nxvdw==\r\n", "..4 Koslow"),
        (b"Li40IA==S29zbG93", "..4 Koslow"),
        (b"Li40IEtvc2xvd", "..4 Koslo"),
        (b"Li40!!IEtvc2xvdw==", "Li40!!IEtvc2xvdw=="),
    ],
)
def test_base64_is_read_however_it_is_padded_or_cut(coded: bytes, expected: str) -> None:
    assert read(b"Content-Transfer-Encoding: base64\n\n" + coded).body == expected


def test_plain_text_is_kept_to_the_character() -> None:
    text = "1\u00a0hr\u00adTC\u200b\twith\u3000client\u2028  .4  \n\x0b\x0cend"
    assert read(f"Content-Type: text/plain; charset=utf-8\n\n{text}".encode()).body == text


def test_html_that_is_sent_as_plain_text_is_read_as_html() -> None:
    assert read(b"Content-Type: text/plain\n\n<html><body><p>Koslow .4</p></body></html>").body == "Koslow .4"


@pytest.mark.parametrize("raw", [b"", b" ", b"\r\n\r\n\t"])
def test_only_nothing_is_unreadable(raw: bytes) -> None:
    with pytest.raises(UnreadableEmail):
        read(raw)


@pytest.mark.parametrize("raw", [b"Koslow .4", b"\n\nKoslow .4", b"Koslow: call .4\nPrell: .6"])
def test_a_text_without_headers_is_a_body(raw: bytes) -> None:
    assert read(raw).body == raw.strip().decode()


def test_a_mailbox_separator_line_is_no_header() -> None:
    email = read(b"From 123@xxx Tue Sep 1 13:47:53 2026\nFrom: Ines <i@m.example>\nSubject: x\n\nKoslow .4")
    assert (email.sender.name, email.subject, email.body) == ("Ines", "x", "Koslow .4")
