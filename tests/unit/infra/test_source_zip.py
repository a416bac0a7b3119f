"""What is built in the cloud is what is tested here, whole and nothing besides."""

import json
import os
import subprocess
import sys
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import main
from infra.deploy.source import DEPLOYED, build
from tests.unit.infra.configuration import ROOT


def checkout(folder: Path, files: dict[str, str]) -> Path:
    least = dict.fromkeys(("main.py", "requirements.txt", "constraints.txt", "functions/a.py", "shared/a.py"), "")
    for name, text in {**least, **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("source")
    with zipfile.ZipFile(build(ROOT, folder / "source.zip")) as archive:
        archive.extractall(folder / "root")
    return folder / "root"


def test_what_is_unpacked_serves_every_function(unpacked: Path) -> None:
    served = subprocess.run(
        [sys.executable, "-c", "import main; print(*(getattr(main, name).__module__ for name in main.__all__))"],
        cwd=unpacked,
        env={"PATH": os.environ["PATH"]},
        check=True,
        capture_output=True,
        text=True,
    )
    assert served.stdout.split() == [f"functions.{name}" for name in main.__all__]


def test_what_is_unpacked_reads_an_email_with_all_its_tables_and_weights(unpacked: Path) -> None:
    headers = "From: a@example.com\nDate: Mon, 2 Nov 2026 10:00:00 +0000\nSubject: Ortiz"
    raw = f"{headers}\n\nI spent 1.4 hours drafting the reply brief today."
    served = subprocess.run(
        [sys.executable, "-m", "shared.extraction"],
        cwd=unpacked,
        env={"PATH": os.environ["PATH"]},
        input=json.dumps({"id": "1", "raw": raw}) + "\n",
        check=True,
        capture_output=True,
        text=True,
    )
    assert [entry["duration_minutes"] for entry in json.loads(served.stdout)["entries"]] == [84]


def test_nothing_but_what_the_functions_run_is_in_it(unpacked: Path) -> None:
    assert sorted(path.name for path in unpacked.iterdir() if path.name != "__pycache__") == sorted(DEPLOYED)


def test_the_same_source_gives_the_same_bytes_wherever_and_whenever_it_is_built(tmp_path: Path) -> None:
    first = checkout(tmp_path / "first", {"shared/b.py": "x = 1\n"})
    second = checkout(tmp_path / "second", {"shared/b.py": "x = 1\n"})
    os.utime(second / "shared" / "b.py", (1, 1))
    (second / "shared" / "b.py").chmod(0o600)
    assert build(first, tmp_path / "1.zip").read_bytes() == build(second, tmp_path / "2.zip").read_bytes()


def test_another_source_gives_other_bytes(tmp_path: Path) -> None:
    first = checkout(tmp_path / "first", {"shared/b.py": "x = 1\n"})
    second = checkout(tmp_path / "second", {"shared/b.py": "x = 2\n"})
    assert build(first, tmp_path / "1.zip").read_bytes() != build(second, tmp_path / "2.zip").read_bytes()


def test_caches_and_hidden_files_stay_behind(tmp_path: Path) -> None:
    root = checkout(tmp_path, {"shared/__pycache__/a.pyc": "", "shared/.env": "SECRET=1", "functions/.cache/a.py": ""})
    with zipfile.ZipFile(build(root, tmp_path / "source.zip")) as archive:
        names = archive.namelist()
    assert names == ["main.py", "requirements.txt", "constraints.txt", "functions/a.py", "shared/a.py"]


def test_the_very_versions_that_are_tested_here_deploy() -> None:
    constraints = (ROOT / "constraints.txt").read_text().splitlines()
    held = {canonicalize_name(name): version for name, _, version in (line.partition("==") for line in constraints[1:])}
    needed = {Requirement(line) for line in (ROOT / "requirements.txt").read_text().splitlines() if line[0] not in "#-"}
    seen: set[str] = set()
    while needed:
        need = needed.pop()
        name = canonicalize_name(need.name)
        if f"{name} {need.extras}" in seen:
            continue
        seen.add(f"{name} {need.extras}")
        assert held.get(name) == distribution(name).version, name
        extras = need.extras or {""}
        for each in map(Requirement, distribution(name).requires or ()):
            if each.marker is None or any(each.marker.evaluate({"extra": extra}) for extra in extras):
                needed.add(each)
    assert len(seen) > 40


def test_half_a_checkout_is_refused(tmp_path: Path) -> None:
    (checkout(tmp_path, {}) / "main.py").unlink()
    with pytest.raises(FileNotFoundError, match=r"main\.py is missing"):
        build(tmp_path, tmp_path / "source.zip")
