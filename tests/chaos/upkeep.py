"""Maintenance meanwhile: the scheduler's tasks, and the time that has to pass between two of them."""

from datetime import timedelta
from typing import Final

import httpx

from infra.local.schedule import run_task
from tests.chaos.scene import Scene, patiently

# What makes good what faults have cost, in the order in which one finds what the other left.
HEALING: Final = ("renew_watches", "replay_dead_letters", "reconcile", "second_looks")
# Longer than any pause between two tries.
A_DAY: Final = timedelta(hours=25)
# All that maintenance waits for, as the database has it.
_PASSING: Final = (
    "update public.awaited_emails set next_try_at = next_try_at - $1::interval",
    "update private.second_looks set due_at = due_at - $1::interval",
    "update private.mailbox_upkeep set watch_due_at = watch_due_at - $1::interval",
    "update private.mailbox_upkeep set look_due_at = look_due_at - $1::interval",
    "update public.mailboxes set history_read_at = history_read_at - $1::interval",
    "update private.rescan_revivals set due_at = due_at - $1::interval",
    "update public.rescan_jobs set updated_at = updated_at - $1::interval where state in ('queued', 'running')",
)


async def time_passes(scene: Scene, hours: float) -> None:
    """Let so much time pass for what waits: the clock stays, what is due moves towards it."""
    for statement in _PASSING:
        await scene.rows(statement, timedelta(hours=hours))
    scene.counts["hours passed"] += round(hours)


async def maintain(scene: Scene, task: str) -> None:
    """Have a task run now, whatever becomes of it: the scheduler asks again when its time comes."""
    try:
        await run_task(scene.stack, task)
        scene.counts[f"task {task} done"] += 1
    except httpx.HTTPError:
        scene.counts[f"task {task} failed"] += 1


async def heal(scene: Scene) -> None:
    """A day passes, and all tasks have run once."""
    await time_passes(scene, A_DAY / timedelta(hours=1))
    for task in HEALING:
        await patiently(lambda task=task: run_task(scene.stack, task), 120.0, (httpx.HTTPError,))  # type: ignore[misc]
        scene.counts[f"task {task} done"] += 1
