"""A push says that something changed in a mailbox: publish each email sent since, then move the watermark.

Once a day its sent mail is listed as well, so that nothing depends on history alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog

from shared import metrics
from shared.errors import AccessRevoked, HistoryBehindPush, HistoryExpired, TenthsError, UnknownMailbox
from shared.gmail.client import Gmail, GmailMailbox
from shared.pubsub.messages import GmailPush, SentEmail
from shared.pubsub.publish import Publisher
from shared.runs import SharedRuns
from shared.store.analyses import AnalysisStore
from shared.store.mailboxes import Mailbox, MailboxState, MailboxStore

# Publishing and moving the watermark are two steps: a catch-up starts this much before the last of them.
CATCH_UP_MARGIN: Final = timedelta(days=1)
LISTED_EVERY: Final = timedelta(days=1)
# Gmail's list can be behind its own history id: once it no longer is, what a catch-up listed is listed once more.
LISTED_AGAIN: Final = timedelta(minutes=15)
LISTING_PATIENCE_SECONDS: Final = 5.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ReadOn:
    """How a look at a mailbox's history went.

    `history_id`: where Gmail said the mailbox stands. `caught_up`: history had expired, so the mailbox was listed.
    """

    mailbox_id: UUID
    published: int
    history_id: int
    caught_up: bool


@dataclass(frozen=True, slots=True)
class GmailPushHandler:
    """The parts that handling a push takes. `runs`: pushes of one mailbox that wait share one look at its history."""

    gmail: Gmail
    mailboxes: MailboxStore
    analyses: AnalysisStore
    publisher: Publisher
    catch_up_days: int
    runs: SharedRuns[ReadOn] = field(default_factory=SharedRuns)
    announced: dict[str, int] = field(default_factory=dict)
    """The greatest history id that the pushes waiting for the next look have told of, by address."""

    async def handle(self, push: GmailPush, correlation_id: str, now: datetime) -> ReadOn:
        """Hand every newly sent email to analysis, then move the mailbox's watermark.

        Raises UnknownMailbox; AccessRevoked after noting it on the mailbox; HistoryBehindPush after handing on what
        there is; and the transient errors of its parts, in which case the watermark stands before what was lost.
        """
        address = push.email_address.lower()
        self.announced[address] = max(self.announced.get(address, 0), push.history_id)
        read = await self.runs.join(address, lambda: self._read_on(address, correlation_id, now))
        if read.history_id < push.history_id:
            raise HistoryBehindPush("Gmail's history does not reach up to the push yet")
        return read

    async def _read_on(self, address: str, correlation_id: str, now: datetime) -> ReadOn:
        announced = self.announced.pop(address, 0)
        mailbox = await self.mailboxes.by_address(address)
        if mailbox is None or mailbox.state is MailboxState.DISCONNECTED:
            raise UnknownMailbox("the push names a mailbox that is not connected")
        if mailbox.state is MailboxState.RECONNECT_NEEDED:
            raise AccessRevoked("the mailbox waits for its owner to connect it again")
        inbox = self.gmail.mailbox(mailbox.id, mailbox.refresh_token_encrypted)
        try:
            if mailbox.catch_up_due:
                return await self._catch_up(mailbox, inbox, correlation_id, now)
            try:
                with metrics.stage("history"):
                    read = await self._follow(mailbox, inbox, correlation_id, announced)
            except HistoryExpired:
                return await self._catch_up(mailbox, inbox, correlation_id, now)
            await self._list_if_due(mailbox, correlation_id)
        except AccessRevoked:
            await self.mailboxes.mark_access_revoked(mailbox.id, mailbox.refresh_token_encrypted)
            raise
        return read

    async def _follow(self, mailbox: Mailbox, inbox: GmailMailbox, correlation_id: str, announced: int) -> ReadOn:
        """Read history on. From the stored watermark, never from the id in the push: that may be late or repeated.

        `announced`: what pushes have told of. While history doesn't reach up to it, not all is handed on.
        """
        published, history_id = 0, 0
        async for page in inbox.history_since(mailbox.history_id):
            published += await self._hand_on(mailbox, page.sent, correlation_id)
            history_id = page.mailbox_history_id
            # Only as far as changes were seen: Gmail's own id can be ahead of the history that it shows.
            is_all = page.is_last and history_id >= announced
            await self.mailboxes.advance_watermark(mailbox.id, page.read_up_to, up_to_date=is_all)
        return ReadOn(mailbox.id, published, history_id, caught_up=False)

    async def _catch_up(self, mailbox: Mailbox, inbox: GmailMailbox, correlation_id: str, now: datetime) -> ReadOn:
        """List what was sent since the watermark was last true, within bounds, and hand on what was not read."""
        wanted = mailbox.history_read_at - CATCH_UP_MARGIN
        start = max(wanted, now - timedelta(days=self.catch_up_days))
        not_listed = (wanted, start) if start > wanted else None
        if not_listed:
            log.warning(
                "catch_up.bounded", mailbox_id=str(mailbox.id), wanted=wanted.isoformat(), start=start.isoformat()
            )
        # The profile first: what is sent while the mailbox is being listed lies after its history id.
        history_id = (await inbox.profile()).history_id
        published = 0
        async for email_ids in inbox.sent_since(start):
            missed = await self.analyses.still_to_analyse(mailbox.id, email_ids)
            published += await self._hand_on(mailbox, missed, correlation_id)
        await self.mailboxes.advance_watermark(
            mailbox.id, history_id, up_to_date=True, caught_up=True, not_listed=not_listed
        )
        await self.mailboxes.sent_mail_listed(mailbox.id, again_in=LISTED_AGAIN)
        return ReadOn(mailbox.id, published, history_id, caught_up=True)

    async def _list_if_due(self, mailbox: Mailbox, correlation_id: str) -> None:
        """List its sent mail, and hand on what neither history nor anything else has told of.

        Nothing waits for it: where it can't be done now, it stays due. Raises AccessRevoked.
        """
        if mailbox.list_from is None:
            return
        inbox = self.gmail.mailbox(
            mailbox.id,
            mailbox.refresh_token_encrypted,
            background=True,
            patience_seconds=LISTING_PATIENCE_SECONDS,
        )
        try:
            async for email_ids in inbox.sent_since(mailbox.list_from, mailbox.list_to):
                unheard_of = (await self.analyses.emails_on_record(mailbox.user_id, email_ids)).missing
                if unheard_of:
                    metrics.found_by_listing.add(len(unheard_of))
                    log.warning("listing.found", mailbox_id=str(mailbox.id), emails=len(unheard_of))
                await self._hand_on(mailbox, unheard_of, correlation_id)
            await self.mailboxes.sent_mail_listed(mailbox.id, again_in=LISTED_EVERY)
        except AccessRevoked:
            raise
        except TenthsError as error:
            log.warning("listing.failed", mailbox_id=str(mailbox.id), code=error.code, reason=str(error))

    async def _hand_on(self, mailbox: Mailbox, email_ids: Sequence[str], correlation_id: str) -> int:
        if not email_ids:
            return 0
        # First, so that from the moment it is published, an email is either awaited or on record.
        await self.analyses.await_analysis(mailbox.id, email_ids)
        messages = [SentEmail(mailbox_id=mailbox.id, email_id=email_id) for email_id in email_ids]
        await self.publisher.publish(messages, correlation_id)
        return len(messages)
