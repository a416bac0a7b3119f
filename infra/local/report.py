"""What the demo shows: entries with the words that prove them, totals, and what became of each email."""

from collections import defaultdict
from collections.abc import Callable
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
        console.print(Text(f"  not readable: {line}", style="yellow"))
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


def _line(date: str, client: str, work: str, said: str, billed: str, sure: str) -> str:
    return f"{date:<12}{client[:26]:<27}{work:<10}{said:>10}{billed:>11}{sure:>6}"


def _total_table(title: str, rows: list[dict[str, Any]], group: Callable[[dict[str, Any]], str]) -> Table:
    sums: dict[str, list[float]] = defaultdict(lambda: [0, 0.0, 0.0, 0.0])
    for row in rows:
        for key in (group(row), ""):
            total = sums[key]
            total[0] += 1
            total[1] += row["duration_minutes"]
            total[2] += row["billed_minutes"]
            total[3] += 0.0 if row["billable"] else row["duration_minutes"]
    everything = sums.pop("", [0, 0.0, 0.0, 0.0])
    table = Table(show_footer=True)
    table.add_column(title, footer="Total")
    for place, heading in enumerate(("Entries", "Hours said", "Hours billed", "Hours not charged")):
        footer = f"{everything[0]:g}" if place == 0 else _tenths(everything[place])
        table.add_column(heading, justify="right", footer=footer)
    for key, (entries, said, billed, free) in sorted(sums.items(), key=lambda item: -item[1][1]):
        table.add_row(Text(key), f"{entries:g}", _tenths(said), _tenths(billed), _tenths(free))
    return table


def _accounts(fed: Fed, outcomes: dict[str, int], seconds: float) -> str:
    accounted = sum(outcomes.values())
    words = {"entries": "with time entries", "none": "without any", "failed": "failed"}
    parts = ", ".join(f"{count} {words.get(name, name)}" for name, count in outcomes.items())
    lines = [
        f"{counted(fed.sent, 'email')} sent, {accounted} accounted for: {parts or 'nothing'}.",
        f"{counted(fed.not_sent, 'other message')} in the file left alone: received or drafts.",
        f"{counted(len(fed.broken), 'message')} not readable.",
    ]
    if fed.sent:
        lines.append(f"{seconds:.1f} s from the first to the last, {fed.sent / seconds:.0f} emails a second.")
    return "\n".join(lines)


def counted(number: int, noun: str) -> str:
    """`1 email`, `2 emails`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _tenths(minutes: float) -> str:
    """Minutes as hours with one decimal, as bills show them; two where a tenth would not be exact."""
    hours = minutes / 60
    return f"{hours:.1f} h" if round(hours, 1) == round(hours, 6) else f"{hours:.2f} h"
