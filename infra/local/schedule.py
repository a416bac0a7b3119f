"""What Cloud Scheduler does on Google Cloud: it calls maintenance's tasks, each in its rhythm, with a signed token."""

import asyncio
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import httpx
import structlog

from infra.local.stack import Stack

# Seconds from one call to the next: shorter than in the cloud, where a person seldom watches.
RHYTHM: Final[Mapping[str, float]] = MappingProxyType(
    {
        "renew_watches": 600.0,
        "reconcile": 60.0,
        "refresh_summaries": 60.0,
        "second_looks": 120.0,
        "purge": 3_600.0,
        "replay_dead_letters": 120.0,
    }
)
# Above what a task may take: it begins nothing new after four minutes.
ATTEMPT_SECONDS: Final = 540.0

log = structlog.get_logger()


async def run_task(stack: Stack, task: str) -> dict[str, Any]:
    """Have one task run now, as the scheduler would; its answer. Raises httpx.HTTPError."""
    answer = await stack.http.post(
        f"{stack.gateway.functions_url}/maintenance/{task}",
        headers={"Authorization": f"Bearer {stack.scheduler_token}"},
        timeout=ATTEMPT_SECONDS,
    )
    answer.raise_for_status()
    done: dict[str, Any] = answer.json()
    return done


async def keep_schedule(stack: Stack) -> None:
    """Call every task in its rhythm, until cancelled; what fails is called again when its time comes."""
    async with asyncio.TaskGroup() as group:
        for task, seconds in RHYTHM.items():
            group.create_task(_keep(stack, task, seconds))


async def _keep(stack: Stack, task: str, seconds: float) -> None:
    while True:
        await asyncio.sleep(seconds)
        try:
            await run_task(stack, task)
        except httpx.HTTPError as error:
            log.warning("schedule.not_done", task=task, error=type(error).__name__)
