"""get_time_tracking_summary: totals from the precomputed view, always as the entries are now."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from datetime import time as time_of_day
from typing import Annotated, Any, Final

from pydantic import AwareDatetime, BaseModel, Field

from shared.cache import Cache
from shared.caller import Caller
from shared.models import AnalysisMode, EntryStatus, EntryType
from shared.store.coverage import Coverage
from shared.store.entries import OwnData, Row
from shared.store.timekeepers import Timekeepers
from shared.tools.clients import known_client
from shared.tools.mailboxes import notice
from shared.tools.registry import Arguments, Report, ToolAnswer
from shared.tools.told import words

NAME: Final = "get_time_tracking_summary"
DESCRIPTION: Final = (
    "Totals of the user's time entries: by client, type of work, day and status, with billed and unbilled minutes, and"
    " what became of every email sent in that time."
)
MOST_DAYS_TOLD: Final = 31
# Where no time zone is set, each entry's day is that of its own email: somewhere it may be tomorrow already.
_FARTHEST_EAST: Final = timezone(timedelta(hours=14))


class SummaryArguments(Arguments):
    """What to add up."""

    date_range_days: Annotated[int, Field(ge=1, le=365, description="How many days, today included.")] = 30
    client_filter: Annotated[
        str | None, Field(min_length=1, max_length=200, description="Only this client or matter.")
    ] = None
    entry_type_filter: Annotated[EntryType | None, Field(description="Only this type of work.")] = None
    min_duration_minutes: Annotated[
        float | None, Field(ge=0, le=1440, description="Only entries that took at least so many minutes.")
    ] = None
    use_cache: Annotated[bool, Field(description="False: add up anew, whatever was added up before.")] = True


class Sums(BaseModel):
    """`minutes` were said, `billed_minutes` is what the billable ones come to, `unbilled_minutes` were no charge."""

    entries: int
    minutes: float
    billed_minutes: float
    unbilled_minutes: float


class ClientSums(Sums):
    """Of a client or matter; None: of entries that name none."""

    client_matter: str | None


class TypeSums(Sums):
    """Of a type of work."""

    entry_type: EntryType


class DaySums(Sums):
    """Of a day."""

    date_performed: date


class StatusSums(Sums):
    """Of a status. Dismissed entries are in no other sum."""

    status: EntryStatus


class TimeSummary(ToolAnswer):
    """The totals of the days `first` to `last`, both included.

    `refreshed_at`: when the view was last computed; `changed_days` of these days were changed since and are added up
    live, so the answer is as the entries are now. `coverage`: what became of every email sent on these days; `notice`
    says in words if a mailbox isn't being read.
    """

    first: date
    last: date
    totals: Sums
    by_client: tuple[ClientSums, ...]
    by_type: tuple[TypeSums, ...]
    by_day: tuple[DaySums, ...]
    by_status: tuple[StatusSums, ...]
    coverage: Coverage
    notice: str | None
    refreshed_at: AwareDatetime | None
    changed_days: int
    from_cache: bool

    def for_model(self, mode: AnalysisMode) -> dict[str, Any]:
        told = self.model_dump(mode="json", exclude={"by_client", "by_day"})
        told["by_client"] = [
            sums.model_dump(exclude={"client_matter"}) | words(mode, client_matter=sums.client_matter)
            for sums in self.by_client
        ]
        told["by_day"] = [sums.model_dump(mode="json") for sums in self.by_day[-MOST_DAYS_TOLD:]]
        return told


@dataclass(frozen=True, slots=True)
class Summary:
    """The parts that a summary takes. `cache`: a version of the data, and the sums that were made of it."""

    timekeepers: Timekeepers
    own: OwnData
    cache: Cache[Row]
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    async def run(self, caller: Caller, arguments: SummaryArguments, _report: Report) -> TimeSummary:
        """Raises InvalidArguments, StoreUnavailable and StoreRefused."""
        zone = (await self.timekeepers.get(caller.user_id)).rules.time_zone
        last = self.now().astimezone(zone or _FARTHEST_EAST).date()
        first = self.now().astimezone(zone or UTC).date() - timedelta(days=arguments.date_range_days - 1)
        client = await known_client(self.own, caller, arguments.client_filter)
        start = datetime.combine(first, time_of_day(), zone or UTC)
        end = datetime.combine(last + timedelta(days=1), time_of_day(), zone or UTC)
        (sums, from_cache), row = await asyncio.gather(
            self._sums(caller, arguments, first, last, client), self.own.coverage(caller, start, end)
        )
        coverage = Coverage.model_validate(row)
        said = notice(each.state for each in coverage.mailboxes)
        return TimeSummary.model_validate(
            {**sums, "first": first, "last": last, "coverage": coverage, "notice": said, "from_cache": from_cache}
        )

    async def _sums(
        self, caller: Caller, arguments: SummaryArguments, first: date, last: date, client: str | None
    ) -> tuple[Row, bool]:
        """The sums, and whether they were at hand: the database says whether they are still right."""
        filters = (client, arguments.entry_type_filter, arguments.min_duration_minutes)
        key = ("summary", str(caller.user_id), first.isoformat(), last.isoformat(), *filters)
        kept = await self.cache.peek(key) if arguments.use_cache else None
        sums = await self.own.summary(
            caller,
            first,
            last,
            client=client,
            entry_type=arguments.entry_type_filter,
            minimum_minutes=arguments.min_duration_minutes,
            unless=kept["version"] if kept else None,
        )
        if kept is not None and sums.get("unchanged"):
            self.cache.used()
            return kept, True
        await self.cache.made(key, sums)
        return sums, False
