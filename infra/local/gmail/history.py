"""history.list: what changed in a mailbox since an id."""

import json
import sqlite3
import time
from collections.abc import Collection
from itertools import groupby
from typing import Any

from infra.local.gmail.errors import bad_request, not_found
from infra.local.gmail.mailboxes import LARGEST_HISTORY_ID, Mailbox
from infra.local.gmail.mailstore import ADDED, DELETED, LABELS_ADDED, LABELS_REMOVED, hex_id

DEFAULT_PAGE = 100
LARGEST_PAGE = 500

_KIND_OF_TYPE = {
    "messageAdded": ADDED,
    "messageDeleted": DELETED,
    "labelAdded": LABELS_ADDED,
    "labelRemoved": LABELS_REMOVED,
}


def read_history(
    database: sqlite3.Connection,
    mailbox: Mailbox,
    *,
    start: str | None,
    types: Collection[str] = (),
    label: str | None = None,
    max_results: int = DEFAULT_PAGE,
    page_token: str | None = None,
    lag_ms: int = 0,
) -> dict[str, Any]:
    """The answer of history.list: records after `start`, oldest first.

    As with Gmail, a page is cut before it is filtered, so that one may be empty and still name a next page; and with
    `lag_ms` the answer is that of so many milliseconds ago, its historyId included. Raises GmailError: 404 for an id
    that is too old or not yet reached, 400 for none.
    """
    start_seq = _start(mailbox, start)
    kinds = _kinds(types)
    visible = _visible_seq(database, mailbox, lag_ms)
    after = start_seq if page_token is None else _after(page_token)
    # One more than asked for, to know if a page follows.
    seqs = [
        row["seq"]
        for row in database.execute(
            "select distinct seq from history where mailbox = ? and seq > ? and seq <= ? order by seq limit ?",
            (mailbox.id, after, visible, max_results + 1),
        )
    ]
    answer: dict[str, Any] = {"historyId": str(mailbox.history_id(visible))}
    if not seqs:
        return answer
    if len(seqs) > max_results:
        answer["nextPageToken"] = f"h{seqs[max_results - 1]:x}"
        seqs = seqs[:max_results]
    rows = database.execute(
        "select * from history where mailbox = ? and seq between ? and ? order by seq, message",
        (mailbox.id, seqs[0], seqs[-1]),
    )
    records = [
        record
        for seq, changes in groupby(rows, key=lambda row: int(row["seq"]))
        if (record := _record(mailbox.history_id(seq), changes, kinds, label))
    ]
    if records:
        answer["history"] = records
    return answer


def _start(mailbox: Mailbox, start: str | None) -> int:
    if not start:
        raise bad_request("Missing/invalid parameter: startHistoryId")
    if not start.isascii() or not start.isdigit() or int(start) > LARGEST_HISTORY_ID:
        raise bad_request(f"Invalid value at 'start_history_id' (TYPE_UINT64), \"{start}\"")
    seq = int(start) - mailbox.first_history_id
    if not mailbox.oldest_seq <= seq <= mailbox.seq:
        raise not_found()
    return seq


def _kinds(types: Collection[str]) -> frozenset[str]:
    unknown = [name for name in types if name not in _KIND_OF_TYPE]
    if unknown:
        raise bad_request(f"Invalid value at 'history_types': {unknown[0]}")
    return frozenset(_KIND_OF_TYPE[name] for name in types) or frozenset(_KIND_OF_TYPE.values())


def _after(page_token: str) -> int:
    try:
        return int(page_token.removeprefix("h"), 16)
    except ValueError:
        raise bad_request("Invalid pageToken") from None


def _visible_seq(database: sqlite3.Connection, mailbox: Mailbox, lag_ms: int) -> int:
    """The newest change that a reader who is `lag_ms` behind can see."""
    if not lag_ms:
        return mailbox.seq
    first_hidden = database.execute(
        "select min(seq) as seq from history where mailbox = ? and at_ms > ?",
        (mailbox.id, time.time() * 1000 - lag_ms),
    ).fetchone()["seq"]
    if first_hidden is None:
        return mailbox.seq
    before = database.execute(
        "select max(seq) as seq from history where mailbox = ? and seq < ?", (mailbox.id, first_hidden)
    ).fetchone()["seq"]
    return int(before or 0)


def _record(history_id: int, changes: Any, kinds: frozenset[str], label: str | None) -> dict[str, Any] | None:
    record: dict[str, Any] = {}
    messages: dict[str, dict[str, str]] = {}
    for row in changes:
        labels, changed = json.loads(row["labels"]), json.loads(row["changed"])
        if row["kind"] not in kinds or (label is not None and label not in {*labels, *changed}):
            continue
        ids = {"id": hex_id(row["message"]), "threadId": hex_id(row["thread"])}
        messages[ids["id"]] = ids
        message: dict[str, Any] = dict(ids)
        if labels:
            message["labelIds"] = labels
        change: dict[str, Any] = {"message": message}
        if changed:
            change["labelIds"] = changed
        record.setdefault(row["kind"], []).append(change)
    if not record:
        return None
    return {"id": str(history_id), "messages": list(messages.values()), **record}
