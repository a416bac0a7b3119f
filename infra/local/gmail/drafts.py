"""users.drafts. Every autosave is a new message with a new id; sending removes the draft and adds a sent message."""

from typing import Any

from infra.local.gmail.call import Call
from infra.local.gmail.errors import bad_request, not_found
from infra.local.gmail.mailboxes import Mailbox
from infra.local.gmail.mailstore import StoredMessage, stored
from infra.local.gmail.messages import brief, send, show, thread_asked_for
from infra.local.gmail.payload import digest
from infra.local.gmail.simulator import Simulator


class Drafts:
    """Handlers; each takes a call that was let in and gives the JSON answer, or None for no content."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._store = simulator.store
        self._database = simulator.store.database

    def create(self, call: Call) -> dict[str, Any]:
        """A new draft."""
        message = self._write(call, None)
        with self._database:
            draft = self._database.execute(
                "insert into draft (mailbox, message) values (?, ?)", (call.mailbox.id, message.id)
            ).lastrowid
        return _shown(draft or 0, brief(message))

    def update(self, call: Call) -> dict[str, Any]:
        """An autosave."""
        draft, former = self._find(call.mailbox, call.ids[0])
        message = self._write(call, former.thread)
        self._store.delete(call.mailbox, [former])
        with self._database:
            self._database.execute("update draft set message = ? where id = ?", (message.id, draft))
        return _shown(draft, brief(message))

    def get(self, call: Call) -> dict[str, Any]:
        """A draft with its message, in the format asked for."""
        draft, message = self._find(call.mailbox, call.ids[0])
        return _shown(draft, show(self._simulator, call, message))

    def list(self, call: Call) -> dict[str, Any]:
        """All drafts, newest first, on one page."""
        rows = self._database.execute(
            "select draft.id as draft, message.* from draft join message on message.id = draft.message"
            " where draft.mailbox = ? and not vanished order by draft.id desc limit ?",
            (call.mailbox.id, call.page_size(100, 500)),
        )
        drafts = [_shown(row["draft"], brief(stored(row))) for row in rows]
        return {"drafts": drafts, "resultSizeEstimate": len(drafts)} if drafts else {"resultSizeEstimate": 0}

    def send(self, call: Call) -> dict[str, Any]:
        """Sends the draft as it is kept, or as the call brings it."""
        raw, resource = call.submitted()
        name = resource.get("id")
        if not isinstance(name, str):
            raise bad_request("Missing draft id")
        draft, message = self._find(call.mailbox, name)
        content = self._store.raw(message) if raw is None else raw
        sent = send(self._simulator, call.mailbox, content, f"{message.thread:x}")
        self._remove(call.mailbox, draft, message)
        return brief(sent)

    def delete(self, call: Call) -> None:
        """Throws a draft away."""
        self._remove(call.mailbox, *self._find(call.mailbox, call.ids[0]))

    def _write(self, call: Call, thread: int | None) -> StoredMessage:
        raw, resource = call.submitted()
        if raw is None:
            raise bad_request("Missing draft message")
        read = digest(raw)
        if thread is None:
            message = resource.get("message")
            asked_for = message.get("threadId") if isinstance(message, dict) else None
            thread = thread_asked_for(self._simulator, call.mailbox, read, asked_for)
        stored = self._store.add(call.mailbox, raw, read, ("DRAFT",), thread=thread)
        self._simulator.pushes.changed(call.mailbox, frozenset({"DRAFT"}))
        return stored

    def _find(self, mailbox: Mailbox, name: str) -> tuple[int, StoredMessage]:
        number = name.removeprefix("r")
        if not number.isascii() or not number.isdigit():
            raise not_found()
        row = self._database.execute(
            "select id, message from draft where id = ? and mailbox = ?", (int(number), mailbox.id)
        ).fetchone()
        if row is None:
            raise not_found()
        return row["id"], self._store.get(mailbox, row["message"])

    def _remove(self, mailbox: Mailbox, draft: int, message: StoredMessage) -> None:
        self._store.delete(mailbox, [message])
        with self._database:
            self._database.execute("delete from draft where id = ?", (draft,))
        self._simulator.pushes.changed(mailbox, frozenset({"DRAFT"}))


def _shown(draft: int, message: dict[str, Any]) -> dict[str, Any]:
    return {"id": f"r{draft:018d}", "message": message}
