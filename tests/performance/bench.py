"""`make bench`: measured on this machine, in this run, on the real parts; the last line is one JSON object.

Names of measurements as arguments run only these. What each figure means: docs/performance.md.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable, Collection
from typing import Any

from tests.performance.again import cache_hit_rate, llm_avoided
from tests.performance.cold_start import cold_start
from tests.performance.firm import Firm
from tests.performance.pushes import pushes
from tests.performance.rescans import rescan_1000
from tests.performance.scans import scan_50, users_10
from tests.performance.summaries import summary
from tests.performance.texts import texts
from tests.performance.tools_process import batch_50, email_cached, growth

Measure = Callable[[Firm], Awaitable[dict[str, Any]]]

# With the quota of new projects, and a model to ask.
METERED: dict[str, Measure] = {
    "scan_50": scan_50,
    "users_10": users_10,
    "email_cached": email_cached,
    "batch_50": batch_50,
    "llm_avoided": llm_avoided,
    "cache_hit_rate": cache_hit_rate,
}
# Rules alone, as fast as this machine goes.
UNMETERED: dict[str, Measure] = {
    "pushes": pushes,
    "growth": growth,
    "rescan_1000": rescan_1000,
    "cold_start": cold_start,
}
SUMMARY, TEXTS = "summary", "texts"
NAMES = (TEXTS, *METERED, *UNMETERED, SUMMARY)


async def measure(names: Collection[str]) -> dict[str, Any]:
    """The figures of these measurements."""
    figures: dict[str, Any] = {}
    if TEXTS in names:
        figures |= await _timed(TEXTS, texts())
    for quota_profile, simulate_model, measures in (("2026", True, METERED), ("unmetered", False, UNMETERED)):
        if measures.keys().isdisjoint(names):
            continue
        async with Firm(quota_profile=quota_profile, simulate_model=simulate_model) as firm:
            for name, measuring in measures.items():
                if name in names:
                    figures |= await _timed(name, measuring(firm))
    if SUMMARY in names:
        figures |= await _timed(SUMMARY, summary())
    return figures


async def _timed(name: str, measuring: Awaitable[dict[str, Any]]) -> dict[str, Any]:
    """The figures, and what they are on standard error as soon as they are there."""
    begun = time.monotonic()
    print(f"{name} ...", end=" ", file=sys.stderr, flush=True)
    figures = await measuring
    print(f"{json.dumps(figures)} ({time.monotonic() - begun:.0f} s)", file=sys.stderr, flush=True)
    return figures


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m tests.performance.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; none: all")
    wanted: list[str] = parser.parse_args().names
    if unknown := set(wanted).difference(NAMES):
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    print(json.dumps(asyncio.run(measure(wanted or NAMES))))


if __name__ == "__main__":
    main()
