"""A mailbox that we may read becomes one that is read: whose it is, stored, watched, in this order."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import structlog

from shared.connecting.store import ConnectionStore
from shared.errors import InConflict, TenthsError
from shared.gmail.client import Gmail
from shared.store.mailboxes import MailboxAccess

PATIENCE_SECONDS: Final = 10.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Opened:
    """A connected mailbox. `watch_expires_at` None: Gmail doesn't push its mail yet; it will be asked again."""

    mailbox_id: UUID
    email_address: str
    watch_expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Opening:
    """The parts that it takes. `topic`: where Gmail is to push, `projects/P/topics/T`."""

    gmail: Gmail
    store: ConnectionStore
    topic: str

    async def open(
        self, user_id: UUID, encrypted: str, access: MailboxAccess, *, expected: str | None = None
    ) -> Opened:
        """Connect the mailbox that this opens: its address is what Gmail says, not what anyone says.

        `expected`: the only address that it may have; with another, such as where it is but an alias, it is refused.

        Stored before it is watched, since a watch pushes at once. Dying between the two leaves a mailbox that is
        connected and not watched, as does a watch that fails: maintenance watches it.
        Raises InConflict, AccessRevoked, GmailRefused, and the transient errors of its parts.
        """
        inbox = self.gmail.mailbox(user_id, encrypted, patience_seconds=PATIENCE_SECONDS)
        profile = await inbox.profile()
        address = profile.email_address.lower()
        if expected is not None and address != expected:
            raise InConflict("your address is another name of a mailbox that has a different one; connect it yourself")
        mailbox_id = await self.store.connect(user_id, address, profile.history_id, encrypted, access)
        log.info("mailbox.connected", mailbox_id=str(mailbox_id), access=access)
        inbox = self.gmail.mailbox(mailbox_id, encrypted, patience_seconds=PATIENCE_SECONDS)
        try:
            watch = await inbox.watch(self.topic)
            expires_at = datetime.fromtimestamp(watch.expiration / 1000, UTC)
            await self.store.watched(mailbox_id, expires_at)
        except TenthsError as error:
            log.warning("mailbox.not_watched", mailbox_id=str(mailbox_id), code=error.code, reason=str(error))
            return Opened(mailbox_id, address, None)
        return Opened(mailbox_id, address, expires_at)
