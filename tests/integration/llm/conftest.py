"""Our client of the language model against the simulator, over the wire."""

import json
import secrets
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from infra.local.openai.__main__ import KEY
from infra.local.parts import Part, http_answers, module_path
from infra.local.ports import free_port
from shared.extraction.found import Found
from shared.extraction.unsure import Limits, Question, doubts, question
from shared.llm.budget import Budget
from shared.llm.client import ChatClient, ModelApi
from shared.llm.judge import Judge
from shared.llm.rate import Rate
from tests.unit.extraction.doubted import entry
from tests.unit.extraction.mails import mail

MODEL = "gpt-5.4-mini"


@dataclass(frozen=True)
class Simulated:
    """The running simulator."""

    http: httpx.AsyncClient
    url: str
    key: str
    other_key: str

    @property
    def api(self) -> ModelApi:
        return ModelApi(SecretStr(self.key), f"{self.url}/v1", MODEL)

    async def fault(self, kind: str, **plan: Any) -> None:
        (await self.http.post("/_sim/faults", json={"kind": kind, **plan})).raise_for_status()

    async def says(self, when: str, words: str | None = None, **verdict: Any) -> None:
        script = {"when": when, "words": words, "verdict": verdict}
        (await self.http.post("/_sim/answers", json=script)).raise_for_status()

    async def limit(self, **settings: Any) -> None:
        (await self.http.patch("/_sim/settings", json=settings)).raise_for_status()

    async def requests(self) -> list[dict[str, Any]]:
        requests: list[dict[str, Any]] = (await self.http.get("/_sim/requests")).json()
        return requests

    async def calls(self) -> int:
        calls: int = (await self.http.get("/_sim/stats")).json().get("requests", 0)
        return calls

    async def limits(self) -> dict[str, int]:
        """The most that any window held of our key, and what was refused."""
        counts: list[dict[str, int]] = (await self.http.get("/_sim/limits")).json()
        return counts[0]

    async def shown(self) -> list[list[str]]:
        """The texts that each call showed."""
        messages = [json.loads(request["messages"][1]["content"]) for request in await self.requests()]
        return [[passage["text"] for passage in each["passages"]] for each in messages]

    async def clean(self) -> None:
        for what in ("faults", "answers", "requests"):
            (await self.http.delete(f"/_sim/{what}")).raise_for_status()
        await self.limit(latency_ms=0, requests_a_minute=10_000, tokens_a_minute=10_000_000, window_seconds=60)


@pytest.fixture(scope="session")
async def process(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Simulated]:
    folder = tmp_path_factory.mktemp("openai")
    port, key, other_key = free_port(), f"sk-{secrets.token_hex(8)}", f"sk-{secrets.token_hex(8)}"
    part = Part(
        "openai simulator",
        [sys.executable, "-m", "infra.local.openai", "--port", str(port), "--model", MODEL],
        log=folder / "openai.log",
        ready=lambda: http_answers(port, "/healthz"),
        env={**module_path(), KEY: f"{key},{other_key}"},
    )
    url = f"http://127.0.0.1:{port}"
    async with part, httpx.AsyncClient(base_url=url, timeout=30) as http:
        yield Simulated(http, url, key, other_key)


@pytest.fixture
async def simulated(process: Simulated) -> AsyncIterator[Simulated]:
    await process.clean()
    yield process
    await process.clean()


MakeJudge = Callable[..., Judge]


@pytest.fixture
async def make_judge(simulated: Simulated) -> AsyncIterator[MakeJudge]:
    """A judge of one's own, closed at the end: keyword arguments of Budget, ModelApi, `rate` or `structured`."""
    clients: list[ChatClient] = []

    def make(
        budget: Budget | None = None, structured: Any = "json_schema", rate: Rate | None = None, **api: Any
    ) -> Judge:
        clients.append(ChatClient(replace(simulated.api, **api), rate))
        return Judge(clients[-1], budget=budget or Budget(), structured=structured)

    yield make
    for client in clients:
        await client.close()


@pytest.fixture
def judge(make_judge: MakeJudge) -> Judge:
    return make_judge()


def asks(body: str, *amounts: str, minutes: float = 120.0, full: bool = False) -> Question:
    """The question of an email in which these amounts are in doubt."""
    email = mail(body)
    found = Found(tuple(entry(body, words, 0.6, minutes) for words in amounts))
    question_ = question(email, doubts(email, found), full=full, limits=Limits())
    assert question_ is not None
    return question_
