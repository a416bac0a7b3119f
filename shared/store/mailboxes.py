"""Mailboxes: whose they are and how far their history was read."""

from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, TypeAdapter

from shared.store.client import StoreClient


class MailboxState(StrEnum):
    """Whether a mailbox can be read."""

    CONNECTED = "connected"
    RECONNECT_NEEDED = "reconnect_needed"
    DISCONNECTED = "disconnected"


class MailboxAccess(StrEnum):
    """By whose permission a mailbox is read: its owner's, or that of the administrator of its domain."""

    OAUTH = "oauth"
    DELEGATED = "delegated"


class Mailbox(BaseModel):
    """A connected mailbox.

    `history_id` is the watermark: everything sent up to it has been handed to analysis, last known to be so at
    `history_read_at`. `catch_up_due`: it was connected again after it could not be read. `list_from`, `list_to`: what
    was sent between these is to be listed, whatever its history said; None: not now.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    id: UUID
    user_id: UUID
    state: MailboxState
    history_id: int
    history_read_at: AwareDatetime
    catch_up_due: bool
    list_from: AwareDatetime | None = None
    list_to: AwareDatetime | None = None
    refresh_token_encrypted: str


_MAILBOXES = TypeAdapter(tuple[Mailbox, ...])


class MailboxStore:
    """Reads and moves on mailboxes. Every method raises StoreUnavailable or StoreRefused."""

    def __init__(self, client: StoreClient) -> None:
        self._client = client

    async def by_address(self, email_address: str) -> Mailbox | None:
        rows = await self._client.call("mailbox_by_address", {"p_email_address": email_address})
        found = _MAILBOXES.validate_python(rows)
        return found[0] if found else None

    async def advance_watermark(
        self,
        mailbox_id: UUID,
        history_id: int,
        *,
        up_to_date: bool,
        caught_up: bool = False,
        not_listed: tuple[datetime, datetime] | None = None,
    ) -> None:
        """Move the watermark on; a later one, set by another delivery, stays.

        `up_to_date`: all that was sent until now is handed on, but for what was sent in the time `not_listed`.
        `caught_up`: no catch-up is due any more.
        """
        left_out = not_listed or (None, None)
        await self._client.call(
            "advance_watermark",
            {
                "p_mailbox_id": str(mailbox_id),
                "p_history_id": str(history_id),
                "p_up_to_date": up_to_date,
                "p_caught_up": caught_up,
                "p_not_listed_from": left_out[0] and left_out[0].isoformat(),
                "p_not_listed_to": left_out[1] and left_out[1].isoformat(),
            },
        )

    async def sent_mail_listed(self, mailbox_id: UUID, *, again_in: timedelta) -> None:
        """Note that its sent mail was listed, and when that is due again."""
        arguments = {"p_mailbox_id": str(mailbox_id), "p_again_in_seconds": again_in.total_seconds()}
        await self._client.call("sent_mail_listed", arguments)

    async def mark_access_revoked(self, mailbox_id: UUID, refresh_token_encrypted: str) -> None:
        """Note that the owner has to connect again, unless that has happened since this token was refused."""
        await self._client.call(
            "mark_access_revoked",
            {"p_mailbox_id": str(mailbox_id), "p_refresh_token_encrypted": refresh_token_encrypted},
        )

    async def connect(
        self,
        *,
        user_id: UUID,
        email_address: str,
        history_id: int,
        watch_expires_at: datetime | None,
        refresh_token_encrypted: str,
    ) -> UUID:
        """Connect a mailbox, or connect it again: then the watermark it had stays. Gives the mailbox's id."""
        arguments = {
            "p_user_id": str(user_id),
            "p_email_address": email_address,
            "p_history_id": str(history_id),
            "p_watch_expires_at": None if watch_expires_at is None else watch_expires_at.isoformat(),
            "p_refresh_token_encrypted": refresh_token_encrypted,
        }
        return UUID(await self._client.call("connect_mailbox", arguments))
