"""Where measurements go: nowhere, to whoever scrapes this process, or to Google Cloud's Telemetry API (OTLP).

SDK and exporter are loaded only when the setting asks for one. Of the two ways into Cloud Monitoring this is the one
that is kept: Google's own exporter for Python is an alpha, and deprecated in favour of OTLP.
"""

import asyncio
import math
import os
import signal
import time
import uuid
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

import structlog
from opentelemetry import metrics

from shared.metrics import Standing
from shared.settings import MetricsSettings

if TYPE_CHECKING:
    import requests
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import MetricReader

# A request waits for this at most, once every so often.
FLUSH_SECONDS: Final = 3.0
# Cloud Monitoring refuses points of one series that are closer together.
LEAST_SECONDS_BETWEEN: Final = 5.0
# An instance that looked, and then does other work, tells what it saw in this flush, and not in those of the next hour.
STANDING_SECONDS: Final = 60.0
GOOGLE: Final = ".googleapis.com"
_SCOPE: Final = "https://www.googleapis.com/auth/monitoring.write"
_REGION: Final = "computeMetadata/v1/instance/region"

log = structlog.get_logger()


class Telemetry:
    """Lives with the process that serves requests.

    A function's instance computes only while it has a request: a timer would send when it may, not when it should. So
    whoever ends a request calls `flush`, and what was counted since is sent when the process is told to end.

    every_seconds: how often at most, monotonic; None: nothing is sent, it is scraped.
    """

    def __init__(self, provider: "MeterProvider", every_seconds: float | None) -> None:
        self._provider = provider
        self._every_seconds = every_seconds
        self._last = -math.inf  # an instance may have one request in its life
        self._ending: asyncio.Task[None] | None = None
        metrics.set_meter_provider(provider)
        if every_seconds is not None:
            _on_sigterm(self._end)

    async def flush(self, *, at_once: bool = False) -> None:
        """Send what was counted, if it is time. Never raises: what isn't sent now is in the next sum."""
        if self._every_seconds is None:
            return
        pause = min(LEAST_SECONDS_BETWEEN, self._every_seconds) if at_once else self._every_seconds
        if time.monotonic() >= self._last + pause or self._ending is not None:
            await self._send()

    async def _send(self) -> None:
        self._last = time.monotonic()  # first: of the requests that end meanwhile none sends, too
        try:
            await asyncio.to_thread(self._provider.force_flush, int(FLUSH_SECONDS * 1000))
        except Exception as error:  # noqa: BLE001  a request isn't to fail for what is measured of it
            log.warning("metrics.not_sent", error=type(error).__name__)

    def _end(self) -> None:
        """Send, and only then end as the server does. Requests that are under way go on, and send for themselves."""

        async def end() -> None:
            await self._send()
            signal.raise_signal(signal.SIGTERM)

        self._ending = asyncio.create_task(end())


def set_up(settings: MetricsSettings, function: str) -> Telemetry | None:
    """What the settings ask for; None: nothing is kept. Call it once, where requests are served (gunicorn forks)."""
    if settings.metrics_exporter == "none":
        return None
    if settings.metrics_exporter == "prometheus":
        return Telemetry(_scraped(settings, function), None)
    Standing.kept_seconds = STANDING_SECONDS
    return Telemetry(_pushed(settings, function), settings.metrics_every_seconds)


def _on_sigterm(end: Callable[[], None]) -> None:
    """Have this done on the event loop when the process is told to end, once; who told so then tells the server.

    Not in the handler itself: it may interrupt this very thread where it holds a lock that sending takes.
    """
    loop, before = asyncio.get_running_loop(), signal.getsignal(signal.SIGTERM)

    def told(_number: int, _frame: object) -> None:
        signal.signal(signal.SIGTERM, before)
        loop.call_soon_threadsafe(end)

    signal.signal(signal.SIGTERM, told)


def _scraped(settings: MetricsSettings, function: str) -> "MeterProvider":
    """A port of its own: the function's is the whole world's, and no scraper sends Google's tokens."""
    from opentelemetry.exporter.prometheus import PrometheusMetricReader  # noqa: PLC0415  only where it is asked for
    from prometheus_client import CollectorRegistry, start_http_server  # noqa: PLC0415  the same

    registry = CollectorRegistry()
    reader = PrometheusMetricReader(registry=registry, scope_info_enabled=False)
    start_http_server(settings.metrics_port, settings.metrics_host, registry)
    return _provider(reader, {"service.name": function, "service.namespace": "tenths"})


def _pushed(settings: MetricsSettings, function: str) -> "MeterProvider":
    from opentelemetry.exporter.otlp.proto.http import Compression  # noqa: PLC0415  only where it is asked for
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter  # noqa: PLC0415  the same
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader  # noqa: PLC0415  the same

    session, project = None, None
    if (settings.metrics_endpoint.host or "").endswith(GOOGLE):
        session, project = _google()
    location = settings.metrics_location or (_region() if session else None)
    about = {
        "service.name": function,
        "service.namespace": "tenths",
        # Sums of two instances must not be taken for one that goes up and down.
        "service.instance.id": uuid.uuid4().hex,
        "cloud.platform": "gcp_cloud_run",
        **({"cloud.region": location} if location else {}),
        **({"gcp.project_id": project} if project else {}),
    }
    exporter = OTLPMetricExporter(
        str(settings.metrics_endpoint), session=session, timeout=FLUSH_SECONDS, compression=Compression.Gzip
    )
    return _provider(PeriodicExportingMetricReader(exporter, export_interval_millis=math.inf), about)


def _provider(reader: "MetricReader", about: Mapping[str, Any]) -> "MeterProvider":
    from opentelemetry.sdk.metrics import MeterProvider  # noqa: PLC0415  only where an exporter is asked for
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415  the same

    return MeterProvider([reader], resource=Resource(about))


def _google() -> "tuple[requests.Session, str | None]":
    """A session that sends this function's own token, and the project it runs in."""
    import google.auth  # noqa: PLC0415  only where measurements go to Google
    from google.auth.transport.requests import AuthorizedSession  # noqa: PLC0415  the same

    credentials, project = google.auth.default(scopes=[_SCOPE])
    return AuthorizedSession(credentials), project  # type: ignore[no-untyped-call]  # published without types for it


def _region() -> str:
    """Where this instance runs, `us-central1`, as its metadata server says (`projects/1/regions/us-central1`)."""
    import requests  # noqa: PLC0415  only where measurements go to Google

    host = os.environ.get("GCE_METADATA_HOST", "metadata.google.internal")  # as google-auth reads it
    answer = requests.get(f"http://{host}/{_REGION}", headers={"Metadata-Flavor": "Google"}, timeout=FLUSH_SECONDS)
    answer.raise_for_status()
    return answer.text.rpartition("/")[2]
