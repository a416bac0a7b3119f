"""Where a scan may go on, when it stops, what one bad mailbox or email costs, and what no argument may hold."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from infra.local.mailbox import ConnectedMailbox
from infra.local.stack import Stack, User
from shared.caller import Caller
from shared.settings import ToolsSettings
from shared.tools.parts import ToolsParts
from shared.tools.registry import Progress
from shared.wiring import tools_parts
from tests.e2e.asking import Asking, problem
from tests.e2e.conftest import Running, Timekeeper, email, until
from tests.e2e.wire import When


def calls(minutes: int) -> bytes:
    """An email sent just now that states so many minutes on the phone."""
    text = f"Ray,\n\nI spent {minutes} minutes on the phone with the adjuster.\n\nDana\n"
    return email(text, Date=format_datetime(datetime.now(UTC)))


@pytest.fixture
async def asking(running: Running, dana: Timekeeper) -> AsyncIterator[Asking]:
    """Dana, whose mail only scans read."""
    client = Asking.of(running.stack, dana.user)
    async with client.http:
        await client.answer("configure_time_tracking", auto_analysis=False)
        yield client


@pytest.fixture
async def calm(running: Running) -> AsyncIterator[None]:
    """Whatever goes wrong with Gmail ends with the test."""
    yield
    await running.stack.http.delete(f"{running.stack.gmail_url}/_sim/faults")
    await running.simulate(latency_ms=0)


async def send(running: Running, mailbox: ConnectedMailbox, *raw: bytes) -> list[str]:
    """Send them, and wait until the push path has left them alone."""

    async def left_alone() -> int:
        lines = running.log("analyze_email")
        return sum(
            line.get("mailbox_id") == str(mailbox.id) and line.get("note") == "auto_analysis_off" for line in lines
        )

    before = await left_alone()
    ids = [await mailbox.send(one) for one in raw]
    await until(left_alone, lambda count: count >= before + len(raw))
    return ids


@asynccontextmanager
async def in_process(stack: Stack, user: User, **settings: str) -> AsyncIterator[tuple[ToolsParts, Caller]]:
    """The tools in this process, with settings of their own, and the user as they know them."""
    parts = tools_parts(ToolsSettings.from_environ({**stack.function_settings(), **settings}))
    try:
        yield parts, await parts.tokens.verify(f"Bearer {user.token}")
    finally:
        await parts.aclose()


async def execute(stack: Stack, query: str, *values: Any) -> None:
    connection = await asyncpg.connect(stack.postgres.url)
    try:
        await connection.execute(query, *values)
    finally:
        await connection.close()


# Where a scan goes on.


def cursor(mailbox: ConnectedMailbox, **changes: Any) -> str:
    """A continue_from as a scan writes it."""
    after = int((datetime.now(UTC) - timedelta(days=7)).timestamp())
    fields = {"mailbox_id": str(mailbox.id), "page_token": None, "after": after, "read": [], **changes}
    return base64.urlsafe_b64encode(json.dumps(fields).encode()).decode()


@pytest.mark.parametrize(
    "changes",
    [
        {"page_token": "x' or 1=1"},
        {"after": 0},
        {"after": -1},
        {"after": 10**30},
        {"after": int((datetime.now(UTC) - timedelta(days=60)).timestamp())},
        {"after": int((datetime.now(UTC) + timedelta(days=1)).timestamp())},
        {"after": "yesterday"},
        {"mailbox_id": str(uuid4())},
        {"mailbox_id": "x"},
        {"more": 1},
    ],
)
async def test_a_place_that_no_scan_gave_is_no_place_to_go_on(
    running: Running, dana: Timekeeper, asking: Asking, changes: Mapping[str, Any]
) -> None:
    await send(running, dana.mailbox, calls(12))
    before = await running.calls()
    refused = await asking.ask("scan_billable_time", continue_from=cursor(dana.mailbox, **changes))
    assert refused.status_code == 422, refused.text
    assert [error["field"] for error in problem(refused)["errors"]] == ["continue_from"]
    assert (await running.calls()).get("messages.get", 0) == before.get("messages.get", 0)
    assert (await dana.outcomes(), await dana.entries()) == ({}, [])


async def test_nobody_goes_on_in_somebody_elses_mailbox(running: Running, dana: Timekeeper, asking: Asking) -> None:
    other = await running.stack.add_user(f"other-{uuid4().hex[:12]}@firm.example")
    theirs = await running.stack.connect(other)
    await dana.mailbox.send(calls(12))
    others = Asking.of(running.stack, other)
    async with others.http:
        before = await running.calls()
        refused = await others.ask("scan_billable_time", continue_from=cursor(dana.mailbox))
        assert (refused.status_code, [error["field"] for error in problem(refused)["errors"]]) == (
            422,
            ["continue_from"],
        )
        after = await running.calls()
        assert [after.get(name, 0) - before.get(name, 0) for name in ("messages.list", "messages.get")] == [0, 0]
        assert (await others.scan(continue_from=cursor(theirs)))["total_processed"] == 0
    assert (await asking.scan())["total_processed"] == 1


@pytest.mark.usefixtures("calm", "asking")
async def test_a_scan_that_reads_all_anew_goes_on_after_its_deadline_and_reads_no_email_twice(
    running: Running, dana: Timekeeper
) -> None:
    await send(running, dana.mailbox, *(calls(minutes) for minutes in range(6, 246, 6)))
    async with in_process(running.stack, dana.user, SCAN_DEADLINE_SECONDS="0.6", GMAIL_CONCURRENCY="2") as (parts, her):
        await parts.toolbox.call(her, "scan_billable_time", b'{"max_emails": 5}')  # some are on record already
        await running.simulate(latency_ms=80)
        processed: list[int] = []
        going_on: str | None = None
        while not processed or going_on is not None:
            arguments = json.dumps({"use_cache": False, "continue_from": going_on})
            found: Any = await parts.toolbox.call(her, "scan_billable_time", arguments)
            processed.append(found.cache_misses)
            going_on = found.continue_from
            assert found.stopped_by == ("deadline" if going_on else None)
            assert sum(processed) <= 40
    assert len(processed) > 2
    assert sum(processed) == 40
    assert sorted(row["duration_minutes"] for row in await dana.entries()) == list(range(6, 246, 6))


@pytest.mark.usefixtures("calm", "asking")
async def test_a_scan_whose_listing_outlasts_its_deadline_answers_all_the_same(
    running: Running, dana: Timekeeper
) -> None:
    await send(running, dana.mailbox, calls(12))
    async with in_process(running.stack, dana.user, SCAN_DEADLINE_SECONDS="1.0") as (parts, her):
        await running.fault("slow", method="messages.list", address=dana.user.email, delay_ms=20_000)
        listed: list[Progress] = []
        found: Any = await parts.toolbox.call(her, "scan_billable_time", b"{}", listed.append)
        assert (found.truncated, found.stopped_by, found.total_processed) == (True, "deadline", 0)
        assert listed == []
        arguments = json.dumps({"continue_from": found.continue_from})
        found = await parts.toolbox.call(her, "scan_billable_time", arguments)
    assert (found.truncated, [entry.duration_minutes for entry in found.entries]) == (False, [12])


async def test_a_scan_whose_client_leaves_fetches_no_further_email(
    running: Running, dana: Timekeeper, asking: Asking
) -> None:
    await send(running, dana.mailbox, *(calls(minutes) for minutes in range(6, 36, 6)))
    user = await running.stack.add_user(f"other-{uuid4().hex[:12]}@firm.example")
    others, mailbox = Asking.of(running.stack, user), await running.stack.connect(user)
    hold = running.wires["tools", "gmail"].hold(b"/gmail/v1/users/me/messages?", When.BEFORE)
    stream = {"Accept": "text/event-stream"}
    async with asking.http.stream("POST", "/tools/scan_billable_time", json={}, headers=stream):
        await hold.until_reached()
    async with others.http:
        # Whatever Dana's scan would still do is done before all that these wait for.
        await others.scan()
        before = await running.calls()
        hold.release()
        sent = await mailbox.send(calls(12))
        await others.answer("analyze_time_entry", email_id=sent)
        for _ in range(3):
            await others.scan(use_cache=False)
    after = await running.calls()
    assert after["messages.list"] - before["messages.list"] == 3  # the other's own
    assert (await dana.outcomes(), await dana.entries()) == ({}, [])


# What a scan tells.


async def test_a_scan_lists_no_entry_that_was_dismissed(running: Running, dana: Timekeeper, asking: Asking) -> None:
    await send(running, dana.mailbox, calls(12), calls(18))
    assert (await asking.scan())["time_entries_found"] == 2
    query = {"duration_minutes": "eq.12"}
    answer = await dana.rest.patch("/time_tracking_entries", params=query, json={"status": "dismissed"})
    answer.raise_for_status()
    for use_cache in (True, False):
        found = await asking.scan(use_cache=use_cache)
        assert [entry["duration_minutes"] for entry in found["entries"]] == [18]
        assert (found["time_entries_found"], found["total_processed"]) == (1, 2)


async def test_an_email_that_failed_for_good_is_named_by_every_later_scan(
    running: Running, dana: Timekeeper, asking: Asking
) -> None:
    [failed, _] = await send(
        running, dana.mailbox, email("See you.\n", Date=format_datetime(datetime.now(UTC))), calls(12)
    )
    await asking.scan()
    await execute(
        running.stack,
        "update public.processed_emails set outcome = 'failed', failure = 'unreadable'"
        " where user_id = $1 and email_id = $2",
        dana.user.id,
        failed,
    )
    for _ in range(2):
        found = await asking.scan()
        assert (found["failed"], found["failures"]) == (1, [{"email_id": failed, "code": "unreadable"}])
        assert (found["cache_hits"], found["cache_misses"], found["time_entries_found"]) == (2, 0, 1)


async def test_a_mailbox_that_was_taken_back_keeps_nobody_from_the_other(
    running: Running, dana: Timekeeper, asking: Asking
) -> None:
    second = replace(dana.user, email=f"dana-{uuid4().hex[:12]}@second.example")
    other = await running.stack.connect(second)
    await send(running, dana.mailbox, calls(12))
    [sent] = await send(running, other, calls(18))
    await running.fault("revoke_token", address=dana.user.email)
    found = await asking.answer("analyze_time_entry", email_id=sent)
    assert [each["duration_minutes"] for each in found["candidates"]] == [18]
    expected = {str(dana.mailbox.id): "reconnect_needed", str(other.id): "connected"}
    rows = (await dana.rest.get("/mailboxes")).json()
    assert {row["id"]: row["state"] for row in rows} == expected
    scanned = await asking.scan()
    assert {each["id"]: each["state"] for each in scanned["mailboxes"]} == expected
    assert [entry["duration_minutes"] for entry in scanned["entries"]] == [18]


# What arguments may hold.

NUL = "Quill\x00feather"


@pytest.mark.parametrize(
    ("tool", "arguments", "field"),
    [
        ("scan_billable_time", {"query_filter": NUL}, "query_filter"),
        ("scan_billable_time", {"client_filter": NUL}, "client_filter"),
        ("scan_billable_time", {"continue_from": NUL}, "continue_from"),
        ("analyze_time_entry", {"email_id": NUL}, "email_id"),
        ("analyze_time_entry", {"text": NUL}, "text"),
        ("get_time_tracking_summary", {"client_filter": NUL}, "client_filter"),
        ("configure_time_tracking", {"time_zone": NUL}, "time_zone"),
        ("configure_time_tracking", {"rate_category": NUL}, "rate_category"),
        ("configure_time_tracking", {"default_client_matter": NUL}, "default_client_matter"),
        ("configure_time_tracking", {"excluded_labels": [NUL]}, "excluded_labels"),
        ("configure_time_tracking", {"excluded_recipients": ["q\x00@firm.example"]}, "excluded_recipients"),
        ("configure_time_tracking", {"add_matters": [{"client": NUL}]}, "add_matters"),
        ("configure_time_tracking", {"add_matters": [{"client": "Q", "matter": NUL}]}, "add_matters"),
        ("configure_time_tracking", {"add_matters": [{"client": "Q", "aliases": [NUL]}]}, "add_matters"),
        ("configure_time_tracking", {"add_matters": [{"client": "Q", "domains": ["q\x00.example"]}]}, "add_matters"),
        ("configure_time_tracking", {"add_matters": [{"client": "Q", "rate_category": NUL}]}, "add_matters"),
        ("configure_time_tracking", {"remove_matters": [{"client": NUL}]}, "remove_matters"),
        ("configure_time_tracking", {"hourly_rate": 99_999_999.995}, "hourly_rate"),
        ("configure_time_tracking", {"hourly_rate": 99_999_999.995, "rounding_minimum": 6}, "hourly_rate"),
        ("configure_time_tracking", {"hourly_rate": 1e8}, "hourly_rate"),
        ("configure_time_tracking", {"add_matters": [{"client": "Q", "hourly_rate": 99_999_999.996}]}, "add_matters"),
    ],
)
async def test_what_the_database_could_not_hold_is_refused_by_name(
    asking: Asking, tool: str, arguments: dict[str, Any], field: str
) -> None:
    before = await asking.answer("configure_time_tracking")
    refused = await asking.ask(tool, **arguments)
    assert refused.status_code == 422, refused.text
    assert {error["field"].split(".")[0] for error in problem(refused)["errors"]} == {field}
    assert await asking.answer("configure_time_tracking") == before


async def test_the_highest_rate_is_taken_as_it_is(asking: Asking) -> None:
    changed = await asking.answer("configure_time_tracking", hourly_rate=99_999_999.99)
    assert changed["settings"]["hourly_rate"] == 99_999_999.99


async def test_changes_made_at_the_same_time_lose_nothing(running: Running) -> None:
    user = await running.stack.add_user("atonce@firm.example")  # without settings: the first change makes them
    asking = Asking.of(running.stack, user)
    async with asking.http:
        for round_ in range(20):
            await asyncio.gather(
                asking.answer("configure_time_tracking", rounding_minimum=round_),
                asking.answer("configure_time_tracking", default_client_matter=f"Matter {round_}"),
                asking.answer("configure_time_tracking", add_matters=[{"client": f"Hollis {round_}"}]),
                asking.answer("configure_time_tracking", add_matters=[{"client": f"Novak {round_}"}]),
            )
            now = await asking.answer("configure_time_tracking")
            settings = now["settings"]
            assert (settings["rounding_minimum"], settings["default_client_matter"]) == (round_, f"Matter {round_}")
    expected = {f"{name} {round_}" for name in ("Hollis", "Novak") for round_ in range(20)}
    assert {matter["client"] for matter in now["matters"]} == expected


# What is told of what goes wrong.


@pytest.mark.usefixtures("calm")
@pytest.mark.parametrize(
    ("tool", "arguments", "method"),
    [
        ("scan_billable_time", {}, "messages.list"),
        ("configure_time_tracking", {"excluded_labels": ["Private"]}, "labels.list"),
    ],
)
async def test_a_user_is_told_nothing_that_only_operators_need(
    running: Running, dana: Timekeeper, asking: Asking, tool: str, arguments: dict[str, Any], method: str
) -> None:
    await running.fault("500", count=3, method=method, address=dana.user.email)
    told = problem(await asking.ask(tool, **arguments))
    assert (told["status"], told["detail"]) == (503, told["title"])
    await running.fault("500", count=3, method=method, address=dana.user.email)
    [*_, (name, streamed)] = await asking.events(tool, **arguments)
    assert (name, streamed) == ("problem", told)
