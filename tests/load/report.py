"""What a run of scenarios shows: tables for people, one line of JSON for programs."""

from collections.abc import Sequence
from typing import Any, Final

from rich.console import Console
from rich.table import Column, Table

_SPREAD: Final = ("count", "p50", "p95", "p99", "max")
_MEMORY: Final = ("before_mb", "after_mb", "growth_mb", "peak_mb", "cpu_s")


def show(result: dict[str, Any], what: str, console: Console) -> None:
    """One scenario."""
    console.rule(f"[bold]{result['scenario']}")
    console.print(what, markup=False)
    if "requests" in result:
        _show_figures(result, console)
    for line in result["broken"]:
        console.print(f"BROKEN: {line}", style="bold red", markup=False)
    if not result["broken"]:
        console.print("All that it has to hold holds.", style="green")


def _show_figures(result: dict[str, Any], console: Console) -> None:
    console.print(_times(result))
    console.print(_functions(result))
    others = ", ".join(f"{name} {seconds:g}" for name, seconds in result["others_cpu_s"].items())
    console.print(
        f"CPU seconds of the others: {others}. Of what the cores have, all of these took "
        f"{result['own_busy']:.0%}, everything on the machine {result['machine_busy']:.0%}.",
        markup=False,
    )
    for name in ("emails", "coverage", "scanned", "limit"):
        if name in result:
            told = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in result[name].items())
            console.print(f"{name.capitalize()}: {told}", markup=False)
    console.print(f"{result['seconds']:g} s, {result['requests']} requests, {result['errors']} failed.", markup=False)


def _times(result: dict[str, Any]) -> Table:
    table = Table(Column("ms", no_wrap=True), *(Column(name, justify="right") for name in (*_SPREAD, "errors")))
    for name, figures in result["http_ms"].items():
        table.add_row(name, *(f"{figures.get(each, 0):g}" for each in (*_SPREAD, "errors")))
    if lag := result.get("lag_ms"):
        table.add_row("from sending to on record", *(f"{lag[each]:g}" for each in _SPREAD), "")
    return table


def _functions(result: dict[str, Any]) -> Table:
    table = Table("function", *(Column(name.replace("_", " "), justify="right") for name in _MEMORY))
    for name, figures in result["functions"].items():
        table.add_row(name, *(f"{figures[each]:.1f}" for each in _MEMORY))
    return table


def failed(results: Sequence[dict[str, Any]]) -> bool:
    """Whether one of them broke what it has to hold."""
    return any(result["broken"] for result in results)
