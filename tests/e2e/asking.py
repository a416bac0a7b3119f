"""What a user's client does: call the tools over HTTP."""

import json
from dataclasses import dataclass
from typing import Any

import httpx

from infra.local.stack import Stack, User


@dataclass(frozen=True)
class Asking:
    """A user who asks the functions, with a token of theirs."""

    http: httpx.AsyncClient

    @classmethod
    def of(cls, stack: Stack, user: User, token: str | None = None) -> "Asking":
        headers = {"Authorization": f"Bearer {token or user.token}"}
        return cls(httpx.AsyncClient(base_url=stack.gateway.functions_url, headers=headers, timeout=60))

    async def ask(self, tool: str, **arguments: Any) -> httpx.Response:
        return await self.http.post(f"/tools/{tool}", json=arguments)

    async def answer(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """The tool's answer; fails where it refuses."""
        response = await self.ask(tool, **arguments)
        assert response.status_code == 200, response.text
        found: dict[str, Any] = response.json()
        return found

    async def scan(self, **arguments: Any) -> dict[str, Any]:
        return await self.answer("scan_billable_time", **arguments)

    async def events(self, tool: str, **arguments: Any) -> list[tuple[str, dict[str, Any]]]:
        """The answer as a stream of events: name and data."""
        headers = {"Accept": "text/event-stream"}
        response = await self.http.post(f"/tools/{tool}", json=arguments, headers=headers)
        assert response.headers["content-type"].startswith("text/event-stream"), response.text
        events = []
        for block in response.text.strip().split("\n\n"):
            name, data = block.split("\n", 1)
            events.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
        return events


def problem(response: httpx.Response) -> dict[str, Any]:
    """The members of a problem; fails where the answer is none."""
    assert response.headers["content-type"] == "application/problem+json", response.text
    found: dict[str, Any] = response.json()
    assert found["status"] == response.status_code
    assert found["type"].startswith("urn:tenths:problem:")
    return found
