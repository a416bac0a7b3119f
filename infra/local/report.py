"""What the demo shows: entries with the words that prove them, totals, and what became of each email."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import httpx
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from infra.local.feed import Fed

MOST_ROWS: Final = 60
MOST_BROKEN: Final = 10
PAGE: Final = 1000
EVIDENCE_INDENT: Final = 12
MOST_TOTALS: Final = 20
_TOTALS: Final = ("Entries", "Hours said", "Billed", "No charge")


class Report:
    """Asks the API as the mailbox's owner may."""

    def __init__(self, rest: httpx.AsyncClient) -> None:
        self._rest = rest

    async def processed(self) -> int:
        """How many emails something is on record of."""
        return await self._count("processed_emails")

    async def found(self) -> int:
        return await self._count("time_tracking_entries")

    async def outcomes(self) -> dict[str, int]:
        """How many emails came to which outcome."""
        names = ("entries", "none", "excluded", "not_sent", "gone", "failed")
        counts = {name: await self._count("processed_emails", outcome=f"eq.{name}") for name in names}
        return {name: count for name, count in counts.items() if count}

    async def entries(self) -> list[dict[str, Any]]:
        """All entries, the earliest day first."""
        rows: list[dict[str, Any]] = []
        while True:
            answer = await self._rest.get(
                "/time_tracking_entries",
                params={"order": "date_performed,client_matter,id", "limit": PAGE, "offset": len(rows)},
            )
            answer.raise_for_status()
            page = answer.json()
            rows += page
            if len(page) < PAGE:
                return rows

    async def _count(self, table: str, **filters: str) -> int:
        answer = await self._rest.head(f"/{table}", params=filters, headers={"Prefer": "count=exact"})
        answer.raise_for_status()
        return int(answer.headers["content-range"].rpartition("/")[2])


async def show(report: Report, fed: Fed, seconds: float, console: Console) -> None:
    """Print it all. `seconds`: from the first email sent to the last one on record."""
    rows = await report.entries()
    console.print("\nTime entries, each with the email's own words:\n")
    _show_entries(rows, console)
    if len(rows) > MOST_ROWS:
        console.print(f"... and {len(rows) - MOST_ROWS} more.")
    console.print(_total_table("Client or matter", rows, lambda row: row["client_matter"] or "(none named)"))
    console.print(_total_table("Kind of work", rows, lambda row: row["entry_type"]))
    outcomes = await report.outcomes()
    console.print(_accounts(fed, outcomes, seconds))
    for line in fed.broken[:MOST_BROKEN]:
        console.print(Text(f"  {line}", style="yellow"))
    if len(fed.broken) > MOST_BROKEN:
        console.print(f"  ... and {len(fed.broken) - MOST_BROKEN} more that are not readable.")


def _show_entries(rows: list[dict[str, Any]], console: Console) -> None:
    heading = ("Date", "Client or matter", "Work", "Said", "Billed", "Sure")
    console.print(Text(_line(*heading), style="bold"))
    for row in rows[:MOST_ROWS]:
        billed = _tenths(row["billed_minutes"]) if row["billable"] else "no charge"
        said, sure = f"{row['duration_minutes']:g} min", f"{row['confidence_score']:.0%}"
        line = _line(row["date_performed"], row["client_matter"] or "-", row["entry_type"], said, billed, sure)
        # As text, never as markup: an email may hold anything.
        console.print(Text(line))
        evidence = " ".join(row["extracted_text"].split())
        console.print(Padding(Text(f"“{evidence}”", style="italic cyan"), (0, 0, 0, EVIDENCE_INDENT)))


def _line(*cells: str) -> str:
    date, client, work, said, billed, sure = cells
    return f"{date:<12}{client[:26]:<27}{work:<10}{said:>10}{billed:>11}{sure:>6}"


@dataclass
class _Sum:
    """What one line of totals adds up; minutes. `name`: the spelling that was met first."""

    name: str
    entries: int = 0
    said: float = 0.0
    billed: float = 0.0
    free: float = 0.0

    def add(self, row: dict[str, Any]) -> None:
        self.entries += 1
        self.said += row["duration_minutes"]
        self.billed += row["billed_minutes"]
        self.free += 0.0 if row["billable"] else row["duration_minutes"]

    def cells(self) -> tuple[str, str, str, str]:
        return f"{self.entries}", f"{self.said / 60:.2f}", f"{self.billed / 60:.2f}", f"{self.free / 60:.2f}"


def _total_table(title: str, rows: list[dict[str, Any]], group: Callable[[dict[str, Any]], str]) -> Table:
    sums: dict[str, _Sum] = {}
    total = _Sum("Total")
    for row in rows:
        name = group(row)
        sums.setdefault(name.casefold(), _Sum(name)).add(row)
        total.add(row)
    table = Table(show_footer=True)
    for heading, footer in zip((title, *_TOTALS), (total.name, *total.cells()), strict=True):
        table.add_column(heading, footer=footer, justify="left" if heading == title else "right", no_wrap=True)
    ordered = sorted(sums.values(), key=lambda one: -one.said)
    for one in ordered[:MOST_TOTALS]:
        table.add_row(Text(one.name), *one.cells())
    if len(ordered) > MOST_TOTALS:
        rest = _Sum(f"({len(ordered) - MOST_TOTALS} more)")
        for one in ordered[MOST_TOTALS:]:
            rest.entries, rest.said = rest.entries + one.entries, rest.said + one.said
            rest.billed, rest.free = rest.billed + one.billed, rest.free + one.free
        table.add_row(rest.name, *rest.cells())
    return table


def _accounts(fed: Fed, outcomes: dict[str, int], seconds: float) -> str:
    accounted = sum(outcomes.values())
    words = {"entries": "with time entries", "none": "without any", "failed": "failed"}
    parts = ", ".join(f"{count} {words.get(name, name)}" for name, count in outcomes.items())
    lines = [
        f"{counted(fed.sent, 'email')} sent, {accounted} accounted for: {parts or 'nothing'}.",
        f"{counted(fed.not_sent, 'other message')} in the file left alone: received or drafts.",
    ]
    if fed.sent:
        lines.append(f"{seconds:.1f} s from the first to the last, {fed.sent / seconds:.0f} emails a second.")
    if fed.broken:
        lines.append(f"{counted(len(fed.broken), 'message')} not readable:")
    return "\n".join(lines)


def counted(number: int, noun: str) -> str:
    """`1 email`, `2 emails`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _tenths(minutes: float) -> str:
    """Minutes as hours with one decimal, as bills show them; two where a tenth would not be exact."""
    hours = minutes / 60
    return f"{hours:.1f} h" if round(hours, 1) == round(hours, 6) else f"{hours:.2f} h"
