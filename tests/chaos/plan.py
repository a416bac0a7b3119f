"""What is to happen in a run, all of it data: who there is, what they send and when, what goes wrong, who does what.

The same seed gives the same plan. A plan is kept beside the logs of its run and can be run again as it is.
"""

import random
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict

Fate = Literal["sent", "deleted", "draft", "received"]


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Person(_Data):
    """A timekeeper: settings as the table has them, matters of the directory, and how many mailboxes."""

    name: str
    settings: dict[str, Any]
    matters: tuple[dict[str, Any], ...] = ()
    mailboxes: int = 1

    @property
    def rules_only(self) -> bool:
        return bool(self.settings.get("analysis_mode") == "rules_only")

    def address(self, mailbox: int) -> str:
        return f"{self.name}-{mailbox}@whitfieldlaw.example"


class Mail(_Data):
    """One message: `at` seconds from the start, of which person's which mailbox. `raw`: its bytes, as Latin-1."""

    number: int
    at: float
    person: int
    mailbox: int
    fate: Fate
    raw: str

    @property
    def content(self) -> bytes:
        return self.raw.encode("latin-1")


class Event(_Data):
    """Something that happens `at` seconds from the start. `what` and `how` are read in faults.py and people.py."""

    at: float
    what: str
    how: dict[str, Any]


class Plan(_Data):
    """All of it. Times are seconds; after `seconds` nothing more goes wrong.

    aided: with maintenance, and with trouble that only maintenance makes good (a lost push, a Pub/Sub that has lost its
    memory, a model that is away). Without, deliveries alone must see to it that nothing is lost.
    """

    seed: int
    aided: bool
    seconds: float
    persons: tuple[Person, ...]
    mails: tuple[Mail, ...]
    events: tuple[Event, ...]

    def save(self, path: Path) -> None:
        path.write_text(self.model_dump_json(indent=1))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Raises OSError, pydantic.ValidationError."""
        return cls.model_validate_json(path.read_text())


def randomness(seed: int, of: str) -> random.Random:
    """Choices that repeat with the seed; each subject has its own, so that one more here moves nothing there."""
    return random.Random(f"{seed}/{of}")  # noqa: S311  runs are to repeat, nothing hangs on it
