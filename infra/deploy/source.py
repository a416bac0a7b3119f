"""The zip that deploys: the same source gives the same bytes, so that nothing unchanged is built anew."""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

DEPLOYED: Final = ("main.py", "requirements.txt", "constraints.txt", "functions", "shared")

# Zip's own first day, and plain files that everyone may read: no clock, umask or user gets into the bytes.
_DATE: Final = (1980, 1, 1, 0, 0, 0)
_MODE: Final = 0o100644 << 16


def files(root: Path) -> Iterator[Path]:
    """What deploys, relative to `root`, in the order of names; no caches, nothing hidden. Raises FileNotFoundError."""
    for name in DEPLOYED:
        top = root / name
        if not top.exists():
            raise FileNotFoundError(f"{top} is missing: run this in a whole checkout")
        found = [top] if top.is_file() else sorted(path for path in top.rglob("*") if path.is_file())
        for path in found:
            relative = path.relative_to(root)
            if "__pycache__" not in relative.parts and not any(part.startswith(".") for part in relative.parts):
                yield relative


def build(root: Path, target: Path) -> Path:
    """Write the zip to `target`, making its folder. Returns `target`."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for relative in files(root):
            entry = zipfile.ZipInfo(relative.as_posix(), _DATE)
            entry.external_attr = _MODE
            entry.create_system = 3  # as on Unix, wherever it is built
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, (root / relative).read_bytes())
    return target
