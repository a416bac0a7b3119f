"""pgTAP, the tests of the database in SQL, as `supabase test db` has it: real pgTAP out of an npm package.

The package is made for another build of Postgres, but pgTAP is SQL alone. Fetched once for this user and checked.

    await install_pgtap(database)       # then `create extension pgtap` has been done, in schema extensions
"""

import asyncio
import fcntl
import hashlib
import io
import shutil
import tarfile
import tempfile
from pathlib import Path

import asyncpg

from infra.local import npm
from infra.local.parts import PartFailed
from infra.local.postgres import Postgres

_PACKAGE = "@electric-sql/pglite-pgtap"
_VERSION = "0.0.15"
_SHA256 = "1f221b4d7c59f58bb49d9d84c884c82cddc5389d75fc1d2db855a408774daf36"
_CONTROL = "pgtap.control"
_SCRIPT = "pgtap--1.3.5.sql"
_INSIDE = "share/postgresql/extension"


async def install_pgtap(postgres: Postgres) -> None:
    """Makes the extension in this server's database. Raises PartFailed in one clear line when it can't be had."""
    files = await asyncio.to_thread(_files)
    found = postgres.files.home / "extensions"
    await asyncio.to_thread(_put_within_reach, files, found)
    connection = await asyncpg.connect(postgres.admin_url)
    try:
        # Since Postgres 18: extensions may lie elsewhere than in its own installation, which may not be ours to write.
        await connection.execute(f"set extension_control_path = '{found}'")
        await connection.execute("create extension if not exists pgtap with schema extensions")
    except asyncpg.PostgresError as error:
        raise PartFailed("pgtap", f"Postgres refuses it: {error}") from error
    finally:
        await connection.close()


def _files() -> Path:
    folder = npm.cache_folder(f"pgtap-{_VERSION}")
    ready = folder / "extension"
    if ready.exists():
        return ready
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.exists():
            _fetch(ready)
    return ready


def _fetch(ready: Path) -> None:
    with tempfile.TemporaryDirectory(dir=ready.parent) as name:
        folder = Path(name)
        with tarfile.open(npm.pack("pgtap", _PACKAGE, _VERSION, folder)) as package:
            bundle = _content(package, "package/dist/pgtap.tar.gz")
        if (digest := hashlib.sha256(bundle).hexdigest()) != _SHA256:
            raise PartFailed("pgtap", f"{_PACKAGE}@{_VERSION} holds another pgTAP than expected: {digest}")
        partial = folder / "extension"
        partial.mkdir()
        with tarfile.open(fileobj=io.BytesIO(bundle)) as extension:
            for file in (_CONTROL, _SCRIPT):
                (partial / file).write_bytes(_content(extension, f"{_INSIDE}/{file}"))
        partial.rename(ready)


def _content(archive: tarfile.TarFile, name: str) -> bytes:
    try:
        member = archive.extractfile(name)
    except KeyError:
        member = None
    return member.read() if member else b""


def _put_within_reach(files: Path, found: Path) -> None:
    """Where the server's own user can read: this user's cache may be closed to it."""
    shutil.copytree(files, found / "extension", dirs_exist_ok=True)
    for path in (found, *found.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
