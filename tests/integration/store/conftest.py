"""A database as Supabase runs it: Postgres with the migrations, PostgREST and the gateway in front."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from pydantic import SecretStr

from infra.local.gateway import Gateway
from infra.local.migrations import apply_migrations
from infra.local.ports import free_port
from infra.local.postgres import Postgres
from infra.local.postgrest import Postgrest
from infra.local.tokens import ProjectKeys
from shared.extraction.found import Entry
from shared.mail.email import Span
from shared.models import EntryType
from shared.store.analyses import AnalysisContext, AnalysisStore
from shared.store.client import StoreClient
from shared.store.mailboxes import MailboxStore

MIGRATIONS = Path(__file__).parents[3] / "supabase" / "migrations"


@dataclass(frozen=True)
class Timekeeper:
    """A user with a mailbox, and what they may ask the API for."""

    id: UUID
    mailbox_id: UUID
    context: AnalysisContext
    rest: httpx.AsyncClient

    async def entries(self) -> list[dict[str, Any]]:
        answer = await self.rest.get("/time_tracking_entries", params={"order": "email_id,evidence"})
        answer.raise_for_status()
        rows: list[dict[str, Any]] = answer.json()
        return rows

    async def edit(self, entry_id: str, **changes: Any) -> httpx.Response:
        return await self.rest.patch("/time_tracking_entries", params={"id": f"eq.{entry_id}"}, json=changes)


@dataclass(frozen=True)
class Database:
    """The running parts and our own clients for them."""

    postgres: Postgres
    gateway: Gateway
    keys: ProjectKeys
    client: StoreClient
    sql: "asyncpg.Pool[asyncpg.Record]"

    @property
    def analyses(self) -> AnalysisStore:
        return AnalysisStore(self.client)

    @property
    def mailboxes(self) -> MailboxStore:
        return MailboxStore(self.client)

    def rest(self, **headers: str) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=f"{self.gateway.url}/rest/v1", headers=headers)

    async def timekeeper(self, address: str | None = None) -> Timekeeper:
        user_id = uuid4()
        email = address or f"{user_id.hex}@firm.example"
        await self.sql.execute("insert into auth.users (id, email) values ($1, $2)", user_id, email)
        mailbox_id = await self.mailboxes.connect(
            user_id=user_id,
            email_address=email,
            history_id=100,
            watch_expires_at=datetime.now(UTC) + timedelta(days=7),
            refresh_token_encrypted="encrypted",
        )
        context = await self.analyses.context(mailbox_id, "none-yet")
        assert context is not None
        token = self.keys.user_token(user_id, email)
        rest = self.rest(
            apikey=self.keys.publishable_key, Authorization=f"Bearer {token}", Prefer="return=representation"
        )
        return Timekeeper(user_id, mailbox_id, context, rest)


@pytest.fixture(scope="session")
async def database(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Database]:
    folder = tmp_path_factory.mktemp("database")
    gateway_port = free_port()
    keys = ProjectKeys.generate(issuer=f"http://127.0.0.1:{gateway_port}/auth/v1")
    async with Postgres(folder) as postgres:
        await apply_migrations(postgres.url, MIGRATIONS)
        async with Postgrest(folder, postgres, keys) as postgrest:
            gateway = Gateway(folder, keys, rest_url=postgrest.url, functions={}, port=gateway_port)
            async with (
                gateway,
                httpx.AsyncClient() as http,
                asyncpg.create_pool(postgres.url, min_size=1, max_size=4) as sql,
            ):
                client = StoreClient(http, gateway.url, SecretStr(keys.secret_key))
                yield Database(postgres, gateway, keys, client, sql)


@pytest.fixture
async def dana(database: Database) -> AsyncIterator[Timekeeper]:
    timekeeper = await database.timekeeper()
    async with timekeeper.rest:
        yield timekeeper


@pytest.fixture
async def priya(database: Database) -> AsyncIterator[Timekeeper]:
    timekeeper = await database.timekeeper()
    async with timekeeper.rest:
        yield timekeeper


MakeEntry = Callable[..., Entry]


@pytest.fixture
def entry() -> MakeEntry:
    """An entry whose evidence stands at `at` in the email; keyword arguments change what matters to a test."""

    def make(at: int = 0, **changes: Any) -> Entry:
        values: dict[str, Any] = {
            "duration_minutes": 24.0,
            "low": 24.0,
            "high": 24.0,
            "entry_type": EntryType.CALL,
            "date_performed": date(2026, 9, 2),
            "client_matter": "Ortiz",
            "matter_id": None,
            "billable": True,
            "confidence_score": 0.95,
            "evidence": Span(at, at + 20),
            "amount": Span(at + 18, at + 20),
            "extracted_text": f"TC w/ client re {at} .4",
            "description": "TC w/ client",
        }
        return Entry(**{**values, **changes})

    return make
