"""All tasks by name, and how one is run."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from shared import metrics
from shared.errors import NotFound, TenthsError
from shared.maintenance.dead_letters import ReplayDeadLetters
from shared.maintenance.tasks import Deadline, Done, Task

# Counts that tell how things stand and not what was done.
STANDING: Final = ("lapsed", "lapsing")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Maintenance:
    """The tasks; lives with the process. `seconds`: for how long one run begins anything new.

    `look`: sees how things stand, after each.
    """

    tasks: Mapping[str, Task]
    replaying: ReplayDeadLetters
    seconds: float
    look: Callable[[], Awaitable[None]]
    closers: Sequence[Callable[[], Awaitable[None]]] = ()

    async def run(self, name: str) -> Done:
        """Run one task. Raises NotFound; and the errors of its parts, where nothing at all could be done."""
        task = self.tasks.get(name)
        if task is None:
            raise NotFound(f"there is no such task; there are {', '.join(self.tasks)}")
        try:
            done = await task(Deadline(self.seconds))
        except TenthsError as error:
            metrics.maintenance_runs.add(1, {"task": name, "result": error.code})
            log.warning("maintenance.failed", task=name, code=error.code, reason=str(error))
            raise
        metrics.maintenance_runs.add(1, {"task": name, "result": "done"})
        for what, count in done.counts.items():
            if isinstance(count, int) and what not in STANDING:
                metrics.maintained.add(count, {"task": name, "what": what})
        await self.look()
        log.info("maintenance.done", task=name, more=done.more, **done.counts)
        return done

    async def aclose(self) -> None:
        """Let go of all connections."""
        for close in self.closers:
            await close()
