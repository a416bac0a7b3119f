"""What all tasks have in common: how long one may take, and what it tells of itself."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar
from uuid import uuid4

import structlog

from shared.errors import TenthsError
from shared.log import where

BROKEN: Final = "broken"

Counts = Mapping[str, int | Mapping[str, int]]
T = TypeVar("T")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Done:
    """What a task has done, in numbers by name; failures by code. `more`: there was more to do than it had time for."""

    counts: Counts
    more: bool = False


class Deadline:
    """A moment, seconds from now on, after which nothing new is begun."""

    def __init__(self, seconds: float) -> None:
        self._at = asyncio.get_running_loop().time() + seconds

    @property
    def is_over(self) -> bool:
        return self.left <= 0

    @property
    def left(self) -> float:
        """Seconds; never less than none."""
        return max(self._at - asyncio.get_running_loop().time(), 0.0)


Task = Callable[[Deadline], Awaitable[Done]]
"""Raises the errors of its parts only where nothing at all could be done; then another try is due."""


def correlation(task: str) -> str:
    """What all that one run of a task publishes and logs has in common."""
    return f"{task}-{uuid4()}"


def code_of(error: Exception, event: str, **ids: object) -> str:
    """A code for what went wrong with one of many, which is logged; the others are not to suffer for it."""
    if isinstance(error, TenthsError):
        log.warning(event, code=error.code, reason=str(error), **ids)
        return error.code
    if isinstance(error, TimeoutError):
        log.warning(event, code="timeout", **ids)
        return "timeout"
    log.error(event, code=BROKEN, error=type(error).__name__, where=where(error), **ids)
    return BROKEN


async def each_part(parts: Mapping[str, Callable[[], Awaitable[Done]]]) -> Done:
    """Do all parts of a task, one after the other; one that fails stops no other. Raises if every one of them does."""
    counts: dict[str, int | Mapping[str, int]] = {}
    failed: Counter[str] = Counter()
    errors: list[TenthsError] = []
    more = False
    for name, part in parts.items():
        try:
            done = await part()
        except TenthsError as error:
            failed[code_of(error, "maintenance.part_failed", part=name)] += 1
            errors.append(error)
            continue
        counts |= done.counts
        more = more or done.more
    if errors and len(errors) == len(parts):
        raise errors[0]
    return Done({**counts, "failed": dict(failed)}, more or bool(errors))
