"""The demo's last word: a question to the tools, as a chat assistant puts it, and why an email came out so."""

import json
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

import httpx
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

QUESTION: Final = "Which clients did I spend the most time on in the last year, and is any email left unread?"
MOST_CLIENTS: Final = 5
MOST_EXPLAINED: Final = 3


@dataclass(frozen=True)
class Assistant:
    """The functions as a user's client reaches them, with that user's token."""

    http: httpx.AsyncClient

    async def ask(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """A tool's answer."""
        answer = await self.http.post(f"/tools/{tool}", json=arguments)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    async def chat(self, text: str) -> str:
        """What the assistant says in the end."""
        message = {"id": str(uuid4()), "role": "user", "parts": [{"type": "text", "text": text}]}
        said: list[str] = []
        async with self.http.stream("POST", "/chat", json={"id": str(uuid4()), "messages": [message]}) as answer:
            answer.raise_for_status()
            async for line in answer.aiter_lines():
                if line.startswith("data: {"):
                    part = json.loads(line.removeprefix("data: "))
                    said.append(part.get("delta", "") if part["type"] == "text-delta" else "")
        return "".join(said)


async def put_question(assistant: Assistant, email_ids: list[str], console: Console, *, has_model: bool) -> None:
    """Ask, and print the answer. `email_ids`: some that hold refusals are explained. Without a model a tool answers."""
    console.print(Text(f"\nAsked: {QUESTION}\n", style="bold"))
    if has_model:
        console.print(Padding(Text(await assistant.chat(QUESTION)), (0, 0, 0, 2)))
    summary = await assistant.ask("get_time_tracking_summary", date_range_days=365)
    console.print(_clients(summary))
    console.print(_coverage(summary["coverage"]))
    await _explain(assistant, email_ids, console)


def _clients(summary: dict[str, Any]) -> Table:
    table = Table(title=f"get_time_tracking_summary, {summary['first']} to {summary['last']}", title_justify="left")
    for heading in ("Client or matter", "Entries", "Hours said", "Billed"):
        table.add_column(heading, justify="left" if heading == "Client or matter" else "right")
    ordered = sorted(summary["by_client"], key=lambda sums: -sums["minutes"])
    for sums in ordered[:MOST_CLIENTS]:
        name = Text(sums["client_matter"] or "(none named)")
        table.add_row(name, str(sums["entries"]), _hours(sums["minutes"]), _hours(sums["billed_minutes"]))
    if len(ordered) > MOST_CLIENTS:
        rest = ordered[MOST_CLIENTS:]
        entries, minutes, billed = (
            sum(each[name] for each in rest) for name in ("entries", "minutes", "billed_minutes")
        )
        table.add_row(f"({len(rest)} more)", f"{entries:g}", _hours(minutes), _hours(billed))
    return table


def _coverage(coverage: dict[str, Any]) -> str:
    failed = sum(coverage["failed"].values())
    return (
        f"Of {coverage['sent']} emails sent in that time {coverage['accounted_for']} are accounted for:"
        f" {coverage['with_entries']} with entries, {coverage['without_entries']} without, {failed} failed;"
        f" {coverage['waiting']} still wait to be read."
    )


async def _explain(assistant: Assistant, email_ids: list[str], console: Console) -> None:
    """An email that states work and names time that is none: what was taken, what was not, and why."""
    for email_id in email_ids:
        found = await assistant.ask("analyze_time_entry", email_id=email_id)
        if found["candidates"] and found["refused"]:
            console.print(Text(f"\nWhy so? analyze_time_entry of email {email_id}:\n", style="bold"))
            for each in (found["candidates"][:1] + found["refused"])[:MOST_EXPLAINED]:
                console.print(Padding(Text(each["explanation"]), (0, 0, 1, 2)))
            return


def _hours(minutes: float) -> str:
    return f"{minutes / 60:.2f}"
