"""What nobody else may learn: another user, a language model that may see no words, or whoever reads the logs."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest

from infra.local.stack import Stack
from shared.settings import ToolsSettings
from shared.wiring import tools_parts
from tests.e2e.asking import Asking
from tests.e2e.conftest import Running, Timekeeper, email, until
from tests.e2e.doubtful import doubtful, doubtful_mail

# A word for each way on which it could leave: none of them is a word of anything else.
SENTENCE = "I spent 30 minutes on the phone with the adjuster about the Quillfeather lien."
REFUSED = "Opposing counsel says that his Brackwater trip will take him fifty-five minutes tomorrow."
DOUBTFUL = doubtful("Thornquist")
CONFIDENTIAL = (
    "Quillfeather",
    "Brackwater",
    "Ortiz",
    "mailbox.example",
    "adjuster",
    "Vandersloot",
    "vandersloot",
    "Merriweather",
)
CONFIGURED: dict[str, Any] = {
    "default_client_matter": "Vandersloot",
    "excluded_recipients": ["kin@vandersloot.example"],
    "add_matters": [
        {
            "client": "Merriweather",
            "matter": "Vandersloot",
            "aliases": ["Merriweather II"],
            "domains": ["vandersloot.example"],
        }
    ],
}


@pytest.fixture(scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """A stack of its own, whose functions have a model."""
    async with Stack(tmp_path_factory.mktemp("privacy"), quota_profile="unmetered", simulate_model=True) as stack:
        yield Running(stack, {})


@dataclass(frozen=True)
class Model:
    """The simulated model's own controls."""

    http: httpx.AsyncClient

    async def turn(self, **script: Any) -> None:
        (await self.http.post("/_sim/turns", json=script)).raise_for_status()

    async def calls(self, when: str, *calls: tuple[str, dict[str, Any]]) -> None:
        """Where it hears this, it calls these tools."""
        named = [{"name": name, "arguments": arguments} for name, arguments in calls]
        await self.turn(when=when, say=None, calls=named)

    async def fault(self, kind: str, count: int | None) -> None:
        (await self.http.post("/_sim/faults", json={"kind": kind, "count": count})).raise_for_status()

    async def well(self) -> None:
        (await self.http.delete("/_sim/faults")).raise_for_status()

    async def slow(self, milliseconds: int) -> None:
        (await self.http.patch("/_sim/settings", json={"latency_ms": milliseconds})).raise_for_status()

    async def requests(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.http.get("/_sim/requests")).json()
        return found

    async def shown(self) -> str:
        """All that it was shown."""
        return json.dumps(await self.requests(), ensure_ascii=False)

    async def until_asked(self) -> None:
        """Wait until a question is under way."""

        async def under_way() -> int:
            return int((await self.http.get("/_sim/stats")).json().get("under_way", 0))

        await until(under_way, lambda count: count > 0)


@pytest.fixture
async def model(running: Running) -> AsyncIterator[Model]:
    async with httpx.AsyncClient(base_url=running.stack.model.url.removesuffix("/v1")) as http:
        await http.delete("/_sim/requests")
        yield Model(http)
        for path in ("turns", "requests", "faults", "answers"):
            await http.delete(f"/_sim/{path}")
        await http.patch("/_sim/settings", json={"latency_ms": 0})


@pytest.fixture
async def asking(running: Running, dana: Timekeeper) -> AsyncIterator[Asking]:
    """Dana, whose mail only scans read."""
    client = Asking.of(running.stack, dana.user)
    async with client.http:
        await client.answer("configure_time_tracking", auto_analysis=False)
        yield client


def sent(text: str) -> bytes:
    return email(f"Ray,\n\n{text}\n\nDana\n", Date=format_datetime(datetime.now(UTC)))


async def chat(asking: Asking, text: str) -> list[dict[str, Any]]:
    """What the assistant answers, part by part."""
    message = {"id": "m1", "role": "user", "parts": [{"type": "text", "text": text}]}
    body = {"id": "c1", "messages": [message], "trigger": "submit-message"}
    response = await asking.http.post("/chat", json=body)
    assert response.status_code == 200, response.text
    events = [block.removeprefix("data: ") for block in response.text.split("\n\n") if block.startswith("data: ")]
    return [json.loads(event) for event in events[:-1]]


def outputs(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [part["output"] for part in parts if part["type"] == "tool-output-available"]


# Of one user and another.


@pytest.fixture
async def two(running: Running) -> AsyncIterator[tuple[Asking, Asking]]:
    """Two users with as many entries, settings and changes as each other: only what they hold differs."""
    both = []
    for name, minutes in (("Quillfeather", 36), ("Brackwater", 90)):
        user = await running.stack.add_user(f"{name.lower()}-{uuid4().hex[:12]}@firm.example")
        client = Asking.of(running.stack, user)
        await client.answer("configure_time_tracking", default_client_matter=name, time_zone="UTC")
        entry = {
            "user_id": str(user.id),
            "duration_minutes": minutes,
            "entry_type": "call",
            "date_performed": datetime.now(UTC).date().isoformat(),
            "client_matter": name,
            "description": f"Call with {name}",
        }
        async with running.stack.rest(user) as rest:
            (await rest.post("/time_tracking_entries", json=entry)).raise_for_status()
        both.append(client)
    first, second = both
    yield first, second
    for each in both:
        await each.http.aclose()


async def test_each_has_a_summary_of_their_own(two: tuple[Asking, Asking]) -> None:
    for _ in range(2):  # the second time from what is kept
        answers = [await each.answer("get_time_tracking_summary") for each in two]
        assert [answer["totals"]["minutes"] for answer in answers] == [36, 90]
        named = [[sums["client_matter"] for sums in answer["by_client"]] for answer in answers]
        assert named == [["Quillfeather"], ["Brackwater"]]
    assert [answer["from_cache"] for answer in answers] == [True, True]


async def test_each_has_a_reading_of_their_own_of_the_same_text(two: tuple[Asking, Asking]) -> None:
    text = f"I spent {30 + uuid4().int % 20} minutes on the phone with the adjuster {uuid4().hex[:6]}."
    for kept in (False, True):
        answers = [await each.answer("analyze_time_entry", text=text) for each in two]
        assert [answer["from_cache"] for answer in answers] == [kept, kept]
        named = [[each["client_matter"] for each in answer["candidates"]] for answer in answers]
        assert named == [["Quillfeather"], ["Brackwater"]]


# Of words, where the user lets none leave.


# A field by which each tool's answer is known.
KINDS = ("entries", "candidates", "by_client", "settings")


async def everything_asked(model: Model, asking: Asking, email_id: str) -> list[dict[str, Any]]:
    """The parts of an answer for which each tool was called, rightly and wrongly."""
    await model.calls(
        "everything",
        ("scan_billable_time", {}),
        ("scan_billable_time", {"client_filter": "Zzyzx"}),
        ("analyze_time_entry", {"email_id": email_id}),
        ("get_time_tracking_summary", {}),
        ("get_time_tracking_summary", {"client_filter": "Zzyzx"}),
        ("configure_time_tracking", {}),
        ("configure_time_tracking", {"remove_matters": [{"client": "Zzyzx"}]}),
    )
    return await chat(asking, "Tell me everything, please.")


async def test_in_rules_only_the_model_is_told_figures_and_no_word_of_anybody(
    model: Model, dana: Timekeeper, asking: Asking
) -> None:
    sent_id = await dana.mailbox.send(sent(f"{SENTENCE} {REFUSED}"))
    await dana.until_waiting(1)
    await asking.answer("configure_time_tracking", analysis_mode="rules_only", **CONFIGURED)
    await asking.scan()
    parts = await everything_asked(model, asking, sent_id)
    by_kind = {kind: output for output in outputs(parts) for kind in KINDS if kind in output}
    scan, analysis, summary, configuration = (by_kind[kind] for kind in KINDS)
    # The user has all of it.
    assert scan["entries"][0]["extracted_text"] == SENTENCE
    assert [refused["text"] for refused in analysis["refused"]] == ["fifty-five minutes"]
    assert [sums["client_matter"] for sums in summary["by_client"]] == [scan["entries"][0]["client_matter"]]
    assert configuration["settings"]["excluded_recipients"] == ["kin@vandersloot.example"]
    errors = [part["errorText"] for part in parts if part["type"] == "tool-output-error"]
    assert len(errors) == 3
    # The model has the figures.
    [_, asked] = await model.requests()
    told = [message["content"] for message in asked["messages"] if message["role"] == "tool"]
    assert len(told) == 7
    shown = await model.shown()
    assert "30" in shown
    assert [word for word in (*CONFIDENTIAL, "fifty-five") if word in shown] == []


async def test_where_sentences_may_leave_the_model_is_told_them(model: Model, dana: Timekeeper, asking: Asking) -> None:
    sent_id = await dana.mailbox.send(sent(f"{SENTENCE} {REFUSED}"))
    await dana.until_waiting(1)
    await asking.answer("configure_time_tracking", **CONFIGURED)
    await everything_asked(model, asking, sent_id)
    shown = await model.shown()
    assert [word for word in ("Quillfeather", "Vandersloot", "Merriweather", "fifty-five") if word not in shown] == []


async def by_the_tool(_dana: Timekeeper, asking: Asking) -> None:
    await asking.answer("configure_time_tracking", analysis_mode="rules_only")


async def by_her_own_client(dana: Timekeeper, _asking: Asking) -> None:
    query = {"user_id": f"eq.{dana.user.id}"}
    changed = await dana.rest.patch("/time_tracking_settings", params=query, json={"analysis_mode": "rules_only"})
    changed.raise_for_status()


@pytest.mark.parametrize("take_back", [by_the_tool, by_her_own_client])
async def test_who_takes_the_leave_back_during_an_answer_is_heeded_from_its_next_step_on(
    model: Model, dana: Timekeeper, asking: Asking, take_back: Callable[[Timekeeper, Asking], Awaitable[None]]
) -> None:
    await dana.mailbox.send(sent(SENTENCE))
    await dana.until_waiting(1)
    await model.calls("Begin", ("scan_billable_time", {}))
    await model.calls("total_processed", ("scan_billable_time", {"use_cache": False}))
    answering = asyncio.create_task(chat(asking, "Begin, please."))

    async def steps() -> int:
        return len(await model.requests())

    await model.slow(1_500)
    await until(steps, lambda count: count == 2)  # the second step's question is under way
    await take_back(dana, asking)
    await model.slow(0)
    await answering
    [_, second, third] = await model.requests()
    assert "Quillfeather" in second["messages"][-1]["content"]
    assert "total_processed" in third["messages"][-1]["content"]
    assert "Quillfeather" not in third["messages"][-1]["content"]


async def test_who_takes_the_leave_back_during_a_scan_has_no_further_question_asked(
    running: Running, model: Model, dana: Timekeeper, asking: Asking
) -> None:
    mail = doubtful_mail("Thornquist", 45, sent)
    await asyncio.gather(*(dana.mailbox.send(one) for one in mail))
    await dana.until_waiting(len(mail))
    settings = {**running.stack.function_settings(), "GMAIL_CONCURRENCY": "1"}
    parts = tools_parts(ToolsSettings.from_environ(settings))
    her = await parts.tokens.verify(f"Bearer {dana.user.token}")
    # Emails come in one after another, and the model takes long for the first of them.
    await running.simulate(latency_ms=60)
    await model.slow(2_000)
    try:
        scanning = asyncio.create_task(parts.toolbox.call(her, "scan_billable_time", b"{}"))
        await model.until_asked()
        await by_the_tool(dana, asking)
        await running.simulate(latency_ms=0)
        found: Any = await scanning
    finally:
        await running.simulate(latency_ms=0)
        await parts.aclose()
    assert found.total_processed == len(mail)
    assert (found.llm_calls, len(await model.requests())) == (1, 1)


async def test_the_model_is_told_where_a_scan_goes_on(model: Model, dana: Timekeeper, asking: Asking) -> None:
    for minutes in (12, 18):
        await dana.mailbox.send(sent(f"I spent {minutes} minutes on the phone with the adjuster."))
    await dana.until_waiting(2)
    await model.calls("Begin", ("scan_billable_time", {"max_emails": 1}))
    [scanned] = outputs(await chat(asking, "Begin, please."))
    [*_, last] = await model.requests()
    assert scanned["truncated"]
    assert json.loads(last["messages"][-1]["content"])["continue_from"] == scanned["continue_from"]


# Of what is kept, and of what is logged.


@pytest.mark.parametrize("use_cache", [True, False])
async def test_what_was_read_while_the_model_was_away_is_not_kept(
    model: Model, asking: Asking, use_cache: bool
) -> None:
    text = DOUBTFUL
    await model.fault("429", None)
    without = await asking.answer("analyze_time_entry", text=text, use_cache=use_cache)
    assert without["model"]["second_look"] is not None
    await model.well()
    found = await asking.answer("analyze_time_entry", text=text)
    assert (found["from_cache"], found["model"]["doubts"], found["model"]["second_look"]) == (False, 1, None)
    again = await asking.answer("analyze_time_entry", text=text)
    assert again == {**found, "from_cache": True}


async def test_the_log_holds_no_word_of_a_user_or_their_mail(
    running: Running, model: Model, dana: Timekeeper, asking: Asking
) -> None:
    sent_id = await dana.mailbox.send(sent(f"{SENTENCE} {REFUSED} {DOUBTFUL}"))
    await dana.until_waiting(1)
    await asking.answer("configure_time_tracking", **CONFIGURED)
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("scan_billable_time", {"Quillfeather v. Brackwater": 1}),
        ("scan_billable_time", {"client_filter": "Brackwater"}),
        ("scan_billable_time", {"query_filter": "in:anywhere Brackwater"}),
        ("scan_billable_time", {"continue_from": "Brackwater"}),
        ("analyze_time_entry", {"text": SENTENCE, "email_id": "Quillfeather"}),
        ("analyze_time_entry", {"email_id": "Quillfeather"}),
        ("get_time_tracking_summary", {"client_filter": "Brackwater"}),
        ("configure_time_tracking", {"time_zone": "Brackwater"}),
        ("configure_time_tracking", {"add_matters": [{"client": "Brackwater", "vandersloot": 1}]}),
        ("configure_time_tracking", {"remove_matters": [{"client": "Brackwater"}]}),
        ("configure_time_tracking", {"excluded_labels": ["Brackwater"]}),
        ("quillfeather", {}),
    ]
    for tool, arguments in wrong:
        assert 400 <= (await asking.ask(tool, **arguments)).status_code < 500
    await asking.http.post("/tools/scan_billable_time", content=b'{"Quillfeather":')
    await asking.http.post("/chat", json={"quillfeather": [], "messages": "Brackwater"})
    await model.fault("500", None)
    await asking.answer("analyze_time_entry", email_id=sent_id)
    await chat(asking, "Quillfeather, please.")
    await model.well()
    await running.fault("500", count=3, method="messages.list", address=dana.user.email)
    assert (await asking.ask("scan_billable_time")).status_code == 503
    await asking.scan()
    log = (running.stack.folder / "tools.log").read_text()
    assert "request.refused" in log
    words = (*CONFIDENTIAL, "Thornquist")
    assert [line for line in log.splitlines() if any(word in line for word in words)] == []


async def test_the_log_holds_no_name_that_a_caller_made_up_for_an_argument(running: Running, asking: Asking) -> None:
    for tool in ("scan_billable_time", "analyze_time_entry", "get_time_tracking_summary", "configure_time_tracking"):
        assert (await asking.ask(tool, hollingsworth_lien=1)).status_code == 422
        assert (await asking.ask(tool, **{"Hollingsworth lien": 1})).status_code == 422
    log = (running.stack.folder / "tools.log").read_text()
    assert [line for line in log.splitlines() if "hollingsworth" in line.lower()] == []
