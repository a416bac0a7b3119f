"""The day that an entry is for. The mails are sent on Wednesday, 14 October 2026."""

from datetime import date

import pytest

from shared.extraction.attribution.date import Calendar
from tests.unit.extraction.mails import BOOKKEEPER, found

WEDNESDAY = date(2026, 10, 14)


def days(body: str, subject: str = "Where we are") -> list[str]:
    return [entry.date_performed.isoformat()[5:] for entry in found(body, subject=subject, to=BOOKKEEPER).entries]


def test_of_several_days_the_one_nearest_to_the_amount_counts() -> None:
    body = "I spent 1.5 hours today drafting the motion, after I had spent 3.2 hours on Monday reviewing the records."

    assert days(body) == ["10-14", "10-12"]


def test_what_the_sender_did_the_day_before_took_its_time_that_day() -> None:
    body = "Yesterday I telephoned the surveyor. I spent 40 minutes on the phone with him."

    assert days(body) == ["10-13"]


def test_a_hearing_to_come_is_not_when_the_work_was_done() -> None:
    assert days("The hearing is on Tuesday. I spent two hours drafting the brief.") == ["10-14"]


@pytest.mark.parametrize(
    ("line", "day"),
    [
        ("Orchid Bulk Carriers | 12/10 | research, salvage cases | 2h 05m", "10-12"),
        ("12/10/2026 call with client 0.5", "10-12"),
        ("12.10.26 call with client 0.5", "10-12"),
        ("2026-10-09 call with client 0.5", "10-09"),
        ("Fri 9 Oct: call with client 0.5", "10-09"),
    ],
)
def test_a_date_in_a_time_line_is_its_day_wherever_it_stands(line: str, day: str) -> None:
    assert days(f"{line}\n13/10 call with court 0.2", subject="time")[0] == day


def named(text: str) -> list[date]:
    return [each.day for each in Calendar(text, WEDNESDAY, east=False).mentions(text)]


@pytest.mark.parametrize(
    ("said", "days"),
    [
        ("Friday the 9th I spent an hour on it", [date(2026, 10, 9)]),
        ("Mon Oct 5 I spent an hour on it", [date(2026, 10, 5)]),
        ("on the 7th", [date(2026, 10, 7)]),
        ("a week ago today", [date(2026, 10, 7)]),
        ("the day before yesterday", [date(2026, 10, 12)]),
        ("Thursday of last week, and Tuesday last", [date(2026, 10, 8), date(2026, 10, 13)]),
        ("last Wednesday", [date(2026, 10, 7)]),
        ("on the 5th and 6th", [date(2026, 10, 5), date(2026, 10, 6)]),
        ("on Monday, and again the next day", [date(2026, 10, 12), date(2026, 10, 13)]),
        ("3 weeks ago", [date(2026, 9, 23)]),
        ("over the weekend", [date(2026, 10, 11)]),
        ("4 February 2026", [date(2026, 2, 4)]),
        ("yesterday's call", [date(2026, 10, 13)]),
        ("next Friday", []),
        ("Friday's deadline", []),
        ("Sat in court all morning", []),
        ("the 6th Circuit, the 2nd defendant, 1st Natl Bank", []),
        ("the 21st of December", []),
        ("from 10.30 to 11.45", []),
        ("nothing of the sort", []),
    ],
)
def test_days_are_resolved_against_the_day_of_the_mail(said: str, days: list[date]) -> None:
    assert named(said) == days


@pytest.mark.parametrize(
    ("text", "east", "day"),
    [
        ("9/10 call", False, date(2026, 9, 10)),
        ("9/10 call", True, date(2026, 10, 9)),
        ("9/10 call, 13/10 letter", False, date(2026, 10, 9)),
        ("9/10 call, 10/13 letter", True, date(2026, 9, 10)),
        ("2/10 call, 5/10 letter, 12/10 advice", False, date(2026, 10, 2)),
    ],
)
def test_a_date_is_read_as_people_write_it_there_unless_the_mail_shows_otherwise(
    text: str, east: bool, day: date
) -> None:
    assert Calendar(text, WEDNESDAY, east=east).mentions(text)[0].day == day


def test_a_day_of_the_list_holds_until_the_next_is_named() -> None:
    body = "Mon - Ortiz, call with client, 0.5\nOrtiz, draft reply 1.2\nTue - Kessler, review lease 0.7"

    assert days(body, subject="time") == ["10-12", "10-12", "10-13"]


def test_what_is_told_on_belongs_to_the_day_of_the_amount_before() -> None:
    body = "I was at Peale's office on Monday, two hours.\n\nThe drive was an hour.\n\nThe note of it was 20 minutes."

    assert days(body, subject="time") == ["10-12", "10-12", "10-12"]


def test_since_then_is_today() -> None:
    assert days("We met for an hour on Monday. I have since spent two hours drafting the agreement.") == [
        "10-12",
        "10-14",
    ]


def test_tenths_at_the_head_of_a_line_are_no_date() -> None:
    assert Calendar("", WEDNESDAY, east=False).leading("1.7 revise judgment") is None
