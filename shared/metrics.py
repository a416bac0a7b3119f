"""All that is measured: names, units and buckets in one place. The names are Prometheus', there and in the cloud.

    with metrics.stage("fetch"):
        raw = await mailbox.fetch(email_id)
    metrics.emails.add(1, {"outcome": "entries"})
    metrics.watches_lapsing.set(3)

This is OpenTelemetry's API alone: until `shared.telemetry` sets an exporter up, it costs nothing and keeps nothing.
Labels have few values, known beforehand. Never a user, a mailbox, an address or an id: the logs hold those.
"""

import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from opentelemetry import metrics
from opentelemetry.metrics import CallbackOptions, Counter, Histogram, Observation

from shared.errors import TenthsError

Stage = Literal["fetch", "read", "model", "record", "history", "publish"]

_METER: Final = metrics.get_meter("tenths")
# From a call that takes no time to one that runs into its timeout.
_CALL_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
# A wait for quota or for a turn, up to the patience of a delivery.
_WAIT_SECONDS: Final = (0.01, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 45.0, 60.0)
# From the moment after sending to the week that Gmail keeps history for.
_LAG_SECONDS: Final = (
    *(0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0),
    *(120.0, 300.0, 600.0, 1_800.0, 3_600.0, 21_600.0, 86_400.0, 604_800.0),
)


def _counter(name: str, counted: str, description: str) -> Counter:
    return _METER.create_counter(f"tenths_{name}_total", f"{{{counted}}}", description)


def _seconds(name: str, buckets: Sequence[float], description: str) -> Histogram:
    return _METER.create_histogram(
        f"tenths_{name}_seconds", "s", description, explicit_bucket_boundaries_advisory=buckets
    )


class Standing:
    """How things stood when somebody last looked: a gauge that is set now and then, by whoever counts.

    An instance that looked an hour ago must not go on telling what it saw, beside another that has looked since: with
    `Standing.kept_seconds` set, a value that is older than that is no longer told.
    """

    kept_seconds: float | None = None

    def __init__(self, name: str, unit: str, description: str) -> None:
        self._values: dict[tuple[tuple[str, str], ...], tuple[float, float]] = {}
        _METER.create_observable_gauge(f"tenths_{name}", [self._observed], unit, description)

    def set(self, value: float, **labels: str) -> None:
        self._values[tuple(labels.items())] = (value, time.monotonic())

    def _observed(self, _options: CallbackOptions) -> Iterable[Observation]:
        oldest = float("-inf") if self.kept_seconds is None else time.monotonic() - self.kept_seconds
        return [Observation(value, dict(labels)) for labels, (value, at) in self._values.items() if at >= oldest]


class Asked:
    """A gauge whose value is asked for when measurements are collected, from those who said that they have one.

    Of several in one process the largest counts. Whoever is gone is asked no more.
    """

    def __init__(self, name: str, unit: str, description: str) -> None:
        self._sources: list[weakref.WeakMethod[Callable[[], Mapping[str, float]]]] = []
        _METER.create_observable_gauge(f"tenths_{name}", [self._observed], unit, description)

    def of(self, source: Callable[[], Mapping[str, float]]) -> None:
        """`source`: a method that gives values by the label `of`. It is called in another thread."""
        self._sources = [known for known in self._sources if known() is not None]
        self._sources.append(weakref.WeakMethod(source))

    def _observed(self, _options: CallbackOptions) -> Iterable[Observation]:
        largest: dict[str, float] = {}
        for source in tuple(self._sources):
            values = source()
            for of, value in (values() if values else {}).items():
                largest[of] = max(value, largest.get(of, value))
        return [Observation(value, {"of": of}) for of, value in largest.items()]


# What came in, and what became of it.

deliveries: Final = _counter("deliveries", "delivery", "Deliveries by function and by result: done, or a code")
requests: Final = _counter("requests", "request", "Users' requests by function, by status, and by the error's code")
tries: Final = _counter("tries", "try", "Calls that were tried again, by the error's code")
emails: Final = _counter("emails", "email", "Emails put on record, by outcome, and by code where they failed")
entries: Final = _counter("entries", "entry", "Entries of emails put on record, by extractor, read again or not")
lag: Final = _seconds("lag", _LAG_SECONDS, "From an email's sending, by Gmail's clock, to its being on record")
stages: Final = _seconds("stage", _CALL_SECONDS, "Parts of an email's way, by stage")

# What is asked outside.

gmail_calls: Final = _counter("gmail_calls", "call", "Calls of Gmail, each of a batch, by method and by status")
gmail_units: Final = _counter("gmail_quota_units", "unit", "Units of Gmail's quota, by method and by priority")
gmail_used_share: Final = Asked(
    "gmail_quota_used_share", "", "The fullest minute of the last: of a mailbox's quota, and of the project's"
)
gmail_waits: Final = _seconds("gmail_quota_wait", _WAIT_SECONDS, "Waits for Gmail's quota, by priority and by result")
model_calls: Final = _counter("model_calls", "call", "Tries of the language model by purpose and by result")
model_tokens: Final = _counter("model_tokens", "token", "Tokens as the model's server counts them, by kind")
model_waits: Final = _seconds("model_wait", _WAIT_SECONDS, "Waits for the model's limit, by result")
model_fallbacks: Final = _counter("model_fallbacks", "email", "Emails that the model gave nothing for, by code")
model_verdicts: Final = _counter("model_verdicts", "verdict", "The model's verdicts: believed, or why not")
database_calls: Final = _seconds("database", _CALL_SECONDS, "Tries of the database by function and by result")
published: Final = _counter("published", "message", "Messages handed to Pub/Sub by topic and by result")
cache_lookups: Final = _counter("cache_lookups", "look-up", "Look-ups in caches by cache and by result: hit, miss")
breaker_changes: Final = _counter("breaker_changes", "change", "Circuit breakers' changes, by breaker and by new state")
breakers_open: Final = _METER.create_up_down_counter(
    "tenths_breakers_open", "{breaker}", "Circuit breakers that are open now, by breaker"
)

# What maintenance does, and how things stand when it looks.

maintenance_runs: Final = _counter("maintenance_runs", "run", "Runs of maintenance tasks by task and by result")
maintained: Final = _counter("maintained", "thing", "What maintenance dealt with, by task and by what was done")
watches_lapsing: Final = Standing("watches_lapsing", "{watch}", "Connected mailboxes whose watch ends within a day")
watches_lapsed: Final = Standing("watches_lapsed", "{watch}", "Connected mailboxes without a watch")
mailboxes: Final = Standing("mailboxes", "{mailbox}", "Mailboxes by state")
emails_waiting: Final = Standing("emails_waiting", "{email}", "Emails handed on and not on record yet")
oldest_waiting: Final = Standing("oldest_waiting_seconds", "s", "How long the oldest of those has waited")
dead_letters: Final = Standing("dead_letters", "{message}", "Dead letters by state: pending, kept")
second_looks_due: Final = Standing("second_looks_due", "{email}", "Emails that wait for another look")
summaries_age: Final = Standing("summaries_age_seconds", "s", "Since the summaries were last refreshed")
found_by_listing: Final = _counter("found_by_listing", "email", "Emails that history had left out, found by listing")
coverage_missing: Final = Standing("coverage_missing", "{email}", "Sent emails not on record when last checked")


def arrived(sent_at: datetime) -> None:
    """An email is on record for the first time. Gmail's clock may be ahead of ours: then that took no time."""
    lag.record(max((datetime.now(UTC) - sent_at).total_seconds(), 0.0))


@contextmanager
def stage(name: Stage) -> Iterator[None]:
    """Measure a part of an email's way, however it ends."""
    begun = time.monotonic()
    try:
        yield
    finally:
        stages.record(time.monotonic() - begun, {"stage": name})


@contextmanager
def model_call(purpose: Literal["judge", "chat"]) -> Iterator[None]:
    """Count a try of the language model, by the code of the error that it ends with."""
    result = "broken"
    try:
        yield
        result = "done"
    except TenthsError as error:
        result = error.code
        raise
    finally:
        model_calls.add(1, {"purpose": purpose, "result": result})


def model_used(prompt_tokens: int, output_tokens: int) -> None:
    """Count what an answer took."""
    model_tokens.add(prompt_tokens, {"kind": "prompt"})
    model_tokens.add(output_tokens, {"kind": "output"})


@dataclass(slots=True)
class Result:
    """How it went, told in the end. It failed, until somebody says otherwise."""

    name: str = "failed"


@contextmanager
def timed(histogram: Histogram, labels: dict[str, str]) -> Iterator[Result]:
    """Measure something with a `result`."""
    result = Result()
    begun = time.monotonic()
    try:
        yield result
    finally:
        histogram.record(time.monotonic() - begun, {**labels, "result": result.name})
