"""POST /chat: a conversation comes in, the answer goes out as it is made."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime

from shared.caller import Caller
from shared.chat.history import conversation
from shared.chat.limits import ChatLimits
from shared.chat.loop import Answer, ModeOf
from shared.chat.messages import ChatRequest
from shared.chat.prompt import instructions
from shared.chat.stream import KEEP_ALIVE, UiMessageStream
from shared.llm.streaming import ChatModel
from shared.tools.registry import Toolbox


def _now() -> datetime:
    return datetime.now(UTC)


class ChatHandler:
    """Lives with the process.

    toolbox: what the model may call. mode_of: a user's setting for what a model may be shown of their email; asked
    again after each step's tools, since one of them may have changed it, and right before anything is sent. clock:
    gives an aware time.
    """

    def __init__(
        self,
        toolbox: Toolbox,
        model: ChatModel,
        mode_of: ModeOf,
        limits: ChatLimits | None = None,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self._toolbox = toolbox
        self._model = model
        self._mode_of = mode_of
        self._limits = limits or ChatLimits()
        self._clock = clock
        self._under_way: set[asyncio.Task[None]] = set()

    async def stream(
        self, caller: Caller, request: ChatRequest, ended: Callable[[str], None] | None = None
    ) -> AsyncGenerator[bytes, None]:
        """The answer as server-sent events; HEADERS of shared.chat.stream go with them.

        `ended` is told how it went when it has: `done`, or a code for what broke.

        Raises InvalidArguments for what can't be answered, and what `mode_of` raises: all of that before the first
        bytes. What breaks later is told in the stream, which always ends properly. Close it to stop the answer: the
        model and the tools under way are cancelled.
        """
        mode = await self._mode_of(caller)
        system = instructions(self._clock().astimezone(UTC).date())
        messages = conversation(request, system=system, mode=mode, limits=self._limits)
        events: asyncio.Queue[bytes | None] = asyncio.Queue()
        running = Answer(
            caller=caller,
            messages=messages,
            toolbox=self._toolbox,
            model=self._model,
            mode_of=self._mode_of,
            mode=mode,
            limits=self._limits,
            out=UiMessageStream(events.put_nowait),
            ends=asyncio.get_running_loop().time() + self._limits.deadline_seconds,
            ended=ended,
        )
        task = asyncio.create_task(running.run())
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        task.add_done_callback(lambda _task: events.put_nowait(None))
        try:
            while True:
                try:
                    async with asyncio.timeout(self._limits.keep_alive_seconds):
                        event = await events.get()
                except TimeoutError:
                    event = KEEP_ALIVE
                if event is None:
                    break
                yield event
            await task
        finally:
            task.cancel()
            await asyncio.wait({task})
