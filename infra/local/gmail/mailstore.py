"""Messages, and the history of every change to them."""

import json
import random
import sqlite3
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from infra.local.gmail.errors import not_found
from infra.local.gmail.mailboxes import Mailbox, Mailboxes
from infra.local.gmail.payload import Digest

ADDED = "messagesAdded"
DELETED = "messagesDeleted"
LABELS_ADDED = "labelsAdded"
LABELS_REMOVED = "labelsRemoved"

# Ids are a time in milliseconds and 20 random bits: 16 hex digits that sort by age, as Gmail's do.
_RANDOM_BITS = 20


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message's row, without its content. Dates are epoch milliseconds."""

    id: int
    thread: int
    seq: int
    internal_date: int
    size: int
    labels: tuple[str, ...]
    snippet: str
    subject_key: str


def hex_id(number: int) -> str:
    """An id as the API shows it."""
    return f"{number:016x}"


def parse_id(text: str) -> int:
    """The id that `hex_id` shows. Raises GmailError for what was never an id."""
    try:
        number = int(text, 16)
    except ValueError:
        raise not_found() from None
    if number >= 2**63:
        raise not_found()
    return number


class MailStore:
    """Writes to mailboxes. Every method that changes something is one transaction, unless it says otherwise."""

    def __init__(self, database: sqlite3.Connection, mailboxes: Mailboxes, randomness: random.Random) -> None:
        self.database = database
        self.mailboxes = mailboxes
        self._random = randomness

    def add(
        self,
        mailbox: Mailbox,
        raw: bytes,
        read: Digest,
        labels: Sequence[str],
        *,
        internal_date: int | None = None,
        thread: int | None = None,
        labels_later: Sequence[str] = (),
    ) -> StoredMessage:
        """A message that appears in the mailbox now, dated `internal_date` or now.

        `labels_later` are put on it by a second change, as Gmail does with SENT when a scheduled send goes out.
        """
        now = int(time.time() * 1000)
        date = now if internal_date is None else internal_date
        with self.database:
            seq = self.mailboxes.advance(mailbox)
            message = self.insert(
                mailbox, raw, read, labels=(*labels, *labels_later), date=date, seq=seq, thread=thread
            )
            self._record(mailbox, seq, message, kind=ADDED, labels=labels, now=now)
            if labels_later:
                seq = self.mailboxes.advance(mailbox)
                self.database.execute("update message set seq = ? where id = ?", (seq, message.id))
                self._record(
                    mailbox, seq, message, kind=LABELS_ADDED, labels=message.labels, changed=labels_later, now=now
                )
        return message

    def insert(
        self,
        mailbox: Mailbox,
        raw: bytes,
        read: Digest,
        *,
        labels: Sequence[str],
        date: int,
        seq: int,
        thread: int | None = None,
    ) -> StoredMessage:
        """Writes a message and no history, within the caller's transaction."""
        message_id = self._free_id(date)
        if thread is None:
            thread = self._thread(mailbox, read) or message_id
        labels = tuple(dict.fromkeys(labels))
        self.database.execute(
            "insert into message (id, mailbox, thread, seq, internal_date, size, labels, message_id, subject_key,"
            " sender, recipients, subject, words, snippet, has_attachment) values (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
            (
                message_id,
                mailbox.id,
                thread,
                seq,
                date,
                len(raw),
                json.dumps(labels),
                read.message_id,
                read.subject_key,
                read.sender,
                read.recipients,
                read.subject,
                read.text,
                read.snippet,
                read.has_attachment,
            ),
        )
        self.database.execute("insert into raw (message, content) values (?, ?)", (message_id, raw))
        self._index_labels(mailbox, message_id, date, labels)
        return StoredMessage(message_id, thread, seq, date, len(raw), labels, read.snippet, read.subject_key)

    def get(self, mailbox: Mailbox, message_id: int) -> StoredMessage:
        """The message. Raises GmailError when it isn't there, or has vanished."""
        row = self.database.execute(
            "select * from message where id = ? and mailbox = ? and not vanished", (message_id, mailbox.id)
        ).fetchone()
        if row is None:
            raise not_found()
        return stored(row)

    def raw(self, message: StoredMessage) -> bytes:
        """The message as it was sent, byte for byte."""
        row = self.database.execute("select content from raw where message = ?", (message.id,)).fetchone()
        if row is None:
            raise not_found()
        content: bytes = row["content"]
        return content

    def relabel(
        self, mailbox: Mailbox, messages: Iterable[StoredMessage], add: Iterable[str], remove: Iterable[str]
    ) -> frozenset[str]:
        """Changes the labels of messages in one history record; the labels that it touched.

        What is as it was asked to be leaves no trace.
        """
        touched: set[str] = set()
        with self.database:
            changes = []
            for message in messages:
                added = tuple(label for label in dict.fromkeys(add) if label not in message.labels)
                removed = tuple(label for label in dict.fromkeys(remove) if label in message.labels)
                if added or removed:
                    changes.append((message, added, removed))
            if not changes:
                return frozenset()
            seq, now = self.mailboxes.advance(mailbox), int(time.time() * 1000)
            for message, added, removed in changes:
                labels = (*(label for label in message.labels if label not in removed), *added)
                self.database.execute(
                    "update message set labels = ?, seq = ? where id = ?", (json.dumps(labels), seq, message.id)
                )
                self.database.executemany(
                    "delete from labelled where message = ? and label = ?", [(message.id, label) for label in removed]
                )
                self._index_labels(mailbox, message.id, message.internal_date, added)
                for kind, changed in ((LABELS_ADDED, added), (LABELS_REMOVED, removed)):
                    if changed:
                        self._record(mailbox, seq, message, kind=kind, labels=labels, changed=changed, now=now)
                touched |= {*labels, *removed}
        return frozenset(touched)

    def delete(self, mailbox: Mailbox, messages: Sequence[StoredMessage]) -> None:
        """Removes messages for good, in one history record."""
        if not messages:
            return
        with self.database:
            seq, now = self.mailboxes.advance(mailbox), int(time.time() * 1000)
            for message in messages:
                self._record(mailbox, seq, message, kind=DELETED, labels=message.labels, now=now)
                self.database.execute("delete from message where id = ?", (message.id,))

    def vanish(self, mailbox: Mailbox, message_id: int) -> None:
        """From now on the message is listed and can't be read, as one that was deleted a moment ago."""
        with self.database:
            changed = self.database.execute(
                "update message set vanished = 1 where id = ? and mailbox = ?", (message_id, mailbox.id)
            ).rowcount
        if not changed:
            raise not_found()

    def thread_subject(self, mailbox: Mailbox, thread: int) -> str | None:
        """The subject key of the thread's first message; None when there is no such thread."""
        row = self.database.execute(
            "select subject_key from message where mailbox = ? and thread = ? order by id limit 1", (mailbox.id, thread)
        ).fetchone()
        return str(row["subject_key"]) if row else None

    def _record(
        self,
        mailbox: Mailbox,
        seq: int,
        message: StoredMessage,
        *,
        kind: str,
        labels: Sequence[str],
        changed: Sequence[str] = (),
        now: int,
    ) -> None:
        """Labels are kept as they were after the change: what happened later is a record of its own."""
        self.database.execute(
            "insert into history (mailbox, seq, message, kind, thread, labels, changed, at_ms)"
            " values (?,?,?,?,?,?,?,?)",
            (mailbox.id, seq, message.id, kind, message.thread, json.dumps(labels), json.dumps(changed), now),
        )

    def _index_labels(self, mailbox: Mailbox, message_id: int, date: int, labels: Iterable[str]) -> None:
        self.database.executemany(
            "insert into labelled (mailbox, label, internal_date, message) values (?, ?, ?, ?)",
            [(mailbox.id, label, date, message_id) for label in labels],
        )

    def _thread(self, mailbox: Mailbox, read: Digest) -> int | None:
        """The thread of a message that this one answers and shares its subject with."""
        if not read.references:
            return None
        row = self.database.execute(
            "select thread from message where mailbox = ? and subject_key = ?"
            " and message_id in (select value from json_each(?)) order by id limit 1",
            (mailbox.id, read.subject_key, json.dumps(read.references)),
        ).fetchone()
        return int(row["thread"]) if row else None

    def _free_id(self, date: int) -> int:
        """A number no message has; mail from before 1970 or after 2248 gets an id of those times."""
        milliseconds = min(max(date, 0), 2**43 - 1)
        while True:
            number = (milliseconds << _RANDOM_BITS) | self._random.getrandbits(_RANDOM_BITS)
            taken = self.database.execute("select 1 from message where id = ?", (number,)).fetchone()
            if taken is None:
                return number


def stored(row: sqlite3.Row) -> StoredMessage:
    """A row of the message table."""
    return StoredMessage(
        row["id"],
        row["thread"],
        row["seq"],
        row["internal_date"],
        row["size"],
        tuple(json.loads(row["labels"])),
        row["snippet"],
        row["subject_key"],
    )
