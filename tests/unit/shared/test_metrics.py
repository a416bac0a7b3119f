"""How measurements are named, kept and told. All are read as an exporter reads them."""

import asyncio
import gc
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from opentelemetry import metrics as api
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader, Metric

from shared import metrics
from shared.breaker import Breaker, open_breakers
from shared.errors import GmailUnavailable, OverQuota
from shared.gmail.quota import PROFILES, Quota
from shared.used_share import Fullest, Minute


class Reader:
    """What would be exported now."""

    def __init__(self) -> None:
        self._reader = InMemoryMetricReader()
        api.set_meter_provider(MeterProvider([self._reader], shutdown_on_exit=False))

    def metrics(self) -> dict[str, Metric]:
        data = self._reader.get_metrics_data()
        scopes = [scope for resource in (data.resource_metrics if data else ()) for scope in resource.scope_metrics]
        return {metric.name: metric for scope in scopes for metric in scope.metrics}

    def value(self, name: str, **labels: str) -> float | None:
        """A counter's or a gauge's value, or how many a histogram holds; None: nothing is told."""
        metric = self.metrics().get(name)
        found = [
            point.count if isinstance(point, HistogramDataPoint) else getattr(point, "value", 0)
            for point in (metric.data.data_points if metric else ())
            if labels.items() <= dict(point.attributes or {}).items()
        ]
        return sum(found) if found else None


@pytest.fixture(scope="module")
def reader() -> Reader:
    """One for this process: a provider can't be set twice."""
    return Reader()


def test_names_are_prometheus_names_that_end_with_what_they_hold(reader: Reader) -> None:
    metrics.deliveries.add(1, {"function": "f", "result": "done"})
    metrics.lag.record(1.0)
    metrics.oldest_waiting.set(3.0)
    told = reader.metrics()
    assert {"tenths_deliveries_total", "tenths_lag_seconds", "tenths_oldest_waiting_seconds"} <= set(told)
    for name, metric in told.items():
        assert re.fullmatch(r"tenths_[a-z]+(_[a-z]+)*", name)
        assert metric.description
        assert (metric.unit == "s") is name.endswith("_seconds")


def test_an_email_that_comes_from_a_clock_ahead_of_ours_took_no_time(reader: Reader) -> None:
    before = reader.value("tenths_lag_seconds") or 0
    metrics.arrived(datetime.now(UTC) + timedelta(minutes=5))
    assert reader.value("tenths_lag_seconds") == before + 1
    [point] = reader.metrics()["tenths_lag_seconds"].data.data_points
    assert isinstance(point, HistogramDataPoint)
    assert point.min >= 0


def test_a_stage_is_measured_however_it_ends(reader: Reader) -> None:
    with pytest.raises(ValueError, match="no"), metrics.stage("history"):
        raise ValueError("no")
    assert reader.value("tenths_stage_seconds", stage="history") == 1


def test_what_ends_in_an_error_has_failed(reader: Reader) -> None:
    with pytest.raises(ValueError, match="no"), metrics.timed(metrics.database_calls, {"call": "x"}) as went:
        raise ValueError("no")
    with metrics.timed(metrics.database_calls, {"call": "x"}) as went:
        went.name = "done"
    assert reader.value("tenths_database_seconds", call="x", result="failed") == 1
    assert reader.value("tenths_database_seconds", call="x", result="done") == 1


@pytest.fixture
def kept_for_a_moment() -> Iterator[None]:
    metrics.Standing.kept_seconds = 0.0
    yield
    metrics.Standing.kept_seconds = None


def test_how_things_stood_is_told_by_labels_and_the_last_look_counts(reader: Reader) -> None:
    metrics.mailboxes.set(4, state="connected")
    metrics.mailboxes.set(1, state="reconnect_needed")
    metrics.mailboxes.set(5, state="connected")
    assert reader.value("tenths_mailboxes", state="connected") == 5
    assert reader.value("tenths_mailboxes", state="reconnect_needed") == 1


@pytest.mark.usefixtures("kept_for_a_moment")
def test_an_instance_that_looked_long_ago_no_longer_tells_what_it_saw(reader: Reader) -> None:
    metrics.watches_lapsing.set(3)
    assert reader.value("tenths_watches_lapsing") is None
    metrics.Standing.kept_seconds = 3600.0
    assert reader.value("tenths_watches_lapsing") == 3


async def test_the_quota_that_a_mailbox_used_shows_and_that_of_a_client_that_is_gone_does_not(reader: Reader) -> None:
    quota = Quota(PROFILES["2026"])
    await quota.spend("a", "gmail.users.messages.get", patience_seconds=1, calls=30)
    await quota.spend("b", "gmail.users.messages.get", patience_seconds=1, calls=90)
    await quota.spend("b", "gmail.users.messages.list", patience_seconds=1, background=True)
    assert reader.value("tenths_gmail_quota_used_share", of="mailbox") == pytest.approx(1805 / 6_000)
    assert reader.value("tenths_gmail_quota_used_share", of="project") == pytest.approx(2405 / 1_200_000)
    assert reader.value("tenths_gmail_quota_units_total", method="gmail.users.messages.get", priority="live") == 2400
    assert reader.value("tenths_gmail_quota_units_total", priority="background") == 5
    assert reader.value("tenths_gmail_quota_wait_seconds", result="granted") == 3
    del quota
    gc.collect()
    assert reader.value("tenths_gmail_quota_used_share") is None


async def test_a_wait_for_quota_that_was_in_vain_spends_nothing(reader: Reader) -> None:
    quota = Quota(PROFILES["2026"])
    spent = reader.value("tenths_gmail_quota_units_total") or 0
    with pytest.raises(OverQuota):
        await quota.spend("a", "gmail.users.messages.get", patience_seconds=0, calls=1_000)
    assert (reader.value("tenths_gmail_quota_units_total") or 0) == spent
    assert reader.value("tenths_gmail_quota_wait_seconds", result="failed") == 1
    assert reader.value("tenths_gmail_quota_used_share", of="mailbox") == 0


async def test_a_breaker_that_opens_and_closes_shows(reader: Reader) -> None:
    breaker = Breaker(
        "shown", counts=(GmailUnavailable,), open_error=lambda _: GmailUnavailable("open"), threshold=2, rest_seconds=0
    )

    async def fail() -> None:
        raise GmailUnavailable("away")

    async def work() -> None:
        await asyncio.sleep(0)

    for _ in range(2):
        with pytest.raises(GmailUnavailable):
            await breaker.call(fail)
    assert reader.value("tenths_breakers_open", breaker="shown") == 1
    assert reader.value("tenths_breaker_changes_total", breaker="shown", state="opened") == 1
    assert "shown" in open_breakers()
    await breaker.call(work)
    assert reader.value("tenths_breakers_open", breaker="shown") == 0
    assert reader.value("tenths_breaker_changes_total", breaker="shown", state="closed") == 1
    assert "shown" not in open_breakers()


def test_a_minute_holds_what_was_used_within_it() -> None:
    minute = Minute(60.0)
    assert minute.add(10, now=0.5) == 10
    assert minute.add(5, now=0.9) == 15
    assert minute.add(7, now=59.0) == 22
    assert minute.add(1, now=60.0) == 8
    assert minute.add(1, now=500.0) == 1


def test_the_fullest_minute_is_told_for_a_minute() -> None:
    now = 100.0
    fullest = Fullest(60.0, clock=lambda: now)
    assert fullest.share == 0
    fullest.saw(0.9, now=100.2)
    fullest.saw(0.4, now=100.8)
    fullest.saw(0.5, now=130.0)
    assert fullest.share == 0.9
    now = 170.0
    assert fullest.share == 0.5
    now = 200.0
    assert fullest.share == 0
