"""One answer of the model, before it has the shape of any response: text, tool calls, and how it ended."""

import secrets
from dataclasses import dataclass, field, replace
from typing import Final, Literal

BYTES_A_TOKEN: Final = 4

Ending = Literal["stop", "tool_calls", "length", "content_filter"]


@dataclass(frozen=True, slots=True)
class Call:
    """One tool call. `arguments`: the text that goes over the wire, JSON or what was meant to be."""

    name: str
    arguments: str
    id: str = field(default_factory=lambda: f"call_{secrets.token_hex(12)}")


@dataclass(frozen=True, slots=True)
class Said:
    """What the model says. `ended`: why it stopped, where that isn't plain from what it said."""

    content: str | None
    calls: tuple[Call, ...] = ()
    refusal: str | None = None
    ended: Ending | None = None

    @property
    def finish(self) -> Ending:
        """The finish_reason."""
        return self.ended or ("tool_calls" if self.calls else "stop")

    @property
    def tokens(self) -> int:
        """What it takes, as counted here."""
        said = (self.content or "") + (self.refusal or "") + "".join(call.name + call.arguments for call in self.calls)
        return tokens(said.encode())

    def within(self, most: int | None) -> "Said":
        """As far as it fits in so many tokens; None: all of it."""
        if most is None or self.tokens <= most:
            return self
        room = most * BYTES_A_TOKEN
        content = None if self.content is None else _first(self.content, room)
        room -= len((content or "").encode())
        calls = []
        for call in self.calls:
            room -= len(call.name)
            if room < 0:
                break
            calls.append(replace(call, arguments=_first(call.arguments, room)))
            room -= len(calls[-1].arguments.encode())
        return replace(self, content=content, calls=tuple(calls), ended="length")


def tokens(text: bytes) -> int:
    """The tokens of a text, as counted here."""
    return -(-len(text) // BYTES_A_TOKEN)


def spoilt(said: Said, kind: str) -> Said:
    """The answer after a fault of this kind; as it was, if the fault is of another sort."""
    match kind:
        case "truncated":
            return replace(_broken(said), ended="length")
        case "broken_json":
            return _broken(said)
        case "stream_broken_arguments":
            return _with_broken_calls(said)
        case "content_filter":
            return replace(said, ended="content_filter")
        case "empty":
            return Said("")
        case "refusal":
            return Said(None, refusal="I'm sorry, but I can't help with that.")
    return said


def _broken(said: Said) -> Said:
    content = None if said.content is None else said.content[: len(said.content) * 2 // 3]
    return replace(_with_broken_calls(said), content=content)


def _with_broken_calls(said: Said) -> Said:
    # The closing brace is lost at least, so that what is left is no JSON.
    cut = (replace(call, arguments=call.arguments[: len(call.arguments.strip()) * 2 // 3]) for call in said.calls)
    return replace(said, calls=tuple(cut))


def _first(text: str, most: int) -> str:
    """The beginning of a text, at most so many bytes of it, in whole characters."""
    return text.encode()[: max(0, most)].decode(errors="ignore")
