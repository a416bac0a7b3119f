"""The stretches of a mail in which its amounts are heard."""

from dataclasses import replace

from shared.extraction.encoder.windows import WIDEST, WIDEST_HEAD, windows
from shared.extraction.encoder.wordpieces import Wordpieces
from shared.mail import read
from shared.mail.email import Address, Email, Span

VOCABULARY = ["[UNK]", "[CLS]", "[SEP]", "[unused1]", ":", "call", "word", "hour", "two", "ann", "lowe", "ben", "ortiz"]
VOCABULARY += ["thursday", "12", "march", "17", "10", ",", "|"]
WORDPIECES = Wordpieces(VOCABULARY)


def mail(body: str, subject: str = "call") -> Email:
    headers = (
        "From: Ann Lowe <a@lowe.example>\nTo: ben@ortiz.example\nCc: Two Hour <c@ortiz.example>\n"
        f"Subject: {subject}\nDate: Thu, 12 Mar 2026 17:10:00 -0500"
    )
    return read(f"{headers}\n\n{body}\n".encode())


def spans(email: Email, words: str) -> list[Span]:
    at, found = email.body.find(words), []
    while at >= 0:
        found.append(Span(at, at + len(words)))
        at = email.body.find(words, at + 1)
    return found


def said(pieces: tuple[int, ...]) -> str:
    return " ".join(VOCABULARY[each] for each in pieces)


def test_a_short_mail_is_one_stretch_after_who_wrote_it_to_whom_when_and_on_what() -> None:
    email = mail("call two hour")

    (window,) = windows(email, spans(email, "two hour"), WORDPIECES)

    head = "ann lowe [unused1] ben , two hour [unused1] thursday 12 march 17 : 10 [unused1] call [unused1]"
    assert said(window.pieces) == f"[CLS] {head} call two hour [unused1] [SEP]"
    ((which, first, last),) = window.amounts
    assert (which, said(window.pieces[first : last + 1])) == (0, "two hour")
    assert said(window.pieces[first - 1 : first]) == "call"


def test_a_mail_without_date_or_names_has_a_head_with_what_there_is() -> None:
    email = replace(mail("call two hour", subject=""), sent_at=None, sender=Address("", ""), recipients=())

    (window,) = windows(email, spans(email, "two hour"), WORDPIECES)

    assert said(window.pieces) == "[CLS] [unused1] call two hour [unused1] [SEP]"


def test_a_long_head_takes_no_more_room_than_it_may_and_stands_before_every_stretch() -> None:
    email = mail("\n".join(["two hour", *["word " * 10] * 60, "two hour"]), subject="call:" * 40)

    first, second = windows(email, spans(email, "two hour"), WORDPIECES)

    assert first.pieces[: WIDEST_HEAD + 1] == second.pieces[: WIDEST_HEAD + 1]
    assert said(first.pieces[WIDEST_HEAD + 1 : WIDEST_HEAD + 3]) == "two hour"
    assert said(second.pieces[WIDEST_HEAD + 1 : WIDEST_HEAD + 3]) == "word word"


def test_of_a_long_mail_each_amount_is_heard_in_one_stretch_that_holds_words_on_both_sides() -> None:
    email = mail("\n".join(["word " * 10] * 20 + ["two hour"] + ["word " * 10] * 40 + ["two hour"]))

    found = windows(email, spans(email, "two hour"), WORDPIECES)

    assert sorted(which for window in found for which, _, _ in window.amounts) == [0, 1]
    for window in found:
        assert len(window.pieces) <= WIDEST + WIDEST_HEAD + 2
        for _, first, last in window.amounts:
            assert said(window.pieces[first : last + 1]) == "two hour"
    earlier = next(window for window in found if window.amounts[0][0] == 0)
    before = earlier.amounts[0][1]
    assert min(before, len(earlier.pieces) - before) >= WIDEST // 4


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
