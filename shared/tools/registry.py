"""The tools: from one pydantic model come the schema that a language model is shown and the check of what it sends.

toolbox = Toolbox([Tool("get_summary", "Totals ...", SummaryArguments, summary.run), ...])
toolbox.schemas()                                 # OpenAI's strict function schemas
await toolbox.call(caller, "get_summary", b"{}")  # checked, then run
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import from_json, to_json

from shared.caller import Caller
from shared.errors import InvalidArguments, NotFound, WrongArgument
from shared.models import AnalysisMode

# What strict function schemas don't know. Source: OpenAI, structured outputs, supported schemas.
_NOT_STRICT: Final = frozenset({"default", "title", "minLength", "maxLength", "uniqueItems", "examples"})
MOST_ERRORS: Final = 20


class Arguments(BaseModel):
    """Base of all tools' arguments: nothing but what is named, and nothing taken for what it isn't."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True, allow_inf_nan=False)


class ToolAnswer(BaseModel, ABC):
    """Base of all tools' answers: what the HTTP caller gets is the whole of it."""

    model_config = ConfigDict(frozen=True)

    @abstractmethod
    def for_model(self, mode: AnalysisMode) -> dict[str, Any]:
        """What a language model is told of it, as JSON values: the user's `mode` says what may leave."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a tool has come: emails `done` of `total`, and time entries found so far."""

    done: int
    total: int
    entries: int


Report = Callable[[Progress], None]
A = TypeVar("A", bound=Arguments)


def in_silence(_progress: Progress) -> None:
    """For callers who don't watch."""


@dataclass(frozen=True, slots=True)
class Tool(Generic[A]):
    """One tool. `run` raises RequestRefused's kinds for what the caller has to mend, and its parts' errors."""

    name: str
    description: str
    arguments: type[A]
    run: Callable[[Caller, A, Report], Awaitable[ToolAnswer]]

    def schema(self) -> dict[str, Any]:
        """The tool as chat completions takes it, strict."""
        return {
            "type": "function",
            "function": {
                "name": self.name,
                "description": self.description,
                "strict": True,
                "parameters": strict(self.arguments.model_json_schema()),
            },
        }


class Toolbox:
    """The tools by name."""

    def __init__(self, tools: Iterable[Tool[Any]]) -> None:
        self._tools = {tool.name: tool for tool in tools}

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._tools)

    def schemas(self) -> list[dict[str, Any]]:
        return [tool.schema() for tool in self._tools.values()]

    async def call(self, caller: Caller, name: str, arguments: bytes | str, report: Report = in_silence) -> ToolAnswer:
        """Check the arguments (JSON) and run the tool. Raises NotFound, InvalidArguments, and what the tool raises."""
        return await self._named(name).run(caller, self.check(name, arguments), report)

    def check(self, name: str, arguments: bytes | str) -> Any:
        """The arguments (JSON) as the tool takes them. Raises NotFound and InvalidArguments."""
        kind = self._named(name).arguments
        given = checked(kind, _without_nulls(kind, arguments))
        # A database's text can't hold a NUL.
        wrong = [name for name, value in given.model_dump().items() if _holds_nul(value)]
        if wrong:
            raise InvalidArguments(*(WrongArgument(name, "holds a NUL character") for name in wrong))
        return given

    def _named(self, name: str) -> Tool[Any]:
        tool = self._tools.get(name)
        if tool is None:
            raise NotFound(f"there is no tool of this name; there are {', '.join(self._tools)}")
        return tool


def _holds_nul(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_holds_nul(each) for each in value.values())
    if isinstance(value, list | tuple):
        return any(_holds_nul(each) for each in value)
    return isinstance(value, str) and "\0" in value


def _without_nulls(kind: type[BaseModel], arguments: bytes | str) -> bytes | str:
    """A null stands for an argument left out, as strict schemas have it. What is no JSON is left to the check."""
    try:
        given = from_json(arguments)
    except ValueError:
        return arguments
    if not isinstance(given, dict):
        return arguments
    unknown = {name: value for name, value in given.items() if name not in kind.model_fields}
    return to_json({**_left_out(given), **unknown})


def _left_out(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _left_out(each) for name, each in value.items() if each is not None}
    return [_left_out(each) for each in value] if isinstance(value, list) else value


B = TypeVar("B", bound=BaseModel)


def checked(kind: type[B], given: bytes | str) -> B:
    """JSON as a value of this kind; an empty text is an empty object. Raises InvalidArguments, naming each field."""
    try:
        return kind.model_validate_json(given if given.strip() else "{}")
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False, include_context=False)[:MOST_ERRORS]
        raise InvalidArguments(
            *(
                WrongArgument(
                    ".".join(map(str, one["loc"])) or "body",
                    _said(one["msg"]),
                    is_unknown=one["type"] == "extra_forbidden",
                )
                for one in found
            )
        ) from None


def _said(message: str) -> str:
    """Pydantic's own words, without what only programmers read in them."""
    return {
        "Extra inputs are not permitted": "there is no such argument",
        "Field required": "is required",
    }.get(message, message.removeprefix("Value error, "))


def strict(schema: dict[str, Any]) -> dict[str, Any]:
    """A JSON schema as strict functions take it: nothing but what is named, all of it required, optional ones nullable.

    What has a default may be null instead; the default is told in the description.
    """
    strictly = _strict(schema)
    if "$defs" in schema:
        strictly["$defs"] = {name: _strict(each) for name, each in schema["$defs"].items()}
    return strictly


def _strict(schema: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in schema.items() if name not in _NOT_STRICT and name != "$defs"}
    if "const" in kept:
        kept["enum"] = [kept.pop("const")]
    if "items" in kept:
        kept["items"] = _strict(kept["items"])
    if "anyOf" in kept:
        kept["anyOf"] = [_strict(option) for option in kept["anyOf"]]
    if "properties" in kept:
        needed = set(schema.get("required", ()))
        kept["properties"] = {
            name: _strict(each) if name in needed else _nullable(each) for name, each in kept["properties"].items()
        }
        kept["required"] = list(kept["properties"])
        kept["additionalProperties"] = False
    return kept


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    inner = _strict(schema)
    default = schema.get("default")
    described = inner.pop("description", "")
    if default is not None:
        described = f"{described} Null: {json.dumps(default)}.".strip()
    options = inner["anyOf"] if set(inner) == {"anyOf"} else [inner]
    if not any(option.get("type") == "null" for option in options):
        options = [*options, {"type": "null"}]
    return {"anyOf": options} | ({"description": described} if described else {})
