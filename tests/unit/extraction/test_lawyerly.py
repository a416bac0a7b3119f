"""Whether a mail reads like a lawyer's, and what that says of the hours in it."""

import pytest

from shared.extraction import Context, deciding, extract
from shared.extraction.context.lawyerly import READS, lawyerly_signs, short_of_a_lawyers, words_of
from shared.extraction.weighing import odds_of_lawyer
from shared.mail import read
from shared.mail.email import Email


def mail(body: str, subject: str = "Yesterday", sender: str = "ann@lowe.example") -> Email:
    headers = f"From: Ann Lowe <{sender}>\nTo: b@ortiz.example\nSubject: {subject}\n"
    return read(f"{headers}Date: Thu, 12 Mar 2026 17:10:00 -0500\n\n{body}\n".encode())


LAWYERS = "Opposing counsel served their interrogatory answers, and the deposition is set for the 9th.\n\nAnn"
ENGINEERS = (
    "The pump was offline all night, the vendor ships a new sensor on Monday, and the warehouse team will run\n"
    "the line on the old firmware until the dashboard shows the shift's output again. Thanks, everyone!\n\nAnn"
)
MANY = tuple("abcdefghijklmnop")
SPENT = "I spent nearly forty minutes with the lead from Corvane this morning."


def test_the_words_are_those_of_the_subject_of_what_was_newly_written_and_of_the_senders_address() -> None:
    email = mail("The deed, s.\n\nOn Mon, 9 Mar 2026, Ann wrote:\n> gearbox\n", subject="Re: Ortiz")

    assert words_of(email) == {"ortiz", "the", "deed", "@ann", "@lowe", "@example"}


@pytest.mark.parametrize(
    ("sender", "told"),
    [
        ("ann@LoweLaw.example", {"@..law"}),
        ("clerk@elmchambers.example", {"@..chambers"}),
        ("law.lowe@pumps.example", set()),
    ],
)
def test_of_a_firms_name_it_is_told_what_firms_are_called(sender: str, told: set[str]) -> None:
    assert {word for word in words_of(mail("", sender=sender)) if word.startswith("@..")} == told


def test_the_same_mail_is_likelier_a_lawyers_from_a_law_firms_address() -> None:
    firms, makers = (words_of(mail(ENGINEERS, sender=f"ann@{host}.example")) for host in ("lowelaw", "lowe"))

    assert odds_of_lawyer(firms) > odds_of_lawyer(makers)


def test_a_long_mail_is_known_by_its_beginning() -> None:
    assert "gearbox" not in words_of(mail("deed " * 2_000 + "gearbox"))


def test_so_is_one_that_is_written_between_quoted_lines() -> None:
    wrote = "deed " * 500
    email = mail(f"{wrote}\n> theirs\n\n{wrote}\n> theirs\n\ngearbox " + wrote)

    assert len(email.new) > 1
    assert "gearbox" not in words_of(email)


@pytest.mark.parametrize(("odds", "steps"), [(-9.0, 0), (-4.0, 1), (0.3, 5), (9.0, 9)])
def test_each_step_that_the_odds_reach_is_a_sign(odds: float, steps: int) -> None:
    signs = lawyerly_signs(MANY, odds)

    assert len(signs) == steps
    assert all(sign.startswith(READS) for sign in signs)


def test_a_few_words_are_taken_for_a_lawyers_whatever_they_are() -> None:
    few = (*MANY[:11], "@ann", "@lowe")

    assert lawyerly_signs(few, -9.0) == lawyerly_signs(MANY, 2.0) != lawyerly_signs(MANY[:12], -9.0)


@pytest.mark.parametrize(("odds", "short"), [(-9.0, 7), (0.3, 2), (1.9, 1), (2.0, 0), (9.0, 0)])
def test_a_mail_falls_short_of_a_lawyers_by_the_steps_that_its_odds_miss(odds: float, short: int) -> None:
    assert short_of_a_lawyers(lawyerly_signs(MANY, odds)) == short


def test_a_lawyers_mail_is_told_from_an_engineers() -> None:
    assert odds_of_lawyer(words_of(mail(LAWYERS))) > 1
    assert odds_of_lawyer(words_of(mail(ENGINEERS))) < -1


@pytest.mark.parametrize("lawyerly", [True, False])
def test_a_likely_amount_is_enough_in_a_lawyers_mail_only(lawyerly: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deciding, "total_of_work", lambda _odds, _signs: 0.9)
    monkeypatch.setattr(deciding, "in_doubt", lambda *_: False)
    monkeypatch.setattr(deciding, "is_lawyerly", lambda _signs: lawyerly)

    assert len(extract(mail(SPENT), Context()).entries) == lawyerly


def test_the_same_words_are_an_entry_in_a_lawyers_mail_and_none_in_an_engineers() -> None:
    (entry,) = extract(mail(f"{SPENT}\n\n{LAWYERS}"), Context()).entries

    assert entry.extracted_text.startswith("I spent nearly forty minutes")
    assert extract(mail(f"{SPENT}\n\n{ENGINEERS}"), Context()).entries == ()
