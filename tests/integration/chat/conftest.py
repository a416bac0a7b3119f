"""The chat against the simulated model, over the wire."""

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route

from shared.chat.messages import ChatRequest
from shared.chat.stream import HEADERS
from shared.llm.streaming import ChatModel
from shared.tools.registry import checked
from tests.integration.chat.chat_tools import DANA, Chat, Firm
from tests.integration.llm.conftest import Simulated, process

__all__ = ["process"]


@dataclass(frozen=True)
class Talker:
    """The simulator, as one that talks."""

    simulated: Simulated

    async def turn(self, when: str | None = None, say: str | None = None, **calls: Any) -> None:
        """Script a turn. `calls`: the arguments by the name of the tool, an object or the text itself."""
        await self.turn_of(when, say, *calls.items())

    async def turn_of(self, when: str | None, say: str | None, *calls: tuple[str, Any], times: int | None = 1) -> None:
        named = [{"name": name, "arguments": arguments} for name, arguments in calls]
        turn = {"when": when, "say": say, "calls": named, "times": times}
        (await self.simulated.http.post("/_sim/turns", json=turn)).raise_for_status()

    async def stats(self) -> dict[str, int]:
        stats: dict[str, int] = (await self.simulated.http.get("/_sim/stats")).json()
        return stats

    async def heard(self) -> list[list[dict[str, Any]]]:
        """The messages of each request."""
        return [request["messages"] for request in await self.simulated.requests()]

    async def clean(self) -> None:
        await self.simulated.clean()
        (await self.simulated.http.delete("/_sim/turns")).raise_for_status()
        await self.simulated.limit(chunk_delay_ms=0)


@pytest.fixture
async def talker(process: Simulated) -> AsyncIterator[Talker]:
    talker = Talker(process)
    await talker.clean()
    yield talker
    await talker.clean()


@pytest.fixture
async def model(talker: Talker) -> AsyncIterator[ChatModel]:
    model = ChatModel(talker.simulated.api)
    yield model
    await model.close()


@pytest.fixture
def chat(model: ChatModel) -> Chat:
    return Chat(Firm(), model)


@pytest.fixture
async def api(chat: Chat) -> AsyncIterator[str]:
    """The address of POST /chat."""

    async def answer(http: Request) -> StreamingResponse:
        request = checked(ChatRequest, await http.body())
        return StreamingResponse(chat.handler().stream(DANA, request), headers=HEADERS)

    listener = socket.create_server(("127.0.0.1", 0))
    app = Starlette(routes=[Route("/chat", answer, methods=["POST"])])
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_level="error", timeout_graceful_shutdown=2))
    serving = asyncio.create_task(server.serve([listener]))
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/chat"
    server.should_exit = True
    await serving
