"""A mailbox whose permission ended: every tool says so, and how to mend it; connected again, nothing was missed."""

from typing import Any

import pytest

from tests.e2e.asking import Asking, problem
from tests.e2e.conftest import Running, Timekeeper, until, work

HOW = "POST /mailbox/connect"


@pytest.fixture
async def revoked(running: Running, dana: Timekeeper) -> Timekeeper:
    """Dana took the permission back, and Gmail has said so to a push."""
    await running.fault("revoke_token", address=dana.user.email)
    await dana.mailbox.send(work(12))
    await until(dana.mailbox_row, lambda row: row["state"] == "reconnect_needed")
    return dana


async def _ask(running: Running, timekeeper: Timekeeper, tool: str, **arguments: Any) -> Any:
    asking = Asking.of(running.stack, timekeeper.user)
    async with asking.http:
        return await asking.ask(tool, **arguments)


@pytest.mark.parametrize(
    ("tool", "arguments"), [("scan_billable_time", {}), ("analyze_time_entry", {"email_id": "18c0ffee18c0ffee"})]
)
async def test_what_needs_the_mailbox_is_refused_with_what_to_do(
    running: Running, revoked: Timekeeper, tool: str, arguments: dict[str, Any]
) -> None:
    answer = await _ask(running, revoked, tool, **arguments)
    assert answer.status_code == 409
    said = problem(answer)["detail"]
    assert "has to be connected again" in said
    assert HOW in said


@pytest.mark.parametrize("tool", ["get_time_tracking_summary", "configure_time_tracking"])
async def test_what_does_not_need_it_answers_and_says_what_to_do(
    running: Running, revoked: Timekeeper, tool: str
) -> None:
    answer = await _ask(running, revoked, tool)
    assert answer.status_code == 200
    assert answer.json()["notice"].startswith("Email is not being read: the mailbox has to be connected again.")
    assert HOW in answer.json()["notice"]


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("scan_billable_time", {}),
        ("analyze_time_entry", {"email_id": "18c0ffee18c0ffee"}),
        ("configure_time_tracking", {"excluded_labels": ["Private"]}),
    ],
)
async def test_a_tool_that_is_the_first_to_find_out_says_it_and_marks_the_mailbox(
    running: Running, dana: Timekeeper, tool: str, arguments: dict[str, Any]
) -> None:
    await running.fault("revoke_token", address=dana.user.email)
    answer = await _ask(running, dana, tool, **arguments)
    assert (answer.status_code, problem(answer)["type"]) == (409, "urn:tenths:problem:access_revoked")
    assert HOW in problem(answer)["detail"]
    assert (await dana.mailbox_row())["state"] == "reconnect_needed"


async def test_a_rescan_says_what_to_do(running: Running, revoked: Timekeeper) -> None:
    async with running.stack.functions_as(revoked.user) as functions:
        answer = await functions.post("/rescans", json={"date_range_days": 7})
    assert answer.status_code == 409
    assert HOW in problem(answer)["detail"]


async def test_connected_again_what_was_sent_meanwhile_is_read_and_nothing_is_said_any_more(
    running: Running, revoked: Timekeeper
) -> None:
    sent = await revoked.mailbox.send(work(18))
    again = await running.stack.connect(revoked.user)
    assert again.id == revoked.mailbox.id
    assert (await revoked.until_outcomes(sent))[sent] == "entries"
    answer = await _ask(running, revoked, "get_time_tracking_summary")
    assert answer.json()["notice"] is None
