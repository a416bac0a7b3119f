"""The stretches of a mail in which its amounts are heard."""

from dataclasses import replace

from shared.extraction.encoder.windows import WIDEST, windows
from shared.extraction.encoder.wordpieces import Wordpieces
from shared.mail import read
from shared.mail.email import Email, Span

VOCABULARY = ["[UNK]", "[CLS]", "[SEP]", "[unused1]", "subject", ":", "call", "word", "hour", "two"]
WORDPIECES = Wordpieces(VOCABULARY)


def mail(body: str, subject: str = "call") -> Email:
    headers = f"From: a@firm.example\nTo: b@firm.example\nSubject: {subject}\nDate: Thu, 12 Mar 2026 17:10:00 -0500"
    return read(f"{headers}\n\n{body}\n".encode())


def spans(email: Email, words: str) -> list[Span]:
    at, found = email.body.find(words), []
    while at >= 0:
        found.append(Span(at, at + len(words)))
        at = email.body.find(words, at + 1)
    return found


def said(pieces: tuple[int, ...]) -> str:
    return " ".join(VOCABULARY[each] for each in pieces)


def test_a_short_mail_is_one_stretch_with_its_subject_before_it() -> None:
    email = mail("call two hour")

    (window,) = windows(email, spans(email, "two hour"), WORDPIECES)

    assert said(window.pieces) == "[CLS] subject : call [unused1] call two hour [unused1] [SEP]"
    assert window.amounts == ((0, 6, 7),)


def test_of_a_long_mail_each_amount_is_heard_in_one_stretch_that_holds_words_on_both_sides() -> None:
    email = mail("\n".join(["word " * 10] * 20 + ["two hour"] + ["word " * 10] * 40 + ["two hour"]))

    found = windows(email, spans(email, "two hour"), WORDPIECES)

    assert sorted(which for window in found for which, _, _ in window.amounts) == [0, 1]
    for window in found:
        assert len(window.pieces) <= WIDEST + 2
        for _, first, last in window.amounts:
            assert said(window.pieces[first : last + 1]) == "two hour"
    earlier = next(window for window in found if window.amounts[0][0] == 0)
    assert WIDEST // 4 <= earlier.amounts[0][1] <= 3 * WIDEST // 4


def test_words_that_the_sender_did_not_write_are_not_heard() -> None:
    email = mail("call two hour\n\nOn Mon, 9 Mar 2026, Ann wrote:\n> word word word\n")

    (window,) = windows(email, spans(email, "two hour"), WORDPIECES)

    assert "word" not in said(window.pieces)


def test_an_amount_beyond_what_is_heard_of_a_mail_is_in_no_stretch() -> None:
    email = mail("word " * 8_000 + "two hour")
    whole = replace(email, new=(Span(0, len(email.body)),))

    assert windows(whole, spans(whole, "two hour"), WORDPIECES) == []


def test_a_mail_without_amounts_has_nothing_to_hear() -> None:
    assert windows(mail("call word"), [], WORDPIECES) == []
