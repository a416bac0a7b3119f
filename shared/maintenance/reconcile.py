"""What events have lost is found again: changes nobody pushed, emails nobody recorded, rescans nobody goes on with.

Nothing is read here. What is found is handed on to the functions that do, by the messages that they know.
"""

from dataclasses import dataclass
from typing import Final

from shared.maintenance.tasks import Deadline, Done, correlation, each_part
from shared.pubsub.messages import GmailPush, rescan_correlation
from shared.pubsub.publish import Publisher
from shared.store.maintenance import MaintenanceStore
from shared.store.rescans import RescanStore

NAME: Final = "reconcile"
# A mailbox that is being looked at is not asked for again before: longer than a look takes, shorter than the rhythm.
# While nobody can read it, the pause grows to an hour.
PAUSE_SECONDS: Final = 600.0
A_CLAIM: Final = 1_000
MOST_RESCANS: Final = 500


@dataclass(frozen=True, slots=True)
class Reconcile:
    """The parts that it takes. `quiet_seconds`: whose history nobody has read for so long is looked at.

    `most`: mailboxes, and emails, a run.
    """

    store: MaintenanceStore
    jobs: RescanStore
    gmail_events: Publisher
    sent_emails: Publisher
    rescan_pages: Publisher
    quiet_seconds: float
    most: int

    async def run(self, deadline: Deadline) -> Done:
        """Hand on what is due. Raises PublishFailed, StoreUnavailable or StoreRefused where nothing could be done."""
        run = correlation(NAME)
        return await each_part(
            {
                "rescans": self._rescans,
                "emails": lambda: self._emails(deadline, run),
                "mailboxes": lambda: self._mailboxes(deadline, run),
            }
        )

    async def _rescans(self) -> Done:
        """Publish the step of rescans that have lost their message; those that it doesn't help are failed."""
        stalled = await self.store.claim_stalled_rescans(MOST_RESCANS)
        for page in stalled.steps:
            await self.rescan_pages.publish([page], rescan_correlation(page.job_id))
            await self.jobs.published(page.job_id, page.step)
        seen = len(stalled.steps) + stalled.given_up
        counts = {"rescans_revived": len(stalled.steps), "rescans_given_up": stalled.given_up}
        return Done(counts, more=seen >= MOST_RESCANS)

    async def _emails(self, deadline: Deadline, run: str) -> Done:
        """Hand on again what waits to be analysed in vain: its message was lost, or couldn't be dealt with then."""
        handed_on = put_off = 0
        dropped = await self.store.drop_disconnected_waiting(A_CLAIM)
        more = True
        while more and handed_on + put_off < self.most and not deadline.is_over:
            waiting = await self.store.claim_waiting_emails(A_CLAIM)
            if waiting.emails:
                await self.sent_emails.publish(waiting.emails, run)
                await self.store.waiting_emails_handed_on(waiting.emails)
            handed_on += len(waiting.emails)
            put_off += waiting.put_off
            dropped += waiting.dropped
            more = waiting.seen > 0
        return Done({"emails_handed_on": handed_on, "emails_put_off": put_off, "emails_dropped": dropped}, more)

    async def _mailboxes(self, deadline: Deadline, run: str) -> Done:
        """Have gmail_push look at mailboxes by the message that Gmail would send.

        It reads from its watermark, so that nothing depends on the history id in it; the watermark is never ahead of
        what Gmail shows.
        """
        announced = 0
        more = True
        while more and announced < self.most and not deadline.is_over:
            mailboxes = await self.store.claim_unread_mailboxes(
                quiet_seconds=self.quiet_seconds, pause_seconds=PAUSE_SECONDS, most=A_CLAIM
            )
            pushes = [
                GmailPush.model_validate({"emailAddress": each.email_address, "historyId": each.history_id})
                for each in mailboxes
            ]
            await self.gmail_events.publish(pushes, run)
            announced += len(pushes)
            more = bool(pushes)
        return Done({"mailboxes_announced": announced}, more)
