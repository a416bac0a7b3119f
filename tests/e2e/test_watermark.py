"""The watermark moves last: not before Pub/Sub has every email, and never past what history has shown."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from shared.errors import PublishFailed
from shared.handlers.gmail_push import GmailPushHandler
from shared.pubsub.messages import GmailPush
from shared.settings import GmailPushSettings
from shared.wiring import gmail_push_handler
from tests.e2e.conftest import Running, Timekeeper, until, work


@asynccontextmanager
async def handler(running: Running, topic: str) -> AsyncIterator[GmailPushHandler]:
    """gmail_push's own handler, in this process, publishing to this topic."""
    settings = {**os.environ, **running.stack.function_settings(), "SENT_EMAILS_TOPIC": topic}
    built = gmail_push_handler(GmailPushSettings.from_environ(settings))
    yield built
    await built.publisher.close()
    await built.gmail.http.aclose()


async def test_what_pubsub_does_not_take_keeps_the_watermark_where_it_was(running: Running, dana: Timekeeper) -> None:
    await running.fault("push_drop", count=1)
    sent = await dana.mailbox.send(work())
    before = (await dana.mailbox_row())["history_id"]
    push = GmailPush.model_validate({"emailAddress": dana.user.email, "historyId": 1})
    async with handler(running, "no-such-topic") as unheard:
        with pytest.raises(PublishFailed):
            await unheard.handle(push, "push-1", datetime.now(UTC))
    assert (await dana.mailbox_row())["history_id"] == before

    async with handler(running, "sent-emails") as heard:
        assert (await heard.handle(push, "push-2", datetime.now(UTC))).published == 1
        assert await dana.until_outcomes(sent) == {sent: "entries"}
        assert (await dana.mailbox_row())["history_id"] > before
        # The same push again: nothing is published twice.
        assert (await heard.handle(push, "push-3", datetime.now(UTC))).published == 0


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
