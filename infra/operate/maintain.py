"""Have one of maintenance's tasks done now, such as reconcile; what it did, as JSON."""

import argparse
import json
import sys
from collections.abc import Mapping
from contextlib import aclosing

from shared.settings import UpkeepSettings
from shared.wiring import maintenance


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The task, by the name that the scheduler calls it by."""
    parser.add_argument(
        "task", help="as refresh_summaries, reconcile, renew_watches, second_looks, purge, replay_dead_letters"
    )


async def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Run it. Raises NotFound, and the errors of its parts."""
    async with aclosing(maintenance(UpkeepSettings.from_environ(environ))) as upkeep:
        done = await upkeep.run(arguments.task)
    sys.stdout.write(json.dumps({"task": arguments.task, "done": done.counts, "more": done.more}) + "\n")
    return 0
