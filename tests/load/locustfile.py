"""What Locust runs, in an environment of its own: the users that LOAD_PLAN names; what they saw goes to LOAD_RECORD.

Everything begins at the same moment, and everything ends: by itself, at the plan's time, or with --run-time.
"""

import base64
import json
import os
import random
import time
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

import gevent  # type: ignore[import-untyped, import-not-found, unused-ignore]  # only `make load` installs it
from gevent.event import Event  # type: ignore[import-untyped, import-not-found, unused-ignore]  # the same
from locust import FastHttpUser, HttpUser, events  # type: ignore[import-not-found, unused-ignore]  # the same
from locust.exception import StopUser  # type: ignore[import-not-found, unused-ignore]  # the same
from requests.exceptions import RequestException

from tests.load.plan import BOUNDED, Client, Plan

PLAN = Plan.read(Path(os.environ["LOAD_PLAN"]))
RECORD = Path(os.environ["LOAD_RECORD"])
if others := {PLAN.functions_url, PLAN.gmail_url} - {
    url for url in (PLAN.functions_url, PLAN.gmail_url) if urlsplit(url).hostname == "127.0.0.1"
}:
    raise SystemExit(f"load goes to this machine only, not to {', '.join(others)}")


class Run:
    """What all users share: when it began, who is still at it, what was seen."""

    def __init__(self) -> None:
        self.begun = Event()
        self.began_at = 0.0
        self.waiting: dict[str, list[Client]] = defaultdict(list)
        for client in PLAN.clients:
            self.waiting[client.kind].append(client)
        self.bounded = sum(client.kind in BOUNDED for client in PLAN.clients)
        self.has_bounded = self.bounded > 0
        self.left = len(PLAN.clients)
        self.requests: list[dict[str, Any]] = []
        self.sent: list[dict[str, Any]] = []
        self.answers: list[dict[str, Any]] = []
        self.numbers = count(1)

    @property
    def seconds(self) -> float:
        """Since it began."""
        return time.monotonic() - self.began_at

    @property
    def is_over(self) -> bool:
        """For those who would go on for ever."""
        return self.seconds >= PLAN.seconds or (self.has_bounded and not self.bounded)

    def begin(self, **_event: Any) -> None:
        self.began_at = time.monotonic()
        self.begun.set()

    def saw(
        self, request_type: str, name: str, response_time: float, exception: Any, start_time: float, **_event: Any
    ) -> None:
        """A request has ended."""
        self.requests.append(
            {
                "name": f"{request_type} {name}",
                "ms": response_time,
                "at": start_time,
                "error": None if exception is None else f"{type(exception).__name__}: {exception}"[:200],
            }
        )

    def write(self, **_event: Any) -> None:
        RECORD.write_text(json.dumps({"requests": self.requests, "sent": self.sent, "answers": self.answers}))


RUN = Run()
events.spawning_complete.add_listener(RUN.begin)
events.request.add_listener(RUN.saw)
events.quitting.add_listener(RUN.write)


def whole_day(user: Any) -> None:
    """All that a user does; then the user goes, and with the last one Locust."""
    RUN.begun.wait()
    try:
        user.day(RUN.waiting[type(user).__name__].pop())
    except Exception as error:  # noqa: BLE001  Locust would have the same user begin once more
        failed(user, f"{type(user).__name__} broke off", error)
    finally:
        RUN.left -= 1
        RUN.bounded -= type(user).__name__ in BOUNDED
        if not RUN.left:
            gevent.spawn(user.environment.runner.quit)
    raise StopUser


def failed(user: Any, name: str, error: Exception) -> None:
    """Have Locust count something as failed that is no request of its own."""
    user.environment.events.request.fire(
        request_type="",
        name=name,
        response_time=0,
        response_length=0,
        response=None,
        context={},
        exception=error,
        start_time=time.time(),
        url="",
    )


def pause(client: Client) -> None:
    """As people do, between one thing and the next."""
    gevent.sleep(client.pause_seconds * random.uniform(0.5, 1.5))  # noqa: S311  nothing secret


def bearer(client: Client) -> dict[str, str]:
    return {"Authorization": f"Bearer {client.token}"}


class Person(FastHttpUser):  # type: ignore[misc, unused-ignore]  # Locust isn't installed where types are checked
    """Someone on this machine who asks over HTTP."""

    abstract = True
    host = PLAN.functions_url
    network_timeout = 120.0
    tasks: ClassVar[list[Any]] = [whole_day]

    def tool(self, client: Client, name: str, arguments: dict[str, Any]) -> dict[str, Any] | None:
        """A tool's answer; None: it failed, which Locust has counted."""
        response = self.client.post(f"/tools/{name}", json=arguments, headers=bearer(client))
        found: dict[str, Any] | None = response.json() if response.status_code == 200 else None
        return found


class MailClient(Person):
    """A lawyer who sends email when it is due, with Gmail's own messages.send."""

    def day(self, client: Client) -> None:
        headers = {"Authorization": f"Bearer {client.owner_token}", "Content-Type": "message/rfc822"}
        for due, place in client.sends:
            gevent.sleep(max(due - RUN.seconds, 0.0))
            behind, at = max(RUN.seconds - due, 0.0), time.time()
            response = self.client.post(
                f"{PLAN.gmail_url}/upload/gmail/v1/users/me/messages/send?uploadType=media",
                data=base64.b64decode(PLAN.mail[place]),
                headers=headers,
                name="Gmail messages.send",
            )
            if response.status_code == 200:
                RUN.sent.append({"id": response.json()["id"], "at": at, "behind": behind})


class Browser(Person):
    """A lawyer with the application open."""

    def day(self, client: Client) -> None:
        while not RUN.is_over:
            random.choices((self.summary, self.coverage, self.settings, self.others), (4, 2, 2, 1))[0](client)  # noqa: S311  nothing secret
            pause(client)

    def summary(self, client: Client) -> None:
        self.tool(client, "get_time_tracking_summary", {"date_range_days": 30})

    def coverage(self, client: Client) -> None:
        now = datetime.now(UTC)
        period = f"from={now - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}&to={now:%Y-%m-%dT%H:%M:%SZ}"
        self.client.get(f"/coverage?{period}", headers=bearer(client), name="/coverage")

    def settings(self, client: Client) -> None:
        self.tool(client, "configure_time_tracking", {})
        self.client.get("/tools", headers=bearer(client))

    def others(self, client: Client) -> None:
        self.client.get("/rescans", headers=bearer(client))
        self.client.get("/my_data", headers=bearer(client))
        self.client.post("/mailbox/connect", json={}, headers=bearer(client))


class Scanner(Person):
    """A lawyer who has the mailbox scanned until nothing is left, perhaps while its past is read again, too."""

    def day(self, client: Client) -> None:
        if client.rescan is not None:
            self.client.post("/rescans", json=client.rescan, headers=bearer(client))
        arguments = dict(client.scan or {})
        while answer := self.tool(client, "scan_billable_time", arguments):
            RUN.answers.append({key: value for key, value in answer.items() if key not in {"entries", "mailboxes"}})
            if not answer["truncated"] or RUN.seconds >= PLAN.seconds:
                break
            arguments["continue_from"] = answer["continue_from"]
            pause(client)


class Doubter(Person):
    """Someone who has texts analysed that the rules leave in doubt, as fast as answers come, none of them twice."""

    def day(self, client: Client) -> None:
        while not RUN.is_over:
            number = next(RUN.numbers)
            text = f"{client.texts[number % len(client.texts)]}\n\nOur file {number:08d}-{os.getpid()}."
            if answer := self.tool(client, "analyze_time_entry", {"text": text}):
                RUN.answers.append({"model": answer["model"]})


class Chatter(HttpUser):  # type: ignore[misc, unused-ignore]  # as above
    """A lawyer who asks the assistant and reads the answer as it streams in."""

    host = PLAN.functions_url
    tasks: ClassVar[list[Any]] = [whole_day]

    def day(self, client: Client) -> None:
        for number, text in enumerate(client.texts):
            message = {"id": f"m{number}", "role": "user", "parts": [{"type": "text", "text": text}]}
            self.ask(client, {"id": f"c{number}", "messages": [message], "trigger": "submit-message"})
            pause(client)

    def ask(self, client: Client, body: dict[str, Any]) -> None:
        """One answer: its first words and its end are measured apart."""
        at, begun, first = time.time(), time.perf_counter(), None
        with self.client.post(
            "/chat", json=body, headers=bearer(client), stream=True, catch_response=True, timeout=150
        ) as response:
            kinds, last = set(), ""
            try:
                for line in response.iter_lines(decode_unicode=True) if response.status_code == 200 else ():
                    if not line.startswith("data: "):
                        continue
                    last = line.removeprefix("data: ")
                    kind = json.loads(last)["type"] if last != "[DONE]" else "done"
                    kinds.add(kind)
                    if kind == "text-delta" and first is None:
                        first = (time.perf_counter() - begun) * 1000
            except RequestException as error:  # cut on the wire
                last = type(error).__name__
            response.request_meta["response_time"] = (time.perf_counter() - begun) * 1000
            if response.status_code != 200 or last != "[DONE]" or "error" in kinds or first is None:
                response.failure(f"{response.status_code}, {'whole' if last == '[DONE]' else 'cut'}: {sorted(kinds)}")
                return
            response.success()
        RUN.answers.append({"first_words_ms": first})
        self.environment.events.request.fire(
            request_type="POST",
            name="/chat, first words",
            response_time=first,
            response_length=0,
            response=None,
            context={},
            exception=None,
            start_time=at,
            url="/chat",
        )


for _kind in (MailClient, Browser, Scanner, Doubter, Chatter):
    _kind.fixed_count = len(RUN.waiting[_kind.__name__])
