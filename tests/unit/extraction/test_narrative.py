"""The line for the bill."""

import pytest

from shared.extraction.attribution.narrative import narrative
from tests.unit.extraction.mails import BOOKKEEPER, found

PROSE = [
    ("I spent an hour and a half on the phone with the adjuster this morning.", "Phone with the adjuster"),
    ("Reviewing those records took me another 45 minutes.", "Reviewing those records"),
    ("Yesterday I put 2.5 hours into revising the answer after our talk.", "Revising the answer after our talk"),
    ("We spoke for 50 minutes on Wednesday about the licence.", "Spoke about the licence"),
    ("The oral argument ran from 9:45 to 10:30.", "The oral argument"),
    (
        "I went through the contracts against the data room last night, 2.6 hours.",
        "Went through the contracts against the data room",
    ),
    ("Walking him through our edits took thirty-five minutes on Teams.", "Walking him through our edits on Teams"),
    ("I drafted the reply brief for two hours, which he won't like.", "Drafted the reply brief"),
    ("I read the affidavit sworn 2 March, 0.7.", "Read the affidavit sworn 2 March"),
    ("Please enter 0.4 for me, call with the surety's counsel.", "Call with the surety's counsel"),
    ("We were on the record 3 hours 10 minutes.", "On the record"),
    ("No charge for the hour I spent re-reading the prequalification file.", "Re-reading the prequalification file"),
]


@pytest.mark.parametrize(("text", "line"), PROSE, ids=[text[:40] for text, _ in PROSE])
def test_it_tells_the_work_and_neither_its_time_nor_its_day(text: str, line: str) -> None:
    assert [entry.description for entry in found(text).entries] == [line]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("Ortiz - TC w/ client re offer .4\nHollis: rev. inventory 1.2", ["TC w/ client re offer", "Rev. inventory"]),
        ("10/13/2026  in court, plea and sentence: 0.9 hours", ["In court, plea and sentence"]),
        ("(b) prepared the IHT400 and four schedules, 12/10 - 3.8 hours", ["Prepared the IHT400 and four schedules"]),
        ("Sat with the examiner, 1.5\nSat 10 Oct: reply brief, 2.0", ["Sat with the examiner", "Reply brief"]),
        ("Charge conference 0.9", ["Charge conference"]),
        ("Exhibits sorted and marked 12, 1.4", ["Exhibits sorted and marked 12"]),
    ],
)
def test_a_time_line_gives_neither_its_matter_nor_its_day_nor_its_number(text: str, lines: list[str]) -> None:
    assert [entry.description for entry in found(text, subject="time", to=BOOKKEEPER).entries] == lines


def test_what_only_says_how_long_it_took_is_told_by_the_sentence_before() -> None:
    (entry,) = found("I finished the conflicts section of the PPM. It took me two hours.").entries

    assert entry.description == "Finished the conflicts section of the PPM"


def test_a_sentence_before_that_has_a_time_of_its_own_tells_that_and_nothing_else() -> None:
    entries = found("I drafted the motion for two hours on Monday. It took another hour on Tuesday.").entries

    assert [entry.description for entry in entries] == ["Drafted the motion", "It took another hour on Tuesday."]


def test_a_sentence_before_that_tells_no_work_tells_nothing_of_it() -> None:
    (entry,) = found("Your mother is well. It took me ten minutes.").entries

    assert entry.description == "It took me ten minutes."


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        ("Call with the bank (", ") and the surety", "Call with the bank and the surety"),
        ("Call with the bank: ", " re the lien", "Call with the bank: re the lien"),
        ("Call with the bank, ", ", re the lien", "Call with the bank, re the lien"),
        ("Lineup photos (on Zoom), ", "", "Lineup photos (on Zoom)"),
        ("", " hearing (the clerk was late", "Hearing"),
        ("Donna put me down for ", " reading this", "Reading this"),
        ("I drafted the brief for ", ", which he won't like", "Drafted the brief"),
        ("I drafted the brief for ", " because he had asked", "Drafted the brief"),
        ("reply brief (", " @ $425 = $765)", "Reply brief"),
        ("he rang) call with the bank ", "", "He rang call with the bank"),
        ("Hi Peter - position statement, ", "", "Position statement"),
        ("it took ", ".", ""),
        ("", "", ""),
    ],
)
def test_what_stood_around_the_amount_is_joined_as_it_was_parted(before: str, after: str, line: str) -> None:
    assert narrative(before, after, told=("Donna",)) == line


def test_it_is_no_longer_than_a_bill_allows() -> None:
    assert len(narrative("drafting " * 400, "")) == 1000
