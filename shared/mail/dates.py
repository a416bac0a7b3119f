"""When an email was sent: its Date header, unless that is missing or can't be true."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

_FIRST_YEAR, _LAST_YEAR = 1990, 2100
_CLOCKS_DIFFER = timedelta(days=2)  # a header later than that after arrival is a wrong clock, not a late delivery
_LONGEST_DATE = 100  # characters; the longest honest header, with a zone's name as a comment, has about 60


def sent_at(header: str, received_at: datetime | None) -> datetime | None:
    """The time of sending, aware, in the offset that the header names.

    `received_at` (aware) takes the header's place where that can't be parsed, lies before 1990 or after 2100, or more
    than two days after it. A header far *before* it stands: mail that is moved to another mailbox arrives there long
    after it was sent. The offset of a header whose time is wrong is kept, since it is what "today" means to the sender.
    """
    stated = _parse(header)
    if stated is None:
        return received_at
    plausible = _FIRST_YEAR <= stated.year <= _LAST_YEAR
    if plausible and (received_at is None or stated - received_at <= _CLOCKS_DIFFER):
        return stated
    return None if received_at is None else received_at.astimezone(stated.tzinfo)


def _parse(header: str) -> datetime | None:
    try:
        stated = parsedate_to_datetime(header[:_LONGEST_DATE])
    except (ValueError, TypeError, IndexError, OverflowError):  # what the parser lets through on a broken date
        return None
    return stated if stated.tzinfo else stated.replace(tzinfo=UTC)
