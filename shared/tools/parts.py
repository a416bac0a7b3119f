"""What the tools function holds: who asks, what there is to ask, and what is got ready before it is asked."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from shared.auth import UserTokens
from shared.caller import Caller
from shared.errors import TenthsError
from shared.store.timekeepers import Timekeepers
from shared.tools.registry import Toolbox, in_silence
from shared.tools.summary import Summary, SummaryArguments

if TYPE_CHECKING:  # only those load it who have a model
    from shared.chat.handler import ChatHandler

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ToolsParts:
    """Lives with the process. `chat` None: there is no model."""

    tokens: UserTokens
    timekeepers: Timekeepers
    toolbox: Toolbox
    summary: Summary
    chat: "ChatHandler | None"
    closers: Sequence[Callable[[], Awaitable[None]]] = ()
    _warming: "set[asyncio.Task[None]]" = field(default_factory=set)

    def warm(self, caller: Caller) -> None:
        """Have the caller's settings and this month's summary worked out while they have not asked yet."""
        task = asyncio.create_task(self.warmed(caller))
        self._warming.add(task)
        task.add_done_callback(self._warming.discard)

    async def aclose(self) -> None:
        """Let go of the connections."""
        for close in self.closers:
            await close()

    async def warmed(self, caller: Caller) -> None:
        """The same, waiting until it is so."""
        try:
            await self.summary.run(caller, SummaryArguments(), in_silence)  # asks for the settings, too
        except TenthsError as error:
            log.info("warming.failed", code=error.code)  # whoever asks will be told
