"""Reading MIME: nothing that can be sent makes the simulator fail."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local.gmail.payload import digest, full, metadata, subject_key, words

PIECES = [
    b"From: =?utf-8?q?Jos=C3=A9?= <a@b.example>\r\n",
    b"Subject: Re: \xe9 =?x-none?q?a?= =?utf-8?b?!?=\r\n",
    b"Date: Fri, 99 Zzz 99999 99:99:99 +9999\r\n",
    b"Content-Type: multipart/mixed; boundary=b\r\n",
    b'Content-Type: text/plain; charset="\x00"\r\n',
    b"Content-Type: text/html; charset=utf-16\r\n",
    b"Content-Disposition: attachment; filename*=x''%ff%00\r\n",
    b'Content-Disposition: attachment; filename="\xe9\xff"\r\n',
    b"Content-Transfer-Encoding: base64\r\n",
    b"Content-Transfer-Encoding: x-uuencode\r\n",
    b"\r\n",
    b"--b\r\n",
    b"--b--\r\n",
    b"begin 644 x\r\n\xff\r\n",
    b"<style>a</",
    b"=E9=\x00\xff AAA= 1.4",
]


@given(st.lists(st.sampled_from(PIECES) | st.binary(max_size=20), max_size=20).map(b"".join))
def test_whatever_is_sent_can_be_kept_and_shown(raw: bytes) -> None:
    read = digest(raw)
    shown = json.dumps([full(raw), metadata(raw, ["Subject"])], ensure_ascii=False)
    kept = (read.sender, read.recipients, read.subject, read.text, read.snippet, read.message_id, shown)
    assert all(text.encode() is not None for text in kept)


@pytest.mark.parametrize("depth", [100, 3_000])
def test_parts_nested_without_end_are_no_harm(depth: int) -> None:
    raw = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(depth))
    assert digest(b"Subject: deep\n" + raw).subject == " deep "
    assert full(b"Subject: deep\n" + raw)["headers"][0] == {"name": "Subject", "value": "deep"}


@pytest.mark.parametrize(
    ("subject", "key"),
    [
        ("Re: Lease", "lease"),
        ("RE: Fwd: re:  Lease  v2", "lease v2"),
        ("Fw[2]: Lease", "lease"),
        ("Rent: x", "rent: x"),
    ],
)
def test_a_thread_shares_its_subject_whatever_stands_before_it(subject: str, key: str) -> None:
    assert key == subject_key(subject)


def test_words_are_found_whole_and_in_order() -> None:
    assert words("Re-Filed, Smith's brief") == " re filed smith s brief "
    assert words("…") == ""


def test_plain_text_is_read_before_html_and_tags_never() -> None:
    raw = (
        b"Content-Type: multipart/alternative; boundary=b\n\n"
        b"--b\nContent-Type: text/html\n\n<p>html &amp; <b>more</b></p>\n"
        b"--b\nContent-Type: text/plain\n\nplain\n--b--\n"
    )
    assert digest(raw).text == " plain "
    html_only = b"Content-Type: text/html\n\n<style>p {}</style><p>fee &amp; costs</p>"
    assert digest(html_only).snippet == "fee &amp; costs"
