"""Gmail, as this project uses it. google-api-python-client builds requests and reads answers; `transport` sends."""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeVar
from uuid import UUID

import httpx
import stamina
from cachetools import LRUCache
from google.auth.credentials import AnonymousCredentials
from googleapiclient.discovery import build
from pydantic import ValidationError

from shared.breaker import Breaker
from shared.errors import (
    AccessExpired,
    AnswerTooLarge,
    GmailUnavailable,
    TenthsError,
    TransientError,
    WatchedElsewhere,
)
from shared.gmail import batch
from shared.gmail.access import AccessTokens
from shared.gmail.answers import (
    Answer,
    Attachment,
    History,
    Label,
    Labelled,
    LabelList,
    Message,
    MessageList,
    Nothing,
    Profile,
    Watch,
)
from shared.gmail.payload import large_texts, to_rfc822
from shared.gmail.quota import Quota
from shared.gmail.reading_ahead import Answered, ReadingAhead
from shared.gmail.transport import ApiRequest, send, send_together
from shared.gmail.turns import Room, Turns

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
# Gmail counts a call when it arrives. A turn that took longer than this makes it another call for our count.
COUNTED_SECONDS: Final = 0.5
# Of fetch_many, for each call that may be under way: one email on its way while another waits to be read.
READ_AHEAD: Final = 2
_GET: Final = "gmail.users.messages.get"
_FIELDS: Final = "id,labelIds,internalDate"

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


@dataclass(frozen=True, slots=True)
class SentPage:
    """A page of ids of sent mail, newest first. `next_page_token` None: it was the last."""

    ids: tuple[str, ...]
    next_page_token: str | None


MAILBOXES_KEPT: Final = 10_000
# In a row, of all mailboxes together: one mailbox that fails alone must not keep the others out.
FAILURES_UNTIL_OPEN: Final = 20
REST_SECONDS: Final = 10.0


class Gmail:
    """Lives with the process; `mailbox` gives what one delivery works with."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        tokens: AccessTokens,
        quota: Quota,
        endpoint: str,
        *,
        calls_at_once: int = 10,
        calls_at_once_in_all: int = 50,
    ) -> None:
        self.http = http
        self.tokens = tokens
        self.quota = quota
        self._calls_at_once = calls_at_once
        self._all_turns = Room(max(calls_at_once, calls_at_once_in_all))
        self._turns: LRUCache[str, Turns] = LRUCache(maxsize=MAILBOXES_KEPT)
        # A batch is as slow as its slowest call: while one half of the turns waits for it, the other goes on.
        self.together = min(max(calls_at_once // 2, 1), batch.MOST_CALLS)
        self.read_ahead = READ_AHEAD * calls_at_once
        self.batch_uri = f"{endpoint.rstrip('/')}/{batch.PATH}"
        self.breaker = Breaker(
            "gmail",
            threshold=FAILURES_UNTIL_OPEN,
            rest_seconds=REST_SECONDS,
            counts=(GmailUnavailable,),
            spares=(AccessExpired,),
            open_error=lambda rest: GmailUnavailable("left alone, after too many failures", retry_after=rest),
        )
        self.users: Any = build(
            "gmail",
            "v1",
            static_discovery=True,
            credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]  # the transport adds each user's own
            client_options={"api_endpoint": endpoint},
        ).users()
        self.messages: Any = self.users.messages()  # making it takes as long as building ten requests

    def mailbox(
        self,
        mailbox_id: UUID,
        refresh_token_encrypted: str,
        *,
        background: bool = False,
        patience_seconds: float = QUOTA_PATIENCE_SECONDS,
    ) -> "GmailMailbox":
        """One mailbox. `background`: what nobody waits for, and so leaves quota to what somebody waits for."""
        return GmailMailbox(
            self,
            str(mailbox_id),
            refresh_token_encrypted,
            background=background,
            patience_seconds=patience_seconds,
        )

    def turns(self, mailbox_id: str) -> Turns:
        """The mailbox's turns."""
        turns = self._turns.get(mailbox_id)
        if turns is None:
            turns = self._turns[mailbox_id] = Turns(self._calls_at_once, self._all_turns)
        return turns


class GmailMailbox:
    """One mailbox.

    Every method raises AccessRevoked, AppRefused, KeyMissing, OverQuota, GmailUnavailable or GmailRefused, and what
    it says itself. `patience_seconds`: how long a call may wait for quota. `calls_made`: the calls sent so far, as
    Gmail counts them: each of a batch, and each try.
    """

    def __init__(
        self,
        gmail: Gmail,
        mailbox_id: str,
        refresh_token_encrypted: str,
        *,
        background: bool = False,
        patience_seconds: float = QUOTA_PATIENCE_SECONDS,
    ) -> None:
        self._gmail = gmail
        self._users = gmail.users
        self._messages = gmail.messages
        self._mailbox_id = mailbox_id
        self._turns = gmail.turns(mailbox_id)
        self._refresh_token = refresh_token_encrypted
        self._background = background
        self.patience_seconds = patience_seconds
        self.calls_made = 0

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

    async def sent_since(self, moment: datetime, until: datetime | None = None) -> AsyncIterator[tuple[str, ...]]:
        """Ids of all emails that are SENT since then, newest first, page by page; of the bin, too, as in history.

        `until`: only what was sent before.
        """
        query = f"after:{int(moment.timestamp())}"
        if until is not None:
            query += f" before:{int(until.timestamp())}"
        token: str | None = None
        while True:
            page = await self.sent_page(query, token, PAGE, with_binned=True)
            yield page.ids
            token = page.next_page_token
            if token is None:
                return

    async def sent_page(self, query: str, page_token: str | None, most: int, *, with_binned: bool = False) -> SentPage:
        """At most so many (1 to 500) emails that are SENT and match the query, which can't widen that.

        `page_token` None: from the newest on. `with_binned`: also those that were put into the bin since.
        """
        request = self._messages.list(
            userId="me",
            labelIds=[SENT],
            q=query,
            maxResults=most,
            pageToken=page_token,
            includeSpamTrash=with_binned or None,
        )
        page = await self._call(request, MessageList)
        return SentPage(tuple(message.id for message in page.messages), page.next_page_token)

    async def fetch(self, email_id: str) -> FetchedEmail:
        """One email: whole or, where it is large, without its attachments. Raises MessageGone."""
        return await self._fetch(email_id)

    def fetch_many(self, email_ids: Iterable[str]) -> AsyncGenerator[tuple[str, FetchedEmail | TenthsError], None]:
        """Each of these emails once, as `fetch` gives it, or the error it raises; in the order they come in.

        While the caller works on one, others are on their way or wait, `Gmail.read_ahead` of them at most. Raises
        AccessRevoked, AppRefused and KeyMissing: then none can be read. Whoever stops early closes it (`aclosing`).
        """
        gmail = self._gmail
        reading = ReadingAhead(self, together=gmail.together, most=gmail.read_ahead)
        return reading.read(tuple(dict.fromkeys(email_ids)))

    async def labels(self) -> tuple[Label, ...]:
        """The mailbox's labels, its own and Gmail's."""
        return (await self._call(self._users.labels().list(userId="me"), LabelList)).labels

    async def profile(self) -> Profile:
        return await self._call(self._users.getProfile(userId="me"), Profile)

    async def watch(self, topic: str) -> Watch:
        """Ask Gmail to publish changes of sent mail to this topic (`projects/P/topics/T`) for the next 7 days.

        Where another of our project's topics has the mailbox's pushes, that ends: Gmail gives them to one at a time.
        """
        body = {"topicName": topic, "labelIds": [SENT], "labelFilterBehavior": "INCLUDE"}
        try:
            return await self._call(self._users.watch(userId="me", body=body), Watch)
        except WatchedElsewhere:
            await self.stop()
            return await self._call(self._users.watch(userId="me", body=body), Watch)

    async def stop(self) -> None:
        """Ask Gmail to publish nothing more of this mailbox; to have nothing to end is no error."""
        await self._call(self._users.stop(userId="me"), Nothing)

    def _raw(self, email_id: str) -> ApiRequest:
        request: ApiRequest = self._messages.get(userId="me", id=email_id, format="raw", fields=f"{_FIELDS},raw")
        return request

    async def _fetch(self, email_id: str, failed: TenthsError | None = None) -> FetchedEmail:
        """As `fetch`; `failed`: what became of a first try that was made elsewhere."""
        try:
            message = await self._call(self._raw(email_id), Message, most_bytes=RAW_BYTES, failed=failed)
        except AnswerTooLarge:
            request = self._messages.get(userId="me", id=email_id, format="full", fields=f"{_FIELDS},payload")
            message = await self._call(request, Message)
            for body in large_texts(message.payload or {}):
                part = self._messages.attachments().get(userId="me", messageId=email_id, id=body["attachmentId"])
                body["data"] = (await self._call(part, Attachment)).data
        return _email(message)

    # How many are fetched, for ReadingAhead:

    async def admit(self, calls: int) -> None:
        await self._admit(_GET, self.patience_seconds, calls)

    def leave(self, calls: int) -> None:
        self._turns.give_back(calls)

    async def together(self, email_ids: Sequence[str], answered: Answered[FetchedEmail]) -> None:
        left = dict(enumerate(email_ids))
        requests = [self._raw(email_id) for email_id in email_ids]
        token: str | None = None

        def came(number: int, content: Any) -> None:
            email_id = left.pop(number)
            try:
                if isinstance(content, TenthsError):
                    raise content
                answered(email_id, _email(_checked(content, Message, _GET)))
            except TenthsError as error:
                if isinstance(error, AccessExpired) and token is not None:
                    self._gmail.tokens.forget(self._refresh_token, token)
                answered(email_id, error)

        failed: TenthsError = GmailUnavailable(f"{_GET}: the batch ended without its answer")
        http, uri = self._gmail.http, self._gmail.batch_uri
        try:
            token = await self._gmail.tokens.token(self._refresh_token)
            self.calls_made += len(email_ids)
            if len(email_ids) == 1:
                came(0, await self._send(requests[0], token, RAW_BYTES))
            else:
                await self._gmail.breaker.call(
                    lambda: send_together(http, uri, requests, token, came, most_bytes=RAW_BYTES)
                )
        except TenthsError as error:
            failed = error
        for number in tuple(left):
            came(number, failed)

    async def again(self, email_id: str, failed: TenthsError) -> FetchedEmail:
        return await self._fetch(email_id, failed)

    async def _admit(self, method_id: str, patience_seconds: float, calls: int) -> None:
        """Wait for quota, then for turns, so that one mailbox's wait for quota holds up no other; `leave` ends it."""
        await self._gmail.tokens.token(self._refresh_token)  # now, so that nothing is waited for between count and call
        quota, give_up = self._gmail.quota, time.monotonic() + patience_seconds
        while True:
            left = max(give_up - time.monotonic(), 0.0)
            await quota.spend(
                self._mailbox_id, method_id, patience_seconds=left, calls=calls, background=self._background
            )
            counted = time.monotonic()
            await self._turns.take(calls)
            is_admitted = False
            try:
                is_admitted = time.monotonic() - counted < COUNTED_SECONDS or await quota.spend_at_once(
                    self._mailbox_id, method_id, calls=calls, background=self._background
                )
            finally:
                if not is_admitted:
                    self._turns.give_back(calls)
            if is_admitted:
                return

    async def _send(self, request: ApiRequest, token: str, most_bytes: int) -> Any:
        http = self._gmail.http
        return await self._gmail.breaker.call(lambda: send(http, request, token, most_bytes=most_bytes))

    async def _call(
        self, request: ApiRequest, kind: type[A], *, most_bytes: int = MOST_BYTES, failed: TenthsError | None = None
    ) -> A:
        """Send this and give its answer; `failed` takes the place of the first try."""
        give_up = time.monotonic() + self.patience_seconds
        async for attempt in stamina.retry_context(
            on=_worth_another_try,
            attempts=ATTEMPTS,
            timeout=None,
            wait_initial=0.2,
            wait_jitter=0.2,
            wait_max=LONGEST_WAIT_SECONDS,
        ):
            with attempt:
                if failed is not None and attempt.num == 1:
                    raise failed
                await self._admit(request.methodId, max(give_up - time.monotonic(), 0.0), 1)
                try:
                    token = await self._gmail.tokens.token(self._refresh_token)
                    self.calls_made += 1
                    answer = await self._send(request, token, most_bytes)
                except AccessExpired:
                    self._gmail.tokens.forget(self._refresh_token, token)
                    raise
                finally:
                    self.leave(1)
                return _checked(answer, kind, request.methodId)
        raise AssertionError("unreachable: the last attempt returns or raises")


def _email(message: Message) -> FetchedEmail:
    raw = message.raw if message.raw is not None else to_rfc822(message.payload or {})
    received_at = datetime.fromtimestamp(message.internal_date / 1000, UTC)
    return FetchedEmail(id=message.id, label_ids=message.label_ids, received_at=received_at, raw=raw)


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
