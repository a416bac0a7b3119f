"""Pushes to Pub/Sub: something changed in this mailbox, no word about what."""

import asyncio
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import grpc
from google.pubsub_v1.types import PublishRequest, PublishResponse, PubsubMessage

from infra.local.gmail.faults import Faults, PushFault
from infra.local.gmail.mailboxes import Mailbox, Mailboxes

# Changes that come closer together than this share a push.
_SPACING_S = 0.05
_GMAIL_SPACING_S = 1.0
_PUBLISH_DEADLINE_S = 10.0
_FIRST_RETRY_S = 0.1
_LAST_RETRY_S = 2.0
# A push that waits to be overtaken goes out on its own when nothing comes.
_OVERTAKEN_WITHIN_S = 1.0


class PushMode(StrEnum):
    """How many changes are announced."""

    EVERY = "every"
    ONE_A_SECOND_DROPPING = "one_a_second_dropping"


@dataclass(slots=True)
class PushSettings:
    """What may be changed while running.

    `exact_filter`: a watch's labels are kept to. Off, as with Gmail, where a watch on SENT fires for other changes too.
    `history_id_as_text`: the documentation shows a string, what really arrives is a number.
    """

    mode: PushMode = PushMode.EVERY
    exact_filter: bool = False
    history_id_as_text: bool = False


class Pushes:
    """Publishes without keeping anyone waiting, and until the broker has taken it.

    Each mailbox has one push under way; what changes meanwhile is announced by one more. The last change is always
    announced, after a restart too (except where Gmail's own dropping is asked for).
    """

    def __init__(self, target: str, topic: str, mailboxes: Mailboxes, faults: Faults, settings: PushSettings) -> None:
        self.topic = topic
        self.settings = settings
        self.counts: Counter[str] = Counter()
        self._mailboxes = mailboxes
        self._faults = faults
        self._channel = grpc.aio.insecure_channel(
            target, options=[("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 1_000)]
        )
        self._publish_call = self._channel.unary_unary(
            "/google.pubsub.v1.Publisher/Publish",
            request_serializer=PublishRequest.serialize,
            response_deserializer=PublishResponse.deserialize,
        )
        self._pumps: dict[int, asyncio.Task[None]] = {}
        self._pushed_at: dict[int, float] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._overtaken: asyncio.Event | None = None

    def resume(self) -> None:
        """Announces what a former process didn't come to."""
        for mailbox in self._mailboxes.all():
            if mailbox.watch and mailbox.seq > mailbox.announced_seq:
                self.changed(mailbox, frozenset(mailbox.watch.label_ids))

    def changed(self, mailbox: Mailbox, labels: frozenset[str]) -> None:
        """A change to messages that have, or had, these labels."""
        watch = mailbox.watch
        if watch is None or watch.expires_ms <= time.time() * 1000:
            return
        if self.settings.exact_filter and not watch.covers(labels):
            return
        if self.settings.mode is PushMode.ONE_A_SECOND_DROPPING:
            now = time.monotonic()
            if now - self._pushed_at.get(mailbox.id, -_GMAIL_SPACING_S) < _GMAIL_SPACING_S:
                self.counts["dropped_by_rate"] += 1
                return
            self._pushed_at[mailbox.id] = now
            self._start(self._emit(mailbox, mailbox.seq))
            return
        pump = self._pumps.get(mailbox.id)
        if pump is None or pump.done():
            self._pumps[mailbox.id] = self._start(self._pump(mailbox))

    def test_message(self, mailbox: Mailbox) -> None:
        """The push that Gmail sends when a watch begins."""
        self._start(self._emit(mailbox, mailbox.seq))

    async def close(self) -> None:
        """Lets go of the broker; what isn't announced is by the next process."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._channel.close()

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _pump(self, mailbox: Mailbox) -> None:
        announced = None
        while announced != mailbox.seq:
            wait_s = self._pushed_at.get(mailbox.id, 0.0) + _SPACING_S - time.monotonic()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            self._pushed_at[mailbox.id] = time.monotonic()
            announced = mailbox.seq
            await self._emit(mailbox, announced)

    async def _emit(self, mailbox: Mailbox, seq: int) -> None:
        """One push, with what is planned to go wrong with it."""
        overtaken, self._overtaken = self._overtaken, None
        fault = self._faults.on_push()
        match fault.kind if fault else None:
            case PushFault.DROP:
                self.counts["dropped"] += 1
                self._mailboxes.announced(mailbox, seq)
            case PushFault.DUPLICATE:
                await self._publish(mailbox, seq)
                self.counts["duplicated"] += 1
                await self._publish(mailbox, seq)
            case PushFault.DELAY:
                self.counts["delayed"] += 1
                self._start(self._late(mailbox, seq, fault.delay_ms / 1000 if fault else 0))
            case PushFault.REORDER:
                self.counts["reordered"] += 1
                self._overtaken = asyncio.Event()
                self._start(self._after(mailbox, seq, self._overtaken))
            case None:
                await self._publish(mailbox, seq)
        if overtaken:
            overtaken.set()

    async def _late(self, mailbox: Mailbox, seq: int, delay_s: float) -> None:
        await asyncio.sleep(delay_s)
        await self._publish(mailbox, seq)

    async def _after(self, mailbox: Mailbox, seq: int, overtaken: asyncio.Event) -> None:
        try:
            await asyncio.wait_for(overtaken.wait(), _OVERTAKEN_WITHIN_S)
        except TimeoutError:
            self.counts["not_overtaken"] += 1
        await self._publish(mailbox, seq)

    async def _publish(self, mailbox: Mailbox, seq: int) -> None:
        """Until it is taken. A broker that is away, or that lost its topics, is waited for."""
        history_id: int | str = mailbox.history_id(seq)
        if self.settings.history_id_as_text:
            history_id = str(history_id)
        data = json.dumps({"emailAddress": mailbox.address, "historyId": history_id}).encode()
        request = PublishRequest(topic=self.topic, messages=[PubsubMessage(data=data)])
        retry_s = _FIRST_RETRY_S
        while True:
            try:
                await self._publish_call(request, timeout=_PUBLISH_DEADLINE_S)
                break
            except grpc.aio.AioRpcError as error:
                self.counts["retried"] += 1
                if retry_s >= _LAST_RETRY_S and error.code() is not grpc.StatusCode.UNAVAILABLE:
                    print(f"gmail simulator: push not taken: {error.code().name} {error.details()}", file=sys.stderr)
                # Jitter keeps the mailboxes from all coming back at once; no secret hangs on it.
                await asyncio.sleep(retry_s * random.uniform(0.5, 1.0))  # noqa: S311  # nosec B311
                retry_s = min(retry_s * 2, _LAST_RETRY_S)
        self.counts["published"] += 1
        self._mailboxes.announced(mailbox, seq)
