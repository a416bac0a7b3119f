"""The conversation so far as a model's API takes it: always valid, and never longer than what there is room for."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from pydantic_core import to_json

from shared.chat.limits import ChatLimits
from shared.chat.messages import ChatRequest, Message, StepStart, TextPart, ToolPart
from shared.chat.told import FAILED, told, told_of_failure
from shared.errors import InvalidArguments, WrongArgument
from shared.llm.budget import tokens
from shared.models import AnalysisMode

ApiMessage = dict[str, Any]
Turn = list[ApiMessage]
"""Messages that stay or go together: words alone, or calls with all their answers."""

_NOT_REPEATED: Final = {"not_repeated": "This answer was shown to the user. Call the tool again if you need it."}


def conversation(request: ChatRequest, *, system: str, mode: AnalysisMode, limits: ChatLimits) -> list[ApiMessage]:
    """The system prompt and the newest turns that fit, the user's last message always among them.

    Raises InvalidArguments where that message alone is too long.
    """
    *earlier, newest = _turns(request.messages, mode, limits)
    first = {"role": "system", "content": system}
    room = limits.history_tokens - _size([first]) - _size(newest)
    if room < 0:
        place = len(request.messages) - 1
        raise InvalidArguments(WrongArgument(f"messages.{place}", "is longer than the assistant can read at once"))
    kept: list[Turn] = [newest]
    for turn in reversed(earlier):
        room -= _size(turn)
        if room < 0:
            break
        kept.append(turn)
    return [first, *(message for turn in reversed(kept) for message in turn)]


def assistant(text: str, calls: Sequence[tuple[str, str, str]]) -> ApiMessage:
    """What the model said in one step: words, calls or both. `calls`: id, name and arguments, as JSON text, of each."""
    message: ApiMessage = {"role": "assistant", "content": text or None}
    if calls:
        message["tool_calls"] = [
            {"id": id_, "type": "function", "function": {"name": name, "arguments": arguments}}
            for id_, name, arguments in calls
        ]
    return message


def answer(call_id: str, content: str) -> ApiMessage:
    """What a tool answered to a call."""
    return {"role": "tool", "tool_call_id": call_id, "content": content}


def _size(turn: Turn) -> int:
    return sum(tokens(to_json(message).decode()) for message in turn)


def _turns(messages: Sequence[Message], mode: AnalysisMode, limits: ChatLimits) -> Iterator[Turn]:
    calls = 0
    for message in messages:
        if message.role == "user":
            if message.text:
                yield [{"role": "user", "content": message.text}]
            continue
        for text, parts in _steps(message):
            if not text and not parts:
                continue
            # Numbers of our own: a client's ids may be missing, doubled or longer than an API takes.
            ids = [f"earlier_{calls + place}" for place in range(1, len(parts) + 1)]
            calls += len(parts)
            said = [(id_, part.name, _arguments(part)) for id_, part in zip(ids, parts, strict=True)]
            answers = [answer(id_, _output(part, mode, limits)) for id_, part in zip(ids, parts, strict=True)]
            yield [assistant(text, said), *answers]


def _steps(message: Message) -> Iterator[tuple[str, list[ToolPart]]]:
    """An assistant's message in the model's own steps: words, then the calls that have their answers."""
    words: list[str] = []
    parts: list[ToolPart] = []
    for part in message.parts:
        match part:
            case TextPart() if parts:  # words after calls were said with the answers known
                yield "\n".join(words), parts
                words, parts = [part.text], []
            case TextPart() if part.text.strip():
                words.append(part.text)
            case ToolPart() if part.complete:
                parts.append(part)
            case StepStart():
                yield "\n".join(words), parts
                words, parts = [], []
    yield "\n".join(words), parts


def _arguments(part: ToolPart) -> str:
    return to_json(part.input, inf_nan_mode="null").decode() if isinstance(part.input, dict) else "{}"


def _output(part: ToolPart, mode: AnalysisMode, limits: ChatLimits) -> str:
    if part.failed:
        # As above: the client's own words of it may name whom it is about.
        text = FAILED if mode is AnalysisMode.RULES_ONLY else part.error_text
        return told_of_failure("tool_failed", text, limits.tool_output_tokens)
    if mode is AnalysisMode.RULES_ONLY:
        # The client has the whole answer, with words of the emails: in this mode none of them may leave.
        return told(_NOT_REPEATED, limits.tool_output_tokens)
    return told(part.output, limits.tool_output_tokens)
