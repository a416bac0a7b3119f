"""The Gmail simulator, for what is asked of its OAuth endpoints."""

import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from infra.local.mailbox import AppCredentials, app_credentials
from infra.local.parts import Part, http_answers, module_path
from infra.local.ports import free_port


@dataclass(frozen=True)
class Google:
    """The running simulator, and what it has given our app."""

    url: str
    http: httpx.AsyncClient
    app: AppCredentials

    async def fault(self, kind: str, **plan: Any) -> None:
        (await self.http.post(f"{self.url}/_sim/faults", json={"kind": kind, **plan})).raise_for_status()

    async def let_in(self, *domains: str) -> None:
        (await self.http.put(f"{self.url}/_sim/delegation", json={"domains": list(domains)})).raise_for_status()

    async def mailbox(self, address: str) -> dict[str, str]:
        made: dict[str, str] = (await self.http.post(f"{self.url}/_sim/mailboxes", json={"address": address})).json()
        return made


@pytest.fixture(scope="session")
async def google(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Google]:
    folder = tmp_path_factory.mktemp("google")
    port = free_port()
    part = Part(
        "gmail simulator",
        [
            *(sys.executable, "-m", "infra.local.gmail", "--port", str(port), "--data", str(folder)),
            *("--pubsub-emulator", f"127.0.0.1:{free_port()}", "--project", "tenths-local"),
        ],
        log=folder / "gmail.log",
        ready=lambda: http_answers(port, "/healthz"),
        env=module_path(),
    )
    url = f"http://127.0.0.1:{port}"
    async with part, httpx.AsyncClient(timeout=30) as http:
        yield Google(url, http, await app_credentials(http, url))
