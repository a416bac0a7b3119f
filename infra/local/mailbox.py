"""A mailbox of the Gmail simulator, connected as a user's own would be: OAuth done, token encrypted, watch set."""

import base64
from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from uuid import UUID

import httpx

from shared.settings import Settings
from shared.wiring import clients

Body = Callable[[dict[str, str]], dict[str, object]]


@dataclass(frozen=True)
class ConnectedMailbox:
    """`owner_token` is the lawyer's own mail client's: it may send. `http` is the stack's."""

    id: UUID
    address: str
    owner_token: str
    gmail_url: str
    http: httpx.AsyncClient

    async def send(self, raw: bytes) -> str:
        """Send a message with Gmail's own messages.send, as an upload; gives its id. Raises httpx.HTTPStatusError."""
        answer = await self.http.post(
            f"{self.gmail_url}/upload/gmail/v1/users/me/messages/send",
            params={"uploadType": "media"},
            content=raw,
            headers={**self._headers, "Content-Type": "message/rfc822"},
        )
        answer.raise_for_status()
        return str(answer.json()["id"])

    async def save_draft(self, raw: bytes) -> None:
        await self._post("drafts", raw, lambda message: {"message": message})

    async def receive(self, raw: bytes) -> str:
        """A message that someone else sent arrives."""
        return await self._post("messages", raw, lambda message: {**message, "labelIds": ["INBOX", "UNREAD"]})

    async def delete(self, email_id: str) -> None:
        answer = await self.http.delete(f"{self._base}/messages/{email_id}", headers=self._headers)
        answer.raise_for_status()

    async def add_label(self, name: str) -> str:
        """Make a label; gives its id."""
        answer = await self.http.post(f"{self._base}/labels", json={"name": name}, headers=self._headers)
        answer.raise_for_status()
        return str(answer.json()["id"])

    @property
    def _base(self) -> str:
        return f"{self.gmail_url}/gmail/v1/users/me"

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.owner_token}"}

    async def _post(self, path: str, raw: bytes, body: Body | None = None) -> str:
        message = {"raw": base64.urlsafe_b64encode(raw).decode()}
        answer = await self.http.post(
            f"{self._base}/{path}", json=body(message) if body else message, headers=self._headers
        )
        answer.raise_for_status()
        return str(answer.json()["id"])


@dataclass(frozen=True)
class AppCredentials:
    """What Google gives an app that is registered with it."""

    client_id: str
    client_secret: str


async def app_credentials(http: httpx.AsyncClient, gmail_url: str) -> AppCredentials:
    """The credentials that the simulator has for our app."""
    answer = await http.get(f"{gmail_url}/_sim/app")
    answer.raise_for_status()
    return AppCredentials(**answer.json())


async def connect(
    http: httpx.AsyncClient, gmail_url: str, settings: Mapping[str, str], *, user_id: UUID, address: str, topic: str
) -> ConnectedMailbox:
    """Make the mailbox in the simulator and connect it for the user.

    What follows the consent screen is the functions' own code: encrypt the token, watch, store.
    """
    answer = await http.post(f"{gmail_url}/_sim/mailboxes", json={"address": address})
    answer.raise_for_status()
    made = answer.json()
    parts = clients(Settings.from_environ(settings))
    async with aclosing(parts.gmail.quota), parts.http:
        encrypted = parts.vault.encrypt(made["refresh_token"])
        inbox = parts.gmail.mailbox(user_id, encrypted)
        store = partial(
            parts.mailboxes.connect,
            user_id=user_id,
            email_address=address,
            history_id=(await inbox.profile()).history_id,
            refresh_token_encrypted=encrypted,
        )
        # Stored before it is watched: a watch pushes at once.
        await store(watch_expires_at=None)
        watch = await inbox.watch(topic)
        mailbox_id = await store(watch_expires_at=datetime.fromtimestamp(watch.expiration / 1000, UTC))
    return ConnectedMailbox(mailbox_id, address, made["owner_access_token"], gmail_url, http)
