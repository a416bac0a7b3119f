"""What is kept of connecting and disconnecting: attempts under way, and what Google is still to be told."""

from datetime import datetime
from typing import Final
from uuid import UUID

import httpx
from pydantic import AwareDatetime, BaseModel, ConfigDict, SecretStr, TypeAdapter

from shared.caller import Caller
from shared.errors import InConflict, StoreRefused
from shared.store.client import StoreClient
from shared.store.mailboxes import MailboxAccess, MailboxState

# What Postgres says where the mailbox can't be connected.
_ANOTHER_USERS: Final = "23505"
_BEING_DISCONNECTED: Final = "23P01"
_HAS_PERMISSION: Final = "P0D02"


class Release(BaseModel):
    """A disconnected mailbox of which Google is to be told. `tries`: this one included."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    mailbox_id: UUID
    access: MailboxAccess
    refresh_token_encrypted: str
    tries: int


class Disconnection(BaseModel):
    """A mailbox that is disconnected. `released`: Google knows; `release`: it is for us to tell Google now."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    released: bool
    release: Release | None


class OwnMailboxRow(BaseModel):
    """A mailbox as its user may see it. `released_at`: when Google was told that it is disconnected."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    id: UUID
    email_address: str
    state: MailboxState
    access: MailboxAccess
    watch_expires_at: AwareDatetime | None
    history_read_at: AwareDatetime
    connected_at: AwareDatetime
    disconnected_at: AwareDatetime | None
    released_at: AwareDatetime | None


_OWN = TypeAdapter(tuple[OwnMailboxRow, ...])
_RELEASES = TypeAdapter(tuple[Release, ...])


class OwnMailboxes:
    """A user's mailboxes, asked for with the user's own token. Raises StoreUnavailable or StoreRefused."""

    def __init__(self, http: httpx.AsyncClient, supabase_url: str, publishable_key: SecretStr) -> None:
        self._http = http
        self._url = supabase_url
        self._key = publishable_key

    async def all(self, caller: Caller) -> tuple[OwnMailboxRow, ...]:
        client = StoreClient(self._http, self._url, self._key, caller.token)
        return _OWN.validate_python(await client.call("own_mailboxes", {}))


class ConnectionStore:
    """Every method raises StoreUnavailable or StoreRefused, and what it says itself."""

    def __init__(self, client: StoreClient) -> None:
        self._client = client

    async def begin(self, attempt_id: UUID, user_id: UUID, verifier_encrypted: str, expires_at: datetime) -> None:
        """Note that this user was sent to Google."""
        arguments = {
            "p_attempt_id": str(attempt_id),
            "p_user_id": str(user_id),
            "p_verifier_encrypted": verifier_encrypted,
            "p_expires_at": expires_at.isoformat(),
        }
        await self._client.call("begin_connection", arguments)

    async def use(self, attempt_id: UUID, user_id: UUID, used_by: UUID) -> str | None:
        """Use the attempt, which can be done once: its encrypted verifier. None: not this user's, used, or late."""
        arguments = {"p_attempt_id": str(attempt_id), "p_user_id": str(user_id), "p_used_by": str(used_by)}
        found = await self._client.call("use_connection_attempt", arguments)
        return None if found is None else str(found)

    async def connect(
        self, user_id: UUID, address: str, history_id: int, encrypted: str, access: MailboxAccess
    ) -> UUID:
        """Connect a mailbox, not watched yet; gives its id. One that was connected keeps its watermark.

        Raises InConflict where it is another user's, is being disconnected just now, or is to be opened by delegation
        while the permission that its owner gave is still to be given back.
        """
        arguments = {
            "p_user_id": str(user_id),
            "p_email_address": address,
            "p_history_id": str(history_id),
            "p_watch_expires_at": None,
            "p_refresh_token_encrypted": encrypted,
            "p_access": access,
        }
        try:
            return UUID(await self._client.call("connect_mailbox", arguments))
        except StoreRefused as refusal:
            if refusal.sqlstate == _ANOTHER_USERS:
                raise InConflict(
                    "this mailbox is connected by another user of this service, who would have to disconnect it first"
                ) from refusal
            if refusal.sqlstate == _BEING_DISCONNECTED:
                raise InConflict("this mailbox is being disconnected just now: try again in a few minutes") from refusal
            if refusal.sqlstate == _HAS_PERMISSION:
                raise InConflict(
                    "you connected this mailbox yourself: disconnect it first, so that your permission is given back"
                ) from refusal
            raise

    async def watched(self, mailbox_id: UUID, until: datetime) -> None:
        """Gmail pushes what is sent until then."""
        arguments = {"p_mailbox_id": str(mailbox_id), "p_watch_expires_at": until.isoformat()}
        await self._client.call("watch_started", arguments)

    async def confirmed_address(self, user_id: UUID) -> str | None:
        """The address that the user has confirmed to be theirs, lower case; None: none is."""
        found = await self._client.call("confirmed_address", {"p_user_id": str(user_id)})
        return None if found is None else str(found)

    async def disconnect(
        self, user_id: UUID, mailbox_id: UUID, claim: UUID, claim_seconds: int
    ) -> Disconnection | None:
        """Disconnect it: from now on nothing of it is read or recorded. None: the user has no such mailbox."""
        arguments = {
            "p_user_id": str(user_id),
            "p_mailbox_id": str(mailbox_id),
            "p_claim": str(claim),
            "p_claim_seconds": claim_seconds,
        }
        found = await self._client.call("disconnect_mailbox", arguments)
        return None if found is None else Disconnection.model_validate(found)

    async def claim_releases(self, claim: UUID, most: int, claim_seconds: int) -> tuple[Release, ...]:
        """Disconnected mailboxes of which Google is to be told by now, for this caller alone for so many seconds."""
        arguments = {"p_claim": str(claim), "p_most": most, "p_claim_seconds": claim_seconds}
        return _RELEASES.validate_python(await self._client.call("claim_releases", arguments))

    async def end_release(self, mailbox_id: UUID, claim: UUID, *, is_done: bool) -> None:
        """Done: what opened the mailbox is deleted. Not done: it is tried again later, by whoever comes."""
        arguments = {"p_mailbox_id": str(mailbox_id), "p_claim": str(claim), "p_is_done": is_done}
        await self._client.call("end_release", arguments)
