"""What the parts of the stack use while load is on them: memory and CPU, from the kernel."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.performance.firm import Firm
from tests.performance.process import family_cpu_seconds


@dataclass
class Used:
    """`functions`: MB resident before, after, the most in between, and CPU seconds, by function. `others_cpu_s`: CPU of
    the other parts. `restarted`: functions whose process is another one now. `busy`: the share of all cores' time."""

    functions: dict[str, dict[str, float]] = field(default_factory=dict)
    others_cpu_s: dict[str, float] = field(default_factory=dict)
    restarted: list[str] = field(default_factory=list)
    busy: float = 0.0


@contextmanager
def metered(firm: Firm) -> Iterator[Used]:
    """What is used from here to the end of the block."""
    used = Used()
    workers = {name: firm.worker(name) for name in firm.stack.functions}
    others = _others(firm)
    for worker in workers.values():
        worker.reset_peak()
    memory = {name: worker.memory_mb() for name, worker in workers.items()}
    cpu = {name: worker.cpu_seconds() for name, worker in workers.items()}
    others_cpu = {name: read() for name, read in others.items()}
    machine = _machine()
    yield used
    busy, total = (after - before for before, after in zip(machine, _machine(), strict=True))
    used.busy = round(busy / max(total, 1), 3)
    used.others_cpu_s = {name: round(read() - others_cpu[name], 2) for name, read in others.items()}
    for name, worker in workers.items():
        if firm.worker(name) != worker:
            used.restarted.append(name)
            continue
        after = worker.memory_mb()
        figures: dict[str, float] = {
            "before_mb": memory[name],
            "after_mb": after,
            "growth_mb": after - memory[name],
            "peak_mb": worker.peak_mb(),
            "cpu_s": worker.cpu_seconds() - cpu[name],
        }
        used.functions[name] = {key: round(value, 2) for key, value in figures.items()}


def _others(firm: Firm) -> dict[str, Callable[[], float]]:
    stack = firm.stack
    parts: list[Any] = [stack.postgres, stack.postgrest, stack.gateway, stack.valkey, stack.pubsub, stack.gmail]
    pids = {part.name: part.pid for part in [*parts, *stack.model.parts]}
    return {name: lambda pid=pid: family_cpu_seconds(pid) for name, pid in pids.items()}  # type: ignore[misc]


def _machine() -> tuple[int, int]:
    """Ticks of all cores that were not idle, and all; see proc(5)."""
    fields = [int(each) for each in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    idle = fields[3] + fields[4]
    return sum(fields) - idle, sum(fields)


def cores() -> int:
    return len(os.sched_getaffinity(0))
