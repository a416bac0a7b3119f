"""An mbox file into a mailbox: what was there before anyone watched. No pushes, no history, bounded memory."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from infra.local.gmail.mailboxes import Mailbox
from infra.local.gmail.mailstore import MailStore
from infra.local.gmail.mbox import SENT_NAMES, BrokenMessage, MboxMessage, stream
from infra.local.gmail.payload import Digest, digest, takeout_thread, words

# Messages read ahead; attachments make some of them large, so both are bounded.
_BATCH_MESSAGES = 200
_BATCH_BYTES = 16_000_000
_BROKEN_SHOWN = 1_000

# Takeout's names for Gmail's own labels; any other is one of the user's.
_LABELS = {
    "inbox": "INBOX",
    "drafts": "DRAFT",
    "trash": "TRASH",
    "spam": "SPAM",
    "unread": "UNREAD",
    "starred": "STARRED",
    "important": "IMPORTANT",
    "chat": "CHAT",
    "category personal": "CATEGORY_PERSONAL",
    "category social": "CATEGORY_SOCIAL",
    "category promotions": "CATEGORY_PROMOTIONS",
    "category updates": "CATEGORY_UPDATES",
    "category forums": "CATEGORY_FORUMS",
}
# States that are no label at all.
_STATES = frozenset({"archived", "opened"})
_ELSEWHERE = frozenset({"SENT", "DRAFT", "TRASH", "SPAM", "CHAT"})

Read = tuple[MboxMessage, Digest] | BrokenMessage


@dataclass(slots=True)
class Loaded:
    """What came of it. `broken_messages` holds the first of the broken ones, with their places and reasons."""

    sent: int
    received: int
    broken: int
    broken_messages: list[dict[str, Any]]


async def load(store: MailStore, mailbox: Mailbox, path: Path) -> Loaded:
    """Puts every message of the file in, dated by its Date header. Raises OSError when the file can't be read.

    Sent is what Takeout says was sent; where it says nothing, what comes from the mailbox's own address.
    """
    loaded = Loaded(0, 0, 0, [])
    batches = _batches(path)
    while batch := await asyncio.to_thread(next, batches, None):
        with store.database:
            for item in batch:
                if isinstance(item, BrokenMessage):
                    loaded.broken += 1
                    if loaded.broken <= _BROKEN_SHOWN:
                        broken = {"ordinal": item.ordinal, "offset": item.offset, "reason": item.reason}
                        loaded.broken_messages.append(broken)
                elif _insert(store, mailbox, *item):
                    loaded.sent += 1
                else:
                    loaded.received += 1
    return loaded


def _batches(path: Path) -> Iterator[Sequence[Read]]:
    messages = stream(path)
    while True:
        batch: list[Read] = []
        size = 0
        for item in islice(messages, _BATCH_MESSAGES):
            if isinstance(item, BrokenMessage):
                batch.append(item)
            else:
                batch.append((item, digest(item.raw)))
                size += len(item.raw)
            if size >= _BATCH_BYTES:
                break
        if not batch:
            return
        yield batch


def _insert(store: MailStore, mailbox: Mailbox, message: MboxMessage, read: Digest) -> bool:
    """Puts one message in; whether it was a sent one."""
    sent = words(mailbox.address) in read.sender if message.sent is None else message.sent
    labels = {"SENT"} if sent else set[str]()
    names = {name.casefold(): name for name in message.labels}
    for folded, name in names.items():
        if folded not in _STATES | SENT_NAMES:
            labels.add(_LABELS.get(folded) or mailbox.label_id(name) or store.mailboxes.add_label(mailbox, name))
    if labels.isdisjoint(_ELSEWHERE) and "archived" not in names:
        labels.add("INBOX")
    store.insert(
        mailbox,
        message.raw,
        read,
        labels=sorted(labels),
        date=read.date_ms or 0,
        seq=mailbox.seq,
        thread=takeout_thread(message.raw),
    )
    return sent
