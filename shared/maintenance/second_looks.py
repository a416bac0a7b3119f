"""Emails that were read while the model was away, or not to be believed, are handed on to analysis once more."""

from collections import Counter
from dataclasses import dataclass
from typing import Final

from shared.maintenance.tasks import Deadline, Done, correlation
from shared.pubsub.publish import Publisher
from shared.store.maintenance import MaintenanceStore

NAME: Final = "second_looks"
A_CLAIM: Final = 500
# New mail shares the mailbox's quota: 50 emails are a sixth of a minute's.
MOST_A_USER: Final = 50


@dataclass(frozen=True, slots=True)
class LookAgain:
    """The parts that it takes. `most`: emails a run."""

    store: MaintenanceStore
    sent_emails: Publisher
    most: int

    async def run(self, deadline: Deadline) -> Done:
        """Hand on what is due. Raises PublishFailed, StoreUnavailable or StoreRefused."""
        run = correlation(NAME)
        counts: Counter[str] = Counter()
        more = True
        while more and counts.total() < self.most and not deadline.is_over:
            looks = await self.store.claim_second_looks(A_CLAIM, MOST_A_USER)
            if looks.emails:
                await self.sent_emails.publish(looks.emails, run)
                await self.store.second_looks_handed_on(looks.emails)
            counts.update(
                handed_on=len(looks.emails), put_off=looks.put_off, settled=looks.settled, given_up=looks.given_up
            )
            more = looks.seen > 0
        return Done(dict(counts), more)
