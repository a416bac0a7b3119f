"""Our Gmail client against the simulator, over the wire, with no broker behind it."""

import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from infra.local.mailbox import ConnectedMailbox, app_credentials
from infra.local.parts import Part, http_answers, module_path
from infra.local.ports import free_port
from shared.gmail.access import AccessTokens
from shared.gmail.client import Gmail, GmailMailbox
from shared.gmail.quota import PROFILES, Quota
from shared.tokens import TokenVault


@dataclass(frozen=True)
class Simulated:
    """The running simulator."""

    url: str
    http: httpx.AsyncClient

    async def fault(self, kind: str, **plan: Any) -> None:
        (await self.http.post(f"{self.url}/_sim/faults", json={"kind": kind, **plan})).raise_for_status()

    async def stats(self) -> dict[str, Any]:
        stats: dict[str, Any] = (await self.http.get(f"{self.url}/_sim/stats")).json()
        return stats

    async def clean(self) -> None:
        await self.http.delete(f"{self.url}/_sim/faults")
        await self.http.delete(f"{self.url}/_sim/stats")
        await self.http.patch(f"{self.url}/_sim/settings", json={"quota_profile": "2026"})


@dataclass(frozen=True)
class Box:
    """One mailbox: `owner` sends, `app` is our client with read-only access."""

    owner: ConnectedMailbox
    app: GmailMailbox
    gmail: Gmail


@pytest.fixture(scope="session")
async def simulated(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Simulated]:
    folder = tmp_path_factory.mktemp("simulated")
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
    async with part, httpx.AsyncClient(timeout=30) as http:
        yield Simulated(f"http://127.0.0.1:{port}", http)


@pytest.fixture
async def box(simulated: Simulated) -> AsyncIterator[Box]:
    await simulated.clean()
    address = f"{uuid4().hex}@firm.example"
    made = (await simulated.http.post(f"{simulated.url}/_sim/mailboxes", json={"address": address})).json()
    credentials = await app_credentials(simulated.http, simulated.url)
    vault = TokenVault(SecretStr(Fernet.generate_key().decode()))
    secret = SecretStr(credentials.client_secret)
    tokens = AccessTokens(simulated.http, vault, f"{simulated.url}/token", credentials.client_id, secret)
    gmail = Gmail(simulated.http, tokens, Quota(PROFILES["unmetered"]), simulated.url)
    mailbox_id = uuid4()
    app = gmail.mailbox(mailbox_id, vault.encrypt(made["refresh_token"]))
    owner = ConnectedMailbox(mailbox_id, address, made["owner_access_token"], simulated.url, simulated.http)
    yield Box(owner, app, gmail)
    await simulated.clean()
