"""What the model says in a conversation: the turn that a test has scripted, or what a simple honest talker would.

The talker takes the tool whose name a message speaks of, and afterwards tells some of the numbers that came back.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Final

from infra.local.openai.conversation import ToolMessage, UserMessage
from infra.local.openai.request import ChatRequest, Function
from infra.local.openai.said import Call, Said

MOST_NUMBERS: Final = 4
_WORD: Final = re.compile(r"[a-z]+")
_STEM: Final = 4
"""Letters in which two words must agree: "summarise" speaks of a summary, "billed" of what is billable."""
_NUMBER: Final = re.compile(r"(?<![\w.-])-?\d+(?:\.\d+)?(?![\w-])")
_NAMED_NUMBER: Final = re.compile(r'"(?P<name>\w+)":\s*(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)')
_LEAST: Final[Mapping[str, Any]] = {"string": "", "integer": 0, "number": 0, "boolean": False, "array": []}


@dataclass(slots=True, eq=False)
class Turn:
    """A scripted answer to a request whose last words from a person or a tool hold `when` (None: to any).

    `calls`: names, and arguments as they go over the wire. `times`: how often it may still be given; None: always.
    """

    when: str | None
    say: str | None
    calls: tuple[tuple[str, str], ...] = ()
    times: int | None = 1

    def fits(self, request: ChatRequest) -> bool:
        """Whether it answers this request, and is of a kind that the request allows."""
        if self.calls:
            several = len(self.calls) > 1
            allowed = request.may_call and not (several and request.parallel_tool_calls is False)
        else:
            allowed = not request.must_call
        return allowed and (self.when is None or self.when in request.heard)


def speak(request: ChatRequest, turns: list[Turn]) -> Said:
    """The answer. A script wins over the talker, and is gone from `turns` once it has been given often enough."""
    turn = next((each for each in turns if each.fits(request)), None)
    if turn is None:
        return _talk(request)
    if turn.times is not None:
        turn.times -= 1
        if turn.times < 1:
            turns.remove(turn)
    return Said(turn.say, tuple(Call(name, arguments) for name, arguments in turn.calls))


def _talk(request: ChatRequest) -> Said:
    last = request.messages[-1]
    asked = next((each.content for each in reversed(request.messages) if isinstance(each, UserMessage)), "")
    if request.must_call or (request.may_call and isinstance(last, UserMessage)):
        function, shared = _function_for(asked, request)
        if shared or request.must_call:
            return Said(None, (Call(function.name, json.dumps(least_arguments(function.parameters))),))
    if isinstance(last, ToolMessage):
        results = takewhile(lambda each: isinstance(each, ToolMessage), reversed(request.messages))
        return Said(_told("\n".join(reversed([each.content or "" for each in results]))))
    return Said("Noted.")


def _function_for(asked: str, request: ChatRequest) -> tuple[Function, int]:
    """The function whose name shares most words with what was asked, and how many."""
    spoken = _stems(asked)

    def shared(function: Function) -> tuple[int, float]:
        named = _stems(function.name)
        count = len(named & spoken)
        return count, count / max(1, len(named))

    best = max((tool.function for tool in request.tools or []), key=shared)
    return best, shared(best)[0]


def _stems(text: str) -> set[str]:
    return {word[:_STEM] for word in _WORD.findall(text.lower())}


def least_arguments(parameters: dict[str, Any]) -> dict[str, Any]:
    """Arguments that say as little as a strict schema lets one say: null wherever it may stand."""
    arguments: dict[str, Any] = _least(parameters, parameters.get("$defs", {}))
    return arguments


def _least(schema: dict[str, Any], definitions: dict[str, Any]) -> Any:
    if "$ref" in schema:
        return _least(definitions[str(schema["$ref"]).removeprefix("#/$defs/")], definitions)
    if "anyOf" in schema:
        options = [_least(option, definitions) for option in schema["anyOf"]]
        return None if None in options else options[0]
    kinds = schema.get("type")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    if "null" in kinds:
        return None
    if "const" in schema or "enum" in schema:
        return schema["const"] if "const" in schema else schema["enum"][0]
    if kinds[0] == "object":
        return {name: _least(each, definitions) for name, each in schema.get("properties", {}).items()}
    return schema.get("minimum", _LEAST[kinds[0]])


def _told(results: str) -> str:
    """One sentence with some of the numbers, by their names where they have any."""
    numbers = [f"{each['name'].replace('_', ' ')} {each['number']}" for each in _NAMED_NUMBER.finditer(results)]
    numbers = (numbers or _NUMBER.findall(results))[:MOST_NUMBERS]
    if not numbers:
        return "That gives no numbers."
    *others, last = numbers
    return f"That gives {', '.join(others)} and {last}." if others else f"That gives {last}."
