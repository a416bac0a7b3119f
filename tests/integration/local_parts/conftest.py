from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import httpx
import pytest

from infra.local.gateway import Gateway
from infra.local.ports import free_port
from infra.local.postgres import Postgres
from infra.local.postgrest import Postgrest
from infra.local.tokens import ProjectKeys


@dataclass
class Project:
    """A new Supabase project: database, API and gateway, with one function in the database that says who asks."""

    database: Postgres
    postgrest: Postgrest
    gateway: Gateway
    keys: ProjectKeys
    http: httpx.AsyncClient


# Defined as a migration of the project would: by the role postgres, granted to whom Supabase's defaults grant it.
WHO_ASKS = """
create function public.who_asks() returns jsonb language sql stable as $$
    select jsonb_build_object(
        'role', current_user, 'user', auth.uid(), 'email', auth.jwt() ->> 'email', 'claimed_role', auth.role(),
        'headers', current_setting('request.headers', true)::jsonb
    )
$$
"""


@pytest.fixture(scope="session")
async def project(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Project]:
    folder: Path = tmp_path_factory.mktemp("project")
    port = free_port()
    keys = ProjectKeys.generate(f"http://127.0.0.1:{port}/auth/v1")
    async with Postgres(folder) as database:
        connection = await asyncpg.connect(database.url)
        await connection.execute(WHO_ASKS)
        await connection.close()
        async with (
            Postgrest(folder, database, keys) as postgrest,
            Gateway(folder, keys, rest_url=postgrest.url, functions={}, port=port) as gateway,
            httpx.AsyncClient(base_url=gateway.url) as http,
        ):
            yield Project(database, postgrest, gateway, keys, http)
