"""Mailboxes: their history sequence, their watch, their labels."""

import json
import random
import re
import sqlite3
from dataclasses import asdict, dataclass, field
from typing import Any

from infra.local.gmail.errors import GmailError, bad_request, not_found

# Above 2**63, so that a caller who keeps history ids in a signed integer, or in a float, is found out here.
FIRST_HISTORY_ID = 2**63 + 10**15
LARGEST_HISTORY_ID = 2**64 - 1
# Real ids rise with gaps of any size; callers may not count on the next one.
_LARGEST_GAP = 40

SYSTEM_LABELS = (
    "INBOX",
    "SENT",
    "DRAFT",
    "TRASH",
    "SPAM",
    "UNREAD",
    "STARRED",
    "IMPORTANT",
    "CHAT",
    "CATEGORY_PERSONAL",
    "CATEGORY_SOCIAL",
    "CATEGORY_PROMOTIONS",
    "CATEGORY_UPDATES",
    "CATEGORY_FORUMS",
)
_USER_LABEL = re.compile(r"Label_\d+")


@dataclass(frozen=True, slots=True)
class Watch:
    """A watch as it was asked for; `expires_ms` is epoch milliseconds."""

    label_ids: tuple[str, ...]
    behavior: str
    expires_ms: int

    def covers(self, touched: frozenset[str]) -> bool:
        """Whether a change to messages with these labels passes the watch's filter."""
        if not self.label_ids:
            return True
        return touched.isdisjoint(self.label_ids) == (self.behavior == "exclude")


@dataclass(slots=True)
class Mailbox:
    """One mailbox. `seq` counts changes; what the world sees is `history_id`."""

    id: int
    address: str
    first_history_id: int
    seq: int = 0
    oldest_seq: int = 0
    announced_seq: int = 0
    watch: Watch | None = None
    labels: dict[str, str] = field(default_factory=dict)

    def history_id(self, seq: int | None = None) -> int:
        """The history id at `seq`, or as of now."""
        return self.first_history_id + (self.seq if seq is None else seq)

    def label_id(self, name: str) -> str | None:
        """The id of the label that has this name or id, in any case."""
        folded = name.casefold()
        return next(
            (known for known, called in self.labels.items() if folded in {known.casefold(), called.casefold()}), None
        )


class Mailboxes:
    """All mailboxes by address. Writes go through, so a restart finds what was there."""

    def __init__(self, database: sqlite3.Connection, randomness: random.Random) -> None:
        self._database = database
        self._random = randomness
        self._by_address: dict[str, Mailbox] = {}
        for row in database.execute("select * from mailbox"):
            watch = json.loads(row["watch"]) if row["watch"] else None
            mailbox = Mailbox(
                id=row["id"],
                address=row["address"],
                first_history_id=int(row["first_history_id"]),
                seq=row["seq"],
                oldest_seq=row["oldest_seq"],
                announced_seq=row["announced_seq"],
                watch=Watch(**watch | {"label_ids": tuple(watch["label_ids"])}) if watch else None,
            )
            mailbox.labels = dict(database.execute("select id, name from label where mailbox = ?", (mailbox.id,)))
            self._by_address[mailbox.address] = mailbox
        self._by_id = {mailbox.id: mailbox for mailbox in self._by_address.values()}

    def all(self) -> list[Mailbox]:
        """Every mailbox."""
        return list(self._by_address.values())

    def by_id(self, mailbox_id: int) -> Mailbox:
        """The mailbox with this row id. Raises KeyError."""
        return self._by_id[mailbox_id]

    def find(self, address: str) -> Mailbox | None:
        """The mailbox at this address, in any case."""
        return self._by_address.get(address.strip().lower())

    def create(self, address: str, first_history_id: int = FIRST_HISTORY_ID) -> Mailbox:
        """A new mailbox, empty but for Gmail's own labels."""
        address = address.strip().lower()
        with self._database:
            row_id = self._database.execute(
                "insert into mailbox (address, first_history_id) values (?, ?)", (address, str(first_history_id))
            ).lastrowid
            if row_id is None:
                raise sqlite3.DatabaseError("a row was inserted and has no id")
            self._database.executemany(
                "insert into label (mailbox, id, name, type) values (?, ?, ?, 'system')",
                [(row_id, label, label) for label in SYSTEM_LABELS],
            )
        mailbox = Mailbox(row_id, address, first_history_id, labels={label: label for label in SYSTEM_LABELS})
        self._by_address[address] = self._by_id[row_id] = mailbox
        return mailbox

    def advance(self, mailbox: Mailbox) -> int:
        """The next place in the mailbox's history, written within the caller's transaction."""
        mailbox.seq += self._random.randint(1, _LARGEST_GAP)
        self._database.execute("update mailbox set seq = ? where id = ?", (mailbox.seq, mailbox.id))
        return mailbox.seq

    def set_watch(self, mailbox: Mailbox, watch: Watch | None) -> None:
        """Starts, replaces or ends the watch. What changed before it is nobody's news."""
        mailbox.watch = watch
        mailbox.announced_seq = mailbox.seq
        with self._database:
            self._database.execute(
                "update mailbox set watch = ?, announced_seq = ? where id = ?",
                (json.dumps(asdict(watch)) if watch else None, mailbox.seq, mailbox.id),
            )

    def announced(self, mailbox: Mailbox, seq: int) -> None:
        """Remembers that a push up to `seq` has been taken by the broker."""
        mailbox.announced_seq = max(mailbox.announced_seq, seq)
        with self._database:
            self._database.execute(
                "update mailbox set announced_seq = ? where id = ?", (mailbox.announced_seq, mailbox.id)
            )

    def expire_history(self, mailbox: Mailbox, before: int | None = None) -> None:
        """From now on, reading history from an id below `before` (default: below the current one) is refused."""
        oldest = mailbox.seq if before is None else before - mailbox.first_history_id
        mailbox.oldest_seq = max(mailbox.oldest_seq, min(oldest, mailbox.seq))
        with self._database:
            self._database.execute("update mailbox set oldest_seq = ? where id = ?", (mailbox.oldest_seq, mailbox.id))

    def add_label(self, mailbox: Mailbox, name: str) -> str:
        """A new label of the user's, within the caller's transaction. Raises GmailError when the name is taken."""
        if not name.strip():
            raise bad_request("Invalid label name")
        if mailbox.label_id(name):
            raise GmailError(409, "aborted", "Label name exists or conflicts", status="ABORTED")
        label_id = f"Label_{sum(1 for known in mailbox.labels if _USER_LABEL.fullmatch(known)) + 1}"
        self._database.execute(
            "insert into label (mailbox, id, name, type) values (?, ?, ?, 'user')", (mailbox.id, label_id, name)
        )
        mailbox.labels[label_id] = name
        return label_id

    def show_label(self, mailbox: Mailbox, label_id: str) -> dict[str, Any]:
        """A label as labels.get shows it, counts left out. Raises GmailError."""
        if label_id not in mailbox.labels:
            raise not_found()
        kind = "user" if _USER_LABEL.fullmatch(label_id) else "system"
        return {"id": label_id, "name": mailbox.labels[label_id], "type": kind}
