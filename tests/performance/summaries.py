"""Summaries over as many entries as a large firm has."""

import os
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.performance import summary_scale

ENTRIES = "BENCH_SUMMARY_ENTRIES"


async def summary() -> dict[str, Any]:
    """Milliseconds in the database of a year's summary, asked by users drawn by lot, out of BENCH_SUMMARY_ENTRIES.

    A thousandth as many users have these entries. `live_p95_ms`: the same sums straight from the entries.
    `refresh_seconds`: of a refresh after one entry in a thousand was edited.
    """
    entries = int(os.environ.get(ENTRIES, "1000000"))
    # Its plans are for whoever runs it alone.
    with TemporaryDirectory(prefix="tenths-summaries-") as folder, redirect_stderr(StringIO()):
        measured = await summary_scale.measure(Path(folder), entries)
    return {
        "summary": {
            "entries": entries,
            **measured["time_summary"],
            "changed_p95_ms": measured["changed"]["p95_ms"],
            "live_p95_ms": measured["live_aggregate"]["p95_ms"],
            "refresh_seconds": measured["refresh_again_s"],
        }
    }
