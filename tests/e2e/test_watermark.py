"""The watermark moves last: not before Pub/Sub has every email, and never past what history has shown."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from cryptography.fernet import Fernet

from shared.errors import AppRefused, KeyMissing, PublishFailed, TransientError
from shared.handlers.gmail_push import GmailPushHandler
from shared.pubsub.messages import GmailPush, SentEmail
from shared.settings import AnalyzeEmailSettings, GmailPushSettings
from shared.wiring import analyze_email_handler, gmail_push_handler
from tests.e2e.conftest import Running, Timekeeper, push_body, work


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


async def test_a_forged_push_far_ahead_of_history_moves_nothing_and_is_in_nobodys_way(
    running: Running, dana: Timekeeper
) -> None:
    before = (await dana.mailbox_row())["history_id"]
    forged = b'{"emailAddress":"%s","historyId":18446744073709551615}' % dana.user.email.encode()
    answer = await running.deliver("gmail_push", json=push_body(forged))
    assert answer.status_code == 503
    assert (await dana.mailbox_row())["history_id"] == before
    sent = await dana.mailbox.send(work())
    assert await dana.until_outcomes(sent) == {sent: "entries"}


@pytest.mark.parametrize("function", ["gmail_push", "analyze_email", "rescan_page"])
async def test_a_delivery_that_google_does_not_vouch_for_does_nothing(
    running: Running, dana: Timekeeper, function: str
) -> None:
    url = f"{running.stack.gateway.functions_url}/{function}"
    forged = push_body(b'{"emailAddress":"%s","historyId":1}' % dana.user.email.encode())
    before = await running.calls()
    for token in ("", "Bearer x", f"Bearer {dana.user.token}", f"Bearer {running.stack.scheduler_token}"):
        answer = await running.stack.http.post(url, json=forged, headers={"Authorization": token} if token else {})
        assert answer.status_code == 401
    assert await running.calls() == before


@pytest.mark.parametrize(
    ("setting", "error"),
    [("TOKEN_ENCRYPTION_KEYS", KeyMissing), ("GOOGLE_CLIENT_SECRET", AppRefused), ("GMAIL_API_ENDPOINT", AppRefused)],
)
async def test_a_setting_of_ours_that_is_wrong_costs_no_mailbox_its_connection_and_no_email_its_reading(
    running: Running, dana: Timekeeper, setting: str, error: type[TransientError]
) -> None:
    wrong = {
        "TOKEN_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        "GOOGLE_CLIENT_SECRET": "another",
        "GMAIL_API_ENDPOINT": running.stack.gateway.functions_url,  # answers 404, and is no Gmail
    }
    settings = {**os.environ, **running.stack.function_settings(), setting: wrong[setting]}
    push = GmailPush.model_validate({"emailAddress": dana.user.email, "historyId": 1})
    hearer = gmail_push_handler(GmailPushSettings.from_environ(settings))
    with pytest.raises(error):
        await hearer.handle(push, "push-1", datetime.now(UTC))
    await hearer.publisher.close()
    await hearer.gmail.http.aclose()
    reader = analyze_email_handler(AnalyzeEmailSettings.from_environ(settings))
    with pytest.raises(error):
        await reader.handle(SentEmail(mailbox_id=dana.mailbox.id, email_id="unread"), "push-1")
    await reader.gmail.http.aclose()
    assert (await dana.mailbox_row())["state"] == "connected"
    assert await dana.outcomes() == {}
