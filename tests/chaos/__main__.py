"""`python -m tests.chaos`: mail and trouble at once, then every entry compared.

Exit status 1 on any difference, and where a fault of a long run never hit.
"""

import argparse
import asyncio
import logging
import secrets
import shutil
import sys
from pathlib import Path
from typing import Final

import structlog

from tests.chaos.plan import Plan
from tests.chaos.planning import make_plan
from tests.chaos.report import show
from tests.chaos.run import PATIENCE_SECONDS, run

ROOT: Final = Path(__file__).parents[2]
PLAN: Final = "plan.json"
LONG_SECONDS: Final = 300.0


def main() -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--emails", type=int, default=3_000, help="how many are sent")
    parser.add_argument("--users", type=int, default=5)
    parser.add_argument("--minutes", type=float, default=10.0, help="for how long they are sent, and things go wrong")
    parser.add_argument("--seed", type=int, help="the same seed makes the same plan; without one it is drawn")
    parser.add_argument("--unaided", action="store_true", help="no maintenance, and no trouble that it is there for")
    parser.add_argument("--plan", type=Path, help="run this plan, as an earlier run has left it, instead of making one")
    parser.add_argument("--patience", type=float, default=PATIENCE_SECONDS, help="seconds until all must be settled")
    parser.add_argument("--folder", type=Path, default=ROOT / ".local" / "chaos", help="for the plan, data and logs")
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    if asked.plan:
        plan = Plan.load(asked.plan)
    else:
        seed = asked.seed if asked.seed is not None else secrets.randbelow(10**6)
        plan = make_plan(
            seed, emails=asked.emails, users=asked.users, seconds=asked.minutes * 60, aided=not asked.unaided
        )
    folder = asked.folder / (str(plan.seed) if plan.aided else f"{plan.seed}-unaided")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    plan.save(folder / PLAN)
    _say(f"Seed {plan.seed}; the plan is {folder / PLAN}, logs are in {folder / 'stack'}.")
    ran = asyncio.run(run(plan, folder / "stack", _say, patience_seconds=asked.patience))
    show(plan, ran)
    if ran.differences:
        print(f"\nAgain: python -m tests.chaos --plan {folder / PLAN}", file=sys.stderr)
    # A short run hasn't the time for each of its faults to meet something.
    return 1 if ran.differences or (ran.never_met and plan.seconds >= LONG_SECONDS) else 0


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
