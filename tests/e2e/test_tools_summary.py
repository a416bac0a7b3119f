"""get_time_tracking_summary: what the entries are now, whatever was computed before, and what became of every email."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.settings import ToolsSettings
from shared.wiring import tools_parts
from tests.e2e.asking import Asking, problem
from tests.e2e.conftest import Running, Timekeeper, email

TOOL = "get_time_tracking_summary"


@pytest.fixture
async def asking(running: Running, dana: Timekeeper) -> AsyncIterator[Asking]:
    client = Asking.of(running.stack, dana.user)
    async with client.http:
        yield client


def day(days_ago: int = 0) -> str:
    return (datetime.now(UTC) - timedelta(days=days_ago)).date().isoformat()


async def add(dana: Timekeeper, minutes: float, days_ago: int = 0, **changes: Any) -> str:
    """An entry by hand; gives its id."""
    entry = {
        "user_id": str(dana.user.id),
        "duration_minutes": minutes,
        "entry_type": "call",
        "date_performed": day(days_ago),
        "client_matter": "Ortiz",
        "description": "By hand",
        **changes,
    }
    answer = await dana.rest.post("/time_tracking_entries", json=entry, headers={"Prefer": "return=representation"})
    answer.raise_for_status()
    return str(answer.json()[0]["id"])


async def refresh(running: Running) -> None:
    headers = {"apikey": running.stack.keys.secret_key}
    answer = await running.stack.http.post(
        f"{running.stack.gateway.url}/rest/v1/rpc/refresh_summaries", headers=headers, json={}
    )
    answer.raise_for_status()


async def test_it_adds_up_by_client_type_day_and_status(dana: Timekeeper, asking: Asking) -> None:
    await add(dana, 10)
    await add(dana, 20, 1, entry_type="drafting", client_matter="Hollis", status="approved")
    await add(dana, 30, 1, entry_type="drafting", client_matter=None, billable=False)
    await add(dana, 40, 1, status="dismissed")
    found = await asking.answer(TOOL)

    def sums(entries: int, minutes: float, billed: float, unbilled: float) -> dict[str, float]:
        return {"entries": entries, "minutes": minutes, "billed_minutes": billed, "unbilled_minutes": unbilled}

    assert found["totals"] == sums(3, 60, 36, 30)
    assert {each.pop("client_matter"): each for each in found["by_client"]} == {
        "Ortiz": sums(1, 10, 12, 0),
        "Hollis": sums(1, 20, 24, 0),
        None: sums(1, 30, 0, 30),
    }
    assert {each["entry_type"]: each["minutes"] for each in found["by_type"]} == {"call": 10, "drafting": 50}
    assert {each["date_performed"]: each["minutes"] for each in found["by_day"]} == {day(): 10, day(1): 50}
    assert {each["status"]: each["entries"] for each in found["by_status"]} == {
        "draft": 2,
        "approved": 1,
        "dismissed": 1,
    }


async def test_it_is_as_the_entries_are_now_before_and_after_a_refresh(
    running: Running, dana: Timekeeper, asking: Asking
) -> None:
    entry = await add(dana, 12)
    await refresh(running)
    assert (await asking.answer(TOOL))["totals"]["minutes"] == 12
    await dana.rest.patch("/time_tracking_entries", params={"id": f"eq.{entry}"}, json={"duration_minutes": 30})
    changed = await asking.answer(TOOL)
    assert (changed["totals"]["minutes"], changed["changed_days"]) == (30, 1)
    await dana.rest.patch("/time_tracking_entries", params={"id": f"eq.{entry}"}, json={"date_performed": day(3)})
    moved = await asking.answer(TOOL)
    assert [each["date_performed"] for each in moved["by_day"]] == [day(3)]
    await refresh(running)
    fresh = await asking.answer(TOOL)
    assert (fresh["by_day"], fresh["changed_days"]) == (moved["by_day"], 0)


async def test_what_is_remembered_is_used_only_while_it_is_true(dana: Timekeeper, asking: Asking) -> None:
    await add(dana, 12)
    first, again = await asking.answer(TOOL), await asking.answer(TOOL)
    assert (first["from_cache"], again["from_cache"]) == (False, True)
    assert again["totals"] == first["totals"]
    assert (await asking.answer(TOOL, use_cache=False))["from_cache"] is False
    await add(dana, 18)
    changed = await asking.answer(TOOL)
    assert (changed["from_cache"], changed["totals"]["minutes"]) == (False, 30)


async def test_this_months_is_ready_before_it_is_asked_for(running: Running, dana: Timekeeper) -> None:
    await add(dana, 12)
    # With a cache of its own: what other processes have worked out is in Redis.
    settings = {**running.stack.function_settings(), "REDIS_URL": ""}
    parts = tools_parts(ToolsSettings.from_environ(settings))
    try:
        caller = await parts.tokens.verify(f"Bearer {dana.user.token}")
        await parts.warmed(caller)
        found: Any = await parts.toolbox.call(caller, TOOL, b"{}")
        assert (found.from_cache, found.totals.minutes) == (True, 12)
        assert parts.timekeepers.cache.misses == 1
    finally:
        await parts.aclose()


@pytest.mark.parametrize(
    ("arguments", "minutes"),
    [
        ({}, 67),
        ({"date_range_days": 1}, 7),
        ({"date_range_days": 2}, 27),
        ({"client_filter": "ortiz"}, 47),
        ({"client_filter": "wage claim"}, 40),
        ({"entry_type_filter": "drafting"}, 20),
        ({"min_duration_minutes": 20}, 60),
        ({"min_duration_minutes": 20, "client_filter": "Ortiz", "date_range_days": 2}, 0),
    ],
)
async def test_it_adds_up_what_is_asked_for(
    dana: Timekeeper, asking: Asking, arguments: dict[str, Any], minutes: float
) -> None:
    await add(dana, 7)
    await add(dana, 20, 1, entry_type="drafting", client_matter="Hollis")
    await add(dana, 40, 20, client_matter="Ortiz - wage claim")
    await add(dana, 50, 40)
    assert (await asking.answer(TOOL, **arguments))["totals"]["minutes"] == minutes


async def test_today_is_the_users_own(asking: Asking) -> None:
    """Kiritimati is 14 hours ahead, so it has days that begin while others still have yesterday."""
    await asking.answer("configure_time_tracking", time_zone="Pacific/Kiritimati")
    found = await asking.answer(TOOL, date_range_days=1)
    here = (datetime.now(UTC) + timedelta(hours=14)).date().isoformat()
    assert found["first"] == found["last"] == here


async def test_every_email_is_accounted_for(dana: Timekeeper, asking: Asking) -> None:
    now = datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S +0000")
    sent = [
        await dana.mailbox.send(email("I spent 30 minutes on the phone with Ortiz.\n", Date=now)),
        await dana.mailbox.send(email("See you.\n", Date=now)),
    ]
    await dana.until_outcomes(*sent)
    coverage = (await asking.answer(TOOL))["coverage"]
    assert {
        name: coverage[name] for name in ("sent", "accounted_for", "with_entries", "without_entries", "waiting")
    } == {
        "sent": 2,
        "accounted_for": 2,
        "with_entries": 1,
        "without_entries": 1,
        "waiting": 0,
    }
    assert coverage["history_read_at"] is not None
    await asking.answer("configure_time_tracking", auto_analysis=False)
    await dana.mailbox.send(email("I spent 45 minutes on the brief.\n", Date=now))
    await dana.until_waiting(1)
    coverage = (await asking.answer(TOOL))["coverage"]
    assert (coverage["sent"], coverage["accounted_for"], coverage["waiting"]) == (3, 2, 1)
    assert (await asking.scan())["time_entries_found"] == 2
    coverage = (await asking.answer(TOOL))["coverage"]
    assert (coverage["sent"], coverage["accounted_for"], coverage["waiting"]) == (3, 3, 0)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"date_range_days": 0}, "date_range_days"),
        ({"date_range_days": 366}, "date_range_days"),
        ({"client_filter": "Nobody at all"}, "client_filter"),
        ({"client_filter": ""}, "client_filter"),
        ({"client_filter": "--"}, "client_filter"),
        ({"entry_type_filter": "lunch"}, "entry_type_filter"),
        ({"min_duration_minutes": -1}, "min_duration_minutes"),
        ({"min_duration_minutes": "20"}, "min_duration_minutes"),
        ({"month": 9}, "month"),
    ],
)
async def test_what_is_wrong_is_named(asking: Asking, arguments: dict[str, Any], field: str) -> None:
    refused = await asking.ask(TOOL, **arguments)
    assert refused.status_code == 422
    assert [error["field"] for error in problem(refused)["errors"]] == [field]


async def test_others_totals_are_others(running: Running, dana: Timekeeper) -> None:
    await add(dana, 30)
    priya = await running.stack.add_user("priya@ramanlaw.example")
    client = Asking.of(running.stack, priya)
    async with client.http:
        found = await client.answer(TOOL)
        assert (found["totals"]["entries"], found["by_client"], found["coverage"]["sent"]) == (0, [], 0)
        assert (await client.ask(TOOL, client_filter="Ortiz")).status_code == 422
