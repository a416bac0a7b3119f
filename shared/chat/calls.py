"""Tool calls as they come in, piece by piece, from servers that number and name them each in its own way."""

import re
import secrets
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic_core import from_json

from shared.chat.stream import UiMessageStream
from shared.errors import ModelUnusable
from shared.llm.streaming import CallPiece

_LONGEST_NAME: Final = 64
_LONGEST_ID: Final = 40
"""Of both, as OpenAI takes them back."""


@dataclass(slots=True)
class Call:
    """One call. `arguments`: the text that the model wrote, JSON or what was meant to be."""

    id: str
    name: str
    arguments: str = ""

    @property
    def input(self) -> Any:
        """The arguments as JSON values; as they were written, if they are no JSON."""
        try:
            return from_json(self.arguments or "{}", allow_inf_nan=False)
        except ValueError:
            return self.arguments

    @property
    def repeatable(self) -> str:
        """The arguments as an API takes them back: always the JSON text of an object."""
        return self.arguments if isinstance(self.input, dict) and self.arguments else "{}"


@dataclass(slots=True)
class _Growing:
    given_id: str | None
    call: Call | None = None
    early: str = ""
    """Arguments that came before the name."""


@dataclass(slots=True)
class CallsOfAStep:
    """The calls of one step, told to the client while they grow. `used`: ids of this answer, each to be given once."""

    out: UiMessageStream
    used: set[str]
    _growing: dict[int, _Growing] = field(default_factory=dict)
    _calls: list[Call] = field(default_factory=list)

    def add(self, piece: CallPiece) -> None:
        """Take a piece. Another id at the same place begins another call: some servers number them all alike."""
        growing = self._growing.get(piece.index)
        if growing is None or (piece.id and growing.given_id and piece.id != growing.given_id):
            self._check_named(growing)
            growing = self._growing[piece.index] = _Growing(piece.id)
        growing.given_id = growing.given_id or piece.id
        arguments = piece.arguments
        if growing.call is None:
            growing.early += arguments
            if not piece.name:
                return
            arguments = growing.early
            growing.call = Call(self._unused(growing.given_id), _name(piece.name))
            self._calls.append(growing.call)
            self.out.tool_input_start(growing.call.id, growing.call.name)
        if arguments:
            growing.call.arguments += arguments
            self.out.tool_input_delta(growing.call.id, arguments)

    def complete(self) -> list[Call]:
        """All of them, once the model has ended. Raises ModelUnusable where one has no name."""
        for growing in self._growing.values():
            self._check_named(growing)
        for call in self._calls:
            self.out.tool_input(call.id, call.name, call.input)
        return self._calls

    @staticmethod
    def _check_named(growing: _Growing | None) -> None:
        if growing is not None and growing.call is None:
            raise ModelUnusable("a tool call without a name")

    def _unused(self, given: str | None) -> str:
        id_ = given if given and len(given) <= _LONGEST_ID and given not in self.used else ""
        id_ = id_ or f"call_{secrets.token_hex(12)}"
        self.used.add(id_)
        return id_


def _name(given: str) -> str:
    """The name as an API takes it back; one that had to be changed is no tool's anyway."""
    return re.sub(r"[^a-zA-Z0-9_-]", "_", given)[:_LONGEST_NAME]
