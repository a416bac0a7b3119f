"""Once a day sent mail is listed, so that what Gmail's history leaves out is found all the same."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.e2e.conftest import Running, Timekeeper
from tests.e2e.long_ago import change, past, push

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


async def connected(running: Running, dana: Timekeeper, ago: timedelta, *, list_due: bool = True) -> None:
    """As if the mailbox had been connected so long ago, and its sent mail were to be listed now, or much later."""
    await change(
        running,
        """update public.mailboxes set connected_at = now() - $2::interval, listed_at = now() - $2::interval,
             list_due_at = case when $3 then now() else now() + interval '1 year' end
           where id = $1""",
        *(dana.mailbox.id, ago, list_due),
    )


async def left_out(running: Running, dana: Timekeeper, folder: Path, ago: timedelta) -> None:
    """An email was sent so long ago, and the watermark is past it: history will not tell of it any more."""
    await past(running, dana, folder, datetime.now(UTC) - ago)
    history_id = await dana.mailbox.history_id()
    await change(running, "update public.mailboxes set history_id = $2 where id = $1", dana.mailbox.id, history_id)


async def due_in(dana: Timekeeper) -> timedelta:
    """When its sent mail is to be listed again."""
    return datetime.fromisoformat((await dana.mailbox_row())["list_due_at"]) - datetime.now(UTC)


async def listed(running: Running) -> int:
    """How often a mailbox's messages were listed so far."""
    return (await running.calls()).get("messages.list", 0)


async def test_an_email_that_history_has_left_out_is_found_once_sent_mail_is_listed(
    running: Running, dana: Timekeeper, tmp_path: Path
) -> None:
    await connected(running, dana, DAY, list_due=False)
    await left_out(running, dana, tmp_path, 2 * HOUR)
    before = await listed(running)
    assert await push(running, dana, 1) == 204
    assert await listed(running) == before, "not with every push"
    assert await dana.outcomes() == {}
    await connected(running, dana, DAY)
    assert await push(running, dana, 1) == 204
    await dana.until_some_outcomes(1)
    [entry] = await dana.entries()
    assert entry["duration_minutes"] == 24
    assert timedelta(hours=23.9) < await due_in(dana) <= DAY
    assert await push(running, dana, 1) == 204
    assert await listed(running) == before + 1


@pytest.mark.parametrize(
    ("ago", "of"),
    [(5 * HOUR, "before the mailbox was connected"), (HOUR / 60, "just now, of which history is to tell")],
)
async def test_what_is_nobodys_to_find_is_left_alone(
    running: Running, dana: Timekeeper, tmp_path: Path, ago: timedelta, of: str
) -> None:
    await left_out(running, dana, tmp_path, ago)
    await connected(running, dana, 4 * HOUR)
    assert await push(running, dana, 1) == 204
    assert await due_in(dana) > 23 * HOUR, "it was listed"
    assert await dana._rows("awaited_emails") == [], of


async def test_what_waits_already_is_not_handed_on_once_more(
    running: Running, dana: Timekeeper, tmp_path: Path
) -> None:
    await dana.set(auto_analysis=False)
    await connected(running, dana, DAY)
    await left_out(running, dana, tmp_path, 2 * HOUR)
    assert await push(running, dana, 1) == 204
    await dana.until_waiting(1)
    handed_on = [event for event in running.log("gmail_push") if event.get("mailbox_id") == str(dana.mailbox.id)]
    assert sum(event.get("message") == "listing.found" for event in handed_on) == 1
    await connected(running, dana, DAY)
    assert await push(running, dana, 1) == 204
    handed_on = [event for event in running.log("gmail_push") if event.get("mailbox_id") == str(dana.mailbox.id)]
    assert sum(event.get("message") == "listing.found" for event in handed_on) == 1


async def test_where_listing_fails_the_push_is_done_and_listing_stays_due(
    running: Running, dana: Timekeeper, tmp_path: Path
) -> None:
    await connected(running, dana, DAY)
    await left_out(running, dana, tmp_path, 2 * HOUR)
    await running.fault("503", method="messages.list", address=dana.user.email, count=3)
    assert await push(running, dana, 1) == 204
    assert await due_in(dana) < timedelta(0)
    assert await push(running, dana, 1) == 204
    await dana.until_some_outcomes(1)


async def test_what_a_catch_up_listed_is_listed_again_soon_since_the_list_may_have_been_behind(
    running: Running, dana: Timekeeper
) -> None:
    await connected(running, dana, DAY, list_due=False)
    await change(running, "update public.mailboxes set catch_up_due = true where id = $1", dana.mailbox.id)
    assert await push(running, dana, 1) == 204
    assert timedelta(minutes=14) < await due_in(dana) <= timedelta(minutes=15)
