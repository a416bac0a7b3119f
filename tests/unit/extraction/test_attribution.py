from datetime import UTC, date, datetime, timedelta, timezone
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from shared.extraction import Context, extract
from shared.mail import Address
from shared.models import Matter
from tests.unit.extraction.mails import BOOKKEEPER, COLLEAGUE, found, mail

ALBRIGHT = Matter(
    id=UUID(int=7), client="Albright Steel", matter="Bond", aliases=("the surety",), domains=("albrightsteel.example",)
)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("I spent an hour on the phone with the adjuster.", "call"),
        ("TC w/ client re settlement .4", "call"),
        ("attended all-hands call with counsel (.9)", "call"),
        ("We met at the courthouse for an hour.", "meeting"),
        ("Hearing before the board of review: 35 min", "meeting"),
        ("deposition of Dr. Haas 3.2", "meeting"),
        ("research re spoliation standard 2.1", "research"),
        ("I checked the case law for an hour.", "research"),
        ("draft answer and affirmative defenses 2.3", "drafting"),
        ("emails w/ surety's counsel .5", "drafting"),
        ("memo to file (.3), client matter", "drafting"),
        ("Prepare mediation statement 2.6", "drafting"),
        ("rev. medical records 1.2", "review"),
        ("I went through the lease for 40 minutes.", "review"),
        ("The drive to the deposition took 50 minutes each way.", "travel"),
        ("travel to and from court 1.5", "travel"),
        ("Waiting for the hearing, 1 hr 15 min", "other"),
        ("prep for depo of foreman 1.5", "other"),
        ("trial prep w/ client 2.2", "meeting"),
    ],
)
def test_the_type_is_told_by_what_was_done(text: str, kind: str) -> None:
    (entry,) = found(text, subject="time", to=BOOKKEEPER).entries

    assert entry.entry_type == kind


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("I reviewed the lease for an hour.", date(2026, 10, 14)),
        ("Yesterday I reviewed the lease for an hour.", date(2026, 10, 13)),
        ("I reviewed the lease for an hour on Monday.", date(2026, 10, 12)),
        ("I reviewed the lease for an hour last Wednesday.", date(2026, 10, 7)),
        ("On Oct. 9 I reviewed the lease for an hour.", date(2026, 10, 9)),
        ("I reviewed the lease for an hour on the 12th.", date(2026, 10, 12)),
        ("I reviewed the lease for an hour over the weekend.", date(2026, 10, 11)),
        ("I reviewed the lease for an hour two days ago.", date(2026, 10, 12)),
        ("10/9 review of lease for client 1.0", date(2026, 10, 9)),
        ("Oct 9\nreview of lease for client 1.0", date(2026, 10, 9)),
        ("I reviewed the lease for an hour; the hearing is on Friday.", date(2026, 10, 14)),
    ],
)
def test_the_day_is_the_one_that_is_named_and_lies_behind(text: str, day: date) -> None:
    (entry,) = found(text).entries

    assert entry.date_performed == day


def test_days_are_counted_day_first_where_the_mail_shows_it() -> None:
    result = found("13/10 review of lease for client 1.0\n09/10 call w/ client .4", subject="time", to=BOOKKEEPER)

    assert [entry.date_performed for entry in result.entries] == [date(2026, 10, 13), date(2026, 10, 9)]


def test_yesterday_is_counted_in_the_offset_of_the_mail_or_in_the_timekeepers_zone() -> None:
    late = datetime(2026, 10, 15, 0, 30, tzinfo=timezone(timedelta(hours=2)))
    email = mail("Yesterday I reviewed the lease for an hour.", sent=late)

    assert extract(email, Context()).entries[0].date_performed == date(2026, 10, 14)
    zone = Context(time_zone=ZoneInfo("America/New_York"))
    assert extract(email, zone).entries[0].date_performed == date(2026, 10, 13)


@pytest.mark.parametrize(
    ("text", "subject", "to", "matter"),
    [
        ("Ortiz - TC w/ client .4", "time", BOOKKEEPER, "Ortiz"),
        ("ortiz mediation stmt finalise 1.1", "fri", BOOKKEEPER, "ortiz"),
        ("YOON\n  review contract of sale 0:50\n  call w/ broker 0:15", "weds", BOOKKEEPER, "YOON"),
        ("This ran 35 minutes, bill it to Albright please.", "Zoom", BOOKKEEPER, "Albright"),
        ("I spent two hours on the redline.", "Kessler - court", COLLEAGUE, "Kessler"),
        ("I spent two hours on the redline.", "Novak Plumbing v. Marchetti", COLLEAGUE, "Novak Plumbing v. Marchetti"),
        ("I spent two hours on the redline.", "where we are", Address("Nadia Brandt", "nb@mailbox.example"), "Brandt"),
        (
            "I spent two hours on Albright Steel's redline.",
            "redline",
            Address("Tom Albright", "tom@albrightsteel.example"),
            "Albright Steel",
        ),
    ],
)
def test_the_matter_is_the_one_named_nearest(text: str, subject: str, to: Address, matter: str) -> None:
    assert found(text, subject=subject, to=to).entries[0].client_matter == matter


@pytest.mark.parametrize(
    ("text", "to"),
    [
        ("I spent two hours on the surety's papers.", COLLEAGUE),
        ("I spent two hours on the redline.", Address("Tom", "tom@albrightsteel.example")),
    ],
)
def test_the_directory_of_matters_decides_where_it_knows_a_name_or_a_domain(text: str, to: Address) -> None:
    (entry,) = extract(mail(text, to=to), Context(matters=(ALBRIGHT,))).entries

    assert (entry.client_matter, entry.matter_id) == ("Albright Steel / Bond", ALBRIGHT.id)


def test_the_description_is_of_the_mails_own_words_without_the_amount() -> None:
    (entry,) = found("I spent an hour and a half reviewing the supply agreement.").entries

    assert entry.description == "Reviewing the supply agreement"


def test_a_table_is_read_by_its_columns() -> None:
    body = (
        "Date\tClient\tWhat\tHours\n10/12\tTremaine\tPhone conference with client\t0.9\n"
        "10/13\tWhitcomb\tArraignment\t2\n\t\tTotal\t2.9"
    )
    entries = found(body, subject="sheet", to=BOOKKEEPER).entries

    assert [(e.duration_minutes, e.client_matter, e.date_performed) for e in entries] == [
        (54, "Tremaine", date(2026, 10, 12)),
        (120, "Whitcomb", date(2026, 10, 13)),
    ]


def test_a_mail_without_a_date_still_gives_its_entries() -> None:
    email = mail("I spent two hours on the redline.")
    undated = type(email)(email.message_id, email.subject, email.sender, email.recipients, None, email.body, email.new)

    assert len(extract(undated, Context()).entries) == 1
    assert datetime.now(UTC).date() != extract(undated, Context()).entries[0].date_performed
