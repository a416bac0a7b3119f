"""The messages of one subscription that are neither acknowledged nor given up: waiting, out for a try, or pausing."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass
class Delivery:
    """One message on its way through one subscription. `tries`: how often it was handed out."""

    message: Any  # google.pubsub.v1.PubsubMessage, shared between subscriptions and never changed
    tries: int = 0


@dataclass(frozen=True)
class Patience:
    """Pauses in seconds, doubling from the first to the longest; `tries` before giving up, None for never."""

    first_pause: float = 0.1
    longest_pause: float = 60.0
    tries: int | None = None

    def pause(self, tries: int) -> float:
        """Seconds to wait after that many tries."""
        doublings = min(tries - 1, 32)  # beyond that any pause is the longest
        return float(min(self.longest_pause, self.first_pause * 2**doublings))


class Backlog:
    """At least once: who takes a message out either finishes with it or says `failed`, and then it comes back.

    `give_up` is asked after the last try, and says whether it took the message over.
    """

    def __init__(self, patience: Patience, give_up: Callable[[Delivery], bool]) -> None:
        self._patience = patience
        self._give_up = give_up
        self._waiting: deque[Delivery] = deque()
        self._filled = asyncio.Event()
        self._pausing: set[asyncio.TimerHandle] = set()

    def add(self, message: Any) -> None:
        """A newly published message."""
        self._put(Delivery(message))

    async def filled(self) -> None:
        """Returns once something can be taken."""
        while not self._waiting:
            self._filled.clear()
            await self._filled.wait()

    def take(self, most: int) -> list[Delivery]:
        """What can be handed out now, at most that many."""
        taken = [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]
        for delivery in taken:
            delivery.tries += 1
        return taken

    def failed(self, delivery: Delivery) -> None:
        """A try went wrong: it comes back after a pause, unless this was the last try and someone takes it over."""
        tries = self._patience.tries
        if tries is not None and delivery.tries >= tries and self._give_up(delivery):
            return

        def back() -> None:
            self._pausing.discard(timer)
            self._put(delivery)

        timer = asyncio.get_running_loop().call_later(self._patience.pause(delivery.tries), back)
        self._pausing.add(timer)

    def close(self) -> None:
        """Forgets everything."""
        for timer in self._pausing:
            timer.cancel()
        self._pausing.clear()
        self._waiting.clear()

    def _put(self, delivery: Delivery) -> None:
        self._waiting.append(delivery)
        self._filled.set()
