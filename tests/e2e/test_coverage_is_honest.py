"""Coverage claims no more than is known: history may be behind, mail never listed, or still waiting to be read."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.pubsub.messages import MAX_HISTORY_ID
from shared.store.coverage import Coverage
from tests.e2e.asking import Asking
from tests.e2e.conftest import Running, Timekeeper, until, work
from tests.e2e.long_ago import change, past, push
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


async def not_read_since(running: Running, dana: Timekeeper, moment: datetime, *, catch_up_due: bool = False) -> None:
    """As if the mailbox had been connected for years, and its history had last been read then."""
    await change(
        running,
        "update public.mailboxes set history_read_at = $2, catch_up_due = $3, not_listed = '{}' where id = $1",
        *(dana.mailbox.id, moment, catch_up_due),
    )


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

    async def left_out(most_days_ago: int) -> tuple[datetime, datetime] | None:
        """The one time, since so many days ago, of which mail was never listed."""
        told = (await coverage(dana, now - most_days_ago * DAY, now)).not_listed
        if not told:
            return None
        [gap] = told
        assert gap.start is not None
        assert gap.end is not None
        return gap.start, gap.end

    told = await left_out(200)
    assert told is not None
    start, end = told
    assert start == now - 91 * DAY, "a day's margin before history was last read"
    assert timedelta(0) <= end - (now - 30 * DAY) < timedelta(minutes=5), "and up to what the catch-up listed"
    assert await left_out(29) is None, "that was listed"
    assert await left_out(60) == (now - 60 * DAY, end), "of the time that is asked for"

    # One that looks for some words proves nothing of the rest; one of fewer days leaves those before.
    assert (await rescan(date_range_days=92, query_filter="mediation"))["state"] == "done"
    assert await left_out(200) == told
    assert (await rescan(date_range_days=89))["processed"] == 1
    left = await left_out(200)
    assert left is not None
    assert left[0] == start
    assert timedelta(0) <= left[1] - (now - 89 * DAY) < timedelta(minutes=5)
    assert (await rescan(date_range_days=92))["state"] == "done"
    assert await left_out(200) is None
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
