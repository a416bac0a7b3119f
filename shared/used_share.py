"""How full the fullest minute was: of Gmail's quota, say, over all mailboxes that one process works for."""

import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Minute:
    """What one of them used within the last `window_seconds`, added up by the second."""

    window_seconds: float
    _seconds: deque[tuple[int, float]] = field(default_factory=deque)
    _used: float = 0.0

    def add(self, amount: float, now: float) -> float:
        """Count this and give what the window holds."""
        while self._seconds and self._seconds[0][0] <= now - self.window_seconds:
            self._used -= self._seconds.popleft()[1]
        second = int(now)
        if self._seconds and self._seconds[-1][0] == second:
            self._seconds[-1] = (second, self._seconds[-1][1] + amount)
        else:
            self._seconds.append((second, amount))
        self._used += amount
        return self._used


class Fullest:
    """The largest share within the last `window_seconds`. Read in whatever thread collects measurements."""

    def __init__(self, window_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._window_seconds = window_seconds
        self._clock = clock
        self._shares: dict[int, float] = {}

    def saw(self, share: float, now: float) -> None:
        """Of one of them, just now."""
        second = int(now)
        self._shares[second] = max(self._shares.get(second, 0.0), share)
        while len(self._shares) > self._window_seconds + 1:
            del self._shares[next(iter(self._shares))]

    @property
    def share(self) -> float:
        """0 where nothing was used in the meantime."""
        oldest = self._clock() - self._window_seconds
        shares: Iterable[tuple[int, float]] = tuple(self._shares.items())  # at once: another thread may add to them
        return max((share for second, share in shares if second > oldest), default=0.0)
