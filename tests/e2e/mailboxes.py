"""What a user's client and browser do about mailboxes: connect, finish, look, disconnect."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import asyncpg
import httpx

from infra.local.mailbox import make
from infra.local.stack import APPLICATION, Stack, User

RETURN_TO = f"{APPLICATION}/mailbox"


@dataclass(frozen=True)
class Person:
    """A user, her client of the functions, and a browser that is signed in nowhere."""

    stack: Stack
    user: User
    functions: httpx.AsyncClient
    browser: httpx.AsyncClient

    async def begin(self, **asked: Any) -> httpx.Response:
        return await self.functions.post("/mailbox/connect", json={"login_hint": self.user.email, **asked})

    async def consent_url(self, **asked: Any) -> str:
        begun = await self.begin(**{"return_to": RETURN_TO, **asked})
        assert begun.status_code == 200, begun.text
        return str(begun.json()["authorization_url"])

    async def open_in_browser(self, consent_url: str) -> dict[str, str]:
        """Agree at Google, or don't, and be sent back: what the application finds in its address."""
        at_google = await self.browser.get(consent_url)
        assert at_google.status_code == 302, at_google.text
        back = await self.browser.get(at_google.headers["location"])
        assert back.status_code == 303, back.text
        to = urlsplit(back.headers["location"])
        assert f"{to.scheme}://{to.netloc}{to.path}" == RETURN_TO
        assert to.query == ""
        return dict(parse_qsl(to.fragment))

    async def come_back(self, **asked: Any) -> dict[str, str]:
        return await self.open_in_browser(await self.consent_url(**asked))

    async def finish(self, passed: dict[str, str]) -> httpx.Response:
        return await self.functions.post("/mailbox/finish", json=passed)

    async def connect(self) -> str:
        """Connect the mailbox; gives its id."""
        finished = await self.finish(await self.come_back())
        assert finished.status_code == 201, finished.text
        return str(finished.json()["id"])

    async def disconnect(self, mailbox_id: str) -> httpx.Response:
        return await self.functions.delete(f"/mailbox/{mailbox_id}")

    async def mailboxes(self) -> list[dict[str, Any]]:
        answer = await self.functions.get("/mailbox")
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["mailboxes"]
        return found


@asynccontextmanager
async def person(stack: Stack, address: str | None = None) -> AsyncIterator[Person]:
    """Someone with a mailbox at Google that isn't connected."""
    user = await stack.add_user(address or f"ines-{uuid4().hex[:12]}@whitfieldlaw.example")
    await make(stack.http, stack.gmail_url, user.email)
    async with stack.functions_as(user) as functions, httpx.AsyncClient(timeout=60) as browser:
        yield Person(stack, user, functions, browser)


async def select(stack: Stack, query: str, *arguments: Any) -> list[dict[str, Any]]:
    """What the database holds, seen by its owner."""
    connection = await asyncpg.connect(stack.postgres.url)
    try:
        return [dict(row) for row in await connection.fetch(query, *arguments)]
    finally:
        await connection.close()


async def permissions(stack: Stack, address: str) -> int:
    stats = (await stack.http.get(f"{stack.gmail_url}/_sim/stats")).json()
    found: int = stats["permissions"].get(address, 0)
    return found
