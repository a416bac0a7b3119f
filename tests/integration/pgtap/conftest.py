"""A database with the migrations and pgTAP, as `supabase test db` makes it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from infra.local.migrations import apply_migrations
from infra.local.pgtap import install_pgtap
from infra.local.postgres import Postgres

SUPABASE = Path(__file__).parents[3] / "supabase"


@pytest.fixture(scope="session")
async def postgres(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Postgres]:
    async with Postgres(tmp_path_factory.mktemp("pgtap")) as running:
        await apply_migrations(running.url, SUPABASE / "migrations")
        await install_pgtap(running)
        yield running
