"""Delete all that is stored about a user, for good.

For a user who asked for it and can't do so themselves (DELETE /my_data). Their sign-in is Supabase's: delete the user
there afterwards. Repeat it while it ends with an error.
"""

import argparse
import sys
from collections.abc import Mapping
from uuid import UUID

from shared.my_data.erase import erase
from shared.settings import MyDataSettings
from shared.wiring import my_data_parts


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Whose, and whether to ask."""
    parser.add_argument("--user", type=UUID, required=True, metavar="ID", help="the user's id in Supabase")
    parser.add_argument("--yes", action="store_true", help="don't ask")
    parser.add_argument(
        "--without-google",
        action="store_true",
        help="also while Google can't be told: the user then has to take the permission back in their account",
    )


async def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Ask, delete, say what was deleted."""
    parts = my_data_parts(MyDataSettings.from_environ(environ))
    try:
        rows = parts.rows_of(arguments.user)
        stored = await rows.left()
        _say(f"Stored about {arguments.user}:", *_listed(stored))
        if not arguments.yes and not _agreed():
            _say("Nothing was deleted.")
            return 1
        erased = await erase(arguments.user, rows, parts.connections, without_google=arguments.without_google)
        _say("Deleted:", *_listed(erased.deleted), f"Left: {erased.account}.")
        return 0
    finally:
        await parts.aclose()


def _agreed() -> bool:
    _say("Delete all of it, for good? Then type: delete everything")
    return sys.stdin.readline().strip() == "delete everything"


def _say(*lines: str) -> None:
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def _listed(rows: Mapping[str, int]) -> list[str]:
    return [f"  {table}: {number}" for table, number in sorted(rows.items())] or ["  nothing"]
