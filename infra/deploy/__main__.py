"""`make deploy`, `make plan`, `make destroy`: what runs in Google Cloud, and the database's schema."""

import argparse
import re
import sys
from pathlib import Path

from infra.deploy.commands import CommandFailed, Real, Rehearsed, missing_tools
from infra.deploy.steps import ROOT, SETTINGS, WORK, Place, deploy, destroy

_SUPABASE_URL = re.compile(r'^\s*supabase_url\s*=\s*"https://([a-z0-9]{20})\.supabase\.co"', re.MULTILINE)


def main() -> None:
    """Exit status 1, and a line that says what to do, when it can't."""
    arguments = _parser().parse_args()
    commands = Rehearsed() if arguments.dry_run else Real(ROOT)
    if not arguments.dry_run and (missing := missing_tools()):
        sys.exit("deploy: these programs are missing:\n" + "\n".join(f"  {line}" for line in missing))
    place = Place(
        project=arguments.project,
        region=arguments.region,
        supabase=_supabase(arguments.supabase, arguments.settings, rehearsed=arguments.dry_run),
        work=arguments.work,
        approved=arguments.yes,
        keeps_database=arguments.keep_database,
    )
    try:
        if arguments.command == "destroy":
            _ask(place, rehearsed=arguments.dry_run or arguments.yes)
            destroy(place, commands)
        else:
            deploy(place, commands)
    except (CommandFailed, FileNotFoundError) as error:
        sys.exit(f"\ndeploy: {error}\ndeploy: stopped. Whatever was done stays; the same command goes on from there.")
    except (KeyboardInterrupt, EOFError):
        sys.exit("\ndeploy: stopped. Whatever was done stays; the same command goes on from there.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.deploy", description=__doc__)
    parser.add_argument("command", choices=["deploy", "destroy"])
    parser.add_argument("--project", required=True, help="id of the Google Cloud project")
    parser.add_argument("--region", required=True, help="its region, as europe-west1")
    parser.add_argument("--supabase", help="the Supabase project's reference; unset: of terraform.tfvars' supabase_url")
    parser.add_argument("--settings", type=Path, default=SETTINGS, help=argparse.SUPPRESS)
    parser.add_argument("--work", type=Path, default=WORK, help=argparse.SUPPRESS)
    parser.add_argument("--dry-run", action="store_true", help="show what would be run, and run nothing")
    parser.add_argument(
        "--keep-database",
        action="store_true",
        help="no migrations: to go back to a version that lacks some of them",
    )
    parser.add_argument("--yes", action="store_true", help="don't ask")
    return parser


def _supabase(given: str | None, settings: Path, *, rehearsed: bool) -> str:
    """The project's reference. Ends the process where there is none, or no settings at all."""
    if not settings.exists():
        if rehearsed:
            return given or "SUPABASE-REFERENCE"
        sys.exit(f"deploy: {settings} is missing: copy terraform.tfvars.example beside it, and fill it in")
    found = _SUPABASE_URL.search(settings.read_text())
    if given is None and found is None:
        sys.exit(f"deploy: {settings} names no project of supabase.co: give its reference by SUPABASE=...")
    return given or (found[1] if found else "")


def _ask(place: Place, *, rehearsed: bool) -> None:
    print(
        f"This takes down the functions, topics, secrets, jobs and alerts of {place.project}.\n"
        "Mail that is on its way is lost, and with the secrets the keys that stored tokens are encrypted with:\n"
        "every mailbox has to be connected again. The database stays, and so does the bucket of Terraform's state."
    )
    if not rehearsed and input(f"Type the project's id ({place.project}) to go on: ").strip() != place.project:
        sys.exit("deploy: nothing was done")


if __name__ == "__main__":
    main()
