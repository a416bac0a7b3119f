"""Publish dead letters to where they came from, now; --kept: those that were replayed in vain before."""

import argparse
import json
import sys
from collections.abc import Mapping
from contextlib import aclosing

from shared.maintenance.dead_letters import NAME
from shared.maintenance.tasks import Counts
from shared.settings import UpkeepSettings
from shared.wiring import maintenance

MOST = 10_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which letters, and how many."""
    parser.add_argument("--kept", action="store_true", help="those that are kept in the database")
    parser.add_argument("--most", type=int, default=MOST, metavar="N", help=f"at most so many; {MOST} unless told")


async def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Replay. Raises PullFailed, PublishFailed, StoreUnavailable and StoreRefused; nothing is lost then."""
    settings = UpkeepSettings.from_environ({**environ, "MAINTENANCE_MOST": str(arguments.most)})
    async with aclosing(maintenance(settings)) as upkeep:
        if arguments.kept:
            told: Counts = {"replayed": await upkeep.replaying.replay_kept(arguments.most)}
        else:
            done = await upkeep.run(NAME)
            told = {**done.counts, "more": done.more}
    sys.stdout.write(json.dumps(told) + "\n")
    return 0
