"""The view behind the summaries is filled anew. They are right without; with it they stay fast."""

from dataclasses import dataclass
from typing import Final

import structlog

from shared.maintenance.tasks import Deadline, Done
from shared.store.maintenance import MaintenanceStore

NAME: Final = "refresh_summaries"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class RefreshSummaries:
    """`store`: one that waits as long as a refresh takes."""

    store: MaintenanceStore

    async def run(self, _deadline: Deadline) -> Done:
        """Refresh, unless somebody is at it. Raises StoreUnavailable or StoreRefused."""
        refreshed = await self.store.refresh_summaries()
        log.info("summaries.refreshed", done=refreshed.refreshed, seconds=refreshed.seconds, changes=refreshed.changes)
        return Done({"refreshed": int(refreshed.refreshed), "changes": refreshed.changes})
