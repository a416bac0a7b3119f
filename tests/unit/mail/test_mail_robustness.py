"""Whatever arrives, reading answers, and answers the same."""

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.mail import Email, UnreadableEmail, read
from shared.mail.offsets import fold

PIECES = [
    "From: Ines Marlowe <i@m.example>\n",
    "To: (((\n",
    "Date: Wed, 02 Sep 2026 18:12:00 -0400\n",
    "Subject: =?utf-8?q?=C3?=\n",
    "Content-Type: text/html\n",
    "Content-Type: text/plain; format=flowed; delsp=yes\n",
    "Content-Type: text/plain; charset=x\n",
    "Content-Type: multipart/mixed; boundary=b\n",
    "Content-Type: multipart/alternative; boundary=c\n",
    "--b\n",
    "--b--\n",
    "--c\n",
    "Content-Transfer-Encoding: base64\n",
    "Content-Transfer-Encoding: quoted-printable\n",
    "\n",
    "\r\n",
    "=\n",
    "=C3",
    "> quoted\n",
    "On Sep 3, 2026, at 17:47, Otto <o@p.example> wrote:\n",
    "From: Otto\nSent: 17:47\nTo: Ines\nSubject: x\n",
    "-----Original Message-----\n",
    "-- \n",
    "Ines Marlowe\n",
    "Marlowe LLP\n",
    "(218) 555-0199\n",
    "PS .4\n",
    "1.4 deed\n",
    "<div class=gmail_quote>",
    "</div>",
    "<blockquote type=cite>",
    "</blockquote>",
    "<table><tr><td>",
    "<td>",
    "</table>",
    "<br>",
    "<p style='display:none'>",
    "<pre>",
    "&nbsp;",
    "\u00a0",
    "\u00ad",
    "\x00",
    "text ",
    "\t",
]


def check(raw: bytes, received_at: datetime | None = None) -> Email | None:
    try:
        email = read(raw, received_at)
    except UnreadableEmail:
        assert not raw.strip()
        return None
    assert read(raw, received_at) == email
    assert all(0 <= span.start < span.end <= len(email.body) for span in email.new)
    assert all(before.end < after.start for before, after in pairwise(email.new))
    assert all(email.body[span.start : span.end].strip() for span in email.new)
    email.body.encode()
    assert "\x00" not in email.body
    assert "\r" not in email.body
    assert email.sent_at is None or email.sent_at.tzinfo is not None
    return email


@given(st.binary(max_size=600))
def test_no_bytes_raise_and_spans_are_in_order_within_the_body(raw: bytes) -> None:
    check(raw)
    check(b"From: a@b.example\nContent-Type: text/html\n\n" + raw)


@settings(max_examples=300)
@given(st.lists(st.sampled_from(PIECES), max_size=40), st.sampled_from([None, datetime(2026, 9, 2, tzinfo=UTC)]))
def test_no_mixture_of_what_mails_are_made_of_raises(pieces: list[str], received_at: datetime | None) -> None:
    check("".join(pieces).encode(), received_at)


@given(st.text(max_size=200))
def test_plain_text_comes_back_as_it_was_sent(text: str) -> None:
    if not text.strip() or text[:200].lstrip().lower().startswith(("<html", "<!doctype html")) or text[0] == "\ufeff":
        return
    email = read(b"From: a@b.example\nContent-Type: text/plain; charset=utf-8\n\n" + text.encode("utf-8", "replace"))
    sent = text.encode("utf-8", "replace").decode().replace("\x00", "\ufffd").replace("\r\n", "\n").replace("\r", "\n")
    assert email.body == sent.removesuffix("\n")


@given(st.text(alphabet="ab .\u00a0\u00ad\u200b\ufeffé", max_size=60), st.data())
def test_every_folded_span_leads_to_the_same_words(body: str, data: st.DataObject) -> None:
    folded = fold(body)
    start = data.draw(st.integers(0, len(folded.text)))
    end = data.draw(st.integers(start, len(folded.text)))
    span = folded.origin(start, end)
    assert fold(body[span.start : span.end]).text == folded.text[start:end]


MANY = 120_000
HOSTILE = {
    "openings": "On x ",
    "attributions": "On x wrote:\n",
    "marks": "> ",
    "marked and not": "> x\ny\n",
    "headers": "From: x\n",
    "dashes": "--\n.4\n",
    "empty lines": "\n",
    "digits": "1 ",
    "one word": "a",
    "telephones": "(218) 555-0199\n",
    "tags": "<div>",
    "quotes": "<blockquote>",
    "cells": "<table><tr><td>x<td>",
    "comments": "<!--",
    "open attribute": "<a b='",
}


@pytest.mark.parametrize("kind", ["plain", "html"])
@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE)
def test_hostile_repetition_is_read_like_any_mail(piece: str, kind: str) -> None:
    raw = f"From: Ines Marlowe <i@m.example>\nContent-Type: text/{kind}\n\nKoslow .4\n\n{piece * (MANY // len(piece))}"
    email = check(raw.encode())
    assert email is not None
    assert email.new_text().startswith("Koslow .4")


def test_the_text_that_is_read_is_bounded() -> None:
    assert len(read(b"From: a@b.example\n\n" + b"word " * 1_000_000).body) <= 2_000_000
    assert read(b"From: a@b.example\n\n" + b"x\n" * 100_000).body.count("\n") < 20_000
