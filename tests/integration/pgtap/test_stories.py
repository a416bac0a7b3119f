"""The stories in supabase/tests, each told to a real database and taken back."""

import asyncio
import subprocess
from pathlib import Path

import asyncpg
import pytest

from infra.local.parts import PartFailed
from infra.local.pgtap import install_pgtap
from infra.local.postgres import Postgres
from tests.integration.pgtap.conftest import SUPABASE
from tests.integration.pgtap.tap import complaints

STORIES = sorted((SUPABASE / "tests").glob("*.sql"))
# As pg_prove calls it, which `supabase test db` runs.
PSQL = ("--no-psqlrc", "--no-align", "--quiet", "--pset", "pager=off", "--tuples-only", "--set", "ON_ERROR_STOP=1")


def told(postgres: Postgres, story: Path) -> str:
    psql = postgres.files.programs / "psql"
    done = subprocess.run(
        [psql, *PSQL, "--file", story, postgres.url], capture_output=True, text=True, check=False, timeout=120
    )
    return done.stdout if done.returncode == 0 else f"{done.stdout}\nnot ok 0 psql: {done.stderr}"


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.stem)
async def test_a_story_of_two_users_ends_well_and_leaves_nothing(postgres: Postgres, story: Path) -> None:
    printed = told(postgres, story)
    assert not complaints(printed), "\n".join(complaints(printed))
    sql = await asyncpg.connect(postgres.url)
    try:
        assert await sql.fetchval("select count(*) from auth.users") == 0, "the story was not taken back"
    finally:
        await sql.close()


async def test_every_table_of_the_api_has_a_story(postgres: Postgres) -> None:
    words = "\n".join(story.read_text() for story in STORIES)
    sql = await asyncpg.connect(postgres.url)
    try:
        rows = await sql.fetch(
            "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'"
        )
    finally:
        await sql.close()
    assert [row["relname"] for row in rows if row["relname"] not in words] == []


def test_a_story_that_the_database_refuses_is_a_failure(postgres: Postgres, tmp_path: Path) -> None:
    story = tmp_path / "broken.sql"
    story.write_text("begin;\nselect plan(1);\nselect nonsense();\nselect pass('never');\nrollback;\n")
    assert any("nonsense" in each for each in complaints(told(postgres, story)))


@pytest.mark.parametrize(
    ("printed", "complaint"),
    [
        ("1..1\nok 1 - fine", None),
        ("1..2\nok 1 - fine", "2 tests were planned, 1 ran"),
        ("1..1\nok 1 - fine\nok 2 - more", "1 tests were planned, 2 ran"),
        ("ok 1 - fine", "no plan"),
        ("", "no plan"),
        ("1..0", "0 tests were planned, 0 ran"),
        ("1..1\nnot ok 1 - no", "not ok 1 - no"),
        ("1..1\nnot ok 1 - no\n# have 1, want 2", "# have 1, want 2"),
        ("1..2\nok 1\nok 1", "test 1 stands where 2 should"),
        ("1..1\nok 1 - # SKIP later", "left out: ok 1 - # SKIP later"),
        ("1..1\nnot ok 1 - # TODO later", "left out: not ok 1 - # TODO later"),
    ],
)
def test_whatever_is_wrong_with_what_a_story_prints_is_told(printed: str, complaint: str | None) -> None:
    found = complaints(printed)
    assert complaint in found if complaint else found == []


def npm_of_our_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    script = tmp_path / "bin" / "npm"
    script.parent.mkdir()
    script.write_text(f"#!/bin/sh\n{text}\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{script.parent}:/usr/local/bin:/usr/bin:/bin")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


async def test_a_machine_that_cannot_have_pgtap_says_so_in_one_line(
    postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    npm_of_our_own(tmp_path, monkeypatch, "echo 'npm error no network' >&2; exit 1")
    with pytest.raises(PartFailed, match=r"^pgtap: can't be downloaded, `.*npm error no network$"):
        await install_pgtap(postgres)


async def test_another_pgtap_than_the_one_expected_is_never_installed(
    postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = "mkdir -p package/dist && echo x > package/dist/pgtap.tar.gz"
    packed += " && tar czf electric-sql-pglite-pgtap-0.0.15.tgz package"
    npm_of_our_own(tmp_path, monkeypatch, packed)
    with pytest.raises(PartFailed, match="holds another pgTAP than expected"):
        await install_pgtap(postgres)
    assert "pgtap.control" not in await asyncio.to_thread(lambda: {path.name for path in tmp_path.rglob("*")})
