"""Functions start without what they don't use, and with Google's own token where measurements go to Google."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from infra.local.ports import free_port

ROOT = Path(__file__).parents[3]
SETTINGS = {
    "SUPABASE_URL": "http://127.0.0.1:9",
    "SUPABASE_SECRET_KEY": "sb_secret_nowhere",
    "GOOGLE_CLIENT_ID": "nobody",
    "GOOGLE_CLIENT_SECRET": "nothing",
    "TOKEN_ENCRYPTION_KEYS": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    "CALLER_AUDIENCE": "http://127.0.0.1:9",
    "CALLER_ACCOUNTS": "push@nowhere.example",
    "GCP_PROJECT": "nowhere",
}
SERVED = """
import asyncio, json, sys
import main
from opentelemetry import metrics
from starlette.requests import Request

async def receive():
    return {"type": "http.request", "body": b"", "more_body": False}

async def serve():
    scope = {"type": "http", "method": "POST", "path": "/", "headers": [], "query_string": b""}
    answer = await main.analyze_email(Request(scope, receive))
    provider = type(metrics.get_meter_provider()).__name__
    print(json.dumps([answer.status_code, provider, sorted(sys.modules)]))

asyncio.run(serve())
"""
# The SDK itself is loaded with the circuit breaker: purgatory loads redis, which loads it wherever it is installed.
HEAVY = ("opentelemetry.exporter", "prometheus_client", "requests")
NOTHING = "_ProxyMeterProvider"


def loaded(**settings: str) -> tuple[str, set[str]]:
    """What keeps the measurements of a process that has served a request, and the heavy libraries it has loaded."""
    env = {**os.environ, **SETTINGS, "FUNCTION_TARGET": "analyze_email", **settings}
    done = subprocess.run([sys.executable, "-c", SERVED], capture_output=True, text=True, check=True, cwd=ROOT, env=env)
    status, provider, modules = json.loads(done.stdout.splitlines()[-1])
    assert status == 401
    return provider, {heavy for heavy in HEAVY if heavy in modules}


def test_without_an_exporter_nothing_is_kept_and_nothing_loaded() -> None:
    assert loaded() == (NOTHING, set())
    assert loaded(METRICS_EXPORTER="none") == (NOTHING, set())


def test_an_exporter_is_loaded_where_it_is_asked_for() -> None:
    scraped = {"METRICS_PORT": str(free_port())}
    expected = "MeterProvider", {"opentelemetry.exporter", "prometheus_client"}
    assert loaded(METRICS_EXPORTER="prometheus", **scraped) == expected
    elsewhere = {"METRICS_ENDPOINT": "http://127.0.0.1:9/v1/metrics", "METRICS_EVERY_SECONDS": "3600"}
    expected = "MeterProvider", {"opentelemetry.exporter", "requests"}
    assert loaded(METRICS_EXPORTER="cloud_monitoring", **elsewhere) == expected


class Metadata(BaseHTTPRequestHandler):
    """What Google's metadata server tells an instance, as far as it is asked here."""

    ANSWERS: ClassVar = {
        "/": "computeMetadata/",
        "/computeMetadata/v1/project/project-id": "a-firms-project",
        "/computeMetadata/v1/instance/region": "projects/123/regions/europe-west4",
    }

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path.endswith("/token"):
            body = json.dumps({"access_token": "ya29.instance", "expires_in": 3599, "token_type": "Bearer"})
        elif path.endswith("/service-accounts/default/"):
            body = json.dumps({"email": "fn@a-firms-project.iam.gserviceaccount.com", "scopes": [], "aliases": []})
        elif path == "/echo":
            body = self.headers.get("Authorization", "")
        else:
            body = self.ANSWERS.get(path, "")
        self.send_response(200)
        self.send_header("Metadata-Flavor", "Google")
        self.send_header("Content-Type", "application/json" if body.startswith("{") else "text/plain")
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_args: object) -> None:
        """Nothing."""


@pytest.fixture
def metadata() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Metadata)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


ASKED = """
import json, sys
from shared.telemetry import _google, _region
session, project = _google()
print(json.dumps([project, _region(), session.get(sys.argv[1]).text]))
"""


def test_at_google_an_instance_sends_its_own_token_and_knows_its_project_and_region(
    metadata: str, tmp_path: Path
) -> None:
    env = {key: value for key, value in os.environ.items() if not key.startswith(("GOOGLE_", "CLOUDSDK_"))}
    env |= {"GCE_METADATA_HOST": metadata, "GCE_METADATA_IP": metadata, "CLOUDSDK_CONFIG": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", ASKED, f"http://{metadata}/echo"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env=env,
    )
    assert json.loads(done.stdout) == ["a-firms-project", "europe-west4", "Bearer ya29.instance"]
