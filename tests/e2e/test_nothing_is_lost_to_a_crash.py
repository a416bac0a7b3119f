"""The functions are killed with -9 between any two steps, the database is restarted: every entry once, none missing."""

import asyncio

import pytest

from tests.e2e.conftest import Running, Timekeeper, until, work
from tests.e2e.wire import When

# (function, the part it talks to, what its request looks like on the wire), in the order of the path.
STEPS = [
    pytest.param("gmail_push", "gateway", b"/rpc/mailbox_by_address", id="push-finds-mailbox"),
    pytest.param("gmail_push", "gmail", b"POST /token", id="push-fetches-token"),
    pytest.param("gmail_push", "gmail", b"/users/me/history?", id="push-reads-history"),
    pytest.param("gmail_push", "pubsub", b"email_id", id="push-publishes"),
    pytest.param("gmail_push", "gateway", b"/rpc/advance_watermark", id="push-moves-watermark"),
    pytest.param("analyze_email", "gateway", b"/rpc/analysis_context", id="analysis-finds-context"),
    pytest.param("analyze_email", "gmail", b"POST /token", id="analysis-fetches-token"),
    pytest.param("analyze_email", "gmail", b"/users/me/messages/", id="analysis-fetches-email"),
    pytest.param("analyze_email", "gateway", b"/rpc/record_analysis", id="analysis-records"),
]


@pytest.mark.parametrize("when", list(When))
@pytest.mark.parametrize(("function", "part", "request_line"), STEPS)
async def test_a_kill_between_two_steps_loses_and_repeats_nothing(
    running: Running, dana: Timekeeper, function: str, part: str, request_line: bytes, when: When
) -> None:
    # The watch's push has left a token behind, that would spare this step.
    await running.fault("expire_access_tokens", address=dana.user.email)
    hold = running.wires[function, part].hold(request_line, when)
    first = await dana.mailbox.send(work(12))
    await hold.until_reached()
    await running.stack.functions[function].kill9()
    hold.release()
    second = await dana.mailbox.send(work(18))
    assert await dana.until_outcomes(first, second) == {first: "entries", second: "entries"}
    assert sorted(row["duration_minutes"] for row in await dana.entries()) == [12, 18]


async def test_a_restart_of_the_database_amid_three_hundred_emails_loses_and_repeats_nothing(
    running: Running, dana: Timekeeper
) -> None:
    async def stream() -> list[str]:
        ids = []
        for n in range(300):
            ids.append(await dana.mailbox.send(work(6 + n % 60)))
            await asyncio.sleep(0.01)  # a stream, not a heap
        return ids

    sending = asyncio.create_task(stream())
    await dana.until_some_outcomes(20)
    await running.stack.postgres.kill9()
    await running.stack.postgres.start()
    await dana.until_some_outcomes(120)
    await running.stack.postgres.restart()
    ids = await sending
    outcomes = await dana.until_outcomes(*ids, deadline=120)
    assert set(outcomes.values()) == {"entries"}
    assert sorted(row["duration_minutes"] for row in await dana.entries()) == sorted(6 + n % 60 for n in range(300))
    assert await running.dead_letters(dana.mailbox) == 0


async def test_an_outage_longer_than_five_tries_loses_nothing(running: Running, dana: Timekeeper) -> None:
    first = await dana.mailbox.send(work(12))
    await dana.until_outcomes(first)
    before = _tries(running)
    await running.stack.postgrest.kill9()
    try:
        second = await dana.mailbox.send(work(18))
        await until(lambda: _settled(_tries(running) - before), lambda tries: tries > 5, deadline=280)
    finally:
        await running.stack.postgrest.start()
    assert (await dana.until_outcomes(second))[second] == "entries"
    assert await running.dead_letters(dana.mailbox) == 0


def _tries(running: Running) -> int:
    return sum(event["message"] == "delivery.will_be_tried_again" for event in running.log("gmail_push"))


async def _settled(value: int) -> int:
    return value


async def test_an_email_analysed_ten_times_at_once_is_recorded_once(running: Running, dana: Timekeeper) -> None:
    hold = running.wires["analyze_email", "gmail"].hold(b"/users/me/messages/", When.BEFORE)
    sent = await dana.mailbox.send(work(24))
    await hold.until_reached()
    message = b'{"mailbox_id":"%s","email_id":"%s"}' % (str(dana.mailbox.id).encode(), sent.encode())
    await running.publish("sent-emails", *[message] * 10)
    await dana.until_outcomes(sent)
    hold.release()
    await until(lambda: _answers(running, sent), lambda answers: answers >= 11)
    assert [row["duration_minutes"] for row in await dana.entries()] == [24]


async def _answers(running: Running, email_id: str) -> int:
    return sum(event.get("email_id") == email_id for event in running.log("analyze_email"))
