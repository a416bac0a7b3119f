"""Numbers without a unit that only their company makes time."""

import pytest

from shared.extraction.durations import read_passage
from shared.extraction.loose import with_loose


def loose(text: str, *, whole: bool = True) -> list[float]:
    read = with_loose(read_passage(text), text, whole=whole)
    return [amount.best for amount in read.amounts if amount and amount.rules == ("<n> alone",)]


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("put me down for 3 on the lease", [180]),
        ("Another 20 calming her down", [20]),
        ("met the judge, then 40 on the phone with her mother", [40]),
        ("put me down for 3 after the hearing", [180]),
        ("I spent 3 at a deposition in Newark", [180]),
        ("it was two and a half in the end", [150]),
        ("I put the morning into it and am billing 2.", [120]),
        ("L110 1.0 fact interview with plant manager", [60]),
    ],
)
def test_a_number_that_stands_where_time_stands_could_be_time(text: str, minutes: list[float]) -> None:
    assert loose(text) == minutes


def test_the_unit_of_the_amount_before_is_shared() -> None:
    assert loose("I had estimated 20 minutes but it was 12 in the end") == [12]


def test_where_no_lawyer_writes_only_a_part_of_an_hour_could_be_time() -> None:
    text = "put me down for 3 on the lease, I'd used 0.9 the evening before, it was two and a half for the rest"

    assert loose(text, whole=False) == [54, 150]


@pytest.mark.parametrize(
    "text",
    [
        "we went through the interrogatories, one after another, until noon",
        "I read the exhibits, two at a time",
        "1. Response to the search opinion",
        "2) call the clerk",
        "we fly out Sat 06.50 from Luton",
        "I paid $3 for it",
        "it was 40 pages",
        "section 4 for today",
        "it was 5% of it",
        "one sentence in the tax deed, 2.4(c), where they and I read it differently",
        "the carve-out, 10(iv), stays",
    ],
)
def test_what_is_numbered_measured_or_a_time_of_day_is_left_alone(text: str) -> None:
    assert loose(text) == []


def test_amounts_that_the_grammar_reads_stay_as_they_are() -> None:
    text = "spent 1.4 on the reply and 20 minutes on the phone"
    read = read_passage(text)

    assert with_loose(read, text, whole=True) is read
