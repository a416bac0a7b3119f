"""One answer: the model is called, its tools are run, and so on until it has answered in words."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final

import structlog

from shared.caller import Caller
from shared.chat.calls import Call, CallsOfAStep
from shared.chat.history import ApiMessage, answer, assistant
from shared.chat.limits import ChatLimits
from shared.chat.progress import Reporter
from shared.chat.stream import UiMessageStream
from shared.chat.told import failure, told, told_of_failure
from shared.errors import ModelError, ModelMisconfigured, ModelOverLimit, ModelUnusable, TenthsError
from shared.leave import LeaveTakenBack
from shared.llm.streaming import Bounds, CallPiece, ChatModel
from shared.log import where
from shared.models import AnalysisMode
from shared.tools.registry import ToolAnswer, Toolbox

ModeOf = Callable[[Caller], Awaitable[AnalysisMode]]

# What a model may be sent that was made under a mode: whatever lets it see as much.
_ENOUGH: Final = {
    AnalysisMode.RULES_ONLY: frozenset(AnalysisMode),
    AnalysisMode.SNIPPETS: frozenset({AnalysisMode.SNIPPETS, AnalysisMode.FULL}),
    AnalysisMode.FULL: frozenset({AnalysisMode.FULL}),
}
# Most specific first.
_SENTENCES: Final[tuple[tuple[type[TenthsError], str], ...]] = (
    (LeaveTakenBack, "What the assistant may see was changed meanwhile. Please ask again."),
    (ModelOverLimit, "The assistant is too busy right now. Please try again in a minute."),
    (ModelMisconfigured, "The assistant isn't set up right. Please tell whoever runs this service."),
    (ModelUnusable, "The assistant's answer broke off. Please ask again."),
    (ModelError, "The assistant can't be reached right now. Please try again in a minute."),
    (TenthsError, "A part of this service can't be reached right now. Please try again in a minute."),
)
_TOO_LATE: Final = "The answer took too long and was stopped."
_BROKEN: Final = "Something went wrong. Please try again."

log = structlog.get_logger()


class ToolStopped(Exception):
    """A tool gave up although nobody asked it to."""


@dataclass(slots=True, kw_only=True)
class Answer:
    """One answer under way.

    `messages`: what the model is called with; they grow. `mode`: what they were made for a model to see.
    `ends`: when it has to be done, in the event loop's time. `ended` is told how it went.
    """

    caller: Caller
    messages: list[ApiMessage]
    toolbox: Toolbox
    model: ChatModel
    mode_of: ModeOf
    mode: AnalysisMode
    limits: ChatLimits
    out: UiMessageStream
    ends: float
    ended: Callable[[str], None] | None = None
    _ids: set[str] = field(default_factory=set)

    async def run(self) -> None:
        """From start to finish, whatever goes wrong between. Raises nothing but CancelledError."""
        result = "done"
        self.out.start()
        try:
            async with asyncio.timeout_at(self.ends):
                await self._steps()
        except Exception as error:  # noqa: BLE001  whatever it is, the stream has to end as streams do
            result, sentence = self._went_wrong(error)
            self.out.error(sentence)
        log.info("chat.answered", result=result)
        if self.ended is not None:
            self.ended(result)
        self.out.finish()

    def _went_wrong(self, error: Exception) -> tuple[str, str]:
        """A name for it, and what the user is told."""
        if isinstance(error, TimeoutError | ModelError) and asyncio.get_running_loop().time() >= self.ends:
            return "too_late", _TOO_LATE
        if isinstance(error, TenthsError):
            log.warning("chat.failed", code=error.code, reason=str(error))
            return error.code, next(sentence for kind, sentence in _SENTENCES if isinstance(error, kind))
        # Unforeseen: its message might quote an email.
        log.error("chat.broken", error=type(error).__name__, where=where(error))
        return "broken", _BROKEN

    async def _steps(self) -> None:
        """Call the model until it calls no tool any more. Raises ModelError's kinds and what `mode_of` raises."""
        for step in range(1, self.limits.steps + 1):
            last = step == self.limits.steps
            self.out.start_step()
            words, calls = await self._ask(may_call=not last)
            if last and calls:  # there are servers that don't mind tool_choice
                raise ModelUnusable("tools are called where none may be")
            if not calls:
                if not words.strip():
                    raise ModelUnusable("no content")
                return
            await self._run(words, calls)
            self.out.finish_step()

    async def _ask(self, *, may_call: bool) -> tuple[str, list[Call]]:
        """One call of the model: its words and its tool calls, told to the client as they come."""
        words: list[str] = []
        calls = CallsOfAStep(self.out, self._ids)
        pieces = self.model.stream(
            self.messages,
            tools=self.toolbox.schemas(),
            tool_choice="auto" if may_call else "none",
            bounds=Bounds(
                self.limits.output_tokens,
                self.limits.silence_seconds,
                self.ends - asyncio.get_running_loop().time(),
            ),
            leave=self._leave,
        )
        async with aclosing(pieces):
            async for piece in pieces:
                if isinstance(piece, CallPiece):
                    calls.add(piece)
                else:
                    words.append(piece.text)
                    self.out.text(piece.text)
        self.out.end_text()
        return "".join(words), calls.complete()

    async def _leave(self) -> None:
        """Raises LeaveTakenBack where the user has come to let the model see less than what is to be sent."""
        if await self.mode_of(self.caller) not in _ENOUGH[self.mode]:
            raise LeaveTakenBack

    async def _run(self, words: str, calls: list[Call]) -> None:
        """Run a step's calls at the same time, and put what came of them before the model."""
        async with asyncio.TaskGroup() as group:
            running = [group.create_task(self._call(call)) for call in calls]
        self.mode = await self.mode_of(self.caller)
        most_tokens = min(self.limits.tool_output_tokens, self.limits.history_tokens // len(calls))
        self.messages.append(assistant(words, [(call.id, call.name, call.repeatable) for call in calls]))
        for call, task in zip(calls, running, strict=True):
            self.messages.append(answer(call.id, self._told(call, task.result(), self.mode, most_tokens)))

    async def _call(self, call: Call) -> ToolAnswer | Exception:
        """Run one call and tell the client what came of it."""
        try:
            output = await self._output(call)
            self.out.tool_output(call.id, output)
        except Exception as error:  # noqa: BLE001  the other calls go on, and the model is told
            self._log(call, error)
            self.out.tool_error(call.id, failure(error)[1])
            return error
        return output

    async def _output(self, call: Call) -> ToolAnswer:
        try:
            with Reporter(lambda progress: self.out.progress(call.id, progress)) as report:
                return await self.toolbox.call(self.caller, call.name, call.arguments, report)
        except asyncio.CancelledError as gone:
            if (task := asyncio.current_task()) is None or task.cancelling():
                raise
            # Nobody cancels this call: something that it waited for was, such as another caller's turn.
            raise ToolStopped from gone

    def _told(self, call: Call, came_of_it: ToolAnswer | Exception, mode: AnalysisMode, most_tokens: int) -> str:
        if isinstance(came_of_it, Exception):
            return told_of_failure(*failure(came_of_it), most_tokens)
        try:
            return told(came_of_it.for_model(mode), most_tokens)
        except Exception as error:  # noqa: BLE001  the client has the answer; the model is told that it can't have it
            self._log(call, error)
            return told_of_failure(*failure(error), most_tokens)

    def _log(self, call: Call, error: Exception) -> None:
        tool = call.name if call.name in self.toolbox.names else "unknown"
        if isinstance(error, TenthsError):
            log.warning("chat.tool_failed", tool=tool, code=error.code)
        else:
            log.error("chat.tool_broken", tool=tool, error=type(error).__name__, where=where(error))
