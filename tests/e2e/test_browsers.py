"""What a browser lets a page's script read: answers to pages of the client's own origins, and to no others."""

from collections.abc import AsyncIterator

import httpx
import pytest

from infra.local.stack import APPLICATION, ASKED
from tests.e2e.asking import Asking, problem
from tests.e2e.conftest import Running, Timekeeper

ELSEWHERE = "https://elsewhere.example"
PATHS = [path for paths in ASKED.values() for path in paths]


@pytest.fixture
async def asking(running: Running, dana: Timekeeper) -> AsyncIterator[Asking]:
    client = Asking.of(running.stack, dana.user)
    async with client.http:
        yield client


async def preflight(http: httpx.AsyncClient, path: str, origin: str, method: str = "POST") -> httpx.Response:
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization, content-type",
        "Authorization": "",  # a browser asks before it has the page's leave to send it
    }
    return await http.options(f"/{path}", headers=headers)


@pytest.mark.parametrize("path", PATHS)
async def test_the_clients_pages_may_ask_and_read(asking: Asking, path: str) -> None:
    before = await preflight(asking.http, path, APPLICATION)
    assert before.status_code == 200
    assert before.headers["access-control-allow-origin"] == APPLICATION
    allowed = before.headers["access-control-allow-headers"].lower().split(", ")
    assert {"authorization", "content-type"} <= set(allowed)
    assert "access-control-allow-credentials" not in before.headers
    answer = await asking.http.get(f"/{path}", headers={"Origin": APPLICATION})
    assert answer.headers["access-control-allow-origin"] == APPLICATION
    assert "Origin" in answer.headers["vary"]


@pytest.mark.parametrize("path", PATHS)
async def test_no_other_page_may(asking: Asking, path: str) -> None:
    before = await preflight(asking.http, path, ELSEWHERE)
    assert before.status_code == 400
    assert "access-control-allow-origin" not in before.headers
    answer = await asking.http.get(f"/{path}", headers={"Origin": ELSEWHERE})
    assert "access-control-allow-origin" not in answer.headers
    assert "Origin" in answer.headers["vary"]


async def test_a_page_can_read_why_it_was_refused(asking: Asking) -> None:
    headers = {"Origin": APPLICATION, "Authorization": "Bearer nobody's"}
    refused = await asking.http.get("/tools", headers=headers)
    assert problem(refused)["status"] == 401
    assert refused.headers["access-control-allow-origin"] == APPLICATION


async def test_a_page_can_read_an_answer_that_is_streamed(asking: Asking) -> None:
    headers = {"Origin": APPLICATION, "Accept": "text/event-stream"}
    answer = await asking.http.post("/tools/scan_billable_time", json={"date_range_days": 1}, headers=headers)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["access-control-allow-origin"] == APPLICATION
