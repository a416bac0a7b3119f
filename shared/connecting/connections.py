"""Disconnecting: nothing is read or recorded any more at once; then Google is told, however long that takes.

Telling Google has two steps, the end of the watch and of the permission. The stored token is kept until both are done
or are known to be needless, since it is what they are done with. Each may be done again, so whoever dies between them
leaves no more than another try; `finish_disconnects` makes these, with pauses that grow to a day.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID, uuid4

import httpx
import structlog

from shared.connecting.store import ConnectionStore, Release
from shared.errors import AccessRevoked, GmailRefused, NotFound, TenthsError, TransientError
from shared.gmail.client import Gmail
from shared.gmail.token_endpoint import revoke
from shared.store.mailboxes import MailboxAccess
from shared.tokens import TokenVault

# Within this, both steps are tried; the claim lasts longer, also where its answer was lost and it was made again (30 s
# a call), so that no other can connect the mailbox meanwhile and have its new permission taken back.
TRY_SECONDS: Final = 25.0
CLAIM_SECONDS: Final = 150
AT_ONCE: Final = 10
# While the watch can't be ended, the permission is kept to end it with; but no longer than for so many tries. A watch
# ends by itself within 7 days, and what it pushes until then names a mailbox that nobody knows.
TRIES_FOR_WATCH: Final = 3
PATIENCE_SECONDS: Final = 10.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Disconnected:
    """A mailbox that isn't read any more. `is_complete`: Google knows; else it is told later."""

    mailbox_id: UUID
    is_complete: bool


@dataclass(frozen=True, slots=True)
class Connections:
    """The parts that disconnecting takes; lives with the process. `revocation_url`: Google's revocation endpoint."""

    http: httpx.AsyncClient
    gmail: Gmail
    vault: TokenVault
    store: ConnectionStore
    revocation_url: str

    async def disconnect(self, user_id: UUID, mailbox_id: UUID) -> Disconnected:
        """Disconnect the user's mailbox, also once more. Raises NotFound, StoreUnavailable and StoreRefused.

        Google's failures raise nothing: the mailbox is disconnected, and `is_complete` says whether Google knows.
        """
        claim = uuid4()
        found = await self.store.disconnect(user_id, mailbox_id, claim, CLAIM_SECONDS)
        if found is None:
            raise NotFound("you have no mailbox of this id")
        log.info("mailbox.disconnected", mailbox_id=str(mailbox_id), released=found.released)
        is_complete = found.released if found.release is None else await self._release(found.release, claim)
        return Disconnected(mailbox_id, is_complete)

    async def finish_disconnects(self, most: int, goes_on: Callable[[], bool] = lambda: True) -> int:
        """Tell Google of at most so many mailboxes that were disconnected while it couldn't be told.

        goes_on: whether there is time for some more.
        Gives of how many it knows now. May run several times at once. Raises StoreUnavailable and StoreRefused.
        """
        done = 0
        while most > 0 and goes_on():
            claim = uuid4()
            releases = await self.store.claim_releases(claim, min(most, AT_ONCE), CLAIM_SECONDS)
            if not releases:
                break
            most -= len(releases)
            done += sum(await asyncio.gather(*(self._release(each, claim) for each in releases)))
        return done

    async def _release(self, release: Release, claim: UUID) -> bool:
        """Tell Google, once. Whether it knows now."""
        is_done = True
        try:
            async with asyncio.timeout(TRY_SECONDS):
                await self._tell_google(release)
        except (TransientError, TimeoutError) as error:
            is_done = False
            code = error.code if isinstance(error, TenthsError) else "timeout"
            log.warning("mailbox.not_released", mailbox_id=str(release.mailbox_id), code=code, tries=release.tries)
        await self.store.end_release(release.mailbox_id, claim, is_done=is_done)
        if is_done:
            log.info("mailbox.released", mailbox_id=str(release.mailbox_id), tries=release.tries)
        return is_done

    async def _tell_google(self, release: Release) -> None:
        try:
            inbox = self.gmail.mailbox(
                release.mailbox_id, release.refresh_token_encrypted, patience_seconds=PATIENCE_SECONDS
            )
            await inbox.stop()
        except (AccessRevoked, GmailRefused) as error:  # there is nothing to stop, or nothing to stop it with
            log.info("watch.not_stopped", mailbox_id=str(release.mailbox_id), code=error.code)
        except TransientError:
            if release.tries < TRIES_FOR_WATCH:
                raise
        if release.access is MailboxAccess.OAUTH:
            await revoke(self.http, self.revocation_url, self.vault.decrypt(release.refresh_token_encrypted))
