"""How far a tool has come, told at most four times a second, and the latest always."""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from shared.tools.registry import Progress

SECONDS_BETWEEN: Final = 0.25


class Reporter:
    """A tool's Report. While it is entered, what is reported too soon waits; leaving it drops what still waits."""

    def __init__(self, tell: Callable[[Progress], None]) -> None:
        self._tell = tell
        self._latest: Progress | None = None
        self._pause: asyncio.TimerHandle | None = None
        self._over = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over = True
        if self._pause is not None:
            self._pause.cancel()

    def __call__(self, progress: Progress) -> None:
        self._latest = progress
        if self._pause is None and not self._over:
            self._tell_latest()

    def _tell_latest(self) -> None:
        latest, self._latest, self._pause = self._latest, None, None
        if latest is not None:
            self._tell(latest)
            self._pause = asyncio.get_running_loop().call_later(SECONDS_BETWEEN, self._tell_latest)
