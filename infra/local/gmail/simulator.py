"""The parts of the simulator, made once and handed to whoever answers calls."""

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from infra.local.gmail.database import open_database
from infra.local.gmail.faults import Faults
from infra.local.gmail.mailboxes import Mailboxes
from infra.local.gmail.mailstore import MailStore
from infra.local.gmail.oauth import Tokens
from infra.local.gmail.push import Pushes, PushSettings
from infra.local.gmail.quota import PROFILES, Quota


class SentAs(StrEnum):
    """How a sent message shows up in history."""

    MESSAGE_ADDED = "messageAdded"
    # A message first, SENT a change later: scheduled sends and some clients.
    LABEL_ADDED = "labelAdded"


@dataclass(slots=True)
class Behaviour:
    """What may be changed while running. Latencies are milliseconds, the jitter uniform between 0 and its value.

    `batch_parallel`: how many calls of one batch are under way at a time; each has a latency of its own.
    """

    latency_ms: float = 0.0
    jitter_ms: float = 0.0
    sent_as: SentAs = SentAs.MESSAGE_ADDED
    batch_parallel: int = 10


class UnderWay:
    """How many calls of each mailbox are under way, alone or within batches, and the most that ever were."""

    def __init__(self) -> None:
        self._now: Counter[str] = Counter()
        self.most: Counter[str] = Counter()

    @contextmanager
    def call(self, address: str) -> Iterator[None]:
        """Counts one call of this mailbox for as long as it lasts."""
        self._now[address] += 1
        self.most[address] = max(self.most[address], self._now[address])
        try:
            yield
        finally:
            self._now[address] -= 1


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says."""

    data: Path
    pubsub_emulator: str
    topic: str
    quota_profile: str
    token_lifetime_s: float
    push: PushSettings
    behaviour: Behaviour
    seed: int | None


@dataclass(slots=True)
class Simulator:
    """Everything there is. `topic` is the full name that a watch has to ask for."""

    topic: str
    mailboxes: Mailboxes
    store: MailStore
    tokens: Tokens
    quota: Quota
    faults: Faults
    pushes: Pushes
    behaviour: Behaviour
    randomness: random.Random
    calls: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    """By what was called and why not: `history.list 404`, `token invalid_grant`."""
    under_way: UnderWay = field(default_factory=UnderWay)
    watched_elsewhere: set[int] = field(default_factory=set)
    """Mailboxes whose pushes go to another client of the project, until that is stopped."""

    @classmethod
    def open(cls, options: Options) -> "Simulator":
        """Opens the data folder, within an event loop. Raises OSError or sqlite3.Error when that can't be done."""
        database = open_database(options.data)
        # Ids and latencies, so that a run can be repeated; tokens come from the system's own source.
        randomness = random.Random(options.seed)  # noqa: S311  # nosec B311
        mailboxes = Mailboxes(database, randomness)
        faults = Faults()
        return cls(
            topic=options.topic,
            mailboxes=mailboxes,
            store=MailStore(database, mailboxes, randomness),
            tokens=Tokens(database, mailboxes, options.token_lifetime_s),
            quota=Quota(PROFILES[options.quota_profile]),
            faults=faults,
            pushes=Pushes(options.pubsub_emulator, options.topic, mailboxes, faults, options.push),
            behaviour=options.behaviour,
            randomness=randomness,
        )

    async def close(self) -> None:
        """Lets go of the broker and the file."""
        await self.pushes.close()
        self.store.database.close()
