"""The project's keys come and go: whoever has a known one is served all the same."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from uuid import uuid4

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

import shared.published_keys
from infra.local.ports import free_port
from infra.local.tokens import ProjectKeys
from shared.auth import UserTokens
from shared.caller import Caller
from shared.errors import KeysUnavailable, NotAuthenticated

USER = uuid4()
DEADLINE_SECONDS = 20.0


class KeyServer:
    """What publishes a project's keys: it counts how often it is asked, and hangs or fails where it is told to."""

    def __init__(self) -> None:
        self.port = free_port()
        self.times = 0
        self.failing = False
        self._asked = asyncio.Condition()
        self._answers = asyncio.Event()
        self._answers.set()
        self.keys = ProjectKeys.generate(issuer=f"{self.url}/auth/v1")
        app = Starlette(routes=[Route("/auth/v1/.well-known/jwks.json", self._publish)])
        config = uvicorn.Config(app, port=self.port, lifespan="off", log_level="error", timeout_graceful_shutdown=2)
        self._server = uvicorn.Server(config)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def hang(self) -> None:
        self._answers.clear()

    def answer(self) -> None:
        self._answers.set()

    def rotate(self) -> None:
        """Another key, under another name; the one there was is the project's no more."""
        self.keys = ProjectKeys.generate(issuer=self.keys.issuer)

    def token(self) -> str:
        return f"Bearer {self.keys.user_token(USER, 'dana@firm.example')}"

    def strangers_token(self) -> str:
        return f"Bearer {ProjectKeys.generate(issuer=self.keys.issuer).user_token(USER, 'dana@firm.example')}"

    async def until_asked(self, times: int = 2) -> None:
        """Wait until it was asked so often; the first time was for the keys that are known."""
        async with asyncio.timeout(DEADLINE_SECONDS), self._asked:
            await self._asked.wait_for(lambda: self.times >= times)

    async def serve(self) -> None:
        await self._server.serve()

    async def until_started(self) -> None:
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not self._server.started:  # noqa: ASYNC110  the server has no event for it
                await asyncio.sleep(0.01)

    def stop(self) -> None:
        self.answer()
        self._server.should_exit = True

    async def _publish(self, _request: Request) -> Response:
        async with self._asked:
            self.times += 1
            self._asked.notify_all()
        await self._answers.wait()
        return JSONResponse(self.keys.jwks(), 503 if self.failing else 200)


@pytest.fixture
async def server() -> AsyncIterator[KeyServer]:
    published = KeyServer()
    serving = asyncio.create_task(published.serve())
    await published.until_started()
    yield published
    published.stop()
    await serving


@pytest.fixture
async def tokens(server: KeyServer) -> AsyncIterator[UserTokens]:
    """Knows the project's keys as they are now."""
    async with httpx.AsyncClient() as http:
        known = UserTokens(http, server.url)
        await known.verify(server.token())
        yield known
        server.answer()
        if known.keys._refreshing is not None:  # what fetches in the background is nobody's to await
            await known.keys._refreshing


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for the key server waits longer than any test."""
    monkeypatch.setattr(shared.published_keys, "FETCH_SECONDS", 600.0)


@pytest.fixture
def stale(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys are to be fetched anew at each look."""
    monkeypatch.setattr(shared.published_keys, "KEYS_GOOD_FOR_SECONDS", 0.0)
    monkeypatch.setattr(shared.published_keys, "FETCH_AGAIN_AFTER_SECONDS", 0.0)


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each unknown key has the keys fetched anew."""
    monkeypatch.setattr(shared.published_keys, "FETCH_AGAIN_AFTER_SECONDS", 0.0)


async def at_once(verifying: Awaitable[Caller]) -> Caller:
    """What is given while the key server still holds its answer back."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        return await verifying


@pytest.mark.usefixtures("stale", "patient")
async def test_a_known_key_is_served_while_the_key_server_hangs(server: KeyServer, tokens: UserTokens) -> None:
    server.hang()
    assert (await at_once(tokens.verify(server.token()))).user_id == USER
    await server.until_asked()
    for _ in range(3):
        assert (await at_once(tokens.verify(server.token()))).user_id == USER
    assert server.times == 2  # one question under way is enough


@pytest.mark.usefixtures("stale")
async def test_a_known_key_is_served_while_the_key_server_is_away(server: KeyServer, tokens: UserTokens) -> None:
    server.failing = True
    assert (await tokens.verify(server.token())).user_id == USER
    await server.until_asked()
    assert (await tokens.verify(server.token())).user_id == USER


@pytest.mark.usefixtures("eager", "patient")
async def test_a_strangers_unknown_key_holds_up_nobody_else(server: KeyServer, tokens: UserTokens) -> None:
    server.hang()
    stranger = asyncio.create_task(tokens.verify(server.strangers_token()))
    await server.until_asked()
    assert (await at_once(tokens.verify(server.token()))).user_id == USER
    assert not stranger.done()
    server.answer()
    with pytest.raises(NotAuthenticated):
        await stranger


@pytest.mark.usefixtures("eager", "stale", "patient")
async def test_nor_does_it_when_the_known_keys_are_old(server: KeyServer, tokens: UserTokens) -> None:
    server.hang()
    stranger = asyncio.create_task(tokens.verify(server.strangers_token()))
    await server.until_asked()
    assert (await at_once(tokens.verify(server.token()))).user_id == USER
    server.answer()
    with pytest.raises(NotAuthenticated):
        await stranger


@pytest.mark.usefixtures("eager")
async def test_a_rotated_key_is_taken_up_and_the_one_before_counts_no_more(
    server: KeyServer, tokens: UserTokens
) -> None:
    before = server.token()
    server.rotate()
    assert (await tokens.verify(server.token())).user_id == USER
    with pytest.raises(NotAuthenticated):
        await tokens.verify(before)


@pytest.mark.usefixtures("stale")
async def test_a_key_that_was_taken_back_counts_no_more_once_the_keys_are_fetched_anew(
    server: KeyServer, tokens: UserTokens
) -> None:
    before = server.token()
    server.rotate()
    await tokens.verify(before)  # at hand, and good until it is known better

    async def refused() -> bool:
        try:
            await tokens.verify(before)
        except NotAuthenticated:
            return True
        return False

    async with asyncio.timeout(DEADLINE_SECONDS):
        while not await refused():
            await server.until_asked(server.times + 1)


async def test_unknown_keys_have_the_keys_fetched_only_now_and_then(server: KeyServer, tokens: UserTokens) -> None:
    for _ in range(5):
        with pytest.raises(NotAuthenticated):
            await tokens.verify(server.strangers_token())
    assert server.times == 1


@pytest.mark.usefixtures("eager")
async def test_a_key_server_that_fails_takes_no_known_key_away(server: KeyServer, tokens: UserTokens) -> None:
    server.failing = True
    with pytest.raises(KeysUnavailable):
        await tokens.verify(server.strangers_token())
    assert (await tokens.verify(server.token())).user_id == USER
    assert server.times == 2


async def test_a_key_server_that_fails_is_not_asked_by_each_stranger(server: KeyServer, tokens: UserTokens) -> None:
    server.failing = True
    tokens.keys._fetched_at -= 60
    tokens.keys._tried_at -= 60
    asked = server.times
    for _ in range(5):
        with pytest.raises(KeysUnavailable):  # it might be a new key: not its holder's fault
            await tokens.verify(server.strangers_token())
    assert server.times == asked + 1
    assert (await tokens.verify(server.token())).user_id == USER
