"""Deleting all that is stored about a user. It can be stopped anywhere and begun again, until there is nothing left.

First Google is told, with what opens each mailbox, for afterwards nobody could; then all rows go in one transaction;
then the sums of what is gone leave the summaries. Messages under way find no mailbox and record nothing.
"""

import asyncio
from contextlib import suppress
from typing import Any, Final, Protocol
from uuid import UUID

import structlog
from pydantic import BaseModel, ConfigDict

from shared.errors import NotFound, TransientError
from shared.store.my_data import EraseVerdict, UsersRows

REFRESH_TRIES: Final = 30
REFRESH_PAUSE_SECONDS: Final = 1.0
SUMS: Final = frozenset({"private.time_summaries", "private.summary_changes"})

log = structlog.get_logger()


class NotErasedYet(TransientError):
    """Not all is deleted, because somebody else has to do something first. Asking again goes on from there."""

    code = "not_erased_yet"


class Disconnecting(Protocol):
    """What stops Gmail's pushes of a mailbox and gives its permission back; later, where Google can't be told now."""

    async def disconnect(self, user_id: UUID, mailbox_id: UUID) -> Any: ...


class Erased(BaseModel):
    """`deleted`: rows by table. `account`: what is left to whom."""

    model_config = ConfigDict(frozen=True)

    deleted: dict[str, int]
    account: str = "the sign-in itself is Supabase's: delete the user there, or it stays without data"


async def erase(user_id: UUID, rows: UsersRows, connections: Disconnecting, *, without_google: bool = False) -> Erased:
    """Delete everything. Raises NotErasedYet, StoreUnavailable or StoreRefused: then ask again.

    `without_google`: also while Google can't be told. Nobody can read the mailbox then, but the permission stands in
    the user's Google account until they take it back there.
    """
    erasure = await rows.erase(without_google=False)
    if erasure.verdict is EraseVerdict.CONNECTED:
        for mailbox_id in erasure.mailbox_ids:
            # What it comes to is asked of the database, in the transaction that deletes.
            with suppress(NotFound):  # another call has deleted it meanwhile
                await connections.disconnect(user_id, mailbox_id)
        erasure = await rows.erase(without_google=without_google)
    if erasure.verdict is EraseVerdict.CONNECTED:
        raise NotErasedYet("Google could not be told that its permission is given back", retry_after=60.0)
    log.info("erasing.rows_deleted", rows=sum(erasure.deleted.values()), tables=len(erasure.deleted))
    await _leave_the_summaries(rows)
    return Erased(deleted=erasure.deleted)


async def _leave_the_summaries(rows: UsersRows) -> None:
    for _ in range(REFRESH_TRIES):
        # What else there is by now, the user has written since.
        if not SUMS & (await rows.left()).keys():
            return
        if not await rows.refresh_summaries():
            await asyncio.sleep(REFRESH_PAUSE_SECONDS)  # another refresh is under way, which may have begun too early
    raise NotErasedYet("the sums are being refreshed by somebody else", retry_after=60.0)
