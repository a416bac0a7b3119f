"""Gmail refuses, fails, hangs up and forgets; what another try can mend is tried again, the rest is on record."""

import pytest

from tests.e2e.conftest import Running, Timekeeper, until, work
from tests.e2e.wire import When


@pytest.mark.parametrize("method", ["messages.get", "history.list", "token"])
@pytest.mark.parametrize("kind", ["429", "403", "500", "503", "malformed", "reset"])
async def test_a_failure_that_passes_loses_nothing(running: Running, dana: Timekeeper, kind: str, method: str) -> None:
    if method == "token" and kind in {"403", "malformed"}:
        kind = "500"  # the token endpoint has no such answers
    await running.fault(kind, method=method, count=4)
    try:
        sent = await dana.mailbox.send(work())
        assert await dana.until_outcomes(sent) == {sent: "entries"}
    finally:
        await running.stack.http.delete(f"{running.stack.gmail_url}/_sim/faults")


async def test_an_access_token_that_ends_early_is_fetched_anew(running: Running, dana: Timekeeper) -> None:
    first = await dana.mailbox.send(work(12))
    await dana.until_outcomes(first)
    await running.fault("expire_access_tokens", address=dana.user.email)
    second = await dana.mailbox.send(work(18))
    assert (await dana.until_outcomes(second))[second] == "entries"


async def test_an_email_deleted_before_it_is_read_is_recorded_as_gone(running: Running, dana: Timekeeper) -> None:
    hold = running.wires["analyze_email", "gmail"].hold(b"/users/me/messages/", When.BEFORE)
    sent = await dana.mailbox.send(work())
    await hold.until_reached()
    await dana.mailbox.delete(sent)
    hold.release()
    assert await dana.until_outcomes(sent) == {sent: "gone"}
    assert await dana.entries() == []


async def test_an_email_deleted_after_it_was_read_keeps_its_entries_when_it_is_delivered_again(
    running: Running, dana: Timekeeper
) -> None:
    hold = running.wires["analyze_email", "gateway"].hold(b"/rpc/record_analysis", When.AFTER)
    sent = await dana.mailbox.send(work())
    await hold.until_reached()
    await dana.mailbox.delete(sent)
    await running.stack.functions["analyze_email"].kill9()
    hold.release()
    again = await dana.mailbox.send(work(36))
    assert await dana.until_outcomes(sent, again) == {sent: "entries", again: "entries"}
    assert sorted(row["duration_minutes"] for row in await dana.entries()) == [24, 36]


async def test_a_revoked_permission_is_noted_and_nothing_sent_meanwhile_is_lost(
    running: Running, dana: Timekeeper
) -> None:
    await running.fault("revoke_token", address=dana.user.email)
    missed = await dana.mailbox.send(work(12))
    await until(dana.mailbox_row, lambda row: row["state"] == "reconnect_needed")
    assert missed not in await dana.outcomes()

    await running.stack.connect(dana.user)  # the owner connects again
    later = await dana.mailbox.send(work(18))
    assert await dana.until_outcomes(missed, later) == {missed: "entries", later: "entries"}
    assert (await dana.mailbox_row())["state"] == "connected"


async def test_an_email_that_failed_for_want_of_permission_is_read_once_there_is_a_new_one(
    running: Running, dana: Timekeeper
) -> None:
    hold = running.wires["analyze_email", "gmail"].hold(b"POST /token", When.BEFORE)
    failed = await dana.mailbox.send(work(12))
    await hold.until_reached()
    await running.fault("revoke_token", address=dana.user.email)
    hold.release()
    assert await dana.until_outcomes(failed) == {failed: "access_revoked"}
    await running.stack.connect(dana.user)
    later = await dana.mailbox.send(work(18))
    await dana.until_outcomes(later)
    await until(dana.outcomes, lambda found: found == {failed: "entries", later: "entries"})
    assert sorted(row["duration_minutes"] for row in await dana.entries()) == [12, 18]
