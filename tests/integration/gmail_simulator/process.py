"""The simulator as a process, spoken to under /_sim/ as the local stack does."""

import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from tests.integration.gmail_simulator.broker import DEADLINE_S, PROJECT, Broker, free_port
from tests.integration.gmail_simulator.caller import OWNER, Mailbox


class Process:
    """A running simulator. What is spoken to under /_sim/ goes through `sim`."""

    def __init__(self, data: Path, broker: Broker, *arguments: str) -> None:
        self._command = [sys.executable, "-m", "infra.local.gmail", "--data", str(data), "--project", PROJECT]
        self._command += ["--pubsub-emulator", f"127.0.0.1:{broker.port}", *arguments]
        self._mailboxes: list[Mailbox] = []
        self.url = ""
        self.start()

    def start(self) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.http = httpx.Client(base_url=self.url)
        self.popen = subprocess.Popen(
            [*self._command, "--port", str(port)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        give_up = time.monotonic() + DEADLINE_S
        while True:
            try:
                if self.http.get("healthz").status_code == 200:
                    return
            except httpx.TransportError:
                if self.popen.poll() is not None or time.monotonic() > give_up:
                    raise AssertionError(self.popen.communicate()[1].decode()) from None
                time.sleep(0.02)

    def stop(self) -> tuple[bytes, bytes]:
        """Asks it to end; what it printed."""
        self._hang_up()
        self.popen.terminate()
        return self.popen.communicate(timeout=DEADLINE_S)

    def kill(self) -> None:
        self._hang_up()
        self.popen.kill()
        self.popen.communicate(timeout=DEADLINE_S)

    def _hang_up(self) -> None:
        for mailbox in self._mailboxes:
            mailbox.close()
        self._mailboxes.clear()
        self.http.close()

    def sim(self, verb: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        answer = self.http.request(verb, f"_sim/{path}", json=body, timeout=60)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def mailbox(self, address: str = OWNER, **arguments: Any) -> Mailbox:
        mailbox = Mailbox(
            **self.sim("POST", "mailboxes", {"address": address, **arguments}), url=self.url, http=self.http
        )
        self._mailboxes.append(mailbox)
        return mailbox

    def fault(self, kind: str, **arguments: Any) -> None:
        self.sim("POST", "faults", {"kind": kind, **arguments})

    def settings(self, **arguments: Any) -> Any:
        return self.sim("PATCH", "settings", arguments)

    def stats(self) -> Any:
        return self.sim("GET", "stats")
