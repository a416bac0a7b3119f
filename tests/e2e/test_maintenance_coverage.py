"""Coverage checked against Gmail itself: what is on record, what isn't, and whose it is."""

import asyncio
import json
import os
import sys
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from infra.local.stack import ROOT
from shared.checked_coverage import CheckedCoverage
from shared.settings import UpkeepSettings
from shared.wiring import checked_coverage
from tests.e2e.conftest import Running, Timekeeper, until, work

DAY = timedelta(days=1)


def last_days() -> dict[str, str]:
    now = datetime.now(UTC)
    return {"from": (now - DAY).date().isoformat(), "to": now.date().isoformat()}


async def check(running: Running, dana: Timekeeper, **params: str) -> httpx.Response:
    async with running.stack.functions_as(dana.user) as http:
        return await http.get("/coverage", params={**last_days(), **params})


async def covered(running: Running, dana: Timekeeper, **params: str) -> CheckedCoverage:
    answer = await check(running, dana, **params)
    assert answer.status_code == 200, answer.text
    found = CheckedCoverage.model_validate_json(answer.content)
    assert found.sent_in_gmail == found.accounted_for + found.waiting + found.missing_in_all
    return found


async def forget(running: Running, user_id: UUID, email_id: str) -> None:
    """As if nothing had ever been recorded of it."""
    connection = await asyncpg.connect(running.stack.postgres.url)
    try:
        for table in ("time_tracking_entries", "processed_emails"):
            await connection.execute(
                f"delete from {table} where user_id = $1 and email_id = $2",  # noqa: S608  a name from above
                *(user_id, email_id),
            )
    finally:
        await connection.close()


async def operate(running: Running, *arguments: str) -> tuple[int | None, Any]:
    """Run the operator's command; its status, and what it wrote."""
    command = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "infra.operate", *arguments),
        cwd=ROOT,
        env={**os.environ, **running.stack.function_settings()},
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await command.communicate()
    written = out.decode()
    return command.returncode, json.loads(written[written.index("{") :])


async def test_every_email_that_gmail_lists_is_accounted_for_and_one_that_is_not_is_named(
    running: Running, dana: Timekeeper
) -> None:
    sent = [await dana.mailbox.send(work(6 + n)) for n in range(5)]
    await dana.mailbox.save_draft(work(30))
    await dana.mailbox.receive(work(36))
    await dana.until_outcomes(*sent)
    found = await covered(running, dana)
    assert (found.sent_in_gmail, found.with_entries, found.missing, found.complete) == (5, 5, (), True)

    await forget(running, dana.user.id, sent[2])
    found = await covered(running, dana)
    assert (found.sent_in_gmail, found.with_entries, found.missing, found.complete) == (5, 4, (sent[2],), True)
    assert await dana.outcomes() == dict.fromkeys(set(sent) - {sent[2]}, "entries"), "asking changes nothing"


async def test_the_operators_command_names_what_is_missing_and_has_it_analysed(
    running: Running, dana: Timekeeper
) -> None:
    sent = await dana.mailbox.send(work(24))
    await dana.until_outcomes(sent)
    await forget(running, dana.user.id, sent)
    days = last_days()
    asked = ("coverage", "--user", str(dana.user.id), "--from", days["from"], "--to", days["to"])
    status, told = await operate(running, *asked)
    assert (status, told["missing"], told["handed_on"]) == (1, [sent], 0)
    status, told = await operate(running, *asked, "--hand-on")
    assert (status, told["missing"], told["handed_on"]) == (1, [sent], 1)
    assert await dana.until_outcomes(sent) == {sent: "entries"}
    status, told = await operate(running, *asked)
    assert (status, told["missing"], told["with_entries"]) == (0, [], 1)


async def test_a_task_and_a_replay_are_an_operators_to_have_done_too(running: Running) -> None:
    status, told = await operate(running, "maintain", "reconcile")
    assert (status, told["task"]) == (0, "reconcile")
    status, told = await operate(running, "replay")  # whatever other tests have left
    assert (status, told["failed"]) == (0, {})
    assert await operate(running, "replay", "--kept", "--most", "5") == (0, {"replayed": 0})


async def test_an_email_in_the_bin_was_sent_all_the_same(running: Running, dana: Timekeeper) -> None:
    sent = await dana.mailbox.send(work(24))
    await dana.until_outcomes(sent)
    await dana.mailbox.bin(sent)
    found = await covered(running, dana)
    assert (found.sent_in_gmail, found.accounted_for) == (1, 1)


async def test_a_mailbox_that_lets_nobody_in_is_told_and_no_number_hides_it(running: Running, dana: Timekeeper) -> None:
    await running.fault("revoke_token", address=dana.user.email)
    await running.fault("expire_access_tokens", address=dana.user.email)
    found = await covered(running, dana)
    assert (found.complete, found.mailboxes[0].failure) == (False, "access_revoked")
    found = await covered(running, dana)
    assert (found.complete, found.mailboxes[0].failure) == (False, "reconnect_needed")


async def test_when_time_is_up_the_next_call_goes_on_where_the_last_one_stopped(
    running: Running, dana: Timekeeper
) -> None:
    sent = await dana.mailbox.send(work(24))
    await dana.until_outcomes(sent)
    settings = UpkeepSettings.from_environ({**os.environ, **running.stack.function_settings()})
    hasty = checked_coverage(settings, 0.0)
    days = last_days()
    try:
        stopped = await hasty.check(dana.user.id, days["from"], days["to"])
    finally:
        await hasty.aclose()
    assert (stopped.complete, stopped.sent_in_gmail) == (False, 0)
    assert stopped.continue_token is not None
    found = await covered(running, dana, continue_token=stopped.continue_token)
    assert (found.complete, found.sent_in_gmail, found.continue_token) == (True, 1, None)
    assert found.end == stopped.end, "the same search, though now is later"

    # It is of her own mailbox and of that time, or refused.
    other = await check(running, dana, continue_token=stopped.continue_token, **{"from": "2026-01-01"})
    assert (other.status_code, other.json()["errors"][0]["field"]) == (422, "continue_token")
    priya = await running.stack.add_user(f"priya-{dana.user.email}")
    async with running.stack.functions_as(priya) as http:
        answer = await http.get("/coverage", params={**days, "continue_token": stopped.continue_token})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "continue_token")


async def test_nobody_is_told_of_anybody_elses_mail(running: Running, dana: Timekeeper) -> None:
    sent = await dana.mailbox.send(work(24))
    await dana.until_outcomes(sent)
    priya = await running.stack.add_user(f"priya2-{dana.user.email}")
    async with running.stack.functions_as(priya) as http:
        found = (await http.get("/coverage", params=last_days())).json()
    assert (found["sent_in_gmail"], found["accounted_for"], found["mailboxes"]) == (0, 0, [])
    url = f"{running.stack.gateway.functions_url}/coverage"
    assert (await running.stack.http.get(url, params=last_days())).status_code == 401


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"to": "2026-09-01"}, "from"),
        ({"from": "2026-09-01"}, "to"),
        ({"from": "yesterday", "to": "2026-09-01"}, "from"),
        ({"from": "2026-09-02", "to": "2026-09-01"}, "to"),
        ({"from": "1999-01-01", "to": "2026-09-01"}, "from"),
        ({"from": "2026-09-01T00:00:00", "to": "2026-09-02"}, "from"),
        ({"from": "2026-09-01", "to": "2026-09-02", "user_id": "x"}, "user_id"),
        ({"from": "2026-09-01", "to": "2026-09-02", "continue_token": "x"}, "continue_token"),
    ],
)
async def test_what_makes_no_sense_is_refused_and_named(
    running: Running, dana: Timekeeper, params: dict[str, str], field: str
) -> None:
    async with running.stack.functions_as(dana.user) as http:
        answer = await http.get("/coverage", params=params)
    assert (answer.status_code, [each["field"] for each in answer.json()["errors"]]) == (422, [field])


async def test_what_was_sent_a_moment_ago_waits_and_is_not_missing(running: Running, dana: Timekeeper) -> None:
    await running.stack.functions["analyze_email"].kill9()
    sent = await dana.mailbox.send(work(24))
    found = await until(lambda: covered(running, dana), lambda found: not found.missing)
    assert found.sent_in_gmail == 1
    assert await dana.until_outcomes(sent) == {sent: "entries"}
