"""Locust as a process of its own: it is given a plan, ends, and leaves what it saw."""

import json
import resource
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from infra.local.parts import Part, module_path
from infra.local.stack import ROOT
from tests.load.plan import Plan

LOCUST: Final = ROOT / ".local" / "locust" / "bin" / "locust"
FILE: Final = Path(__file__).with_name("locustfile.py")
# From the plan's time to the end of the slowest request, and from there to the end of the process.
LAST_REQUEST_SECONDS: Final = 150
ENDING_SECONDS: Final = 30


class LoadFailed(Exception):
    """The load could not be made. The message is one line."""


@dataclass(frozen=True)
class Seen:
    """`requests`: name, ms, at (epoch seconds), error. `sent`: id, at, behind (seconds, against the plan).

    `answers`: what tools answered. `cpu_seconds`: of Locust itself.
    """

    requests: list[dict[str, Any]]
    sent: list[dict[str, Any]]
    answers: list[dict[str, Any]]
    cpu_seconds: float


def installed() -> None:
    """Raises LoadFailed where Locust isn't."""
    if not LOCUST.is_file():
        raise LoadFailed(f"there is no {LOCUST.relative_to(ROOT)}: run `make load`, which installs it")


async def generate(plan: Plan, folder: Path) -> Seen:
    """Run it. Raises LoadFailed when Locust fails or doesn't end."""
    given, record, log = _files(folder)
    plan.write(given)
    users = str(len(plan.clients))
    options = ["--headless", "--only-summary", "--exit-code-on-error", "0", "--loglevel", "WARNING"]
    bounds = ["--run-time", f"{plan.seconds + LAST_REQUEST_SECONDS:.0f}s", "--stop-timeout", "10"]
    part = Part(
        "locust",
        [LOCUST, "--locustfile", FILE, *options, *bounds, "--users", users, "--spawn-rate", users, *plan.kinds],
        log=log,
        ready=_at_once,
        env={**module_path(), "LOAD_PLAN": str(given), "LOAD_RECORD": str(record), "PYTHONWARNINGS": "ignore"},
    )
    before = _children_cpu()
    try:
        async with part:
            code = await part.wait_exit(plan.seconds + LAST_REQUEST_SECONDS + ENDING_SECONDS)
    except TimeoutError:
        raise LoadFailed(f"Locust didn't end; see {log}") from None
    finally:
        given.unlink()  # it holds tokens
    if code:
        raise part.failed(f"ended with {code}")
    return Seen(**_read(record), cpu_seconds=_children_cpu() - before)


def _files(folder: Path) -> tuple[Path, Path, Path]:
    """Its plan, its record, of which none is there yet, and its log."""
    folder.mkdir(parents=True, exist_ok=True)
    record = folder / "record.json"
    record.unlink(missing_ok=True)
    return folder / "plan.json", record, folder / "locust.log"


def _read(record: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(record.read_text())
    return found


async def _at_once() -> bool:
    return True


def _children_cpu() -> float:
    """Of those that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
