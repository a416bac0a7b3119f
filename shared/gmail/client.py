"""Gmail, as this project uses it. google-api-python-client builds requests and reads answers; `transport` sends."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeVar
from uuid import UUID

import httpx
import stamina
from google.auth.credentials import AnonymousCredentials
from googleapiclient.discovery import build
from pydantic import ValidationError

from shared.errors import AccessExpired, AnswerTooLarge, GmailUnavailable, TransientError
from shared.gmail.access import AccessTokens
from shared.gmail.answers import Answer, Attachment, History, Labelled, Message, MessageList, Profile, Watch
from shared.gmail.payload import large_texts, to_rfc822
from shared.gmail.quota import Quota
from shared.gmail.transport import ApiRequest, send

SENT: Final = "SENT"
DRAFT: Final = "DRAFT"
PAGE: Final = 500  # the most that messages.list and history.list give
# An email of text alone stays far below; one above is fetched without its attachments.
RAW_BYTES: Final = 2 * 1024 * 1024
MOST_BYTES: Final = 16 * 1024 * 1024
ATTEMPTS: Final = 3
LONGEST_WAIT_SECONDS: Final = 5.0
# Within an ack deadline of 60 s: waiting here costs less than a delivery tried again.
QUOTA_PATIENCE_SECONDS: Final = 45.0

A = TypeVar("A", bound=Answer)


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Emails newly sent, in the order of history.

    `read_up_to`: the last change that was seen so far; once the emails are safe, the watermark may move there.
    `is_last`: nothing more was there to be seen.
    `mailbox_history_id`: where Gmail says the mailbox stands. No watermark: what it announces may not show yet.
    """

    sent: tuple[str, ...]
    read_up_to: int
    mailbox_history_id: int
    is_last: bool


@dataclass(frozen=True, slots=True)
class FetchedEmail:
    """One email. `received_at` is Gmail's own date for it, UTC."""

    id: str
    label_ids: frozenset[str]
    received_at: datetime
    raw: bytes

    @property
    def is_sent(self) -> bool:
        return SENT in self.label_ids and DRAFT not in self.label_ids


class Gmail:
    """Lives with the process; `mailbox` gives what one delivery works with."""

    def __init__(
        self, http: httpx.AsyncClient, tokens: AccessTokens, quota: Quota, endpoint: str, *, calls_at_once: int = 10
    ) -> None:
        self.http = http
        self.tokens = tokens
        self.quota = quota
        # Bounds what is held in memory. Taken after the wait for quota, so that one mailbox's wait holds up no other.
        self.turns = asyncio.Semaphore(calls_at_once)
        self.users: Any = build(
            "gmail",
            "v1",
            static_discovery=True,
            credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]  # the transport adds each user's own
            client_options={"api_endpoint": endpoint},
        ).users()

    def mailbox(self, mailbox_id: UUID, refresh_token_encrypted: str) -> "GmailMailbox":
        return GmailMailbox(self, str(mailbox_id), refresh_token_encrypted)


class GmailMailbox:
    """One mailbox.

    Every method raises AccessRevoked, AppRefused, KeyMissing, OverQuota, GmailUnavailable or GmailRefused, and what
    it says itself.
    """

    def __init__(self, gmail: Gmail, mailbox_id: str, refresh_token_encrypted: str) -> None:
        self._gmail = gmail
        self._users = gmail.users
        self._mailbox_id = mailbox_id
        self._refresh_token = refresh_token_encrypted

    async def history_since(self, history_id: int) -> AsyncIterator[HistoryPage]:
        """What was sent after this history id, page by page. Raises HistoryExpired.

        Both ways count in which sent mail arrives: as a message added, and as the label SENT added to one.
        """
        token: str | None = None
        read_up_to = history_id
        while True:
            request = self._users.history().list(
                userId="me",
                startHistoryId=str(history_id),
                historyTypes=["messageAdded", "labelAdded"],
                labelId=SENT,
                maxResults=PAGE,
                pageToken=token,
            )
            page = await self._call(request, History)
            read_up_to = max((read_up_to, *(record.id for record in page.history)))
            token = page.next_page_token
            yield HistoryPage(_sent_in(page), read_up_to, page.history_id, is_last=token is None)
            if token is None:
                return

    async def sent_since(self, moment: datetime) -> AsyncIterator[tuple[str, ...]]:
        """Ids of all emails that are SENT since then, newest first, page by page."""
        token: str | None = None
        while True:
            request = self._users.messages().list(
                userId="me",
                labelIds=[SENT],
                q=f"after:{int(moment.timestamp())}",
                maxResults=PAGE,
                pageToken=token,
            )
            page = await self._call(request, MessageList)
            yield tuple(message.id for message in page.messages)
            token = page.next_page_token
            if token is None:
                return

    async def fetch(self, email_id: str) -> FetchedEmail:
        """One email: whole or, where it is large, without its attachments. Raises MessageGone."""
        fields = "id,labelIds,internalDate"
        messages = self._users.messages()
        try:
            request = messages.get(userId="me", id=email_id, format="raw", fields=f"{fields},raw")
            message = await self._call(request, Message, most_bytes=RAW_BYTES)
        except AnswerTooLarge:
            request = messages.get(userId="me", id=email_id, format="full", fields=f"{fields},payload")
            message = await self._call(request, Message)
            for body in large_texts(message.payload or {}):
                part = messages.attachments().get(userId="me", messageId=email_id, id=body["attachmentId"])
                body["data"] = (await self._call(part, Attachment)).data
        raw = message.raw if message.raw is not None else to_rfc822(message.payload or {})
        received_at = datetime.fromtimestamp(message.internal_date / 1000, UTC)
        return FetchedEmail(id=message.id, label_ids=message.label_ids, received_at=received_at, raw=raw)

    async def profile(self) -> Profile:
        return await self._call(self._users.getProfile(userId="me"), Profile)

    async def watch(self, topic: str) -> Watch:
        """Ask Gmail to publish changes of sent mail to this topic (`projects/P/topics/T`) for the next 7 days."""
        body = {"topicName": topic, "labelIds": [SENT], "labelFilterBehavior": "INCLUDE"}
        return await self._call(self._users.watch(userId="me", body=body), Watch)

    async def _call(self, request: ApiRequest, kind: type[A], *, most_bytes: int = MOST_BYTES) -> A:
        give_up = time.monotonic() + QUOTA_PATIENCE_SECONDS
        async for attempt in stamina.retry_context(
            on=_worth_another_try,
            attempts=ATTEMPTS,
            timeout=None,
            wait_initial=0.2,
            wait_jitter=0.2,
            wait_max=LONGEST_WAIT_SECONDS,
        ):
            with attempt:
                patience = max(give_up - time.monotonic(), 0.0)
                await self._gmail.quota.spend(self._mailbox_id, request.methodId, patience_seconds=patience)
                token = await self._gmail.tokens.token(self._refresh_token)
                try:
                    async with self._gmail.turns:
                        answer = await send(self._gmail.http, request, token, most_bytes=most_bytes)
                except AccessExpired:
                    self._gmail.tokens.forget(self._refresh_token, token)
                    raise
                return _checked(answer, kind, request.methodId)
        raise AssertionError("unreachable: the last attempt returns or raises")


def _worth_another_try(error: Exception) -> bool | float:
    """True: after the usual pause; seconds: after those; False: the delivery is tried again later instead."""
    if not isinstance(error, TransientError):
        return False
    if error.retry_after is None:
        return True
    return error.retry_after if error.retry_after <= LONGEST_WAIT_SECONDS else False


def _checked(answer: Any, kind: type[A], method_id: str) -> A:
    try:
        return kind.model_validate(answer)
    except ValidationError as error:
        field = ".".join(str(part) for part in error.errors(include_input=False)[0]["loc"])
        raise GmailUnavailable(f"{method_id}: the answer is not what Gmail documents, see {field}") from None


def _sent_in(page: History) -> tuple[str, ...]:
    """Each once, in order. A message whose labels Gmail leaves out may be sent mail: its analysis will tell."""
    found: dict[str, None] = {}
    for record in page.history:
        for added in record.messages_added:
            if added.message.label_ids is None or _is_sent(added.message):
                found[added.message.id] = None
        for labelled in record.labels_added:
            if SENT in labelled.added and DRAFT not in (labelled.message.label_ids or ()):
                found[labelled.message.id] = None
    return tuple(found)


def _is_sent(message: Labelled) -> bool:
    labels = message.label_ids or frozenset()
    return SENT in labels and DRAFT not in labels
