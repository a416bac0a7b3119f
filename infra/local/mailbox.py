"""A mailbox of the Gmail simulator, connected as a user's own would be: OAuth done, token encrypted, watch set."""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import httpx

# A domain whose administrator may let our service account in.
DELEGATED_DOMAIN: Final = "delegated.example"

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

    async def bin(self, email_id: str) -> None:
        """Put an email into the bin. Raises httpx.HTTPStatusError."""
        answer = await self.http.post(f"{self._base}/messages/{email_id}/trash", headers=self._headers)
        answer.raise_for_status()

    async def delete(self, email_id: str) -> None:
        answer = await self.http.delete(f"{self._base}/messages/{email_id}", headers=self._headers)
        answer.raise_for_status()

    async def add_label(self, name: str) -> str:
        """Make a label; gives its id."""
        answer = await self.http.post(f"{self._base}/labels", json={"name": name}, headers=self._headers)
        answer.raise_for_status()
        return str(answer.json()["id"])

    async def history_id(self) -> int:
        """Where the mailbox stands."""
        answer = await self.http.get(f"{self._base}/profile", headers=self._headers)
        answer.raise_for_status()
        return int(answer.json()["historyId"])

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
    """What Google gives an app that is registered with it. `delegation_key`: that of its service account, as JSON."""

    client_id: str
    client_secret: str
    delegation_key: str


async def app_credentials(http: httpx.AsyncClient, gmail_url: str) -> AppCredentials:
    """The credentials that the simulator has for our app."""
    answer = await http.get(f"{gmail_url}/_sim/app")
    answer.raise_for_status()
    return AppCredentials(**answer.json())


async def make(http: httpx.AsyncClient, gmail_url: str, address: str) -> str:
    """Make the mailbox in the simulator; gives its owner's own token."""
    answer = await http.post(f"{gmail_url}/_sim/mailboxes", json={"address": address})
    answer.raise_for_status()
    return str(answer.json()["owner_access_token"])


async def agree(
    http: httpx.AsyncClient, functions: httpx.AsyncClient, *, address: str, application: str
) -> dict[str, str]:
    """Be sent to Google by the functions, agree there, and be sent back: what the application then finds in its URL.

    `functions`: the mailbox's user's own client of them. `application`: an origin that people may be sent back to.
    """
    begun = await functions.post(
        "/mailbox/connect", json={"login_hint": address, "return_to": f"{application}/mailbox"}
    )
    begun.raise_for_status()
    location = begun.json()["authorization_url"]
    while not location.startswith(application):
        answer = await http.get(location)
        if not answer.has_redirect_location:
            raise httpx.HTTPStatusError("sent nowhere", request=answer.request, response=answer)
        location = answer.headers["location"]
    return dict(parse_qsl(urlsplit(location).fragment))


async def connect(
    http: httpx.AsyncClient, gmail_url: str, functions: httpx.AsyncClient, *, address: str, application: str
) -> ConnectedMailbox:
    """Make the mailbox in the simulator and connect it as its user does, by the functions and the consent screen."""
    owner_token = await make(http, gmail_url, address)
    passed = await agree(http, functions, address=address, application=application)
    finished = await functions.post("/mailbox/finish", json=passed)
    finished.raise_for_status()
    return ConnectedMailbox(UUID(finished.json()["id"]), address, owner_token, gmail_url, http)
