"""A wire between a function and a part: bytes go through as they are, until a test holds them.

hold = wire.hold(b"/rpc/record_analysis", When.BEFORE)
...                               # something makes the function send such a request
await hold.reached                # it has been sent, and the part has not seen it
hold.release()                    # now it has
"""

import asyncio
import contextlib
from dataclasses import dataclass, field
from enum import StrEnum

from infra.local.ports import free_port


class When(StrEnum):
    """Where a call is held."""

    BEFORE = "before"  # the part has not seen the request
    AFTER = "after"  # the part has done its work, and the function has not seen the answer


@dataclass
class Hold:
    """One call, held once. `reached` is set when it is; releasing lets the bytes go on, if anyone still listens."""

    needle: bytes
    when: When
    _reached: asyncio.Event = field(default_factory=asyncio.Event)
    _released: asyncio.Event = field(default_factory=asyncio.Event)

    async def until_reached(self, deadline: float = 30.0) -> None:
        async with asyncio.timeout(deadline):
            await self._reached.wait()

    def release(self) -> None:
        self._released.set()

    async def wait_here(self) -> None:
        self._reached.set()
        await self._released.wait()


class Wire:
    """One port that leads to another."""

    def __init__(self, target: int) -> None:
        self.port = free_port()
        self._target = target
        self._holds: list[Hold] = []
        self._server: asyncio.Server | None = None
        self._pumps: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)

    async def close(self) -> None:
        for hold in self._holds:
            hold.release()
        if self._server is not None:
            self._server.close()
        for pump in list(self._pumps):
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)

    def hold(self, needle: bytes, when: When) -> Hold:
        """Hold the next request that contains these bytes."""
        hold = Hold(needle, when)
        self._holds.append(hold)
        return hold

    def _take(self, data: bytes) -> Hold | None:
        for hold in self._holds:
            if hold.needle in data:
                self._holds.remove(hold)
                return hold
        return None

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        pump = asyncio.create_task(self._pump(reader, writer))
        self._pumps.add(pump)
        pump.add_done_callback(self._pumps.discard)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.close()
            return
        answers: list[Hold] = []
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._requests(reader, far_writer, answers))
                group.create_task(self._answers(far_reader, writer, answers))
        except* OSError:
            pass  # either side went away; the other is told by the closing below
        finally:
            writer.close()
            far_writer.close()

    async def _requests(self, reader: asyncio.StreamReader, far: asyncio.StreamWriter, answers: list[Hold]) -> None:
        while data := await reader.read(65536):
            hold = self._take(data)
            if hold is not None and hold.when is When.BEFORE:
                await self._wait_or_hang_up(hold, reader)
            elif hold is not None:
                answers.append(hold)
            far.write(data)
            await far.drain()
        with contextlib.suppress(OSError):
            far.write_eof()

    async def _wait_or_hang_up(self, hold: Hold, reader: asyncio.StreamReader) -> None:
        """Hold a request; if its sender dies meanwhile, the part never sees it."""
        waiting = asyncio.create_task(hold.wait_here())
        died = asyncio.create_task(_ended(reader))
        await asyncio.wait([waiting, died], return_when=asyncio.FIRST_COMPLETED)
        died.cancel()
        if not waiting.done():
            waiting.cancel()
            raise ConnectionResetError("the sender of a held request went away")

    async def _answers(self, far: asyncio.StreamReader, writer: asyncio.StreamWriter, answers: list[Hold]) -> None:
        while data := await far.read(65536):
            if answers:
                await answers.pop(0).wait_here()
            writer.write(data)
            await writer.drain()
        writer.close()


async def _ended(reader: asyncio.StreamReader) -> None:
    """Return when the other side has closed its end; what it still sends stays in the reader's buffer."""
    while not reader.at_eof() and reader.exception() is None:  # noqa: ASYNC110  a stream tells only who reads it
        await asyncio.sleep(0.01)
