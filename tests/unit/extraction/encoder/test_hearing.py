"""What the encoder hears of amounts, with the weights that are deployed."""

import pytest

from shared.extraction import Context, deciding, extract
from shared.extraction.context.lawyerly import lawyerly_signs
from shared.extraction.context.signs import SPAN_TO_COME
from shared.extraction.encoder.hearing import Heard, hearing
from shared.extraction.encoder.session import Session
from shared.extraction.encoder.windows import Window
from shared.mail import read
from shared.mail.email import Email, Span
from shared.models import EntryType


def mail(body: str) -> Email:
    headers = (
        "From: Ann Lowe <ann@lowe.example>\nTo: b@ortiz.example\nSubject: Ortiz\nDate: Thu, 12 Mar 2026 17:10:00 -0500"
    )
    return read(f"{headers}\n\n{body}\n".encode())


def heard(body: str, *amounts: str) -> list[Heard]:
    email = mail(body)
    spans = [Span(email.body.index(words), email.body.index(words) + len(words)) for words in amounts]
    told = hearing().hear(email, spans, range(len(spans)))
    return [told[place] for place in range(len(spans))]


def test_it_hears_whose_time_it_was_and_whether_it_was_spent() -> None:
    mine, hers, to_come = heard(
        "I went through the lease for two hours. Their counsel spent three hours on it. Another four hours are needed.",
        "two hours",
        "three hours",
        "four hours",
    )

    assert mine.work > 0 > max(hers.work, to_come.work)


def test_it_hears_what_sort_of_work_it_was() -> None:
    (call,) = heard("We were on the phone with the adjuster for 40 minutes.", "40 minutes")
    (travel,) = heard("I drove to the site and back, two hours.", "two hours")

    assert max(call.kinds, key=call.kinds.__getitem__) == "call"
    assert max(travel.kinds, key=travel.kinds.__getitem__) == "travel"


def test_it_hears_that_work_is_not_charged() -> None:
    (free,) = heard("I revised the will, 1.2 hours, no charge.", "1.2 hours")
    (charged,) = heard("I revised the will, 1.2 hours, please bill.", "1.2 hours")

    assert free.free > charged.free


def test_the_same_mail_is_heard_the_same() -> None:
    body = "I may have spent two hours on the lease, or Priya did."

    assert heard(body, "two hours") == heard(body, "two hours")


def test_no_more_of_a_mail_is_heard_than_its_first_stretches_with_a_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    email = mail("\n".join(["two hours " + "word " * 200] * 14))
    starts = [at for at in range(len(email.body)) if email.body.startswith("two hours", at)]
    ran: list[Window] = []
    run = Session.run

    def counted(self: Session, window: Window) -> list[list[float]]:
        ran.append(window)
        return run(self, window)

    monkeypatch.setattr(Session, "run", counted)

    told = hearing().hear(email, [Span(at, at + 9) for at in starts], {0, *range(4, 14)})

    assert len(ran) == 4
    assert 0 in told
    assert 2 not in told
    assert 13 not in told


@pytest.mark.parametrize(
    ("body", "asked"),
    [
        ("This morning I spent 40 minutes on the phone with opposing counsel about the deposition.", 0),
        ("See you at ten.", 0),
        ("Those fifty minutes on Ortiz with the bank's man, so be it.", 1),
    ],
)
def test_it_is_asked_only_where_the_signs_leave_a_doubt(body: str, asked: int, monkeypatch: pytest.MonkeyPatch) -> None:
    asking: list[Email] = []

    class Listening:
        def hear(self, email: Email, amounts: list[Span], unsure: set[int]) -> dict[int, Heard]:
            asking.append(email)
            return hearing().hear(email, amounts, unsure)

    monkeypatch.setattr(deciding, "hearing", Listening)
    monkeypatch.setattr(deciding, "short_of_a_lawyers", lambda _signs: 0)

    extract(mail(body), Context())

    assert len(asking) == asked


@pytest.mark.parametrize(
    ("doubt", "asked"), [("type_in_doubt", {0}), ("charge_in_doubt", {0}), ("neither", set[int]())]
)
def test_of_sure_work_it_is_asked_where_type_or_charge_are_open_and_of_what_is_no_work_never(
    doubt: str, asked: set[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    asking: set[int] = set()

    class Listening:
        def hear(self, email: Email, amounts: list[Span], unsure: set[int]) -> dict[int, Heard]:
            asking.update(unsure)
            return hearing().hear(email, amounts, unsure)

    monkeypatch.setattr(deciding, "hearing", Listening)
    monkeypatch.setattr(deciding, "short_of_a_lawyers", lambda _signs: 0)
    for name in ("type_in_doubt", "charge_in_doubt"):
        monkeypatch.setattr(deciding, name, lambda _signs, name=name: name == doubt)

    sure = "This morning I spent 40 minutes on the phone with opposing counsel about the deposition."
    extract(mail(f"{sure} The hearing will take two hours."), Context())

    assert asking == asked


@pytest.mark.parametrize("work", [-4.0, 4.0])
def test_in_a_mail_of_few_words_it_speaks_for_work_only(work: float, monkeypatch: pytest.MonkeyPatch) -> None:
    class Says:
        def hear(self, _email: Email, amounts: list[Span], _unsure: set[int]) -> dict[int, Heard]:
            return {place: Heard(work, dict.fromkeys(EntryType, 0.0), -9.0) for place in range(len(amounts))}

    monkeypatch.setattr(deciding, "hearing", Says)
    brief, more = "Spent 45 minutes on the phone with the adjuster.", " Opposing counsel served their answers."

    assert len(extract(mail(brief), Context()).entries) == 1
    assert len(extract(mail(brief + more), Context()).entries) == (work > 0)


WORDS = tuple("abcdefghijklmnop")
LAWYERS, ANYBODYS = lawyerly_signs(WORDS, 2.0), lawyerly_signs(WORDS, 1.9)


class Deaf:
    """An encoder that says of everything that it is no work."""

    def hear(self, _email: Email, amounts: list[Span], _unsure: set[int]) -> dict[int, Heard]:
        return {place: Heard(-30.0, dict.fromkeys(EntryType, 0.0), -30.0) for place in range(len(amounts))}


def test_what_the_signs_are_sure_of_is_not_turned_by_a_doubt_beside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    sure = "This morning I spent 40 minutes on the phone with opposing counsel about the deposition."
    monkeypatch.setattr(deciding, "hearing", Deaf)
    monkeypatch.setattr(deciding, "short_of_a_lawyers", lambda _signs: 0)

    found = extract(mail(f"{sure}\n\nThose fifty minutes on Ortiz with the bank's man, so be it."), Context())

    assert [entry.duration_minutes for entry in found.entries] == [40]


@pytest.mark.parametrize(
    ("total", "odds", "signs", "asked"),
    [
        (1.0, 1.0, LAWYERS, True),
        (-1.9, 1.0, LAWYERS, True),
        (2.1, 1.0, LAWYERS, False),
        (2.1, 1.0, ANYBODYS, True),
        (-2.1, 1.0, ANYBODYS, False),
        (1.0, deciding.BEYOND_DOUBT, LAWYERS, False),
        (2.1, deciding.BEYOND_DOUBT, ANYBODYS, False),
        (1.0, 1.0, LAWYERS | {SPAN_TO_COME}, False),
        (2.1, 1.0, ANYBODYS | {SPAN_TO_COME}, False),
    ],
)
def test_what_is_settled_and_what_lies_ahead_is_not_put_to_it_but_anybodys_hours_are(
    total: float, odds: float, signs: frozenset[str], asked: bool
) -> None:
    assert deciding.in_doubt(total, odds, signs) is asked
