"""Each scenario's last report as the tables of docs/load.md."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

_LAG: Final = "from sending to on record"
# What is looked at in each: an endpoint, or the lag.
_LOOKED_AT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "scans": "POST /tools/scan_billable_time",
        "model_limit": "POST /tools/analyze_time_entry",
        "chat": "POST /chat, first words",
    }
)
_NONE: Final = "-"


def reports(folder: Path, names: Iterable[str]) -> list[dict[str, Any]]:
    """The last report of each of these scenarios that has one, in this order."""
    files = (folder / f"{name}.json" for name in names)
    return [json.loads(file.read_text()) for file in files if file.is_file()]


def tables(results: Sequence[dict[str, Any]]) -> str:
    """Times in milliseconds and memory by scenario, then limits, then whatever broke. Growth: of who grew most."""
    heads = ("scenario", "what", "p50", "p95", "p99", "max", "failed", "growth", "own_busy", "machine_busy", "measured")
    parts = [_table(heads, 2, map(_row, results))]
    if held := [result for result in results if "limit" in result]:
        of_limits = ("limit", "allowed in a minute", "most in any sliding minute", "share", "refused")
        parts.append(_table(of_limits, 1, map(_limit, held)))
    parts += [f"BROKEN, `{result['scenario']}`: {line}\n" for result in results for line in result["broken"]]
    return "\n".join(parts)


def _row(result: dict[str, Any]) -> tuple[str, ...]:
    share = result.get("share", 1.0)
    name = f"`{result['scenario']}`" + (f", {share:.0%} of it" if share < 1 else "")
    if result["broken"]:
        name += " **BROKEN**"
    if "requests" not in result:
        return (name, *[_NONE] * 9, _day(result))
    what = _LOOKED_AT.get(result["scenario"], _LAG)
    times = result.get("lag_ms") if what == _LAG else result["http_ms"].get(what)
    return (
        name,
        what,
        *(f"{times[each]:,.0f}" if times else _NONE for each in ("p50", "p95", "p99", "max")),
        f"{result['errors']} of {result['requests']:,}",
        _most_grown(result),
        f"{result['own_busy']:.0%}",
        f"{result['machine_busy']:.0%}",
        _day(result),
    )


def _most_grown(result: dict[str, Any]) -> str:
    grown = [figures["growth_mb"] for figures in result["functions"].values()]
    return f"{max(grown):.1f} MB" if grown else _NONE


def _day(result: dict[str, Any]) -> str:
    return str(result.get("measured_at", _NONE))[:10]


def _limit(result: dict[str, Any]) -> tuple[str, ...]:
    limit = result["limit"]
    counts = (f"{limit[each]:,}" for each in ("allowed", "most"))
    return (f"`{result['scenario']}`", *counts, f"{limit['used_share']:.1%}", f"{limit['refused']:,}")


def _table(heads: Sequence[str], texts: int, rows: Iterable[Sequence[str]]) -> str:
    """texts: how many of its first columns hold words, which stand on the left."""
    rules = ["---"] * texts + ["---:"] * (len(heads) - texts)
    return "".join(f"| {' | '.join(row)} |\n" for row in (heads, rules, *rows))
