"""What our client makes of Gmail's answers."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from shared.errors import (
    AccessRevoked,
    GmailRefused,
    GmailUnavailable,
    HistoryExpired,
    MessageGone,
    OverQuota,
    TransientError,
)
from shared.gmail.client import Gmail, GmailMailbox
from shared.gmail.quota import PROFILES, Quota, QuotaProfile
from shared.mail import read
from tests.integration.gmail.conftest import Box, Simulated

RAW = b"From: d@x.example\nTo: r@y.example\nSubject: S\nDate: Wed, 02 Sep 2026 18:12:00 -0400\n\nTC w/ client .4\n"


async def test_history_gives_what_was_sent_since_in_order_and_nothing_else(box: Box) -> None:
    start = (await box.app.profile()).history_id
    await box.owner.receive(RAW)
    await box.owner.save_draft(RAW)
    sent = [await box.owner.send(RAW) for _ in range(3)]
    pages = [page async for page in box.app.history_since(start)]
    assert [email_id for page in pages for email_id in page.sent] == sent
    profile = await box.app.profile()
    assert start < pages[-1].read_up_to <= profile.history_id == pages[-1].mailbox_history_id


async def test_the_watermark_stays_where_nothing_was_seen(box: Box) -> None:
    start = (await box.app.profile()).history_id
    await box.owner.receive(RAW)
    [page] = [page async for page in box.app.history_since(start)]
    assert (page.sent, page.read_up_to) == ((), start)
    assert page.mailbox_history_id > start


async def test_history_of_more_than_one_page_is_read_to_its_end(box: Box) -> None:
    start = (await box.app.profile()).history_id
    sent = [await box.owner.send(RAW) for _ in range(620)]
    pages = [page async for page in box.app.history_since(start)]
    assert len(pages) > 1
    assert [email_id for page in pages for email_id in page.sent] == sent
    assert [page.read_up_to for page in pages] == sorted({page.read_up_to for page in pages})
    # Whoever dies after the first page finds the rest from there.
    rest = [email_id async for page in box.app.history_since(pages[0].read_up_to) for email_id in page.sent]
    assert [*pages[0].sent, *rest] == sent


async def test_a_history_id_that_gmail_forgot_is_an_error_of_its_own(box: Box, simulated: Simulated) -> None:
    start = (await box.app.profile()).history_id
    await box.owner.send(RAW)
    await simulated.fault("expire_history", address=box.owner.address)
    with pytest.raises(HistoryExpired):
        _ = [page async for page in box.app.history_since(start)]


async def test_the_list_of_sent_mail_holds_sent_mail_of_the_time_only(box: Box) -> None:
    await box.owner.receive(RAW)
    sent = [await box.owner.send(RAW) for _ in range(3)]
    now = datetime.now(UTC)
    since = [email_id async for page in box.app.sent_since(now - timedelta(hours=1)) for email_id in page]
    assert sorted(since) == sorted(sent)
    assert [page async for page in box.app.sent_since(now + timedelta(hours=1))] == [()]


async def test_an_email_comes_as_it_was_sent(box: Box) -> None:
    fetched = await box.app.fetch(await box.owner.send(RAW))
    assert fetched.raw.replace(b"\r\n", b"\n") == RAW
    assert fetched.is_sent
    assert abs(fetched.received_at - datetime.now(UTC)) < timedelta(minutes=5)


async def test_a_large_email_comes_without_its_attachments_and_reads_the_same(box: Box, simulated: Simulated) -> None:
    text = "Ray,\n\nSpent 1.2 hrs on the reply – and ½ an hour on the motion.\n\nDana\n"
    raw = (
        b'From: "Dana W." <d@x.example>\nTo: r@y.example\nSubject: =?utf-8?q?M=C3=BCller?=\nMIME-Version: 1.0\n'
        b"Date: Wed, 02 Sep 2026 18:12:00 -0400\nContent-Type: multipart/mixed; boundary=zz\n\n"
        b"--zz\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n" + text.encode() + b"\n"
        b'--zz\nContent-Type: application/pdf; name="a.pdf"\nContent-Transfer-Encoding: base64\n'
        b'Content-Disposition: attachment; filename="a.pdf"\n\n' + b"QUJD" * 1_000_000 + b"\n--zz--\n"
    )
    email_id = await box.owner.send(raw)
    fetched = await box.app.fetch(email_id)
    assert len(fetched.raw) < 10_000
    whole, slim = read(raw), read(fetched.raw)
    assert slim.new_text().strip() == whole.new_text().strip() == text.strip()
    assert (slim.subject, slim.sender, slim.recipients, slim.sent_at) == (
        whole.subject,
        whole.sender,
        whole.recipients,
        whole.sent_at,
    )
    calls = (await simulated.stats())["calls"]
    assert calls["messages.get"] == 2


async def test_an_email_that_was_deleted_is_gone(box: Box) -> None:
    email_id = await box.owner.send(RAW)
    await box.owner.delete(email_id)
    with pytest.raises(MessageGone):
        await box.app.fetch(email_id)


async def test_a_revoked_permission_is_told_from_a_token_that_ran_out(box: Box, simulated: Simulated) -> None:
    email_id = await box.owner.send(RAW)
    await box.app.fetch(email_id)
    await simulated.fault("expire_access_tokens", address=box.owner.address)
    assert (await box.app.fetch(email_id)).id == email_id
    await simulated.fault("revoke_token", address=box.owner.address)
    with pytest.raises(AccessRevoked):
        await box.app.fetch(email_id)


async def test_many_callers_at_once_fetch_one_access_token(box: Box, simulated: Simulated) -> None:
    email_id = await box.owner.send(RAW)
    await asyncio.gather(*(box.app.fetch(email_id) for _ in range(20)))
    assert (await simulated.stats())["calls"]["token"] == 1


@pytest.mark.parametrize("kind", ["500", "503", "malformed", "reset", "429", "403"])
async def test_a_failure_that_passes_within_seconds_is_not_noticed(box: Box, simulated: Simulated, kind: str) -> None:
    email_id = await box.owner.send(RAW)
    await simulated.fault(kind, method="messages.get", count=1)
    assert (await box.app.fetch(email_id)).id == email_id


@pytest.mark.parametrize(
    ("kind", "error"),
    [("503", GmailUnavailable), ("malformed", GmailUnavailable), ("reset", GmailUnavailable), ("429", OverQuota)],
)
async def test_a_failure_that_lasts_is_transient(
    box: Box, simulated: Simulated, kind: str, error: type[TransientError]
) -> None:
    email_id = await box.owner.send(RAW)
    await simulated.fault(kind, method="messages.get", count=3)
    with pytest.raises(error):
        await box.app.fetch(email_id)
    assert (await simulated.stats())["faults_pending"] == 0


async def test_a_wait_that_gmail_asks_for_and_that_is_long_is_left_to_pubsub(box: Box, simulated: Simulated) -> None:
    email_id = await box.owner.send(RAW)
    await simulated.fault("429", method="messages.get", count=1, retry_after_s=60)
    with pytest.raises(OverQuota) as caught:
        await box.app.fetch(email_id)
    assert caught.value.retry_after == 60
    assert (await simulated.stats())["calls"]["messages.get"] == 1


@pytest.mark.parametrize("profile", ["2026", "legacy"])
async def test_a_burst_stays_within_the_quota_as_gmail_counts_it(box: Box, simulated: Simulated, profile: str) -> None:
    settings = {"quota_profile": profile}
    (await simulated.http.patch(f"{simulated.url}/_sim/settings", json=settings)).raise_for_status()
    box.gmail.quota = Quota(PROFILES[profile])
    email_id = await box.owner.send(RAW)
    await box.app.profile()
    burst = int(PROFILES[profile].units_a_user_minute * PROFILES[profile].burst_share)
    fetches = burst // PROFILES[profile].cost["gmail.users.messages.get"] - 1
    await asyncio.gather(*(box.app.fetch(email_id) for _ in range(fetches)))
    assert (await simulated.stats())["quota"]["refused"] == 0


@pytest.mark.parametrize("profile", list(PROFILES.values()), ids=list(PROFILES))
def test_no_minute_holds_more_than_its_units(profile: QuotaProfile) -> None:
    limiter = Quota(profile)._project
    fullest_minute = limiter.max_rate + 60 * limiter.max_rate / limiter.time_period
    assert fullest_minute == pytest.approx(profile.units_a_project_minute)
    assert profile.units_a_user_minute * profile.burst_share >= max(profile.cost.values())


async def test_a_mailbox_that_used_up_its_quota_waits_no_longer_than_its_patience() -> None:
    quota = Quota(PROFILES["2026"])
    for _ in range(24):
        await quota.spend("dana", "gmail.users.watch", patience_seconds=1)
    with pytest.raises(OverQuota):
        await quota.spend("dana", "gmail.users.watch", patience_seconds=0.01)
    await quota.spend("priya", "gmail.users.watch", patience_seconds=1)


async def test_a_watch_lasts_for_days(box: Box) -> None:
    watch = await box.app.watch("projects/tenths-local/topics/gmail-events")
    assert watch.expiration / 1000 > (datetime.now(UTC) + timedelta(days=6)).timestamp()


async def test_a_watch_of_a_topic_that_gmail_may_not_publish_to_is_refused(box: Box) -> None:
    with pytest.raises(GmailRefused):
        await box.app.watch("projects/someone-else/topics/gmail-events")


async def test_a_mailbox_that_waits_for_quota_holds_up_no_other(box: Box, simulated: Simulated) -> None:
    email_id = await box.owner.send(RAW)
    gmail = Gmail(box.gmail.http, box.gmail.tokens, Quota(PROFILES["2026"]), simulated.url, calls_at_once=2)
    for _ in range(120):
        await gmail.quota.spend("busy", "gmail.users.messages.get", patience_seconds=1)
    busy = GmailMailbox(gmail, "busy", box.app._refresh_token)
    waiting = [asyncio.create_task(busy.fetch(email_id)) for _ in range(10)]
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        free = GmailMailbox(gmail, "free", box.app._refresh_token)
        assert (await free.fetch(email_id)).id == email_id
    assert sum(task.done() for task in waiting) < 5
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


def with_room_for(box: Box, simulated: Simulated, calls: int) -> GmailMailbox:
    """The same mailbox, with a quota that holds so many calls at once, and then none for a long time."""
    get = PROFILES["2026"].cost["gmail.users.messages.get"]
    profile = QuotaProfile(calls * get / 0.99, 1e9, PROFILES["2026"].cost, burst_share=0.99)
    gmail = Gmail(box.gmail.http, box.gmail.tokens, Quota(profile), simulated.url, calls_at_once=1)
    return GmailMailbox(gmail, "dana", box.app._refresh_token, patience_seconds=0.05)


@pytest.mark.parametrize("late", [False, True])
async def test_a_call_whose_turn_came_late_is_counted_when_it_is_made(
    box: Box, simulated: Simulated, monkeypatch: pytest.MonkeyPatch, late: bool
) -> None:
    """Gmail counts it then: what was counted when it began to wait would let through as many again."""
    monkeypatch.setattr("shared.gmail.client.COUNTED_SECONDS", 0.0 if late else 60.0)
    email_id = await box.owner.send(RAW)
    mailbox = with_room_for(box, simulated, 2)
    assert (await mailbox.fetch(email_id)).id == email_id
    if late:
        with pytest.raises(OverQuota):
            await mailbox.fetch(email_id)
    else:
        assert (await mailbox.fetch(email_id)).id == email_id
    assert mailbox.calls_made == (1 if late else 2)


async def test_a_call_whose_turn_came_late_and_that_no_quota_is_left_for_holds_no_turn_while_it_waits(
    box: Box, simulated: Simulated, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.gmail.client.COUNTED_SECONDS", 0.0)
    email_id = await box.owner.send(RAW)
    mailbox = with_room_for(box, simulated, 1)
    with pytest.raises(OverQuota):
        await mailbox.fetch(email_id)
    assert mailbox.calls_made == 0
    assert mailbox._gmail._all_turns.free == 50
