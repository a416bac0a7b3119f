"""The AI SDK's UI message stream, version 1: an answer as parts that `useChat` puts together again.

start, then for each call of the model: start-step, text and tool inputs as they come, tool outputs, finish-step;
an error if there is one; finish; [DONE]. `docs/` of npm's `ai` calls it the data stream protocol.
"""

import secrets
from collections.abc import Callable, Mapping
from typing import Any, Final

from pydantic_core import to_json

from shared.tools.registry import Progress, ToolAnswer

HEADERS: Final[Mapping[str, str]] = {
    "content-type": "text/event-stream",
    "cache-control": "no-cache, no-transform",
    "x-vercel-ai-ui-message-stream": "v1",
    "x-accel-buffering": "no",
}
KEEP_ALIVE: Final = b": keep-alive\n\n"
DONE: Final = b"data: [DONE]\n\n"
NOT_FINISHED: Final = "not finished"


def part(kind: str, **fields: Any) -> bytes:
    """One event. Raises PydanticSerializationError for what is no JSON."""
    return b"data: " + to_json({"type": kind, **fields}, inf_nan_mode="null") + b"\n\n"


class UiMessageStream:
    """Says an answer, and keeps in mind what is open, so that it ends properly wherever it has to end."""

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self._send = send
        self._in_step = False
        self._text = ""
        self._texts = 0
        self._open_calls: list[str] = []

    def start(self) -> None:
        self._send(part("start", messageId=f"msg_{secrets.token_hex(12)}"))

    def start_step(self) -> None:
        self._in_step = True
        self._send(part("start-step"))

    def text(self, delta: str) -> None:
        if not self._text:
            self._texts += 1
            self._text = f"text_{self._texts}"
            self._send(part("text-start", id=self._text))
        self._send(part("text-delta", id=self._text, delta=delta))

    def end_text(self) -> None:
        if self._text:
            self._send(part("text-end", id=self._text))
            self._text = ""

    def tool_input_start(self, call_id: str, name: str) -> None:
        self.end_text()
        self._open_calls.append(call_id)
        self._send(part("tool-input-start", toolCallId=call_id, toolName=name))

    def tool_input_delta(self, call_id: str, delta: str) -> None:
        self._send(part("tool-input-delta", toolCallId=call_id, inputTextDelta=delta))

    def tool_input(self, call_id: str, name: str, value: Any) -> None:
        self._send(part("tool-input-available", toolCallId=call_id, toolName=name, input=value))

    def progress(self, call_id: str, progress: Progress) -> None:
        """How far a tool has come: for showing only, the message doesn't keep it."""
        done = {
            "done": progress.done,
            "total": progress.total,
            "entries": progress.entries,
            "toolCallId": call_id,
        }
        self._send(part("data-progress", data=done, transient=True))

    def tool_output(self, call_id: str, output: ToolAnswer) -> None:
        self._send(part("tool-output-available", toolCallId=call_id, output=output))
        self._open_calls.remove(call_id)

    def tool_error(self, call_id: str, text: str) -> None:
        self._send(part("tool-output-error", toolCallId=call_id, errorText=text))
        self._open_calls.remove(call_id)

    def finish_step(self) -> None:
        if self._in_step:
            self._in_step = False
            self._send(part("finish-step"))

    def error(self, text: str) -> None:
        """Something broke: what is open gets no answer any more."""
        self.end_text()
        for call_id in tuple(self._open_calls):
            self.tool_error(call_id, NOT_FINISHED)
        self._send(part("error", errorText=text))

    def finish(self) -> None:
        self.finish_step()
        self._send(part("finish"))
        self._send(DONE)
