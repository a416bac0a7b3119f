"""A period as a person means it: whole days of their zone, or exact moments."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from shared.checked_coverage import Period
from shared.errors import InvalidArguments

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
NEW_YORK = ZoneInfo("America/New_York")


def seconds(year: int, month: int, day: int, hour: int = 0) -> int:
    return int(datetime(year, month, day, hour, tzinfo=UTC).timestamp())


def test_days_are_the_timekeepers_own_and_both_are_included() -> None:
    period = Period.read("2026-09-01", "2026-09-30", NEW_YORK, NOW)
    assert period.query == f"after:{seconds(2026, 9, 1, 4)} before:{seconds(2026, 10, 1, 4)}"


@pytest.mark.parametrize(("day", "hours"), [("2026-11-01", 25), ("2026-03-08", 23), ("2026-07-01", 24)])
def test_a_day_is_as_long_as_the_clocks_make_it(day: str, hours: int) -> None:
    period = Period.read(day, day, NEW_YORK, NOW)
    assert period.end.astimezone(UTC) - period.start.astimezone(UTC) == timedelta(hours=hours)


def test_moments_are_widened_to_the_whole_seconds_that_gmail_counts_in() -> None:
    period = Period.read("2026-09-01T00:00:00.700Z", "2026-09-02T00:00:00.300+00:00", NEW_YORK, NOW)
    assert period.query == f"after:{seconds(2026, 9, 1)} before:{seconds(2026, 9, 2) + 1}"


def test_a_zone_survives_being_written_into_a_query() -> None:
    period = Period.read("2026-09-01T00:00:00 02:00", "2026-09-02", UTC, NOW)
    assert period.start == datetime(2026, 9, 1, tzinfo=timezone(timedelta(hours=2)))


def test_nothing_was_sent_in_the_future() -> None:
    assert Period.read("2026-11-01", "2026-12-31", UTC, NOW).end == NOW
    with pytest.raises(InvalidArguments):
        Period.read("2026-12-01", "2026-12-31", UTC, NOW)


@pytest.mark.parametrize("text", ["", "T", "2026-13-01", "2026-09-01T00:00:00", "9999-12-31", "1/9/2026", "2026"])
def test_what_is_no_day_and_no_moment_is_refused(text: str) -> None:
    with pytest.raises(InvalidArguments):
        Period.read("2026-09-01", text, UTC, NOW)
