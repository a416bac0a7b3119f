"""Gmail's watches end after 7 days: each is renewed a day after it began. And disconnected mailboxes are let go of."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import structlog

from shared.connecting.connections import Connections
from shared.errors import AccessRevoked, AppRefused
from shared.gmail.client import Gmail
from shared.maintenance.tasks import Counts, Deadline, Done, code_of
from shared.store.mailboxes import MailboxStore
from shared.store.maintenance import ClaimedWatch, MaintenanceStore

NAME: Final = "renew_watches"
DAY_SECONDS: Final = 24 * 3600.0
WITHIN_SECONDS: Final = 6 * DAY_SECONDS
AT_ONCE: Final = 10
A_CLAIM: Final = 50
# For one mailbox, with the wait for its quota. All of a claim are done long before the claim ends, so that two never
# renew the same watch; whoever dies leaves it to be claimed again.
TRY_SECONDS: Final = 30.0
PATIENCE_SECONDS: Final = 10.0
LEASE_SECONDS: Final = 600.0
RENEWED: Final = "renewed"
MOST_DISCONNECTS: Final = 500

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class RenewWatches:
    """The parts that it takes. `topic`: projects/P/topics/T, to which Gmail pushes. `most`: mailboxes a run."""

    gmail: Gmail
    mailboxes: MailboxStore
    store: MaintenanceStore
    connections: Connections
    topic: str
    most: int

    async def run(self, deadline: Deadline) -> Done:
        """Renew the watches that end within 6 days, the soonest first.

        `lapsed`: connected mailboxes without a watch now; `lapsing`: those that lose theirs within a day. Raises
        AppRefused where Google refuses our app, StoreUnavailable and StoreRefused.
        """
        outcomes: Counter[str] = Counter()
        while outcomes.total() < self.most and not deadline.is_over:
            claimed = await self.store.claim_watches(
                within_seconds=WITHIN_SECONDS,
                lease_seconds=LEASE_SECONDS,
                most=min(A_CLAIM, self.most - outcomes.total()),
            )
            if not claimed:
                break
            turns = asyncio.Semaphore(AT_ONCE)
            batch = Counter(await asyncio.gather(*(self._renew(each, turns) for each in claimed)))
            outcomes += batch
            if batch[AppRefused.code] == batch.total():
                raise AppRefused("no mailbox's watch could be renewed")
        disconnected = await self.connections.finish_disconnects(MOST_DISCONNECTS, lambda: not deadline.is_over)
        watches = await self.store.watches(within_seconds=WITHIN_SECONDS)
        log.info("watches.state", connected=watches.connected, lapsed=watches.lapsed, lapsing=watches.lapsing)
        renewed = outcomes.pop(RENEWED, 0)
        counts: Counts = {
            "renewed": renewed,
            "failed": dict(outcomes),
            "lapsed": watches.lapsed,
            "lapsing": watches.lapsing,
            "disconnects_finished": disconnected,
        }
        return Done(counts, more=watches.due > 0)

    async def _renew(self, claimed: ClaimedWatch, turns: asyncio.Semaphore) -> str:
        """What became of it: a code. Raises what the database raises."""
        async with turns:
            try:
                async with asyncio.timeout(TRY_SECONDS):
                    inbox = self.gmail.mailbox(
                        claimed.mailbox_id,
                        claimed.refresh_token_encrypted,
                        background=True,
                        patience_seconds=PATIENCE_SECONDS,
                    )
                    watch = await inbox.watch(self.topic)
            except Exception as error:  # noqa: BLE001  the others' watches must not lapse for it; it is logged and counted
                failure = code_of(error, "watch.not_renewed", mailbox_id=str(claimed.mailbox_id))
                if isinstance(error, AccessRevoked):
                    await self.mailboxes.mark_access_revoked(claimed.mailbox_id, claimed.refresh_token_encrypted)
                await self.store.watch_not_renewed(claimed.mailbox_id, failure)
                return failure
            expires_at = datetime.fromtimestamp(watch.expiration / 1000, UTC)
            if not await self.store.watch_renewed(claimed.mailbox_id, expires_at):
                # It ends by itself; until then it pushes what names a mailbox that nobody knows.
                log.info("watch.unwanted", mailbox_id=str(claimed.mailbox_id))
                return "disconnected"
            return RENEWED
