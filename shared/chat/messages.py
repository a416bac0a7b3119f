"""What `useChat` posts: the whole conversation, checked and bounded. What isn't used here is ignored, not refused."""

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, field_validator

MOST_MESSAGES: Final = 200
MOST_PARTS: Final = 200
MOST_CHARACTERS: Final = 20_000
_TOOL: Final = "tool-"

Id = Annotated[str, Field(max_length=200)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)


class TextPart(_Part):
    """Words of the user, or the assistant's."""

    type: Literal["text"]
    text: Annotated[str, Field(max_length=MOST_CHARACTERS)]


class ToolPart(_Part):
    """A call of a tool by the assistant, and what came of it: complete in two of its states alone.

    `output` is whatever the client says it is.
    """

    type: Annotated[str, Field(pattern=r"^tool-[a-zA-Z0-9_-]{1,64}$")]
    tool_call_id: Annotated[Id, Field(alias="toolCallId")]
    state: Annotated[str, Field(max_length=50)]
    input: Any = None
    output: Any = None
    error_text: Annotated[str, Field(alias="errorText", max_length=MOST_CHARACTERS)] = "the tool failed"

    @property
    def name(self) -> str:
        return self.type.removeprefix(_TOOL)

    @property
    def complete(self) -> bool:
        """Whether the call has its answer: a model's API takes no call without one."""
        return self.state in {"output-available", "output-error"}

    @property
    def failed(self) -> bool:
        return self.state == "output-error"


class StepStart(_Part):
    """Where the assistant was called again, with the answers of its tools."""

    type: Literal["step-start"]


class OtherPart(_Part):
    """Reasoning, files, sources, our own data parts and what else may come: not for the model."""

    type: Annotated[str, Field(max_length=200)]


def _sort(part: Any) -> str:
    kind = part.get("type") if isinstance(part, dict) else getattr(part, "type", None)
    match kind:
        case "text" | "step-start":
            return str(kind)
        case str() if kind.startswith(_TOOL):
            return "tool"
    return "other"


Part = Annotated[
    Annotated[TextPart, Tag("text")]
    | Annotated[ToolPart, Tag("tool")]
    | Annotated[StepStart, Tag("step-start")]
    | Annotated[OtherPart, Tag("other")],
    Discriminator(_sort),
]


class Message(_Part):
    """One message of the conversation as the client keeps it."""

    id: Id = ""
    role: Literal["user", "assistant", "system"]
    parts: Annotated[tuple[Part, ...], Field(max_length=MOST_PARTS)]

    @field_validator("role")
    @classmethod
    def _no_system(cls, role: str) -> str:
        if role == "system":
            raise ValueError("a system message is not the client's to send")
        return role

    @property
    def text(self) -> str:
        """All its words."""
        return "\n".join(part.text for part in self.parts if isinstance(part, TextPart) and part.text.strip())


class ChatRequest(_Part):
    """The body of POST /chat, as DefaultChatTransport sends it."""

    id: Id = ""
    messages: Annotated[tuple[Message, ...], Field(min_length=1, max_length=MOST_MESSAGES)]
    trigger: Literal["submit-message", "regenerate-message"] = "submit-message"
    message_id: Annotated[Id | None, Field(alias="messageId")] = None

    @field_validator("messages")
    @classmethod
    def _ends_with_a_question(cls, messages: tuple[Message, ...]) -> tuple[Message, ...]:
        if messages[-1].role != "user" or not messages[-1].text:
            raise ValueError("the last one must be the user's, with some text")
        return messages
