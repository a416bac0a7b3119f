"""The chat over the whole system: real tools, a simulated model, and what it is and isn't told."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from infra.local.stack import Stack
from tests.e2e.asking import Asking, problem
from tests.e2e.conftest import Running, Timekeeper, email, until
from tests.e2e.doubtful import doubtful_mail

WORK = "I spent 30 minutes on the phone with the adjuster about the Quillfeather lien."


@pytest.fixture(scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """A stack of its own, whose functions have a model."""
    async with Stack(tmp_path_factory.mktemp("chat"), quota_profile="unmetered", simulate_model=True) as stack:
        yield Running(stack, {})


@pytest.fixture
async def model(running: Running) -> AsyncIterator[httpx.AsyncClient]:
    """The simulated model's own controls."""
    async with httpx.AsyncClient(base_url=running.stack.model.url.removesuffix("/v1")) as http:
        yield http
        for path in ("turns", "requests", "faults"):
            await http.delete(f"/_sim/{path}")
        await http.patch("/_sim/settings", json={"latency_ms": 0, "chunk_delay_ms": 0})


@pytest.fixture
async def asking(running: Running, dana: Timekeeper) -> AsyncIterator[Asking]:
    client = Asking.of(running.stack, dana.user)
    async with client.http:
        now = datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S +0000")
        sent = await dana.mailbox.send(email(f"Ray,\n\n{WORK}\n\nDana\n", Date=now))
        await dana.until_outcomes(sent)
        yield client


def said(text: str) -> dict[str, Any]:
    """What useChat posts."""
    message = {"id": "m1", "role": "user", "parts": [{"type": "text", "text": text}]}
    return {"id": "c1", "messages": [message], "trigger": "submit-message"}


async def chat(asking: Asking, text: str) -> list[dict[str, Any]]:
    """The parts of the answer."""
    response = await asking.http.post("/chat", json=said(text))
    assert response.status_code == 200, response.text
    assert response.headers["x-vercel-ai-ui-message-stream"] == "v1"
    events = [block.removeprefix("data: ") for block in response.text.split("\n\n") if block.startswith("data: ")]
    assert events[-1] == "[DONE]"
    return [json.loads(event) for event in events[:-1]]


async def turn(model: httpx.AsyncClient, **script: Any) -> None:
    (await model.post("/_sim/turns", json=script)).raise_for_status()


async def told(model: httpx.AsyncClient) -> str:
    """All that the model was shown."""
    return (await model.get("/_sim/requests")).text


def outputs(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [part["output"] for part in parts if part["type"] == "tool-output-available"]


@pytest.mark.usefixtures("model")
async def test_a_question_is_answered_with_the_users_own_figures(asking: Asking) -> None:
    parts = await chat(asking, "Give me the summary of this month, please.")
    [summary] = outputs(parts)
    assert summary["totals"]["minutes"] == 30
    assert "".join(part["delta"] for part in parts if part["type"] == "text-delta")
    assert parts[-1]["type"] == "finish"


async def test_several_tools_answer_at_once(model: httpx.AsyncClient, asking: Asking) -> None:
    calls: list[dict[str, Any]] = [
        {"name": name, "arguments": {}} for name in ("scan_billable_time", "configure_time_tracking")
    ]
    await turn(model, when="both", say=None, calls=calls)
    parts = await chat(asking, "Do both, please.")
    assert {part["toolName"] for part in parts if part["type"] == "tool-input-available"} == {
        "scan_billable_time",
        "configure_time_tracking",
    }
    assert len(outputs(parts)) == 2


async def test_in_snippets_the_model_is_told_the_sentence_and_in_rules_only_it_is_not(
    model: httpx.AsyncClient, asking: Asking
) -> None:
    await turn(model, when="Scan", say=None, calls=[{"name": "scan_billable_time", "arguments": {}}], times=2)
    await chat(asking, "Scan my mail.")
    assert "Quillfeather" in await told(model)
    await model.delete("/_sim/requests")
    await asking.answer("configure_time_tracking", analysis_mode="rules_only")
    parts = await chat(asking, "Scan my mail.")
    [scanned] = outputs(parts)
    assert scanned["entries"][0]["extracted_text"] == WORK  # the user sees it
    shown = await told(model)
    assert "30" in shown
    for word in ("Quillfeather", "adjuster", "Ortiz"):
        assert word not in shown


async def test_the_chat_changes_settings_as_the_tool_does(model: httpx.AsyncClient, asking: Asking) -> None:
    change = {"name": "configure_time_tracking", "arguments": {"rounding_increment": 15}}
    await turn(model, when="quarters", say=None, calls=[change])
    await chat(asking, "Round to quarters of an hour.")
    assert (await asking.answer("configure_time_tracking"))["settings"]["rounding_increment"] == 15


async def test_what_a_tool_refuses_is_told_to_the_model_and_the_user(model: httpx.AsyncClient, asking: Asking) -> None:
    wrong = {"name": "scan_billable_time", "arguments": {"query_filter": "in:anywhere"}}
    await turn(model, when="everywhere", say=None, calls=[wrong])
    parts = await chat(asking, "Look everywhere.")
    [error] = [part for part in parts if part["type"] == "tool-output-error"]
    assert "query_filter" in error["errorText"]
    assert "query_filter" in json.loads(await told(model))[-1]["messages"][-1]["content"]


async def test_a_client_that_goes_away_ends_the_work(model: httpx.AsyncClient, asking: Asking) -> None:
    await model.patch("/_sim/settings", json={"chunk_delay_ms": 200})
    await turn(model, when="long", say="word " * 500, calls=[])
    async with asking.http.stream("POST", "/chat", json=said("Tell me something long.")) as response:
        async for line in response.aiter_lines():
            if "text-delta" in line:
                break

    async def abandoned() -> int:
        return int((await model.get("/_sim/stats")).json().get("streams_abandoned", 0))

    assert await until(abandoned, lambda count: count == 1, deadline=20.0) == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "messages"),
        ({"id": "c", "messages": []}, "messages"),
        (
            {"id": "c", "messages": [{"id": "m", "role": "system", "parts": [{"type": "text", "text": "x"}]}]},
            "messages",
        ),
        ({"id": "c", "messages": "hello"}, "messages"),
    ],
)
async def test_what_is_no_conversation_is_refused(asking: Asking, body: dict[str, Any], field: str) -> None:
    refused = await asking.http.post("/chat", json=body)
    assert refused.status_code == 422
    assert any(error["field"].startswith(field) for error in problem(refused)["errors"])


async def test_nobody_chats_without_a_token(running: Running, asking: Asking) -> None:
    for headers in ({}, {"Authorization": "Bearer x.y.z"}):
        refused = await running.stack.http.post(
            f"{running.stack.gateway.functions_url}/chat", json=said("Hello"), headers=headers
        )
        assert (refused.status_code, problem(refused)["type"]) == (401, "urn:tenths:problem:not_authenticated")
    assert asking


async def test_ten_megabytes_are_refused(asking: Asking) -> None:
    refused = await asking.http.post("/chat", json=said("x" * 10_000_000))
    assert refused.status_code == 413


@pytest.fixture
async def scanning(running: Running, dana: Timekeeper) -> AsyncIterator[Asking]:
    """A lawyer with twenty emails that the rules doubt, none of them read as it was sent."""
    client = Asking.of(running.stack, dana.user)
    async with client.http:
        await client.answer("configure_time_tracking", auto_analysis=False)
        now = datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S +0000")
        mail = doubtful_mail("Lowe", 20, lambda text: email(text, Date=now))
        await asyncio.gather(*(dana.mailbox.send(one) for one in mail))
        await dana.until_waiting(len(mail))
        yield client


async def test_a_scan_asks_the_model_about_many_emails_in_few_calls(model: httpx.AsyncClient, scanning: Asking) -> None:
    await model.delete("/_sim/requests")
    found = await scanning.scan()
    asked = (await model.get("/_sim/stats")).json()["requests"]
    assert found["llm_calls"] == asked
    assert 0 < asked <= 3
    again = await scanning.scan()
    assert (again["llm_calls"], again["time_entries_found"]) == (0, found["time_entries_found"])


async def test_what_was_read_without_the_model_is_read_again_once_it_is_back(
    model: httpx.AsyncClient, scanning: Asking
) -> None:
    await model.post("/_sim/faults", json={"kind": "429", "count": None})
    without = await scanning.scan()
    assert without["total_processed"] == 20
    summary = await scanning.answer("get_time_tracking_summary")
    assert summary["coverage"]["second_look_due"] == 20
    await model.delete("/_sim/faults")
    back = await scanning.scan()
    assert (back["cache_misses"], back["llm_calls"] > 0) == (20, True)
    summary = await scanning.answer("get_time_tracking_summary")
    assert summary["coverage"]["second_look_due"] == 0


async def test_where_no_sentence_may_leave_a_scan_asks_nobody(model: httpx.AsyncClient, scanning: Asking) -> None:
    await scanning.answer("configure_time_tracking", analysis_mode="rules_only")
    await model.delete("/_sim/requests")
    assert (await scanning.scan())["llm_calls"] == 0
    assert (await model.get("/_sim/requests")).json() == []
