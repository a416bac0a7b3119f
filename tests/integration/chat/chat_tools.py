"""Tools of a made-up law firm, and an easy way to ask the chat and read its stream."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, SecretStr

from shared.caller import Caller
from shared.chat.handler import ChatHandler
from shared.chat.limits import ChatLimits
from shared.chat.messages import ChatRequest
from shared.errors import InConflict
from shared.llm.streaming import ChatModel
from shared.models import AnalysisMode
from shared.tools.registry import Arguments, Progress, Report, Tool, ToolAnswer, Toolbox, checked

DANA = Caller(UUID("00000000-0000-4000-8000-00000000000d"), SecretStr("a token of Dana's"))
EVIDENCE = "Spent 1.5 hours on the Ortiz lien"


class Days(Arguments):
    """How far back."""

    days: Annotated[int, Field(ge=1, le=30)] = 7


class Nothing(Arguments):
    """No arguments."""


class Hours(ToolAnswer):
    """Time of some days, with its proof."""

    minutes: int
    days: int
    extracted_text: str

    def for_model(self, mode: AnalysisMode) -> dict[str, Any]:
        hidden = {"extracted_text"} if mode is AnalysisMode.RULES_ONLY else set()
        return self.model_dump(mode="json", exclude=hidden)


class Told(ToolAnswer):
    """Whatever is to be said."""

    said: str

    def for_model(self, mode: AnalysisMode) -> dict[str, Any]:  # noqa: ARG002  the same in each mode
        return {"said": self.said}


class Secretive(Told):
    """What can't be put in words for a model."""

    def for_model(self, mode: AnalysisMode) -> dict[str, Any]:  # noqa: ARG002  never gets so far
        raise KeyError(EVIDENCE)


@dataclass
class Firm:
    """The tools, and what they wait for: `wait_for_us` goes on once `go` is set."""

    go: asyncio.Event = field(default_factory=asyncio.Event)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    mode: AnalysisMode = AnalysisMode.SNIPPETS
    calls: Counter[str] = field(default_factory=Counter)
    callers: set[UUID] = field(default_factory=set)

    async def mode_of(self, caller: Caller) -> AnalysisMode:
        self.callers.add(caller.user_id)
        return self.mode

    @property
    def toolbox(self) -> Toolbox:
        return Toolbox(
            [
                Tool("get_hours", "The minutes of some days.", Days, self._get_hours),
                Tool("wait_for_us", "Waits until it is told to go on.", Nothing, self._wait),
                Tool("refuse", "Can't be done as things are.", Nothing, self._refuse),
                Tool("break", "Breaks.", Nothing, self._break),
                Tool("hide", "Has nothing for a model.", Nothing, self._hide),
                Tool("stop_asking", "Lets no words of emails leave any more.", Nothing, self._stop_asking),
                Tool("give_up", "Gives up by itself.", Nothing, self._give_up),
            ]
        )

    async def _get_hours(self, caller: Caller, arguments: Days, _report: Report) -> ToolAnswer:
        self.calls["get_hours"] += 1
        self.callers.add(caller.user_id)
        return Hours(minutes=90, days=arguments.days, extracted_text=EVIDENCE)

    async def _wait(self, _caller: Caller, _arguments: Nothing, report: Report) -> ToolAnswer:
        report(Progress(3, 10, 1))
        self.begun.set()
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        return Told(said="went on")

    async def _refuse(self, _caller: Caller, _arguments: Nothing, _report: Report) -> ToolAnswer:
        raise InConflict("the mailbox isn't connected")

    async def _break(self, _caller: Caller, _arguments: Nothing, _report: Report) -> ToolAnswer:
        raise ValueError(f"'{EVIDENCE}' is no number")

    async def _hide(self, _caller: Caller, _arguments: Nothing, _report: Report) -> ToolAnswer:
        return Secretive(said="for you alone")

    async def _stop_asking(self, _caller: Caller, _arguments: Nothing, _report: Report) -> ToolAnswer:
        self.mode = AnalysisMode.RULES_ONLY
        return Told(said="done")

    async def _give_up(self, _caller: Caller, _arguments: Nothing, _report: Report) -> ToolAnswer:
        other = asyncio.get_running_loop().create_future()
        other.cancel()
        await other
        raise AssertionError


def asking(words: str, *earlier: dict[str, Any]) -> ChatRequest:
    """A request as useChat posts it."""
    last = {"id": "m9", "role": "user", "parts": [{"type": "text", "text": words}]}
    body = {"id": "chat_1", "messages": [*earlier, last], "trigger": "submit-message"}
    return checked(ChatRequest, json.dumps(body))


@dataclass
class Chat:
    """A chat with the tools of `firm`."""

    firm: Firm
    model: ChatModel

    def handler(self, **limits: Any) -> ChatHandler:
        return ChatHandler(
            toolbox=self.firm.toolbox, model=self.model, mode_of=self.firm.mode_of, limits=ChatLimits(**limits)
        )

    async def ask(self, words: str, *earlier: dict[str, Any], **limits: Any) -> list[dict[str, Any]]:
        """All parts of the answer, which has to end as streams do."""
        return [part async for part in self.parts(words, *earlier, **limits)]

    async def parts(self, words: str, *earlier: dict[str, Any], **limits: Any) -> AsyncIterator[dict[str, Any]]:
        """The parts one by one."""
        last = b""
        async with aclosing(self.handler(**limits).stream(DANA, asking(words, *earlier))) as stream:
            async for last in stream:
                assert last.endswith(b"\n\n")
                if last.startswith(b"data: {"):
                    yield json.loads(last.removeprefix(b"data: "))
        assert last == b"data: [DONE]\n\n"


def kinds(parts: list[dict[str, Any]]) -> list[str]:
    """The types in order, repeated ones once."""
    types = [part["type"] for part in parts]
    return [kind for place, kind in enumerate(types) if place == 0 or types[place - 1] != kind]


def words(parts: list[dict[str, Any]]) -> str:
    """All text of an answer."""
    return "".join(part["delta"] for part in parts if part["type"] == "text-delta")


def of_kind(parts: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [part for part in parts if part["type"] == kind]
