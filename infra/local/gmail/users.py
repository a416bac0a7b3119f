"""What belongs to a mailbox as a whole: profile, watch, history, labels."""

import time
from typing import Any

from infra.local.gmail.call import Call
from infra.local.gmail.errors import bad_request, failed_precondition
from infra.local.gmail.history import DEFAULT_PAGE, LARGEST_PAGE, read_history
from infra.local.gmail.mailboxes import Watch
from infra.local.gmail.simulator import Simulator

WATCH_LIFETIME_S = 7 * 86_400


class Users:
    """Handlers; each takes a call that was let in and gives the JSON answer, or None for no content."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._database = simulator.store.database

    def profile(self, call: Call) -> dict[str, Any]:
        """Address, counts and the current history id."""
        counts = self._database.execute(
            "select count(*) as messages, count(distinct thread) as threads from message where mailbox = ?",
            (call.mailbox.id,),
        ).fetchone()
        return {
            "emailAddress": call.mailbox.address,
            "messagesTotal": counts["messages"],
            "threadsTotal": counts["threads"],
            "historyId": str(call.mailbox.history_id()),
        }

    def watch(self, call: Call) -> dict[str, Any]:
        """Starts or renews the watch. Only the project's own topic can be asked for."""
        request = call.json()
        topic = request.get("topicName")
        if not topic:
            raise bad_request("topicName required")
        if topic != self._simulator.topic:
            raise bad_request(f"Invalid topicName does not match {self._simulator.topic.rpartition('/')[0]}/*")
        labels = request.get("labelIds", [])
        if not isinstance(labels, list) or any(label not in call.mailbox.labels for label in labels):
            raise bad_request(f"Invalid label ids: {labels}")
        behavior = request.get("labelFilterBehavior") or request.get("labelFilterAction") or "include"
        if str(behavior).lower() not in {"include", "exclude"}:
            raise bad_request(f"Invalid value at 'label_filter_behavior': {behavior}")
        if call.mailbox.id in self._simulator.watched_elsewhere:
            raise failed_precondition(
                "Only one user push notification client allowed per developer (call /stop then try again)"
            )
        expires_ms = int((time.time() + WATCH_LIFETIME_S) * 1000)
        self._simulator.mailboxes.set_watch(call.mailbox, Watch(tuple(labels), str(behavior).lower(), expires_ms))
        self._simulator.pushes.test_message(call.mailbox)
        return {"historyId": str(call.mailbox.history_id()), "expiration": str(expires_ms)}

    def stop(self, call: Call) -> None:
        """Ends the watch, if there is one."""
        self._simulator.watched_elsewhere.discard(call.mailbox.id)
        self._simulator.mailboxes.set_watch(call.mailbox, None)

    def history(self, call: Call) -> dict[str, Any]:
        """What changed since an id."""
        return read_history(
            self._database,
            call.mailbox,
            start=call.one("startHistoryId"),
            types=call.many("historyTypes"),
            label=call.one("labelId"),
            max_results=call.page_size(DEFAULT_PAGE, LARGEST_PAGE),
            page_token=call.one("pageToken"),
            lag_ms=self._simulator.faults.history_lag_ms,
        )

    def labels(self, call: Call) -> dict[str, Any]:
        """Every label there is."""
        show = self._simulator.mailboxes.show_label
        return {"labels": [show(call.mailbox, label) for label in call.mailbox.labels]}

    def label(self, call: Call) -> dict[str, Any]:
        """One label, with its count."""
        shown = self._simulator.mailboxes.show_label(call.mailbox, call.ids[0])
        total = self._database.execute(
            "select count(*) as total from labelled where mailbox = ? and label = ?", (call.mailbox.id, call.ids[0])
        ).fetchone()["total"]
        return shown | {"messagesTotal": total}

    def create_label(self, call: Call) -> dict[str, Any]:
        """A label of the user's own."""
        name = call.json().get("name")
        if not isinstance(name, str):
            raise bad_request("Invalid label name")
        with self._database:
            label = self._simulator.mailboxes.add_label(call.mailbox, name)
        return self._simulator.mailboxes.show_label(call.mailbox, label)
