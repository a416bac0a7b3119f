"""SECURITY.md names files, tables and settings that there are, and forgets no table."""

import re

import pytest

import shared.settings
from shared.my_data.tables import EXPORTED, NOBODYS, NOT_EXPORTED
from shared.settings import FromEnviron
from tests.e2e.conftest import ROOT

TEXT = (ROOT / "SECURITY.md").read_text()
PATHS = sorted(set(re.findall(r"`((?:tests|shared|supabase|infra|docs)/[\w./-]+)`", TEXT)))


@pytest.mark.parametrize("path", PATHS)
def test_what_a_claim_is_held_by_is_there(path: str) -> None:
    assert (ROOT / path).is_file()


def test_every_threat_but_the_operators_names_what_holds_it() -> None:
    table = TEXT.partition("## Who might attack")[2].partition("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")][2:]
    assert len(rows) > 10
    assert [
        row for row in rows if not re.search(r"`[\w/.-]+/[\w.-]+`[^|]*\|$", row) and "**operator**" not in row
    ] == []


def test_every_table_is_listed_with_how_long_it_is_kept() -> None:
    listed = re.findall(r"^\| `((?:public|private)\.\w+)` \| [^|]+ \| [^|]+ \|$", TEXT, re.MULTILINE)
    tables = {f"{'private' if each.hidden else 'public'}.{each.table}" for each in EXPORTED if "." not in each.table}
    assert sorted(listed) == sorted({*tables, *NOT_EXPORTED, *NOBODYS})


def test_every_setting_that_is_named_is_one() -> None:
    kinds = [
        kind for kind in vars(shared.settings).values() if isinstance(kind, type) and issubclass(kind, FromEnviron)
    ]
    known = {name.upper() for kind in kinds for name in kind.model_fields}
    assert set(re.findall(r"`([A-Z][A-Z_]{5,})`", TEXT)) - known == set()


def test_the_days_are_the_defaults() -> None:
    fields = shared.settings.UpkeepSettings.model_fields
    assert f"{fields['retention_days'].default:,} days" in TEXT
    assert {fields[name].default for name in ("retention_dismissed_days", "retention_jobs_days")} == {90}
    assert shared.settings.ToolsSettings.model_fields["answer_cache_seconds"].default == 600
