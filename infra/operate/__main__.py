"""Commands for those who run this: `python -m infra.operate NAME`, with the environment of the functions.

Each is a module beside this one. Exit status: 0 done, 1 not done and why, 2 asked wrongly.
"""

import argparse
import asyncio
import importlib
import os
import pkgutil
import sys
from collections.abc import Mapping
from typing import Any, Protocol, cast

import infra.operate
from shared.errors import TenthsError
from shared.log import configure


class Command(Protocol):
    """What each module here has. `run` gives the exit status."""

    __doc__: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...

    async def run(self, arguments: argparse.Namespace, environ: Mapping[str, str]) -> int: ...


def commands() -> dict[str, Command]:
    """All there are, by name."""
    names = sorted(module.name for module in pkgutil.iter_modules(infra.operate.__path__) if module.name[0] != "_")
    return {name: cast("Command", importlib.import_module(f"infra.operate.{name}")) for name in names}


def main() -> None:
    """Run the command that is named."""
    known = commands()
    parser = argparse.ArgumentParser(prog="python -m infra.operate", description=(__doc__ or "").partition("\n")[0])
    subparsers: Any = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in known.items():
        first_line = command.__doc__.partition("\n")[0]
        command.add_arguments(subparsers.add_parser(name, help=first_line, description=command.__doc__))
    arguments = parser.parse_args()
    configure("console")
    try:
        status = asyncio.run(known[arguments.command].run(arguments, os.environ))
    except TenthsError as error:
        sys.exit(f"{arguments.command}: {error}")
    except KeyboardInterrupt:
        sys.exit(f"{arguments.command}: stopped")
    sys.exit(status)


if __name__ == "__main__":
    main()
