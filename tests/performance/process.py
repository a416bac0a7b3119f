"""What the kernel says of a function's process: memory and CPU, read from /proc."""

import os
from dataclasses import dataclass
from pathlib import Path

from infra.local.parts import Part

MEGABYTE = 1024 * 1024
# What resets VmHWM when written to clear_refs; see proc(5).
_RESET_PEAK = "5"


@dataclass(frozen=True)
class Worker:
    """The process that does the work of a function: the child of its server's master, or the server itself."""

    pid: int

    @classmethod
    def of(cls, part: Part) -> "Worker":
        return cls(next(iter(_children(part.pid)), part.pid))

    def memory_mb(self) -> float:
        """MB resident now."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / MEGABYTE

    def reset_peak(self) -> None:
        """Have the peak counted from what is resident now."""
        Path(f"/proc/{self.pid}/clear_refs").write_text(_RESET_PEAK)

    def peak_mb(self) -> float:
        """The most MB that were resident at a time since the last reset."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))
        return int(kilobytes) / 1024

    def cpu_seconds(self) -> float:
        """CPU that all its threads have used, user and system."""
        return sum(_ticks(self.pid)[:2]) / os.sysconf("SC_CLK_TCK")


def family_cpu_seconds(pid: int) -> float:
    """CPU that a process has used with all that it started, those that have ended included."""
    return sum(_ticks(pid)) / os.sysconf("SC_CLK_TCK") + sum(map(family_cpu_seconds, _children(pid)))


def _ticks(pid: int) -> list[int]:
    """User and system time of a process, and of those of its children that have ended; see proc(5)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):  # ended meanwhile: its parent has its time now
        return [0]
    return [int(field) for field in fields[11:15]]


def _children(pid: int) -> list[int]:
    """Started by whichever of its threads."""
    try:
        return [int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in _read(task).split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def _read(task: Path) -> str:
    return (task / "children").read_text()
