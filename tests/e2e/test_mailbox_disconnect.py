"""A mailbox is disconnected: nothing of it is read or recorded from then on, and Google is told, sooner or later."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from infra.local.mailbox import ConnectedMailbox
from shared.settings import Settings
from shared.wiring import clients, connections
from tests.e2e.asking import problem
from tests.e2e.conftest import Running, until, work
from tests.e2e.mailboxes import Person, permissions, person, select
from tests.e2e.wire import When


@pytest.fixture
async def ines(running: Running) -> AsyncIterator[Person]:
    async with person(running.stack) as someone:
        yield someone


async def _finish_disconnects(running: Running) -> int:
    """What maintenance does."""
    settings = Settings.from_environ(running.stack.function_settings())
    parts = clients(settings)
    async with parts.http:
        done = await connections(settings, parts).finish_disconnects(100)
        await parts.gmail.quota.aclose()
        return done


async def _due_now(running: Running, mailbox_id: str) -> None:
    await select(
        running.stack,
        "update private.mailbox_credentials set release_at = now(), release_claimed_until = null"
        " where mailbox_id = $1 returning mailbox_id",
        mailbox_id,
    )


async def _is_watched(running: Running, address: str) -> bool:
    """Whether Gmail would push what is sent there: it says so of the watches that it has."""
    stats = (await running.stack.http.get(f"{running.stack.gmail_url}/_sim/stats")).json()
    return address in stats["watched"]


async def _credentials(running: Running, mailbox_id: str) -> int:
    query = "select 1 from private.mailbox_credentials where mailbox_id = $1"
    return len(await select(running.stack, query, mailbox_id))


async def _recorded(running: Running, someone: Person) -> list[str]:
    query = "select email_id from public.processed_emails where user_id = $1 order by email_id"
    return [row["email_id"] for row in await select(running.stack, query, someone.user.id)]


async def _connected(running: Running, someone: Person) -> ConnectedMailbox:
    """Connected, and the push of its watch is answered."""
    mailbox = await running.stack.connect(someone.user)
    await until(lambda: running.pushes_of(mailbox.id), lambda pushes: pushes > 0)
    return mailbox


async def test_a_disconnected_mailbox_is_not_watched_its_permission_has_ended_and_its_entries_stay(
    running: Running, ines: Person
) -> None:
    mailbox = await _connected(running, ines)
    sent = await mailbox.send(work(18))
    await until(lambda: _recorded(running, ines), lambda ids: ids == [sent])
    done = await ines.disconnect(str(mailbox.id))
    assert (done.status_code, done.json()["state"], done.json()["is_complete"]) == (200, "disconnected", True)
    assert not await _is_watched(running, ines.user.email)
    assert await _credentials(running, str(mailbox.id)) == 0
    assert await permissions(running.stack, ines.user.email) == 0
    [shown] = await ines.mailboxes()
    assert (shown["state"], shown["what_to_do"]) == ("disconnected", None)
    assert shown["released_at"] is not None
    async with running.stack.rest(ines.user) as rest:
        assert [row["email_id"] for row in (await rest.get("/time_tracking_entries")).json()] == [sent]


async def test_disconnecting_again_says_the_same(running: Running, ines: Person) -> None:
    mailbox_id = str((await _connected(running, ines)).id)
    answers = await asyncio.gather(*(ines.disconnect(mailbox_id) for _ in range(3)))
    assert {answer.json()["state"] for answer in answers} == {"disconnected"}
    assert (await ines.disconnect(mailbox_id)).json()["is_complete"] is True


@pytest.mark.parametrize("mailbox_id", ["6b0c0d0e-0000-4000-8000-000000000000", "mine", "..%2f"])
async def test_there_is_no_other_mailbox_to_disconnect(ines: Person, mailbox_id: str) -> None:
    assert (await ines.disconnect(mailbox_id)).status_code == 404


async def test_another_users_mailbox_is_as_if_it_did_not_exist(running: Running, ines: Person) -> None:
    mailbox = await _connected(running, ines)
    async with person(running.stack) as mallory:
        assert (await mallory.disconnect(str(mailbox.id))).status_code == 404
        assert await mallory.mailboxes() == []
    assert [each["state"] for each in await ines.mailboxes()] == ["connected"]


async def test_nothing_is_recorded_of_what_was_on_its_way_when_it_was_disconnected(
    running: Running, ines: Person
) -> None:
    mailbox = await _connected(running, ines)
    # One email is analysed and about to be recorded, others are being pushed.
    hold = running.wires["analyze_email", "gateway"].hold(b"/rpc/record_analysis", When.BEFORE)
    on_its_way = await mailbox.send(work(12))
    await hold.until_reached()
    for minutes in (18, 24, 30):
        await mailbox.send(work(minutes))
    known = set(await _recorded(running, ines))  # of those that were faster than all this
    done = await ines.disconnect(str(mailbox.id))
    assert done.status_code == 200
    known |= set(await _recorded(running, ines)) - {on_its_way}
    hold.release()
    await until(lambda: _refused_then_acked(running), bool)
    assert set(await _recorded(running, ines)) <= known
    assert on_its_way not in await _recorded(running, ines)
    waiting = await select(running.stack, "select 1 from public.awaited_emails where user_id = $1", ines.user.id)
    assert waiting == []


async def _refused_then_acked(running: Running) -> bool:
    """Whether a delivery was refused by the database, tried again, and then found the mailbox disconnected."""
    events = running.log("analyze_email")
    refused = {each["correlation_id"] for each in events if each.get("code") == "store_refused"}
    acked = {each.get("correlation_id") for each in events if each.get("code") == "unknown_mailbox"}
    return bool(refused & acked)


@pytest.mark.parametrize("method", ["stop", "revoke"])
async def test_while_google_is_down_it_is_disconnected_and_google_is_told_later(
    running: Running, ines: Person, method: str
) -> None:
    mailbox = await _connected(running, ines)
    await running.fault("503", method=method, count=3)
    done = await ines.disconnect(str(mailbox.id))
    assert (done.status_code, done.json()["is_complete"]) == (202, False)
    [shown] = await ines.mailboxes()
    assert (shown["state"], shown["released_at"]) == ("disconnected", None)
    assert "could not be told yet" in shown["what_to_do"]
    assert await _credentials(running, str(mailbox.id)) == 1
    await running.stack.http.delete(f"{running.stack.gmail_url}/_sim/faults")
    assert await _finish_disconnects(running) == 0, "there is a pause between two tries"
    await _due_now(running, str(mailbox.id))
    assert await _finish_disconnects(running) == 1
    assert await _credentials(running, str(mailbox.id)) == 0
    assert not await _is_watched(running, ines.user.email)
    assert await permissions(running.stack, ines.user.email) == 0
    assert [each["what_to_do"] for each in await ines.mailboxes()] == [None]


async def test_a_watch_that_cannot_be_ended_keeps_the_permission_no_longer_than_three_tries(
    running: Running, ines: Person
) -> None:
    mailbox = await _connected(running, ines)
    await running.fault("503", method="stop", count=100)
    assert (await ines.disconnect(str(mailbox.id))).status_code == 202
    for known in (0, 1):
        assert await permissions(running.stack, ines.user.email) > 0
        await _due_now(running, str(mailbox.id))
        assert await _finish_disconnects(running) == known
    await running.stack.http.delete(f"{running.stack.gmail_url}/_sim/faults")
    assert await permissions(running.stack, ines.user.email) == 0


async def test_a_mailbox_whose_permission_was_taken_back_is_disconnected_at_once(
    running: Running, ines: Person
) -> None:
    mailbox = await _connected(running, ines)
    await running.fault("revoke_token", address=ines.user.email)
    done = await ines.disconnect(str(mailbox.id))
    assert (done.status_code, await _credentials(running, str(mailbox.id))) == (200, 0)


async def test_connecting_again_before_google_was_told_keeps_the_new_permission(running: Running, ines: Person) -> None:
    old = await _connected(running, ines)
    await running.fault("503", method="stop", count=3)
    assert (await ines.disconnect(str(old.id))).status_code == 202
    await running.stack.http.delete(f"{running.stack.gmail_url}/_sim/faults")
    new = await running.stack.connect(ines.user)
    assert new.id != old.id
    await _due_now(running, str(old.id))
    await _finish_disconnects(running)
    assert await _is_watched(running, ines.user.email)
    await running.fault("expire_access_tokens", address=ines.user.email)
    sent = await new.send(work(12))
    await until(lambda: _recorded(running, ines), lambda ids: sent in ids)


async def test_a_mailbox_is_not_connected_while_it_is_being_disconnected(running: Running, ines: Person) -> None:
    mailbox = await _connected(running, ines)
    passed = await ines.come_back()
    hold = running.wires["mailbox", "gmail"].hold(b"POST /revoke", When.BEFORE)
    disconnecting = asyncio.create_task(ines.disconnect(str(mailbox.id)))
    await hold.until_reached()
    refused = await ines.finish(passed)
    hold.release()
    assert refused.status_code == 409
    assert "being disconnected" in problem(refused)["detail"]
    assert (await disconnecting).json()["is_complete"] is True
    assert await ines.connect()


STEPS = [
    pytest.param("gateway", b"/rpc/disconnect_mailbox", id="disconnects"),
    pytest.param("gmail", b"/users/me/stop", id="stops-watch"),
    pytest.param("gmail", b"POST /revoke", id="ends-permission"),
    pytest.param("gateway", b"/rpc/end_release", id="notes-it"),
]


@pytest.mark.parametrize("when", list(When))
@pytest.mark.parametrize(("part", "request_line"), STEPS)
async def test_a_kill_between_two_steps_is_made_good_by_who_comes_next(
    running: Running, ines: Person, part: str, request_line: bytes, when: When
) -> None:
    mailbox = await _connected(running, ines)
    await running.fault("expire_access_tokens", address=ines.user.email)
    hold = running.wires["mailbox", part].hold(request_line, when)
    disconnecting = asyncio.create_task(ines.disconnect(str(mailbox.id)))
    await hold.until_reached()
    await running.stack.functions["mailbox"].kill9()
    hold.release()
    with pytest.raises(httpx.HTTPError):
        (await disconnecting).raise_for_status()
    await until(lambda: _answers(ines), bool)
    if [each["state"] for each in await ines.mailboxes()] == ["connected"]:  # it died before anything was done
        assert (await ines.disconnect(str(mailbox.id))).status_code == 200
    await _due_now(running, str(mailbox.id))
    await _finish_disconnects(running)
    assert await _credentials(running, str(mailbox.id)) == 0
    assert not await _is_watched(running, ines.user.email)
    assert await permissions(running.stack, ines.user.email) == 0
    assert [each["what_to_do"] for each in await ines.mailboxes()] == [None]


async def _answers(someone: Person) -> bool:
    return (await someone.functions.get("/mailbox")).status_code == 200


async def test_a_scan_after_disconnecting_reads_nothing(running: Running, ines: Person) -> None:
    mailbox = await _connected(running, ines)
    assert (await ines.disconnect(str(mailbox.id))).status_code == 200
    refused = await ines.functions.post("/tools/scan_billable_time", json={})
    assert refused.status_code == 409
    assert "connect one first" in problem(refused)["detail"]
