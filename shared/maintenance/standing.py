"""After each task somebody looks how things stand, so that alerts know it without asking the database themselves."""

from dataclasses import dataclass

import structlog

from shared import metrics
from shared.errors import TenthsError
from shared.store.client import StoreClient
from shared.store.standing import standing

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Look:
    """`client`: with the secret key. What it gives are numbers, and nobody's."""

    client: StoreClient

    async def __call__(self) -> None:
        """Look, and tell. The task was done, whatever becomes of this: its errors are logged, and that is all."""
        try:
            found = await standing(self.client)
        except TenthsError as error:
            log.warning("standing.unknown", code=error.code, reason=str(error))
            return
        for state, count in found.mailboxes.items():
            metrics.mailboxes.set(count, state=state)
        metrics.watches_lapsed.set(found.watches_lapsed)
        metrics.watches_lapsing.set(found.watches_lapsing)
        metrics.emails_waiting.set(found.emails_waiting)
        metrics.oldest_waiting.set(found.oldest_waiting_seconds)
        metrics.dead_letters.set(found.dead_letters_kept, state="kept")
        metrics.second_looks_due.set(found.second_looks_due)
        metrics.summaries_age.set(found.summaries_age_seconds)
