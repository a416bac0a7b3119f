"""A request for a chat completion, checked as the real API checks it: what it doesn't know it refuses."""

from typing import Annotated, Any, Final, Literal

from pydantic import Field, ValidationError
from pydantic_core import from_json

from infra.local.openai.conversation import Message, Part, ToolMessage, UserMessage, check_conversation
from infra.local.openai.errors import bad_request, no_such_model
from infra.local.openai.strict import check_format, check_function

LARGEST_OUTPUT: Final = 128_000
MOST_TOOLS: Final = 128
LONGEST_DESCRIPTION: Final = 1_024


class JsonSchema(Part):
    """A named schema."""

    name: str
    strict: bool | None = None
    description: str | None = None
    schema_: Annotated[dict[str, Any], Field(alias="schema")]


class JsonSchemaFormat(Part):
    """Structured output."""

    type: Literal["json_schema"]
    json_schema: JsonSchema


class OtherFormat(Part):
    """Text, or any JSON object."""

    type: Literal["text", "json_object"]


class Function(Part):
    """A function that the model may call. Strict only: the arguments are to keep to the schema."""

    name: str
    description: Annotated[str, Field(max_length=LONGEST_DESCRIPTION)] | None = None
    parameters: dict[str, Any]
    strict: Literal[True]


class Tool(Part):
    """One tool of those offered."""

    type: Literal["function"]
    function: Function


class StreamOptions(Part):
    """What a stream tells besides."""

    include_usage: bool = False


class ChatRequest(Part):
    """The body of POST /v1/chat/completions, as far as it is spoken here."""

    model: str
    messages: Annotated[list[Message], Field(min_length=1)]
    response_format: Annotated[JsonSchemaFormat | OtherFormat, Field(discriminator="type")] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    n: Literal[1] = 1
    temperature: Literal[1] = 1
    store: bool | None = None
    user: str | None = None
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh"] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    tools: Annotated[list[Tool], Field(min_length=1, max_length=MOST_TOOLS)] | None = None
    tool_choice: Literal["auto", "none", "required"] | None = None
    parallel_tool_calls: bool | None = None

    @property
    def schema_asked(self) -> dict[str, Any] | None:
        """The schema that the answer is to keep to, if any."""
        asked = self.response_format
        return asked.json_schema.schema_ if isinstance(asked, JsonSchemaFormat) else None

    @property
    def wants_json(self) -> bool:
        return self.response_format is not None and self.response_format.type != "text"

    @property
    def may_call(self) -> bool:
        """Whether the answer may hold tool calls."""
        return bool(self.tools) and self.tool_choice != "none"

    @property
    def must_call(self) -> bool:
        """Whether it has to."""
        return bool(self.tools) and self.tool_choice == "required"

    @property
    def wants_usage(self) -> bool:
        """Whether a stream is to end with the tokens that it took."""
        return self.stream_options is not None and self.stream_options.include_usage

    @property
    def heard(self) -> str:
        """What was last said to the model, by a person or a tool."""
        said = (each.content for each in reversed(self.messages) if isinstance(each, UserMessage | ToolMessage))
        return next(said, "")


def read_request(body: bytes, models: tuple[str, ...]) -> ChatRequest:
    """The request, if the real API would take it. Raises OpenAiError."""
    try:
        request = ChatRequest.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        param = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            what = "Unsupported parameter" if param == "max_tokens" else "Unrecognized request argument supplied"
            raise bad_request(f"{what}: {param}", param=param, code="unsupported_parameter") from None
        raise bad_request(f"Invalid '{param}': {first['msg']}.", param=param) from None
    if request.model not in models:
        raise no_such_model(request.model)
    if request.max_completion_tokens is not None and request.max_completion_tokens > LARGEST_OUTPUT:
        raise bad_request("max_completion_tokens is too large.", param="max_completion_tokens")
    check_conversation(request.messages)
    _check_tools(request)
    if request.stream_options is not None and not request.stream:
        raise bad_request(
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.", param="stream_options"
        )
    asked = request.response_format
    if isinstance(asked, JsonSchemaFormat):
        check_format(asked.json_schema.name, asked.json_schema.schema_, strict=bool(asked.json_schema.strict))
    elif asked is not None and asked.type == "json_object" and "json" not in _said(request).lower():
        raise bad_request(
            "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
            param="messages",
        )
    return request


def is_streamed(body: bytes) -> bool:
    """Whether a stream is asked for, by a body that may be anything."""
    try:
        asked = from_json(body)
    except ValueError:
        return False
    return isinstance(asked, dict) and asked.get("stream") is True


def _check_tools(request: ChatRequest) -> None:
    if request.tools is None:
        for param in ("tool_choice", "parallel_tool_calls"):
            if getattr(request, param) is not None:
                raise bad_request(
                    f"Invalid value for '{param}': '{param}' is only allowed when 'tools' are specified.", param=param
                )
        return
    names: set[str] = set()
    for place, tool in enumerate(request.tools):
        check_function(place, tool.function.name, tool.function.parameters)
        if tool.function.name in names:
            raise bad_request(f"Invalid 'tools': '{tool.function.name}' is offered twice.", param="tools")
        names.add(tool.function.name)


def _said(request: ChatRequest) -> str:
    return " ".join(message.content or "" for message in request.messages)
