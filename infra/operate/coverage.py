"""Count a user's sent mail against Gmail itself, and what is on record of it; exit status 1: something is missing."""

import argparse
import sys
from collections.abc import Mapping
from contextlib import aclosing
from uuid import UUID

from shared.settings import UpkeepSettings
from shared.wiring import TopicOf, checked_coverage


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Whose mail, and of when."""
    parser.add_argument("--user", type=UUID, required=True, metavar="ID")
    parser.add_argument("--from", dest="first", required=True, metavar="DAY", help="a day, or date, time and zone")
    parser.add_argument("--to", dest="last", required=True, metavar="DAY", help="the last day, or a moment")
    parser.add_argument(
        "--continue", dest="token", metavar="TOKEN", help="where an answer that was not complete went on"
    )
    parser.add_argument("--hand-on", action="store_true", help="have what is missing analysed")


async def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Count. Raises InvalidArguments and the errors of its parts."""
    settings = UpkeepSettings.from_environ(environ)
    topic = TopicOf(settings.gcp_project, settings.sent_emails_topic, settings.pubsub_emulator_host)
    async with aclosing(checked_coverage(settings, settings.maintenance_seconds, topic)) as checking:
        found = await checking.check(
            arguments.user, arguments.first, arguments.last, continue_token=arguments.token, hand_on=arguments.hand_on
        )
    sys.stdout.write(found.model_dump_json(indent=2) + "\n")
    return 0 if found.complete and not found.missing_in_all else 1
