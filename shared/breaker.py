"""A circuit breaker around one outside API: after failures in a row it is left alone for a while."""

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

import structlog
from purgatory import AsyncCircuitBreakerFactory
from purgatory.domain.messages.events import ContextChanged
from purgatory.domain.model import OpenedState

from shared import metrics

FAILURES_UNTIL_OPEN: Final = 5
REST_SECONDS: Final = 30.0

T = TypeVar("T")

log = structlog.get_logger()
_open: Counter[str] = Counter()


def open_breakers() -> frozenset[str]:
    """Names of those of this process that are open."""
    return frozenset(name for name, count in _open.items() if count > 0)


class Breaker:
    """Lives with the client of the API.

    threshold: failures in a row until it opens. rest_seconds: how long calls are then refused; the next one after that
    decides. counts: the errors that say that the API is ill, but for those of the kinds in `spares`. Any other says
    that it answers, as a result does; a cancelled call says nothing, unless CancelledError is among them.
    open_error: makes what a refused call raises, from the seconds of rest.
    """

    def __init__(
        self,
        name: str,
        *,
        counts: tuple[type[BaseException], ...],
        open_error: Callable[[float], Exception],
        spares: tuple[type[BaseException], ...] = (),
        threshold: int = FAILURES_UNTIL_OPEN,
        rest_seconds: float = REST_SECONDS,
    ) -> None:
        self._name = name
        self._counts = counts
        self._spares = spares
        self._open_error = open_error
        self._rest_seconds = rest_seconds
        self._circuits = AsyncCircuitBreakerFactory(default_threshold=threshold, default_ttl=rest_seconds)
        self._circuits.add_listener(self._changed)
        self._is_open = False

    async def call(self, work: Callable[[], Awaitable[T]]) -> T:
        """Give what the work gives or raises, or raise `open_error` without having begun it."""
        circuit = await self._circuits.get_breaker(self._name)
        try:
            await circuit.__aenter__()
        except OpenedState as opened:
            # The library raises the same exception again and again: what hangs on it would keep every caller's mail.
            opened.__traceback__ = opened.__context__ = None
            raise self._open_error(self._rest_seconds) from None
        # Not `async with`: that takes a caller's going away for a failure or, told not to, for a success.
        try:
            result = await work()
        except self._counts as failure:
            if isinstance(failure, self._spares):
                await circuit.__aexit__(None, None, None)
            else:
                await circuit.__aexit__(type(failure), failure, failure.__traceback__)
            raise
        except Exception:
            await circuit.__aexit__(None, None, None)
            raise
        await circuit.__aexit__(None, None, None)
        return result

    def _changed(self, name: str, _kind: str, event: Any) -> None:
        """Half open counts as open: it is the one call that decides."""
        if not isinstance(event, ContextChanged):
            return
        metrics.breaker_changes.add(1, {"breaker": name, "state": event.state})
        is_open = event.state != "closed"
        if is_open != self._is_open:
            self._is_open = is_open
            _open[name] += 1 if is_open else -1
            metrics.breakers_open.add(1 if is_open else -1, {"breaker": name})
            log.warning("breaker.opened" if is_open else "breaker.closed", breaker=name)
