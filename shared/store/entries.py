"""A user's entries and totals, asked for with the user's own token: row level security decides what they see."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import httpx
from pydantic import BaseModel, ConfigDict, SecretStr

from shared.caller import Caller
from shared.models import EntryType
from shared.store.client import StoreClient

Row = dict[str, Any]


class FoundInEmails(BaseModel):
    """Rows of the entries that came from some emails, but for dismissed ones, the latest day first.

    `failures`: of the emails that could not be read, a code by email id.
    """

    model_config = ConfigDict(frozen=True)

    entries: tuple[Row, ...]
    failures: dict[str, str]


class OwnData:
    """The database with the rights of whoever asks. Every method raises StoreUnavailable or StoreRefused."""

    def __init__(self, http: httpx.AsyncClient, supabase_url: str, publishable_key: SecretStr) -> None:
        self._http = http
        self._url = supabase_url
        self._key = publishable_key

    async def found_in(self, caller: Caller, email_ids: Sequence[str], client: str | None = None) -> FoundInEmails:
        """What is on record of these emails. `client`: only entries about this client or matter."""
        arguments = {"p_email_ids": list(email_ids), "p_client": client}
        return FoundInEmails.model_validate(await self._call(caller, "found_in_emails", arguments))

    async def knows_client(self, caller: Caller, client: str) -> bool:
        """Whether any entry or matter is about this client."""
        return bool(await self._call(caller, "knows_client", {"p_client": client}))

    async def known_clients(self, caller: Caller) -> list[str]:
        """The names of all clients and matters, in order."""
        return [str(name) for name in await self._call(caller, "known_clients", {})]

    async def summary(
        self,
        caller: Caller,
        first: date,
        last: date,
        *,
        client: str | None,
        entry_type: EntryType | None,
        minimum_minutes: float | None,
        unless: str | None,
    ) -> Row:
        """Totals of these days, both included; only {version, unchanged} where `unless` is still their version."""
        found: Row = await self._call(
            caller,
            "time_summary",
            {
                "p_from": first.isoformat(),
                "p_to": last.isoformat(),
                "p_client": client,
                "p_type": entry_type,
                "p_minimum_minutes": minimum_minutes,
                "p_unless": unless,
            },
        )
        return found

    async def coverage(self, caller: Caller, start: datetime, end: datetime) -> Row:
        """What became of every email sent from `start` until before `end`."""
        found: Row = await self._call(caller, "coverage", {"p_from": start.isoformat(), "p_to": end.isoformat()})
        return found

    async def configure(self, caller: Caller, changes: Row, matters: Sequence[Row], removed: Sequence[Row]) -> Row:
        """Change settings and directory at once; gives both as they are then."""
        arguments = {"p_changes": changes, "p_matters": list(matters), "p_removed_matters": list(removed)}
        found: Row = await self._call(caller, "change_configuration", arguments)
        return found

    async def _call(self, caller: Caller, function: str, arguments: Row) -> Any:
        client = StoreClient(self._http, self._url, self._key, caller.token)
        return await client.call(function, arguments)
