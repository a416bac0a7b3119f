"""What has been kept long enough is deleted, in small transactions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from shared.maintenance.tasks import Deadline, Done, each_part
from shared.store.maintenance import MaintenanceStore

NAME: Final = "purge"
A_TRANSACTION: Final = 5_000


@dataclass(frozen=True, slots=True)
class Purge:
    """`days`: how long each sort of thing is kept, by the database's name for it, in order of purging; 0: for ever."""

    store: MaintenanceStore
    days: Mapping[str, int]
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    async def run(self, deadline: Deadline) -> Done:
        """Delete what is older. Raises StoreUnavailable or StoreRefused where nothing could be done."""
        now = self.now()
        return await each_part(
            {
                what: partial(self._purge, what, now - timedelta(days=days), deadline)
                for what, days in self.days.items()
                if days > 0
            }
        )

    async def _purge(self, what: str, before: datetime, deadline: Deadline) -> Done:
        purged = 0
        more = True
        while more and not deadline.is_over:
            gone = await self.store.purge(what, before, A_TRANSACTION)
            purged += gone
            more = gone >= A_TRANSACTION
        return Done({what: purged}, more)
