"""The watermark moves last: not before Pub/Sub has every email, and never past what history has shown."""

import os
from datetime import UTC, datetime

import pytest

from shared.errors import PublishFailed
from shared.pubsub.messages import GmailPush
from shared.settings import GmailPushSettings
from shared.wiring import gmail_push_handler
from tests.e2e.conftest import Running, Timekeeper, until, work


async def test_what_pubsub_does_not_take_keeps_the_watermark_where_it_was(running: Running, dana: Timekeeper) -> None:
    await running.fault("push_drop", count=1)
    sent = await dana.mailbox.send(work())
    before = (await dana.mailbox_row())["history_id"]
    environ = {**os.environ, **running.stack.function_settings(), "SENT_EMAILS_TOPIC": "no-such-topic"}
    handler = gmail_push_handler(GmailPushSettings.from_environ(environ))
    push = GmailPush.model_validate({"emailAddress": dana.user.email, "historyId": 1})
    with pytest.raises(PublishFailed):
        await handler.handle(push, "push-1", datetime.now(UTC))
    await handler.publisher.close()
    assert (await dana.mailbox_row())["history_id"] == before

    environ["SENT_EMAILS_TOPIC"] = "sent-emails"
    handler = gmail_push_handler(GmailPushSettings.from_environ(environ))
    assert (await handler.handle(push, "push-2", datetime.now(UTC))).published == 1
    assert await dana.until_outcomes(sent) == {sent: "entries"}
    assert (await dana.mailbox_row())["history_id"] > before
    # The same push again: nothing is published twice.
    assert (await handler.handle(push, "push-3", datetime.now(UTC))).published == 0
    await handler.publisher.close()


async def test_a_forged_push_far_ahead_of_history_moves_nothing_and_is_kept_as_a_dead_letter(
    running: Running, dana: Timekeeper
) -> None:
    before = (await dana.mailbox_row())["history_id"]
    forged = b'{"emailAddress":"%s","historyId":18446744073709551615}' % dana.user.email.encode()
    await running.publish("gmail-events", forged)
    await until(running.dead_letters, lambda count: count == 1)
    assert (await dana.mailbox_row())["history_id"] == before
    sent = await dana.mailbox.send(work())
    assert await dana.until_outcomes(sent) == {sent: "entries"}
