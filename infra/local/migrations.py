"""Applies a folder of migrations as the Supabase CLI does: in order, each once, recorded where the CLI records them.

Example: `applied = await apply_migrations(database.url, Path("supabase/migrations"))`.
"""

import asyncio
import re
from pathlib import Path

import asyncpg

_NAME = re.compile(r"(?P<version>\d+)_(?P<name>\w+)\.sql")
_HISTORY = """
create schema if not exists supabase_migrations;
create table if not exists supabase_migrations.schema_migrations (
    version text primary key, statements text[], name text
);
"""
# Any constant of this program's own: two stacks on one database migrate one after the other.
_LOCK = 0x7E117


class MigrationFailed(Exception):
    """A migration can't be applied; the ones before it are. The message names the file and the reason."""


async def apply_migrations(database_url: str, folder: Path) -> list[str]:
    """Applies what isn't applied yet, each file in one transaction; the names of those files, in order.

    Raises MigrationFailed for a file that Postgres refuses or that isn't named `<digits>_<name>.sql`.
    """
    migrations = await asyncio.to_thread(_read, folder)
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("select pg_advisory_lock($1)", _LOCK)
        await connection.execute(_HISTORY)
        rows = await connection.fetch("select version from supabase_migrations.schema_migrations")
        done = {row["version"] for row in rows}
        applied = []
        for file, text in migrations:
            match = _NAME.fullmatch(file)
            if match is None:
                raise MigrationFailed(f"{file}: a migration is named <digits>_<name>.sql")
            if match["version"] not in done:
                await _apply(connection, text, match)
                applied.append(file)
        return applied
    finally:
        await connection.close()


def _read(folder: Path) -> list[tuple[str, str]]:
    return [(path.name, path.read_text()) for path in sorted(folder.glob("*.sql"))]


async def _apply(connection: "asyncpg.Connection[asyncpg.Record]", text: str, match: re.Match[str]) -> None:
    try:
        async with connection.transaction():
            await connection.execute(text)
            await connection.execute(
                "insert into supabase_migrations.schema_migrations (version, statements, name) values ($1, $2, $3)",
                match["version"],
                [text],
                match["name"],
            )
    except asyncpg.PostgresError as error:
        raise MigrationFailed(f"{match.string}: {error}{_line(text, error)}") from error


def _line(text: str, error: asyncpg.PostgresError) -> str:
    position = getattr(error, "position", None)
    return f" (line {text.count(chr(10), 0, int(position)) + 1})" if position else ""
