"""A stand-in for Google's Telemetry API that reads OTLP over HTTP, and functions that send to it, each a process."""

import asyncio
import gzip
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from cryptography.fernet import Fernet
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from infra.local.parts import Part, http_answers
from infra.local.ports import free_port

ROOT = Path(__file__).parents[3]


@dataclass
class Collector:
    """Keeps what it is sent. `open`: cleared, it takes requests and answers none."""

    port: int = field(default_factory=free_port)
    received: list[ExportMetricsServiceRequest] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    open: asyncio.Event = field(default_factory=asyncio.Event)
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1/metrics"

    async def take(self, request: Request) -> Response:
        body = await request.body()
        if request.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        async with self.arrived:
            self.received.append(ExportMetricsServiceRequest.FromString(body))
            self.headers.append(dict(request.headers))
            self.arrived.notify_all()
        await self.open.wait()
        return Response(ExportMetricsServiceResponse().SerializeToString(), media_type="application/x-protobuf")

    def counted(self, name: str, labels: Mapping[str, str], *, export: int = -1) -> int:
        """The sum of a counter's, or the count of a histogram's points that have these labels, as last exported."""
        total = 0
        for metric in self.metrics(export):
            if metric.name != name:
                continue
            points = (*metric.sum.data_points, *metric.gauge.data_points, *metric.histogram.data_points)
            for point in points:
                given = {each.key: each.value.string_value for each in point.attributes}
                if labels.items() <= given.items():
                    total += point.count if hasattr(point, "count") else (point.as_int or int(point.as_double))
        return total

    def metrics(self, export: int = -1) -> list[Any]:
        scopes = (scope for resource in self.received[export].resource_metrics for scope in resource.scope_metrics)
        return [metric for scope in scopes for metric in scope.metrics]

    def about(self, export: int = -1) -> dict[str, str]:
        [resource] = self.received[export].resource_metrics
        return {each.key: each.value.string_value for each in resource.resource.attributes}

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["Collector"]:
        app = Starlette(routes=[Route("/v1/metrics", self.take, methods=["POST"])])
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
        listening = socket.create_server(("127.0.0.1", self.port))  # from now on who comes waits
        task = asyncio.create_task(server.serve([listening]))
        try:
            yield self
        finally:
            self.open.set()
            server.should_exit = True
            await task


@pytest.fixture
async def collector() -> AsyncIterator[Collector]:
    collector = Collector()
    collector.open.set()
    async with collector.serving():
        yield collector


class Function(Part):
    """A function that can do nothing but refuse: its database and its keys are nowhere."""

    def __init__(self, name: str, folder: Path, **settings: str) -> None:
        self.port = free_port()
        nowhere = "http://127.0.0.1:9"
        super().__init__(
            name,
            [Path(sys.executable).with_name("functions-framework"), "--host=127.0.0.1", f"--port={self.port}"],
            log=folder / f"{name}.log",
            ready=lambda: http_answers(self.port, "/health"),
            env={
                "FUNCTION_TARGET": name,
                "FUNCTION_SOURCE": str(ROOT / "main.py"),
                "SUPABASE_URL": nowhere,
                "SUPABASE_SECRET_KEY": "sb_secret_nowhere",
                "GOOGLE_CLIENT_ID": "nobody",
                "GOOGLE_CLIENT_SECRET": "nothing",
                "TOKEN_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
                "CALLER_AUDIENCE": nowhere,
                "CALLER_ACCOUNTS": "push@nowhere.example",
                "GOOGLE_KEYS_URL": nowhere,
                "GCP_PROJECT": "nowhere",
                **settings,
            },
            death_signal=signal.SIGTERM,
        )

    async def refuse(self, times: int = 1) -> None:
        """Have it refuse so many deliveries, one after another."""
        async with httpx.AsyncClient(timeout=30) as http:
            for _ in range(times):
                assert (await http.post(f"http://127.0.0.1:{self.port}/")).status_code == 401


@pytest.fixture
async def functions() -> AsyncIterator[AsyncExitStack]:
    """What is entered here ends with the test."""
    async with AsyncExitStack() as ending:
        yield ending
