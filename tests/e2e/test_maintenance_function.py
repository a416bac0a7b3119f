"""Maintenance as the scheduler calls it: who may, what it answers, and what it finds again on the real path."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from google.pubsub_v1 import PublisherAsyncClient, PubsubMessage
from google.pubsub_v1.services.publisher.transports import PublisherGrpcAsyncIOTransport
from grpc.aio import insecure_channel

from infra.local.google_identity import SCHEDULER_ACCOUNT
from infra.local.pubsub.topology import DEAD_LETTERS
from infra.local.schedule import RHYTHM, run_task
from infra.local.stack import PROJECT
from shared.pubsub.dead_letters import SOURCE_SUBSCRIPTION
from tests.e2e.conftest import Running, Timekeeper, until, work
from tests.e2e.wire import When

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WATCH = "watch"


async def change(running: Running, statement: str, *values: Any) -> None:
    connection = await asyncpg.connect(running.stack.postgres.url)
    try:
        await connection.execute(statement, *values)
    finally:
        await connection.close()


async def watch_ends(running: Running, dana: Timekeeper, moment: datetime | None) -> None:
    """As if her mailbox's watch ended then, and nobody had tried to renew it lately; all others have theirs."""
    await run_task(running.stack, "renew_watches")
    await change(running, "delete from private.mailbox_upkeep where mailbox_id = $1", dana.mailbox.id)
    await change(running, "update mailboxes set watch_expires_at = $2 where id = $1", dana.mailbox.id, moment)


async def unread_for_hours(running: Running, dana: Timekeeper) -> None:
    """As if nobody had read her history for two hours."""
    await change(running, "delete from private.mailbox_upkeep where mailbox_id = $1", dana.mailbox.id)
    await change(
        running,
        "update mailboxes set history_read_at = $2 where id = $1",
        dana.mailbox.id,
        datetime.now(UTC) - 2 * HOUR,
    )


async def watched_until(dana: Timekeeper) -> datetime:
    return datetime.fromisoformat((await dana.mailbox_row())["watch_expires_at"])


async def test_every_task_that_the_scheduler_knows_is_done_and_says_so(running: Running) -> None:
    for task in RHYTHM:
        done = await run_task(running.stack, task)
        assert done["task"] == task
        assert not done["more"]


async def test_only_the_scheduler_has_tasks_done(running: Running, dana: Timekeeper) -> None:
    url = f"{running.stack.gateway.functions_url}/maintenance/renew_watches"
    await watch_ends(running, dana, None)
    other = running.stack.identity.token("https://elsewhere.example", SCHEDULER_ACCOUNT)
    for token in ("", "x", dana.user.token, running.stack.push_token, other):
        answer = await running.stack.http.post(url, headers={"Authorization": f"Bearer {token}"} if token else {})
        assert answer.status_code == 401
    assert (await dana.mailbox_row())["watch_expires_at"] is None


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "purge"), ("POST", "demolish"), ("POST", "purge/all"), ("POST", "")]
)
async def test_what_is_no_task_is_not_found(running: Running, method: str, path: str) -> None:
    url = f"{running.stack.gateway.functions_url}/maintenance/{path}"
    headers = {"Authorization": f"Bearer {running.stack.scheduler_token}"}
    answer = await running.stack.http.request(method, url, headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:tenths:problem:not_found")


async def test_an_email_whose_push_was_lost_becomes_an_entry_all_the_same(running: Running, dana: Timekeeper) -> None:
    await running.fault("push_drop", count=1)
    sent = await dana.mailbox.send(work(24))
    await unread_for_hours(running, dana)
    done = await run_task(running.stack, "reconcile")
    assert done["done"]["mailboxes_announced"] >= 1
    assert await dana.until_outcomes(sent) == {sent: "entries"}
    assert datetime.fromisoformat((await dana.mailbox_row())["history_read_at"]) > datetime.now(UTC) - HOUR


async def test_an_email_whose_message_was_lost_is_handed_on_again_and_no_more_often_than_due(
    running: Running, dana: Timekeeper
) -> None:
    sent = await dana.mailbox.send(work(24))
    await dana.until_outcomes(sent)
    # As if it had been handed on, and its message had got lost.
    await change(running, "delete from time_tracking_entries where user_id = $1", dana.user.id)
    await change(running, "delete from processed_emails where user_id = $1", dana.user.id)
    await change(
        running,
        """insert into awaited_emails (user_id, mailbox_id, email_id, handed_on_at, next_try_at)
           values ($1, $2, $3, now() - interval '20 minutes', now() - interval '5 minutes')""",
        *(dana.user.id, dana.mailbox.id, sent),
    )
    await run_task(running.stack, "reconcile")
    assert await dana.until_outcomes(sent) == {sent: "entries"}
    assert [row["duration_minutes"] for row in await dana.entries()] == [24]
    assert await dana._rows("awaited_emails") == []


async def test_a_watch_that_is_about_to_end_is_renewed_once_though_two_runs_meet(
    running: Running, dana: Timekeeper
) -> None:
    await watch_ends(running, dana, datetime.now(UTC) + 3 * HOUR)
    before = (await running.calls()).get(WATCH, 0)
    first, second = await asyncio.gather(*(run_task(running.stack, "renew_watches") for _ in range(2)))
    assert first["done"]["renewed"] + second["done"]["renewed"] == 1
    assert (await running.calls())[WATCH] == before + 1
    assert await watched_until(dana) > datetime.now(UTC) + 6 * DAY
    # And it works: what is sent now is pushed.
    sent = await dana.mailbox.send(work())
    assert await dana.until_outcomes(sent) == {sent: "entries"}


async def test_one_mailbox_that_lets_nobody_in_keeps_no_other_from_being_watched(
    running: Running, dana: Timekeeper
) -> None:
    user = await running.stack.add_user(f"lee-{dana.user.email}")
    revoked = await running.stack.connect(user)
    await until(lambda: running.pushes_of(revoked.id), lambda pushes: pushes > 0)
    await running.fault("revoke_token", address=user.email)
    await watch_ends(running, dana, datetime.now(UTC) + HOUR)
    # Sooner than Dana's, so that it comes first.
    await change(running, "update mailboxes set watch_expires_at = null where id = $1", revoked.id)
    done = await run_task(running.stack, "renew_watches")
    assert done["done"]["renewed"] == 1
    assert done["done"]["failed"] == {"access_revoked": 1}
    assert await watched_until(dana) > datetime.now(UTC) + 6 * DAY
    async with running.stack.rest(user) as rest:
        assert (await rest.get("/mailboxes")).json()[0]["state"] == "reconnect_needed"


# (task, the part it talks to, what its request looks like on the wire), in the order of the task.
STEPS = [
    pytest.param("renew_watches", "gateway", b"/rpc/claim_watches", id="watch-is-claimed"),
    pytest.param("renew_watches", "gmail", b"/users/me/watch", id="watch-is-renewed"),
    pytest.param("renew_watches", "gateway", b"/rpc/watch_renewed", id="watch-is-noted"),
    pytest.param("reconcile", "gateway", b"/rpc/claim_unread_mailboxes", id="mailbox-is-claimed"),
    pytest.param("reconcile", "pubsub", b"emailAddress", id="mailbox-is-announced"),
    pytest.param("refresh_summaries", "gateway", b"/rpc/refresh_summaries", id="summaries-are-refreshed"),
    pytest.param("purge", "gateway", b"/rpc/purge", id="what-is-old-is-purged"),
]


@pytest.mark.parametrize("when", list(When))
@pytest.mark.parametrize(("task", "part", "request_line"), STEPS)
async def test_a_kill_amid_a_task_leaves_it_to_be_done_by_the_next_run(
    running: Running, dana: Timekeeper, task: str, part: str, request_line: bytes, when: When
) -> None:
    await running.fault("push_drop", count=1)
    sent = await dana.mailbox.send(work(24))
    await unread_for_hours(running, dana)
    await watch_ends(running, dana, datetime.now(UTC) + HOUR)
    hold = running.wires["maintenance", part].hold(request_line, when)
    killed = asyncio.create_task(run_task(running.stack, task))
    await hold.until_reached()
    await running.stack.functions["maintenance"].kill9()
    hold.release()
    await asyncio.gather(killed, return_exceptions=True)
    await until(lambda: answers(running), lambda status: status == 404)

    # What the dead one had claimed comes due by itself, later than a test waits.
    await change(
        running, "update private.mailbox_upkeep set watch_due_at = '-infinity', look_due_at = '-infinity' where true"
    )
    for each in ("renew_watches", "reconcile", "refresh_summaries", "purge"):
        await run_task(running.stack, each)
    assert await dana.until_outcomes(sent) == {sent: "entries"}
    assert [row["duration_minutes"] for row in await dana.entries()] == [24]
    assert await watched_until(dana) > datetime.now(UTC) + 6 * DAY


async def answers(running: Running) -> int:
    """The status with which the function answers what it can answer as soon as it is there again."""
    url = f"{running.stack.gateway.functions_url}/maintenance"
    headers = {"Authorization": f"Bearer {running.stack.scheduler_token}"}
    return (await running.stack.http.get(url, headers=headers)).status_code


# What publishes, and for what email; each with the request before which or after which it is killed.
HANDING_ON = [
    pytest.param("reconcile", "gateway", b"/rpc/claim_waiting_emails", id="waiting-email-is-claimed"),
    pytest.param("reconcile", "pubsub", b"email_id", id="waiting-email-is-handed-on"),
    pytest.param("second_looks", "gateway", b"/rpc/claim_second_looks", id="second-look-is-claimed"),
    pytest.param("second_looks", "pubsub", b"email_id", id="second-look-is-handed-on"),
    pytest.param("replay_dead_letters", "pubsub", b"email_id", id="dead-letter-is-replayed"),
]


@pytest.mark.parametrize("when", list(When))
@pytest.mark.parametrize(("task", "part", "request_line"), HANDING_ON)
async def test_a_kill_while_an_email_is_handed_on_again_loses_and_repeats_nothing(
    running: Running, dana: Timekeeper, task: str, part: str, request_line: bytes, when: When
) -> None:
    sent = await dana.mailbox.send(work(24))
    await dana.until_outcomes(sent)
    await lost(running, dana, task, sent)
    hold = running.wires["maintenance", part].hold(request_line, when)
    killed = asyncio.create_task(run_task(running.stack, task))
    await hold.until_reached()
    await running.stack.functions["maintenance"].kill9()
    hold.release()
    await asyncio.gather(killed, return_exceptions=True)
    await until(lambda: answers(running), lambda status: status == 404)

    # What the dead one had claimed comes due by itself: in an hour, a dead letter when its ack deadline is over.
    await change(running, "update awaited_emails set next_try_at = now() where user_id = $1", dana.user.id)
    await change(running, "update private.second_looks set due_at = now() where user_id = $1", dana.user.id)

    async def done() -> bool:
        await run_task(running.stack, task)
        return await settled(dana, sent)

    await until(done, bool)
    assert [row["duration_minutes"] for row in await dana.entries()] == [24]


async def lost(running: Running, dana: Timekeeper, task: str, email_id: str) -> None:
    """As if the email's message had got lost, or the model had been away, so that this task has to do with it."""
    if task == "second_looks":
        await change(
            running,
            """update processed_emails
               set second_look = 'model_unavailable', processed_at = now() - interval '1 hour' where user_id = $1""",
            dana.user.id,
        )
        return
    await change(running, "delete from time_tracking_entries where user_id = $1", dana.user.id)
    await change(running, "delete from processed_emails where user_id = $1", dana.user.id)
    if task == "reconcile":
        await change(
            running,
            "insert into awaited_emails (user_id, mailbox_id, email_id, next_try_at) values ($1, $2, $3, now())",
            *(dana.user.id, dana.mailbox.id, email_id),
        )
        return
    message = b'{"mailbox_id":"%s","email_id":"%s"}' % (str(dana.mailbox.id).encode(), email_id.encode())
    async with insecure_channel(running.stack.pubsub.host) as channel:
        client = PublisherAsyncClient(transport=PublisherGrpcAsyncIOTransport(channel=channel))
        letter = PubsubMessage(data=message, attributes={SOURCE_SUBSCRIPTION: "sent-emails"})
        await client.publish(topic=f"projects/{PROJECT}/topics/{DEAD_LETTERS}", messages=[letter])


async def settled(dana: Timekeeper, email_id: str) -> bool:
    """Whether the email is on record, and read for good."""
    rows = await dana._rows("processed_emails")
    return [(row["email_id"], row["second_look"]) for row in rows] == [(email_id, None)]
