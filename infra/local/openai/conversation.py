"""The messages of a request: four roles, and which may follow which."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import from_json

from infra.local.openai.errors import bad_request

Text = Annotated[str, Field(min_length=1)]
FunctionName = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]{1,64}$")]


class Part(BaseModel):
    """What a request is made of: nothing but the fields that are named, and of the very types."""

    model_config = ConfigDict(extra="forbid", strict=True)


class SystemMessage(Part):
    """Orders."""

    role: Literal["system", "developer"]
    content: Text


class UserMessage(Part):
    """What a person says."""

    role: Literal["user"]
    content: Text


class FunctionCall(Part):
    """A function's name and its arguments, as the JSON text that the model wrote."""

    name: FunctionName
    arguments: str


class ToolCall(Part):
    """One call that the model asked for."""

    id: Text
    type: Literal["function"]
    function: FunctionCall


class AssistantMessage(Part):
    """What the model said before: text, tool calls or both."""

    role: Literal["assistant"]
    content: Text | None = None
    tool_calls: Annotated[list[ToolCall], Field(min_length=1)] | None = None


class ToolMessage(Part):
    """What a tool answered to one call."""

    role: Literal["tool"]
    tool_call_id: Text
    content: Text


Message = Annotated[SystemMessage | UserMessage | AssistantMessage | ToolMessage, Field(discriminator="role")]


def check_conversation(messages: Sequence[Message]) -> None:
    """Refuse a tool call without its answer, and an answer without its call. Raises OpenAiError."""
    waiting: list[str] = []  # calls of the last assistant message that nothing has answered yet
    for place, message in enumerate(messages):
        if isinstance(message, ToolMessage):
            if message.tool_call_id not in waiting:
                raise bad_request(
                    "Invalid parameter: messages with role 'tool' must be a response to a preceding message with "
                    f"'tool_calls': '{message.tool_call_id}' answers none.",
                    param=f"messages.[{place}].tool_call_id",
                )
            waiting.remove(message.tool_call_id)
            continue
        _check_answered(waiting)
        if isinstance(message, AssistantMessage):
            _check_assistant(place, message)
            waiting = [call.id for call in message.tool_calls or []]
    _check_answered(waiting)


def _check_answered(waiting: list[str]) -> None:
    if waiting:
        raise bad_request(
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
            f"'tool_call_id'. The following tool_call_ids did not have response messages: {', '.join(waiting)}",
            param="messages",
        )


def _check_assistant(place: int, message: AssistantMessage) -> None:
    calls = message.tool_calls or []
    if message.content is None and not calls:
        param = f"messages.[{place}].content"
        raise bad_request(f"Invalid value for '{param}': expected a string, got null.", param=param)
    if len({call.id for call in calls}) < len(calls):
        param = f"messages.[{place}].tool_calls"
        raise bad_request(f"Invalid '{param}': an id stands there twice.", param=param)
    for number, call in enumerate(calls):
        try:
            from_json(call.function.arguments, allow_inf_nan=False)
        except ValueError:
            param = f"messages.[{place}].tool_calls[{number}].function.arguments"
            raise bad_request(f"Invalid '{param}': expected a string of JSON.", param=param) from None
