"""Coverage claims no more than is known: history may be behind, mail never listed, or still waiting to be read."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from shared.pubsub.messages import MAX_HISTORY_ID
from shared.store.coverage import Coverage
from tests.e2e.asking import Asking
from tests.e2e.conftest import Running, Timekeeper, email, push_body, until, work
from tests.e2e.wire import When

DAY = timedelta(days=1)
Ask = Callable[..., Awaitable[dict[str, Any]]]


async def coverage(dana: Timekeeper, start: datetime, end: datetime) -> Coverage:
    period = {"p_from": start.isoformat(), "p_to": end.isoformat()}
    answer = await dana.rest.post("/rpc/coverage", json=period)
    answer.raise_for_status()
    return Coverage.model_validate(answer.json())


async def read_at(dana: Timekeeper) -> datetime:
    """Up to when coverage says that all is counted."""
    now = datetime.now(UTC)
    found = (await coverage(dana, now - DAY, now)).history_read_at
    assert found is not None
    return found


async def push(running: Running, dana: Timekeeper, history_id: int) -> int:
    """Deliver a push that announces this history id; the status it is answered with."""
    data = f'{{"emailAddress":"{dana.user.email}","historyId":{history_id}}}'.encode()
    answer = await running.deliver("gmail_push", json=push_body(data))
    return answer.status_code


async def change(running: Running, statement: str, *values: Any) -> None:
    connection = await asyncpg.connect(running.stack.postgres.url)
    try:
        await connection.execute(statement, *values)
    finally:
        await connection.close()


async def not_read_since(running: Running, dana: Timekeeper, moment: datetime, *, catch_up_due: bool = False) -> None:
    """As if the mailbox's history had last been read then."""
    await change(
        running,
        "update public.mailboxes set history_read_at = $2, catch_up_due = $3 where id = $1",
        *(dana.mailbox.id, moment, catch_up_due),
    )


async def past(running: Running, dana: Timekeeper, folder: Path, sent_at: datetime) -> None:
    """An email of then is in the mailbox, and no push tells of it."""
    raw = email("I spent 24 minutes on the phone.\n", Date=format_datetime(sent_at), X_Gmail_Labels="Sent")
    mbox = folder / f"{uuid4().hex}.mbox"
    mbox.write_bytes(b"From 1@xxx Tue Sep 01 12:00:00 +0000 2026\n" + raw + b"\n")
    url = f"{running.stack.gmail_url}/_sim/mailboxes/{dana.user.email}/load"
    assert (await running.stack.http.post(url, json={"path": str(mbox)})).json()["sent"] == 1


@pytest.fixture
async def rescan(running: Running, dana: Timekeeper) -> AsyncIterator[Ask]:
    """Starts a rescan of Dana's and waits for its end; gives the job."""
    async with Asking.of(running.stack, dana.user).http as http:

        async def ask(**request: Any) -> dict[str, Any]:
            started = await http.post("/rescans", json=request)
            assert started.status_code == 202, started.text

            async def job() -> dict[str, Any]:
                found: dict[str, Any] = (await http.get(f"/rescans/{started.json()['id']}")).json()
                return found

            return await until(job, lambda found: found["state"] not in {"queued", "running"})

        yield ask


async def test_while_history_is_behind_a_push_not_all_is_said_to_be_counted(running: Running, dana: Timekeeper) -> None:
    then = datetime.now(UTC) - 2 * DAY
    await not_read_since(running, dana, then)
    assert await push(running, dana, MAX_HISTORY_ID) == 503, "what was announced has not shown yet"
    assert await read_at(dana) == then
    assert await push(running, dana, 1) == 204
    assert await read_at(dana) > then


async def test_what_history_shows_before_it_has_caught_up_with_a_push_is_read_all_the_same(
    running: Running, dana: Timekeeper
) -> None:
    await running.fault("push_drop", count=1)
    sent = await dana.mailbox.send(work())
    then = datetime.now(UTC) - 2 * DAY
    await not_read_since(running, dana, then)
    assert await push(running, dana, MAX_HISTORY_ID) == 503
    assert await dana.until_outcomes(sent) == {sent: "entries"}
    assert await read_at(dana) == then


async def test_what_a_bounded_catch_up_did_not_list_is_told_until_a_rescan_of_all_of_it(
    running: Running, dana: Timekeeper, rescan: Ask, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    await past(running, dana, tmp_path, now - 59.5 * DAY)
    await not_read_since(running, dana, now - 90 * DAY, catch_up_due=True)
    assert await push(running, dana, 1) == 204

    async def left_out(days_ago: int) -> tuple[datetime, datetime] | None:
        found = await coverage(dana, now - days_ago * DAY, now - (days_ago - 1) * DAY)
        return next(((each.start, each.end) for each in found.not_listed), None)

    told = await left_out(60)
    assert told is not None
    start, end = told
    assert start == now - 91 * DAY, "a day's margin before history was last read"
    assert timedelta(0) <= end - (now - 30 * DAY) < timedelta(minutes=5), "and up to what the catch-up listed"
    assert await left_out(20) is None, "that was listed"
    assert await left_out(100) is None, "that was read when it was sent"

    # One that leaves something out proves nothing of the rest: of other words, or of other days.
    assert (await rescan(date_range_days=92, query_filter="mediation"))["state"] == "done"
    assert await left_out(60) == told
    assert (await rescan(date_range_days=89))["processed"] == 1
    assert await left_out(60) == told
    assert (await rescan(date_range_days=92))["state"] == "done"
    assert await left_out(60) is None
    assert (await coverage(dana, now - 60 * DAY, now - 59 * DAY)).sent == 1


async def test_an_email_of_last_month_that_is_handed_on_now_is_told_to_wait_perhaps(
    running: Running, dana: Timekeeper, tmp_path: Path
) -> None:
    """A catch-up hands on mail of long ago. Until it is read, nobody knows which days are not counted yet."""
    now = datetime.now(UTC)
    sent_at = now - 20 * DAY
    await past(running, dana, tmp_path, sent_at)
    hold = running.wires["analyze_email", "gateway"].hold(b"/rpc/record_analysis", When.BEFORE)
    await not_read_since(running, dana, now - 25 * DAY, catch_up_due=True)
    assert await push(running, dana, 1) == 204
    await hold.until_reached()
    waiting = await coverage(dana, sent_at - DAY, sent_at + DAY)
    assert (waiting.sent, waiting.waiting, waiting.perhaps_waiting) == (0, 0, 1)
    later = await coverage(dana, now - DAY, now + DAY)
    assert (later.waiting, later.perhaps_waiting) == (1, 0)
    hold.release()
    await dana.until_some_outcomes(1)
    counted = await coverage(dana, sent_at - DAY, sent_at + DAY)
    assert (counted.sent, counted.with_entries, counted.waiting, counted.perhaps_waiting) == (1, 1, 0, 0)
    assert (await coverage(dana, now - DAY, now + DAY)).sent == 0
