"""users.messages: list, read, send, put in, relabel, remove."""

import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from typing import Any

from infra.local.gmail.call import Call
from infra.local.gmail.errors import GmailError, bad_request, not_found
from infra.local.gmail.mailboxes import Mailbox
from infra.local.gmail.mailstore import StoredMessage, hex_id, parse_id
from infra.local.gmail.payload import Digest, attachment, digest, full, metadata, words
from infra.local.gmail.search import Condition, every, parse_query
from infra.local.gmail.simulator import SentAs, Simulator

DEFAULT_PAGE = 100
LARGEST_PAGE = 500
LARGEST_BULK = 1000

# Only Gmail itself puts these on a message or takes them off.
_FIXED_LABELS = frozenset({"SENT", "DRAFT"})
_IN_SIGHT = Condition(
    "not exists (select 1 from labelled l where l.message = message.id and l.label in ('TRASH', 'SPAM'))"
)
_NEWEST_FIRST = "order by internal_date desc, id desc"
_PAGE_TOKEN = re.compile(r"(\d+)\.(-?\d+)")


class Messages:
    """Handlers; each takes a call that was let in and gives the JSON answer, or None for no content."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._store = simulator.store

    def list(self, call: Call) -> dict[str, Any]:
        """Newest first. labelIds and q are all ANDed, so neither can widen the other."""
        mailbox = call.mailbox
        condition = parse_query(call.one("q") or "", mailbox)
        labels = list(dict.fromkeys(call.many("labelIds")))
        everywhere = call.flag("includeSpamTrash") or condition.everywhere or bool({"TRASH", "SPAM"} & set(labels))
        wanted = [Condition("mailbox = ?", (mailbox.id,)), condition, *(_has_label(label) for label in labels)]
        if not everywhere:
            wanted.append(_IN_SIGHT)
        if token := call.one("pageToken"):
            wanted.append(_before(token))
        size = call.page_size(DEFAULT_PAGE, LARGEST_PAGE)
        where = every(wanted)
        # Conditions are fixed text; what callers write is among the parameters.
        query = f"select * from message where {where.sql} {_NEWEST_FIRST} limit ?"  # noqa: S608  # nosec B608
        rows = self._store.database.execute(query, (*where.parameters, size + 1)).fetchall()
        answer: dict[str, Any] = {"resultSizeEstimate": len(rows)}
        if len(rows) > size:
            rows.pop()
            answer["nextPageToken"] = f"{rows[-1]['id']}.{rows[-1]['internal_date']}"
        if rows:
            answer["messages"] = [{"id": hex_id(row["id"]), "threadId": hex_id(row["thread"])} for row in rows]
        return answer

    def get(self, call: Call) -> dict[str, Any]:
        """A message in one of four formats."""
        return show(self._simulator, call, self._one(call))

    def attachment(self, call: Call) -> dict[str, Any]:
        """An attachment's content."""
        content = attachment(self._store.raw(self._one(call)), call.ids[1])
        if content is None:
            raise not_found()
        return {"size": len(content), "data": urlsafe_b64encode(content).decode()}

    def send(self, call: Call) -> dict[str, Any]:
        """Sends: the message keeps its headers, is dated now and gets SENT."""
        raw, resource = call.submitted()
        return brief(send(self._simulator, call.mailbox, raw, resource.get("threadId")))

    def insert(self, call: Call) -> dict[str, Any]:
        """Puts a message in as it is, dated now unless told otherwise."""
        return self._put(call, "receivedTime")

    def import_(self, call: Call) -> dict[str, Any]:
        """Puts a message in as if it came by SMTP, dated by its Date header unless told otherwise."""
        return self._put(call, "dateHeader")

    def modify(self, call: Call) -> dict[str, Any]:
        """Adds and removes labels of one message."""
        message = self._one(call)
        self._relabel(call, [message], call.json())
        return brief(self._store.get(call.mailbox, message.id))

    def batch_modify(self, call: Call) -> None:
        """Adds and removes labels of many messages in one history record."""
        resource = call.json()
        self._relabel(call, self._many(call.mailbox, resource), resource)

    def delete(self, call: Call) -> None:
        """Removes a message for good."""
        self._delete(call.mailbox, [self._one(call)])

    def batch_delete(self, call: Call) -> None:
        """Removes many messages for good; those that aren't there are passed over."""
        self._delete(call.mailbox, self._many(call.mailbox, call.json()))

    def trash(self, call: Call) -> dict[str, Any]:
        """Moves a message to the bin."""
        return self._move(call, add=("TRASH",), remove=("INBOX",))

    def untrash(self, call: Call) -> dict[str, Any]:
        """Takes a message out of the bin."""
        return self._move(call, add=(), remove=("TRASH",))

    def _put(self, call: Call, date_source: str) -> dict[str, Any]:
        raw, resource = call.submitted()
        if raw is None:
            raise _raw_required()
        source = call.one("internalDateSource") or date_source
        if source not in {"receivedTime", "dateHeader"}:
            raise bad_request(f"Invalid value at 'internal_date_source': {source}")
        labels = self._known(call.mailbox, resource.get("labelIds", []))
        read = digest(raw)
        message = self._store.add(
            call.mailbox,
            raw,
            read,
            labels,
            internal_date=read.date_ms if source == "dateHeader" else None,
            thread=thread_asked_for(self._simulator, call.mailbox, read, resource.get("threadId")),
        )
        self._simulator.pushes.changed(call.mailbox, frozenset(labels))
        return brief(message)

    def _one(self, call: Call) -> StoredMessage:
        return self._store.get(call.mailbox, parse_id(call.ids[0]))

    def _many(self, mailbox: Mailbox, resource: dict[str, Any]) -> Sequence[StoredMessage]:
        ids = resource.get("ids")
        if not isinstance(ids, list) or not 1 <= len(ids) <= LARGEST_BULK:
            raise bad_request(f"ids must name 1 to {LARGEST_BULK} messages")
        rows = self._store.database.execute(
            "select id from message where mailbox = ? and not vanished and id in (select value from json_each(?))",
            (mailbox.id, json.dumps([parse_id(str(text)) for text in ids])),
        ).fetchall()
        return [self._store.get(mailbox, row["id"]) for row in rows]

    def _move(self, call: Call, add: Sequence[str], remove: Sequence[str]) -> dict[str, Any]:
        message = self._one(call)
        touched = self._store.relabel(call.mailbox, [message], add, remove)
        if touched:
            self._simulator.pushes.changed(call.mailbox, touched)
        return brief(self._store.get(call.mailbox, message.id))

    def _relabel(self, call: Call, messages: Sequence[StoredMessage], resource: dict[str, Any]) -> None:
        add = self._known(call.mailbox, resource.get("addLabelIds", []))
        remove = self._known(call.mailbox, resource.get("removeLabelIds", []))
        fixed = _FIXED_LABELS.intersection((*add, *remove))
        if fixed:
            raise bad_request(f"Invalid label: {min(fixed)}")
        touched = self._store.relabel(call.mailbox, messages, add, remove)
        if touched:
            self._simulator.pushes.changed(call.mailbox, touched)

    def _delete(self, mailbox: Mailbox, messages: Sequence[StoredMessage]) -> None:
        self._store.delete(mailbox, messages)
        if messages:
            self._simulator.pushes.changed(
                mailbox, frozenset(label for message in messages for label in message.labels)
            )

    def _known(self, mailbox: Mailbox, labels: Any) -> tuple[str, ...]:
        if not isinstance(labels, list):
            raise bad_request("Label ids must be a list")
        for label in labels:
            if label not in mailbox.labels:
                raise bad_request(f"Invalid label: {label}")
        return tuple(labels)


def show(simulator: Simulator, call: Call, message: StoredMessage) -> dict[str, Any]:
    """A message in the format that the call asks for. Raises GmailError."""
    shown = brief(message) | {
        "snippet": message.snippet,
        "sizeEstimate": message.size,
        "historyId": str(call.mailbox.history_id(message.seq)),
        "internalDate": str(message.internal_date),
    }
    match (call.one("format") or "full").lower():
        case "minimal":
            pass
        case "raw":
            shown["raw"] = urlsafe_b64encode(simulator.store.raw(message)).decode()
        case "full":
            shown["payload"] = full(simulator.store.raw(message))
        case "metadata":
            shown["payload"] = metadata(simulator.store.raw(message), call.many("metadataHeaders"))
        case other:
            raise bad_request(f"Invalid value at 'format': {other}")
    return shown


def brief(message: StoredMessage) -> dict[str, Any]:
    """A message as answers to changes show it."""
    shown: dict[str, Any] = {"id": hex_id(message.id), "threadId": hex_id(message.thread)}
    if message.labels:
        shown["labelIds"] = list(message.labels)
    return shown


def send(simulator: Simulator, mailbox: Mailbox, raw: bytes | None, thread_id: Any) -> StoredMessage:
    """A message that goes out now. Mail to oneself arrives at once. Raises GmailError."""
    if raw is None:
        raise _raw_required()
    read = digest(raw)
    thread = thread_asked_for(simulator, mailbox, read, thread_id)
    arrives = ("INBOX", "UNREAD") if words(mailbox.address) in read.recipients else ()
    if simulator.behaviour.sent_as is SentAs.LABEL_ADDED:
        message = simulator.store.add(mailbox, raw, read, arrives, thread=thread, labels_later=("SENT",))
    else:
        message = simulator.store.add(mailbox, raw, read, ("SENT", *arrives), thread=thread)
    simulator.pushes.changed(mailbox, frozenset(message.labels))
    return message


def thread_asked_for(simulator: Simulator, mailbox: Mailbox, read: Digest, thread_id: Any) -> int | None:
    """The thread that a caller names, when the subject matches too; else headers decide. Raises GmailError."""
    if thread_id is None:
        return None
    thread = parse_id(str(thread_id))
    key = simulator.store.thread_subject(mailbox, thread)
    if key is None:
        raise not_found()
    return thread if key == read.subject_key else None


def _raw_required() -> GmailError:
    return bad_request("'raw' RFC822 payload message string or uploading message via /upload/* URL required")


def _has_label(label: str) -> Condition:
    return Condition(
        "exists (select 1 from labelled l where l.mailbox = message.mailbox and l.label = ?"
        " and l.internal_date = message.internal_date and l.message = message.id)",
        (label,),
    )


def _before(token: str) -> Condition:
    """What comes after the last message of a page. Raises GmailError."""
    found = _PAGE_TOKEN.fullmatch(token)
    if not found:
        raise bad_request("Invalid pageToken")
    return Condition("(internal_date, id) < (?, ?)", (int(found[2]), int(found[1])))
