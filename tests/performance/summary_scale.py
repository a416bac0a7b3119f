"""How summaries grow: `python -m tests.performance.summary_scale 10000 100000 1000000`.

For each number of entries (of a thousandth as many users, a year, some 20 matters each) a database is filled and asked;
one JSON object on stdout, the plans on stderr. A million takes about four minutes.

refresh_first_s, refresh_again_s   seconds of refresh_summaries: all of it new; one entry in a thousand edited since
time_summary                       ms of a year of any user, as that user, just after a refresh
changed                            the same with one entry in a thousand edited since
client, minimum                    the same with a filter
live_aggregate                     ms of the same sums from the entries, under row level security
entry_list                         ms of a user's newest 50 entries
"""

import asyncio
import json
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from infra.local.migrations import apply_migrations
from infra.local.postgres import Postgres

HERE = Path(__file__).parent
MIGRATIONS = HERE.parents[1] / "supabase" / "migrations"
ENTRIES_A_USER = 1000
WARM_UP, TIMED = 1000, 3000


@dataclass(frozen=True)
class Filled:
    """A database with entries, and the programs that ask it."""

    postgres: Postgres
    sql: "asyncpg.Connection[asyncpg.Record]"
    users: int

    async def run(self, program: str, *arguments: str, role: str, **environment: str) -> str:
        """What a program of Postgres prints on stdout and stderr. Raises RuntimeError with that if it fails."""
        process = await asyncio.create_subprocess_exec(
            str(self.postgres.files.programs / program),
            *arguments,
            self.postgres.socket_url(role),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, **environment},
        )
        printed = (await process.communicate())[0].decode()
        if process.returncode:
            raise RuntimeError(f"{program} {' '.join(arguments)}: {printed}")
        return printed

    async def psql(self, file: str, **variables: object) -> str:
        """Run a file as the project's own role."""
        given = [f"--set={name}={value}" for name, value in variables.items()]
        return await self.run(
            "psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", *given, f"--file={HERE / file}", role="postgres"
        )

    async def ask(self, file: str, *, client: str = "any", minimum: str = "any") -> dict[str, float]:
        """Milliseconds of one statement, asked one after another by users drawn by lot, as they are."""
        with tempfile.TemporaryDirectory() as folder:
            given = {"users": self.users, "client": client, "minimum": minimum}
            asking = ["--no-vacuum", "--protocol=prepared", f"--file={HERE / file}"]
            asking += [f"--define={name}={value}" for name, value in given.items()]
            timed = [f"--transactions={WARM_UP + TIMED}", "--log", f"--log-prefix={folder}/log"]
            await self.run("pgbench", *asking, *timed, role="authenticator", PGOPTIONS="-c role=authenticated")
            microseconds = await asyncio.to_thread(_timed, Path(folder))
        return {
            "p50_ms": round(microseconds[len(microseconds) // 2] / 1000, 2),
            "p95_ms": round(microseconds[len(microseconds) * 95 // 100] / 1000, 2),
        }

    async def refresh(self) -> float:
        """Seconds of a refresh; what it wrote is vacuumed, as autovacuum does it within a minute."""
        begun = time.monotonic()
        done = json.loads(await self.sql.fetchval("select public.refresh_summaries()"))
        seconds = time.monotonic() - begun
        if not (done["refreshed"] and done["changes"]):
            raise RuntimeError(f"nothing was refreshed: {done}")
        await self.sql.execute("vacuum (analyze) private.time_summaries")
        return round(seconds, 2)

    async def plans(self) -> str:
        """What each statement does, for the user in the middle; the second time it is asked in a session."""
        explained = (
            "-c session_preload_libraries=auto_explain -c auto_explain.log_min_duration=0 -c client_min_messages=log"
            " -c auto_explain.log_nested_statements=on -c auto_explain.log_analyze=on -c auto_explain.log_buffers=on"
        )
        printed = []
        for file in ("summary_ask.sql", "summary_live.sql", "summary_list.sql"):
            statement = "\n".join(
                line for line in (HERE / file).read_text().splitlines() if not line.startswith(("\\", "--"))
            )
            known = {":client": "'any'", ":minimum": "'any'", ":who": str(self.users // 2)}
            for name, value in known.items():
                statement = statement.replace(name, value)
            twice = ["--no-psqlrc", "--quiet", "--output=/dev/null", "--command=set role authenticated"]
            twice += [f"--command={statement}"] * 2
            printed += [f"--- {file}", await self.run("psql", *twice, role="supabase_admin", PGOPTIONS=explained)]
        return "\n".join(printed)


def _timed(folder: Path) -> list[int]:
    """What each statement took, in microseconds, in order, as pgbench logged it."""
    [log] = folder.iterdir()
    return sorted(int(line.split()[2]) for line in log.read_text().splitlines()[WARM_UP:])


async def measure(folder: Path, entries: int) -> dict[str, Any]:
    """The figures of one size."""
    async with Postgres(folder) as postgres:
        await apply_migrations(postgres.url, MIGRATIONS)
        sql = await asyncpg.connect(postgres.url)
        filled = Filled(postgres, sql, max(1, entries // ENTRIES_A_USER))
        begun = time.monotonic()
        await filled.psql("summary_fill.sql", entries=entries, users=filled.users)
        await sql.execute("vacuum (analyze) public.time_tracking_entries, private.summary_changes")
        figures: dict[str, Any] = {"users": filled.users, "fill_s": round(time.monotonic() - begun, 1)}
        figures["refresh_first_s"] = await filled.refresh()
        figures["time_summary"] = await filled.ask("summary_ask.sql")
        figures["client"] = await filled.ask("summary_ask.sql", client="client 7")
        figures["minimum"] = await filled.ask("summary_ask.sql", minimum="60")
        figures["live_aggregate"] = await filled.ask("summary_live.sql")
        figures["entry_list"] = await filled.ask("summary_list.sql")
        print(f"===== {entries} entries\n{await filled.plans()}", file=sys.stderr)
        await filled.psql("summary_change.sql")
        figures["changed"] = await filled.ask("summary_ask.sql")
        figures["refresh_again_s"] = await filled.refresh()
        size = "select pg_total_relation_size('private.time_summaries') / 1048576"
        figures["view_mb"] = await sql.fetchval(size)
        await sql.close()
        return figures


def main() -> None:
    """Print the figures of the sizes named."""
    figures = {}
    for entries in map(int, sys.argv[1:] or ["10000"]):
        with tempfile.TemporaryDirectory(prefix="tenths-summaries-") as folder:
            figures[entries] = asyncio.run(measure(Path(folder), entries))
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
