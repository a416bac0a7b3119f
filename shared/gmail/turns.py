"""Calls under way at the same time: so many of one mailbox, as Gmail bears it, and so many of all, as memory does."""

import asyncio
from collections import deque


class Room:
    """So many calls at the same time. Who comes waits in line until there is room for all that they want at once."""

    def __init__(self, calls: int) -> None:
        self.calls = calls
        self.free = calls
        self._line: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def take(self, calls: int) -> None:
        """Wait for room for so many, `Room.calls` at most."""
        if not self._line and calls <= self.free:
            self.free -= calls
            return
        place = (calls, asyncio.get_running_loop().create_future())
        self._line.append(place)
        try:
            await place[1]
        except asyncio.CancelledError:
            if place[1].done() and not place[1].cancelled():
                self.give_back(calls)  # it had just been let in
            else:
                self._line.remove(place)
                self._let_in()  # whoever stands behind may need less
            raise

    def give_back(self, calls: int) -> None:
        """Make room again."""
        self.free += calls
        self._let_in()

    def _let_in(self) -> None:
        while self._line and self._line[0][0] <= self.free:
            calls, waiting = self._line.popleft()
            if not waiting.done():
                self.free -= calls
                waiting.set_result(None)


class Turns:
    """The turns of one mailbox, each of which is one of all, too."""

    def __init__(self, own: int, everybodys: Room) -> None:
        self._own = Room(own)
        self._everybodys = everybodys

    async def take(self, calls: int) -> None:
        """Wait for so many turns: a batch's calls are under way together."""
        await self._own.take(calls)
        try:
            await self._everybodys.take(calls)
        except BaseException:
            self._own.give_back(calls)
            raise

    def give_back(self, calls: int) -> None:
        self._everybodys.give_back(calls)
        self._own.give_back(calls)
