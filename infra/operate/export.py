"""Write out all that is stored about a user, as lines of JSON.

For a user who asked for it and can't do so themselves (GET /my_data). The file is theirs: nobody else may read it.
"""

import argparse
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from shared.my_data.export import export
from shared.settings import MyDataSettings
from shared.wiring import my_data_parts


@contextmanager
def _output(to: Path | None) -> Iterator[BinaryIO]:
    if to is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    partial = to.with_name(f"{to.name}.partial")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        yield file
    partial.rename(to)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Whose, and where to."""
    parser.add_argument("--user", type=UUID, required=True, metavar="ID", help="the user's id in Supabase")
    parser.add_argument("--to", type=Path, metavar="FILE", help="a new file; else standard output")


async def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Write it. A file appears only once it is whole."""
    parts = my_data_parts(MyDataSettings.from_environ(environ))
    rows = parts.rows_of(arguments.user)
    try:
        with _output(arguments.to) as file:
            async for line in export(rows):
                file.write(line)
        return 0
    finally:
        await parts.aclose()
