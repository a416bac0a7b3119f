"""Google's own client as the caller, for the app and for the person whose mailbox it is."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import EmailMessage
from functools import cache
from typing import Any

import httpx
from google.oauth2.credentials import Credentials
from googleapiclient.discovery import build_from_document
from googleapiclient.discovery_cache import get_static_doc

OWNER = "ortiz.partner@example.com"


@dataclass
class Mailbox:
    """A mailbox with its two callers: the app, read-only and metered, and the person whose it is."""

    address: str
    refresh_token: str
    client_id: str
    client_secret: str
    owner_access_token: str
    url: str
    http: httpx.Client
    app: Any = field(init=False)
    owner: Any = field(init=False)

    def __post_init__(self) -> None:
        self.app = gmail(
            self.url,
            Credentials(  # type: ignore[no-untyped-call]  # google-auth leaves its constructor without types
                self.access_token(),
                refresh_token=self.refresh_token,
                client_id=self.client_id,
                client_secret=self.client_secret,
                token_uri=f"{self.url}/token",
            ),
        )
        self.owner = gmail(self.url, Credentials(self.owner_access_token))  # type: ignore[no-untyped-call]  # the same

    def close(self) -> None:
        self.app.close()
        self.owner.close()

    def send(self, subject: str = "Smith deposition", **headers: str) -> dict[str, Any]:
        sent: dict[str, Any] = (
            self.owner.users().messages().send(userId="me", body=raw(letter(subject, **headers))).execute()
        )
        return sent

    def history_id(self) -> str:
        profile: dict[str, str] = self.app.users().getProfile(userId="me").execute()
        return profile["historyId"]

    def history(self, since: str, **arguments: Any) -> dict[str, Any]:
        found: dict[str, Any] = (
            self.app.users().history().list(userId="me", startHistoryId=since, **arguments).execute()
        )
        return found

    def access_token(self) -> str:
        """A fresh access token of the app's."""
        answer = self.http.post(
            "token",
            data={
                "grant_type": "refresh_token",
                "refresh_token": self.refresh_token,
                "client_id": self.client_id,
                "client_secret": self.client_secret,
            },
        )
        token: str = answer.raise_for_status().json()["access_token"]
        return token


@cache
def _static_document() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(get_static_doc("gmail", "v1"))
    return document


def gmail(url: str, credentials: Credentials) -> Any:
    """Google's client, sent elsewhere as a whole: calls, uploads and batches."""
    document = _static_document() | {"rootUrl": f"{url}/", "baseUrl": f"{url}/", "batchPath": "batch/gmail/v1"}
    return build_from_document(document, credentials=credentials)


def letter(subject: str = "Smith deposition", body: str = "Spent 1.4 on the reply brief.\n", **headers: str) -> bytes:
    """A plain message as a mail client writes it."""
    message = EmailMessage()
    fields = {
        "From": OWNER,
        "To": "smith@client.example",
        "Subject": subject,
        "Date": "Fri, 03 May 2024 10:00:00 +0000",
    }
    for name, value in (fields | {name.replace("_", "-"): value for name, value in headers.items()}).items():
        message[name] = value
    message.set_content(body)
    return message.as_bytes()


def raw(content: bytes, **fields: Any) -> dict[str, Any]:
    """The body of messages.send and its like."""
    return {"raw": urlsafe_b64encode(content).decode(), **fields}


def kinds(history: Mapping[str, Any]) -> list[tuple[str, str, tuple[str, ...]]]:
    """History as (kind, message id, labels of the change or of the message), in order."""
    return [
        (kind, change["message"]["id"], tuple(change.get("labelIds", change["message"].get("labelIds", []))))
        for record in history.get("history", [])
        for kind in ("messagesAdded", "messagesDeleted", "labelsAdded", "labelsRemoved")
        for change in record.get(kind, [])
    ]
