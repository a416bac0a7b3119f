"""What a run prints at its end."""

from typing import Final

from rich.console import Console
from rich.table import Table

from tests.chaos.met import is_counted
from tests.chaos.plan import Plan
from tests.chaos.run import Ran
from tests.chaos.scene import MET

MOST_DIFFERENCES: Final = 40


def show(plan: Plan, ran: Ran) -> None:
    """A table of what happened, and every difference, up to a number that one reads."""
    console = Console(width=120)
    table = Table("What", "Planned", "Met", title=f"Seed {plan.seed}", title_justify="left")
    for name, number in sorted(ran.counts.items()):
        if not name.startswith(MET):
            met = ran.met[name] if is_counted(name) else None
            table.add_row(name, str(number), "" if met is None else str(met))
    console.print(table)
    told = Table("What the logs tell", "Times")
    for name, number in sorted(ran.retries.items()):
        told.add_row(name, str(number))
    console.print(told)
    peaks = ran.quota["peak_units_by_user"]
    console.print(
        f"{ran.sent} emails sent, {ran.entries} entries expected."
        f" Settled {ran.settled_seconds:.1f} s after the last fault."
    )
    console.print(
        f"Gmail's quota: at most {max(peaks.values(), default=0)} units in a user's minute,"
        f" {ran.quota['peak_units_project']} in the project's; refused {ran.quota['refused']}."
    )
    for difference in ran.differences[:MOST_DIFFERENCES]:
        console.print(difference, markup=False, highlight=False, soft_wrap=True)
    if ran.never_met:
        console.print(f"Planned and never met: {', '.join(ran.never_met)}.", markup=False)
    console.print(
        f"{len(ran.differences)} differences." if ran.differences else "Every entry as expected, once, and no other.",
        markup=False,
    )
