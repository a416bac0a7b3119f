"""What Locust is told to do: its users, one by one. Standard library alone, since both environments import it."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

# Classes of the locustfile.
Kind = Literal["MailClient", "Browser", "Scanner", "Chatter", "Doubter"]
# These end by themselves; the others go on as long as one of these does, or until the time is up.
BOUNDED: frozenset[Kind] = frozenset({"MailClient", "Scanner", "Chatter"})


@dataclass(frozen=True)
class Client:
    """One user of Locust's, with one person's tokens: `token` for the functions, `owner_token` for Gmail itself.

    sends: emails, each as seconds from the beginning and its place in the plan's `mail`.
    scan: arguments of scan_billable_time, which goes on where it stopped until nothing is left or the time is up.
    rescan: arguments of a rescan that is started before.
    texts: what is said to the chat, each once, or analysed, round and round.
    pause_seconds: between two requests, half as long to half as long again.
    """

    kind: Kind
    token: str = ""
    owner_token: str = ""
    sends: tuple[tuple[float, int], ...] = ()
    scan: dict[str, Any] | None = None
    rescan: dict[str, Any] | None = None
    texts: tuple[str, ...] = ()
    pause_seconds: float = 0.0


@dataclass(frozen=True)
class Plan:
    """One run. `mail`: emails as base64. `seconds`: when those stop who would go on for ever."""

    functions_url: str
    gmail_url: str
    seconds: float
    clients: Sequence[Client]
    mail: Sequence[str] = ()

    @property
    def kinds(self) -> list[Kind]:
        """Each kind that is there, once."""
        return list(dict.fromkeys(client.kind for client in self.clients))

    def write(self, path: Path) -> None:
        """For this user's eyes: it holds tokens."""
        path.touch(mode=0o600)
        path.write_text(json.dumps(asdict(self)))

    @classmethod
    def read(cls, path: Path) -> "Plan":
        """What `write` wrote."""
        given = json.loads(path.read_text())
        clients = tuple(
            Client(**client | {"sends": tuple(map(tuple, client["sends"])), "texts": tuple(client["texts"])})
            for client in given["clients"]
        )
        return cls(**given | {"clients": clients, "mail": tuple(given["mail"])})
