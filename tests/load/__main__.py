"""`make load`: load on the real parts, measured on this machine in this run; the last line is one JSON object.

Without a scenario: all of them, with the long ones' time compressed (`factor` tells how much). A scenario by name takes
its own time: `sustained` four hours, unless --hours says otherwise. Exit status 1 when one breaks what it has to hold.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

from rich.console import Console

from tests.load.generator import LoadFailed, installed
from tests.load.markdown import reports, tables
from tests.load.report import failed, show
from tests.load.scenarios import SCENARIOS, Size
from tests.load.scene import FOLDER, Result

# Half an hour, and five minutes, in one and a quarter: as much as Google's emulator of Pub/Sub carries.
COMPRESSED: Final[Mapping[str, Size]] = MappingProxyType(
    {"sustained": Size(hours=0.5, factor=24.0), "burst": Size(factor=4.0)}
)
# Whose they are; given for another, or for all, they would change nothing.
OPTIONS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {"hours": frozenset({"sustained"}), "factor": frozenset({"sustained", "burst"})}
)
WIDTH: Final = 120


async def run(sizes: dict[str, Size], console: Console) -> list[Result]:
    """Each in turn; what it showed is printed at once."""
    results: list[Result] = []
    for name, size in sizes.items():
        try:
            results.append(await SCENARIOS[name](size))
        except Exception as error:  # noqa: BLE001  whatever it is, the others are run all the same
            results.append({"scenario": name, "broken": [f"could not be run: {error!r}"]})
        results[-1] |= {"share": size.share, "measured_at": datetime.now(UTC).isoformat(timespec="seconds")}
        (FOLDER / f"{name}.json").write_text(json.dumps(results[-1], indent=1) + "\n")
        show(results[-1], (SCENARIOS[name].__doc__ or "").strip(), console)
    return results


def main() -> int:
    """Exit status: 1 when something broke or could not be run."""
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=f"of {', '.join(SCENARIOS)}; none: all")
    parser.add_argument("--hours", type=float, help="of `sustained`; unset: four")
    parser.add_argument("--factor", type=float, help="how compressed `sustained` and `burst` are; unset: not")
    parser.add_argument(
        "--share", type=float, default=1.0, help="do only such a share of it all, to try it: limits are not reached"
    )
    parser.add_argument("--table", action="store_true", help="run nothing: the last reports as docs/load.md's tables")
    given = parser.parse_args()
    if unknown := set(given.scenarios).difference(SCENARIOS):
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(SCENARIOS)}")
    if given.table:
        found = reports(FOLDER, given.scenarios or SCENARIOS)
        sys.stdout.write(tables(found))
        return int(failed(found) or not found)
    for option, scenarios in OPTIONS.items():
        if getattr(given, option) is not None and (not given.scenarios or set(given.scenarios) - scenarios):
            parser.error(f"--{option} is of {' and '.join(sorted(scenarios))} only: name what it is for")
    hours = 4.0 if given.hours is None else given.hours
    factor = 1.0 if given.factor is None else given.factor
    if not (0 < hours <= 24 and 1 <= factor <= 1_000 and 0 < given.share <= 1):
        parser.error("--hours is up to 24, --factor from 1 to 1000, --share up to 1")
    size = Size(hours, factor, given.share)
    sizes = dict.fromkeys(given.scenarios, size) or {
        name: replace(COMPRESSED.get(name, size), share=given.share) for name in SCENARIOS
    }
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "report.txt").open("w") as file:
        console = Console(record=True, width=WIDTH)
        try:
            installed()
        except LoadFailed as error:
            sys.stderr.write(f"load: {error}\n")
            return 1
        results = asyncio.run(run(sizes, console))
        file.write(console.export_text())
    line = json.dumps({"scenarios": {result["scenario"]: result for result in results}, "broken": failed(results)})
    (FOLDER / "report.json").write_text(line + "\n")
    sys.stdout.write(line + "\n")
    return int(failed(results))


if __name__ == "__main__":
    sys.exit(main())
