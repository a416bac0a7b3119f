"""All that is stored about a user: read page by page, counted, deleted."""

from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import httpx
from pydantic import BaseModel, ConfigDict, SecretStr

from shared.caller import Caller
from shared.store.client import StoreClient

PAGE: Final = 500

Row = dict[str, Any]


class Page(BaseModel):
    """Rows as they are stored, in a stable order. `next`: after which key it goes on; None: it was the last."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    rows: tuple[Row, ...]
    next: str | None


class EraseVerdict(StrEnum):
    """What came of erasing."""

    ERASED = "erased"
    CONNECTED = "connected"
    """Nothing was deleted: there is still what opens some mailboxes at Google."""


class Erasure(BaseModel):
    """`deleted`: rows by table, only where there were any. `mailbox_ids`: those that are still to be disconnected."""

    model_config = ConfigDict(frozen=True)

    verdict: EraseVerdict
    deleted: dict[str, int] = {}
    mailbox_ids: tuple[UUID, ...] = ()


class OwnRows:
    """A user's rows, asked for with the user's own token. Every method raises StoreUnavailable or StoreRefused."""

    def __init__(self, http: httpx.AsyncClient, supabase_url: str, publishable_key: SecretStr, caller: Caller) -> None:
        self._client = StoreClient(http, supabase_url, publishable_key, caller.token)

    async def page(self, table: str, after: str | None, *, hidden: bool) -> Page:
        """`hidden`: a table that row level security shows nobody."""
        function = "my_hidden_rows" if hidden else "my_rows"
        arguments = {"p_table": table, "p_after": after, "p_most": PAGE}
        return Page.model_validate(await self._client.call(function, arguments))


class UsersRows:
    """Any one user's rows, for whoever has the secret key. Every method raises StoreUnavailable or StoreRefused."""

    def __init__(self, client: StoreClient, user_id: UUID) -> None:
        self._client = client
        self._user_id = str(user_id)

    async def page(self, table: str, after: str | None, *, hidden: bool) -> Page:
        """As OwnRows."""
        arguments = {
            "p_user_id": self._user_id,
            "p_table": table,
            "p_after": after,
            "p_most": PAGE,
            "p_hidden": hidden,
        }
        return Page.model_validate(await self._client.call("rows_of_user", arguments))

    async def erase(self, *, without_google: bool) -> Erasure:
        """Delete all, in one transaction; or nothing, while Google lets us into a mailbox and that isn't `without`."""
        arguments = {"p_user_id": self._user_id, "p_without_google": without_google}
        return Erasure.model_validate(await self._client.call("erase_user_data", arguments))

    async def left(self) -> dict[str, int]:
        """Rows by table, only where there are any; the sums of the summaries count, too."""
        found: dict[str, int] = await self._client.call("left_of_user", {"p_user_id": self._user_id})
        return found

    async def refresh_summaries(self) -> bool:
        """Take what is deleted out of everyone's sums. False: a refresh is under way already."""
        return bool((await self._client.call("refresh_summaries", {}))["refreshed"])
