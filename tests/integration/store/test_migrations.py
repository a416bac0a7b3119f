"""The migrations on a new database, as the Supabase CLI sends them, and on one that holds what was read before them."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from infra.local.migrations import apply_migrations
from infra.local.postgres import Postgres
from tests.integration.store.conftest import MIGRATIONS, Database, Timekeeper

SETTINGS_VERSIONS = "20261101000650"
FILES = {path.name: path.read_text() for path in sorted(MIGRATIONS.glob("*.sql"))}
# All that a migration makes and that could come out otherwise: functions, columns, constraints, indexes, policies,
# triggers, and who may do what.
MADE = """
select pg_get_functiondef(p.oid) || coalesce(p.proacl::text, '') from pg_proc p
where p.pronamespace in ('public'::regnamespace, 'private'::regnamespace)
union all
select concat_ws(
  ' ', a.attrelid::regclass, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attacl, c.relacl
)
from pg_attribute a join pg_class c on c.oid = a.attrelid
where c.relnamespace in ('public'::regnamespace, 'private'::regnamespace) and a.attnum > 0 and not a.attisdropped
union all
select concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid)) from pg_constraint
where connamespace in ('public'::regnamespace, 'private'::regnamespace)
union all
select indexdef from pg_indexes where schemaname in ('public', 'private')
union all
select concat_ws(' ', tablename, policyname, cmd, roles, qual, with_check) from pg_policies
union all
select pg_get_triggerdef(oid) from pg_trigger where not tgisinternal
order by 1
"""


async def in_a_pipeline(postgres: Postgres, statements: str) -> tuple[int | None, str]:
    """Send the statements of a file as the Supabase CLI (from 2.115 on) does; the exit code, and what was said.

    Source: github.com/supabase/cli/issues/6347. All are sent by the extended protocol with one Sync at the end: one
    transaction, but no transaction block that LOCK TABLE would take for one.
    """
    psql = await asyncio.create_subprocess_exec(
        *(str(postgres.files.programs / "psql"), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", postgres.url),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await psql.communicate(f"\\startpipeline\n{statements}\n\\endpipeline\n".encode())
    return psql.returncode, said.decode()


async def test_every_migration_applies_as_one_pipeline_and_makes_the_same_database(
    tmp_path: Path, database: Database
) -> None:
    async with Postgres(tmp_path) as postgres:
        for name, statements in FILES.items():
            assert await in_a_pipeline(postgres, statements) == (0, ""), name
        connection = await asyncpg.connect(postgres.url)
        made = [row[0] for row in await connection.fetch(MADE)]
        await connection.close()
    assert made == [row[0] for row in await database.sql.fetch(MADE)]


@pytest.fixture
async def old(tmp_path: Path) -> AsyncIterator[Postgres]:
    """A database from before readings had a settings version of their own."""
    folder = tmp_path / "until-then"
    folder.mkdir()
    for name, statements in FILES.items():
        if name < SETTINGS_VERSIONS:
            (folder / name).write_text(statements)
    async with Postgres(tmp_path) as postgres:
        await apply_migrations(postgres.url, folder)
        yield postgres


async def test_what_was_read_before_the_migration_is_read_again_once_the_time_zone_changes(old: Postgres) -> None:
    sql = await asyncpg.connect(old.url)
    user_id = uuid4()
    await sql.execute("insert into auth.users (id, email) values ($1, 'dana@firm.example')", user_id)
    mailbox_id = await sql.fetchval(
        "select public.connect_mailbox($1, 'dana@firm.example', 1, null, 'encrypted')", user_id
    )
    await sql.execute("insert into public.time_tracking_settings (user_id) values ($1)", user_id)
    for rate in range(6):
        await sql.execute(
            "update public.time_tracking_settings set hourly_rate = $2 where user_id = $1", user_id, 300 + rate
        )
    assert await sql.fetchval("select version from public.time_tracking_settings") == 7
    assert await _record(sql, user_id, mailbox_id, settings_version=7)

    await apply_migrations(old.url, MIGRATIONS)
    assert await _to_read(sql, mailbox_id) == [], "the migration itself makes nothing old"
    await sql.execute("update public.time_tracking_settings set hourly_rate = 500 where user_id = $1", user_id)
    assert await _to_read(sql, mailbox_id) == [], "nor does a rate"
    await sql.execute(
        "update public.time_tracking_settings set time_zone = 'America/New_York' where user_id = $1", user_id
    )
    assert await _to_read(sql, mailbox_id) == ["m1"]
    version = await sql.fetchval("select analysis_version from public.time_tracking_settings")
    assert await _record(sql, user_id, mailbox_id, settings_version=version), (
        "the new reading takes the old one's place"
    )
    assert await _to_read(sql, mailbox_id) == []
    await sql.close()


async def _record(
    sql: "asyncpg.Connection[asyncpg.Record]", user_id: UUID, mailbox_id: UUID, *, settings_version: int
) -> bool:
    analysis = {
        "email_id": "m1",
        "mailbox_id": str(mailbox_id),
        "outcome": "none",
        "analyser_version": 1,
        "settings_version": settings_version,
        "entries": [],
    }
    call = "select recorded from public.record_analysis($1, $2::jsonb)"
    return bool(await sql.fetchval(call, user_id, json.dumps([analysis])))


async def _to_read(sql: "asyncpg.Connection[asyncpg.Record]", mailbox_id: UUID) -> list[str]:
    """Of the one email: whether it is to be read again under the settings as they are."""
    rows = await sql.fetch(
        """select public.emails_to_analyse($1, array['m1'], 1, s.analysis_version)
           from public.time_tracking_settings s""",
        mailbox_id,
    )
    return [row[0] for row in rows]


def _by_hand(dana: Timekeeper, day: str) -> dict[str, Any]:
    return {
        "user_id": str(dana.id),
        "duration_minutes": 24,
        "entry_type": "call",
        "date_performed": day,
        "description": "TC w/ client",
    }


@pytest.mark.parametrize("day", ["infinity", "-infinity", "9999-12-31", "2200-01-01", "1969-12-31", "0001-01-01"])
async def test_a_day_on_which_nobody_worked_is_refused(dana: Timekeeper, day: str) -> None:
    added = await dana.rest.post("/time_tracking_entries", json=_by_hand(dana, day))
    assert (added.status_code, added.json()["code"]) == (400, "23514"), "a check, and no failure of the server's"
    assert await dana.entries() == []


@pytest.mark.parametrize("day", ["infinity", "9999-12-31"])
async def test_an_entry_is_not_moved_to_a_day_on_which_nobody_worked(dana: Timekeeper, day: str) -> None:
    [row] = (await dana.rest.post("/time_tracking_entries", json=_by_hand(dana, "2026-09-01"))).json()
    assert (await dana.edit(row["id"], date_performed=day)).status_code == 400
    assert [each["date_performed"] for each in await dana.entries()] == ["2026-09-01"]


@pytest.mark.parametrize("day", ["1970-01-01", "2026-09-01", "2199-12-31"])
async def test_a_day_is_a_day_up_to_the_ends(dana: Timekeeper, day: str) -> None:
    added = await dana.rest.post("/time_tracking_entries", json=_by_hand(dana, day))
    assert [row["date_performed"] for row in added.json()] == [day]
