"""What the simulator knows: who may call, what was asked, and what is to go wrong."""

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from infra.local.openai.judge import LIES, Scripted
from infra.local.openai.limits import Allowed, Limits
from infra.local.openai.talker import Turn

MOST_RECORDED: Final = 10_000
# Answers that never become one, refusals of the API, and answers that are no good. Lies come besides.
WIRE: Final = frozenset({"hang", "drip", "slow", "reset", "cut"})
REFUSALS: Final = frozenset({"429", "insufficient_quota", "500", "502", "503", "401", "404"})
BAD_ANSWERS: Final = frozenset({"broken_json", "truncated", "refusal", "content_filter", "empty", "html", "no_choices"})
# What only a stream can meet: other calls leave these for the next stream.
STREAMS: Final = frozenset({"stream_cut", "stream_error", "stream_hang", "stream_broken_arguments", "stream_no_done"})
KINDS: Final = WIRE | REFUSALS | BAD_ANSWERS | STREAMS | frozenset(LIES)
SEED: Final = 1


@dataclass(slots=True, eq=False)
class Fault:
    """What happens to the next `count` calls; None: to all until it is taken back."""

    kind: str
    count: int | None = 1
    delay_ms: int = 0
    retry_after_s: float | None = None


@dataclass(slots=True)
class Simulator:
    """State of one run.

    `api_keys`: those that may call, each within limits of its own; all are `allowed` the same. `latency_ms` before each
    answer, and up to `jitter_ms` more, drawn in the same order in every run. `chunk_delay_ms` between two chunks of a
    stream.
    """

    api_keys: tuple[str, ...]
    models: tuple[str, ...]
    allowed: Allowed = field(default_factory=Allowed)
    latency_ms: float = 0.0
    jitter_ms: float = 0.0
    chunk_delay_ms: float = 0.0
    faults: list[Fault] = field(default_factory=list)
    scripts: list[Scripted] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    met: Counter[str] = field(default_factory=Counter)
    """Faults that calls have met, by kind."""
    limits: dict[str, Limits] = field(init=False)
    # Nothing secret: runs are to repeat.
    _random: random.Random = field(default_factory=lambda: random.Random(SEED), init=False, repr=False)  # noqa: S311  # nosec B311

    def __post_init__(self) -> None:
        self.limits = {key: Limits(self.allowed) for key in self.api_keys}

    def limits_of(self, authorization: str | None) -> Limits | None:
        """The limits of whoever calls with this header; None: nobody may."""
        return self.limits.get((authorization or "").removeprefix("Bearer "))

    def draw_wait_ms(self) -> float:
        """How long the next answer is to take."""
        return self.latency_ms + (self._random.uniform(0, self.jitter_ms) if self.jitter_ms else 0.0)

    def set_jitter(self, jitter_ms: float) -> None:
        """Draw from this range from now on, from the beginning of the row."""
        self.jitter_ms = jitter_ms
        self._random.seed(SEED)

    @contextmanager
    def call_under_way(self) -> Iterator[None]:
        """Count a call as under way."""
        self.counts["under_way"] += 1
        self.counts["most_under_way"] = max(self.counts["most_under_way"], self.counts["under_way"])
        try:
            yield
        finally:
            self.counts["under_way"] -= 1

    def take_fault(self, *, streamed: bool) -> Fault | None:
        """The fault that this call meets: the oldest that is planned and can befall it."""
        fault = next((each for each in self.faults if streamed or each.kind not in STREAMS), None)
        if fault is not None:
            self.met[fault.kind] += 1
        if fault is not None and fault.count is not None:
            fault.count -= 1
            if fault.count < 1:
                self.faults.remove(fault)
        return fault

    def record(self, body: dict[str, Any]) -> None:
        """Keep what was asked, for a test to look at."""
        if len(self.requests) < MOST_RECORDED:
            self.requests.append(body)
