"""Pages of sent mail, and many emails at once."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any
from uuid import uuid4

import httpx
import pytest

from shared.errors import (
    AccessRevoked,
    AppRefused,
    GmailUnavailable,
    KeyMissing,
    MessageGone,
    OverQuota,
    TenthsError,
)
from shared.gmail import client
from shared.gmail.client import FetchedEmail, Gmail, GmailMailbox
from shared.gmail.quota import PROFILES, Quota
from shared.mail import read
from tests.integration.gmail.conftest import Box, Simulated

RAW = b"From: d@x.example\nTo: r@y.example\nSubject: %d\nDate: Wed, 02 Sep 2026 18:12:00 -0400\n\nTC w/ client .4\n"
DEADLINE_SECONDS = 20.0


@pytest.fixture(autouse=True)
async def as_it_starts(simulated: Simulated) -> AsyncIterator[None]:
    yield
    await settings(simulated, latency_ms=0, jitter_ms=0, batch_parallel=10)


async def settings(simulated: Simulated, **values: Any) -> None:
    (await simulated.http.patch(f"{simulated.url}/_sim/settings", json=values)).raise_for_status()


async def send(box: Box, count: int) -> list[str]:
    return [await box.owner.send(RAW % number) for number in range(count)]


async def many(mailbox: GmailMailbox, ids: list[str]) -> dict[str, FetchedEmail | TenthsError]:
    """What becomes of each; that it is told once is asserted here."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        told = [result async for result in mailbox.fetch_many(ids)]
    assert sorted(email_id for email_id, _ in told) == sorted(set(ids))
    return dict(told)


async def until(reached: Callable[[], Awaitable[bool]]) -> None:
    give_up = time.monotonic() + DEADLINE_SECONDS
    while not await reached():
        assert time.monotonic() < give_up


def failures(results: dict[str, FetchedEmail | TenthsError]) -> dict[str, type[TenthsError]]:
    return {email_id: type(result) for email_id, result in results.items() if isinstance(result, TenthsError)}


def free_turns(gmail: Gmail) -> int:
    return gmail._all_turns.free


def another(box: Box, url: str, http: httpx.AsyncClient | None = None, calls_at_once: int = 10) -> GmailMailbox:
    """The same mailbox, seen through other parts."""
    gmail = Gmail(
        http or box.gmail.http, box.gmail.tokens, Quota(PROFILES["unmetered"]), url, calls_at_once=calls_at_once
    )
    return gmail.mailbox(uuid4(), box.app._refresh_token)


async def test_sent_mail_comes_page_by_page_as_the_query_says(box: Box) -> None:
    sent = await send(box, 5)
    await box.owner.receive(RAW % 9)
    first = await box.app.sent_page("newer_than:2d", None, 3)
    last = await box.app.sent_page("newer_than:2d", first.next_page_token, 3)
    assert (*first.ids, *last.ids) == tuple(reversed(sent))
    assert (len(first.ids), last.next_page_token) == (3, None)
    assert (await box.app.sent_page("subject:4", None, 500)).ids == (sent[4],)
    assert (await box.app.sent_page("older_than:2d", None, 500)).ids == ()


@pytest.mark.parametrize("query", ["", "in:inbox", "from:anyone OR in:inbox", "label:inbox"])
async def test_no_query_lists_mail_that_was_not_sent(box: Box, query: str) -> None:
    sent = await send(box, 1)
    await box.owner.receive(RAW % 9)
    assert set((await box.app.sent_page(query, None, 500)).ids) <= set(sent)


@pytest.mark.parametrize("count", [0, 1, 2, 5, 6, 23])
async def test_many_emails_are_what_each_is_alone(box: Box, simulated: Simulated, count: int) -> None:
    sent = await send(box, count)
    alone = {email_id: await box.app.fetch(email_id) for email_id in sent}
    assert box.app.calls_made == count
    assert await many(box.app, sent) == alone
    calls = (await simulated.stats())["calls"]
    assert calls.get("messages.get", 0) == box.app.calls_made == 2 * count
    assert calls.get("batch", 0) == {0: 0, 1: 0, 2: 1, 5: 1, 6: 1, 23: 5}[count]


async def test_an_id_that_is_asked_for_twice_is_fetched_once(box: Box, simulated: Simulated) -> None:
    [email_id] = await send(box, 1)
    assert list(await many(box.app, [email_id, email_id])) == [email_id]
    assert (await simulated.stats())["calls"]["messages.get"] == 1


async def test_an_email_that_is_gone_leaves_the_others_as_they_are(box: Box) -> None:
    sent = await send(box, 7)
    await box.owner.delete(sent[2])
    await box.owner.delete(sent[6])
    assert failures(await many(box.app, sent)) == {sent[2]: MessageGone, sent[6]: MessageGone}
    assert box.app.calls_made == 7


@pytest.mark.parametrize("kind", ["429", "403", "500", "503"])
async def test_what_fails_for_a_moment_alone_is_asked_for_again(box: Box, simulated: Simulated, kind: str) -> None:
    sent = await send(box, 12)
    await box.app.profile()
    await simulated.fault(kind, method="messages.get", count=3)
    assert failures(await many(box.app, sent)) == {}
    assert (await simulated.stats())["calls"]["messages.get"] == 12 + 3
    assert box.app.calls_made == 1 + 12 + 3


@pytest.mark.parametrize(("kind", "error"), [("503", GmailUnavailable), ("429", OverQuota)])
async def test_what_fails_for_longer_is_told_after_as_many_tries_as_any_call_has(
    box: Box, simulated: Simulated, kind: str, error: type[TenthsError]
) -> None:
    sent = await send(box, 5)
    await simulated.fault(kind, method="messages.get", count=5 * client.ATTEMPTS)
    assert failures(await many(box.app, sent)) == dict.fromkeys(sent, error)
    assert (await simulated.stats())["calls"]["messages.get"] == box.app.calls_made == 5 * client.ATTEMPTS


async def test_a_part_that_is_to_wait_for_long_is_told_and_not_waited_for(box: Box, simulated: Simulated) -> None:
    sent = await send(box, 4)
    await simulated.fault("429", method="messages.get", count=1, retry_after_s=60)
    results = await many(box.app, sent)
    assert failures(results) == {sent[0]: OverQuota}
    refused = results[sent[0]]
    assert isinstance(refused, OverQuota)
    assert refused.retry_after == 60
    assert (await simulated.stats())["calls"]["messages.get"] == 4


@pytest.mark.parametrize("kind", ["503", "429", "500", "403"])
async def test_a_batch_that_fails_as_a_whole_loses_no_email(box: Box, simulated: Simulated, kind: str) -> None:
    sent = await send(box, 12)
    await simulated.fault(kind, method="batch", count=2)
    assert failures(await many(box.app, sent)) == {}
    stats = await simulated.stats()
    assert stats["faults_pending"] == 0
    # What was refused as a whole was sent all the same.
    assert (stats["calls"]["messages.get"], box.app.calls_made) == (12, 12 + 10)


@pytest.mark.parametrize("kind", ["malformed", "reset"])
async def test_a_batch_whose_answer_is_cut_off_loses_no_email(box: Box, simulated: Simulated, kind: str) -> None:
    sent = await send(box, 10)
    await simulated.fault(kind, method="batch", count=1)
    assert failures(await many(box.app, sent)) == {}
    assert 10 < box.app.calls_made <= 15


class CutShort(httpx.AsyncBaseTransport):
    """The first batch's connection breaks after so many bytes of its answer."""

    def __init__(self, after_bytes: int) -> None:
        self._real = httpx.AsyncHTTPTransport()
        self._left: int | None = after_bytes

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._real.handle_async_request(request)
        if request.url.path.startswith("/batch") and self._left is not None:
            left, self._left = self._left, None
            assert isinstance(answer.stream, httpx.AsyncByteStream)
            stream = _Breaking(answer.stream, left)
            return httpx.Response(answer.status_code, headers=answer.headers, stream=stream, request=request)
        return answer

    async def aclose(self) -> None:
        await self._real.aclose()


class _Breaking(httpx.AsyncByteStream):
    def __init__(self, stream: httpx.AsyncByteStream, left: int) -> None:
        self._stream = stream
        self._left = left

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            yield chunk[: self._left]
            self._left -= len(chunk)
            if self._left <= 0:
                raise httpx.ReadError("connection reset")

    async def aclose(self) -> None:
        await self._stream.aclose()


async def test_of_an_answer_that_breaks_off_what_came_whole_is_not_asked_for_again(
    box: Box, simulated: Simulated
) -> None:
    sent = await send(box, 5)
    # A part has some 600 bytes.
    async with httpx.AsyncClient(transport=CutShort(after_bytes=1700)) as http:
        mailbox = another(box, simulated.url, http)
        assert failures(await many(mailbox, sent)) == {}
    assert 5 + 1 <= mailbox.calls_made < 5 + 5
    assert (await simulated.stats())["calls"]["batch"] == 1


async def test_a_batch_that_is_never_answered_is_given_up_and_its_emails_are_fetched(
    box: Box, simulated: Simulated
) -> None:
    sent = await send(box, 3)
    await simulated.fault("timeout", method="batch", count=1)
    async with httpx.AsyncClient(timeout=httpx.Timeout(10, read=0.3)) as http:
        assert failures(await many(another(box, simulated.url, http), sent)) == {}


class Endless(httpx.AsyncBaseTransport):
    """A batch's answer trickles and never ends; everything else is real."""

    def __init__(self) -> None:
        self._real = httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if not request.url.path.startswith("/batch"):
            return await self._real.handle_async_request(request)
        headers = {"content-type": "multipart/mixed; boundary=b"}
        return httpx.Response(200, headers=headers, stream=_Trickle(), request=request)

    async def aclose(self) -> None:
        await self._real.aclose()


class _Trickle(httpx.AsyncByteStream):
    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            await asyncio.sleep(0)
            yield b" "


async def test_an_answer_that_trickles_for_ever_is_given_up(
    box: Box, simulated: Simulated, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = await send(box, 3)
    monkeypatch.setattr("shared.gmail.transport.ANSWER_SECONDS", 0.5)
    async with httpx.AsyncClient(transport=Endless()) as http:
        assert failures(await many(another(box, simulated.url, http), sent)) == {}


class Instead(httpx.AsyncBaseTransport):
    """The first batches, as many as there are answers, are answered with these; everything else is real."""

    def __init__(self, *answers: httpx.Response) -> None:
        self._real = httpx.AsyncHTTPTransport()
        self._answers = list(answers)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.startswith("/batch") and self._answers:
            await request.aread()
            return self._answers.pop(0)
        return await self._real.handle_async_request(request)

    async def aclose(self) -> None:
        await self._real.aclose()


NOT_FOUND = {"error": {"code": 404, "errors": [{"reason": "notFound"}], "status": "NOT_FOUND"}}
MIXED = {"content-type": "multipart/mixed; boundary=b"}
UNASKED = (
    b"--b\r\nContent-Type: application/http\r\nContent-ID: <response-x + 99>\r\n\r\nHTTP/1.1 404 Not Found\r\n\r\n{}"
)


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(401),
        httpx.Response(400, json={"error": {"errors": [{"reason": "badRequest"}]}}),
        httpx.Response(404, text="no such path"),
        httpx.Response(404, json=NOT_FOUND),
        httpx.Response(405),
        httpx.Response(302, headers={"location": "/"}),
        httpx.Response(200, json={}),
        httpx.Response(200, headers=MIXED, content=b""),
        httpx.Response(200, headers=MIXED, content=UNASKED + b"\r\n--b--"),
    ],
    ids=["401", "400", "404 html", "404 json", "405", "302", "no multipart", "empty", "unasked"],
)
async def test_whatever_the_batch_endpoint_answers_is_held_against_no_email(
    box: Box, simulated: Simulated, answer: httpx.Response
) -> None:
    sent = await send(box, 4)
    async with httpx.AsyncClient(transport=Instead(answer)) as http:
        mailbox = another(box, simulated.url, http)
        assert failures(await many(mailbox, sent)) == {}
        assert mailbox.calls_made == 8


async def test_the_first_of_two_answers_to_one_call_counts(box: Box, simulated: Simulated) -> None:
    sent = await send(box, 2)
    gone = UNASKED.replace(b"99", b"1").replace(b"{}", json.dumps(NOT_FOUND).encode())
    known = gone.replace(b"404 Not Found", b"200 OK")
    content = b"\r\n".join([gone, known, gone, b"--b--"])
    answer = httpx.Response(200, headers=MIXED, content=content)
    async with httpx.AsyncClient(transport=Instead(answer)) as http:
        assert failures(await many(another(box, simulated.url, http), sent)) == {sent[1]: MessageGone}


async def test_a_token_that_ran_out_is_fetched_anew_once(box: Box, simulated: Simulated) -> None:
    sent = await send(box, 20)
    await box.app.profile()
    await simulated.fault("expire_access_tokens", address=box.owner.address)
    assert failures(await many(box.app, sent)) == {}
    assert (await simulated.stats())["calls"]["token"] == 2
    # The ten that were under way with it, and no other, were sent twice.
    assert box.app.calls_made == 1 + 20 + 10


async def test_a_revoked_permission_ends_the_reading(box: Box, simulated: Simulated) -> None:
    sent = await send(box, 30)
    await simulated.fault("revoke_token", address=box.owner.address)
    with pytest.raises(AccessRevoked):
        await many(box.app, sent)
    assert free_turns(box.gmail) == 50
    assert box.app.calls_made == 0


async def test_a_permission_that_is_revoked_meanwhile_ends_the_reading(box: Box, simulated: Simulated) -> None:
    sent = await send(box, 60)
    told: list[str] = []

    async def read_on() -> None:
        async for email_id, result in box.app.fetch_many(sent):
            assert isinstance(result, FetchedEmail)
            told.append(email_id)
            if len(told) == 1:
                await simulated.fault("revoke_token", address=box.owner.address)

    with pytest.raises(AccessRevoked):
        await read_on()
    assert len(told) <= box.gmail.read_ahead + 1
    assert free_turns(box.gmail) == 50


async def test_an_app_that_google_refuses_ends_the_reading(box: Box, simulated: Simulated) -> None:
    sent = await send(box, 6)
    with pytest.raises(AppRefused):
        await many(another(box, f"{simulated.url}/elsewhere"), sent)


async def test_a_token_that_no_key_opens_ends_the_reading(box: Box) -> None:
    sent = await send(box, 6)
    with pytest.raises(KeyMissing):
        await many(box.gmail.mailbox(uuid4(), "not encrypted by us"), sent)


async def test_large_emails_among_many_come_without_their_attachments(box: Box, simulated: Simulated) -> None:
    large = (
        b"From: d@x.example\nTo: r@y.example\nSubject: S\nMIME-Version: 1.0\n"
        b"Content-Type: multipart/mixed; boundary=zz\n\n--zz\nContent-Type: text/plain\n\nSpent 1.2 hrs on the reply.\n"
        b'--zz\nContent-Type: application/pdf; name="a.pdf"\nContent-Transfer-Encoding: base64\n'
        b'Content-Disposition: attachment; filename="a.pdf"\n\n' + b"QUJD" * 1_000_000 + b"\n--zz--\n"
    )
    small = await send(box, 4)
    larger = [await box.owner.send(large) for _ in range(2)]
    results = await many(box.app, [small[0], larger[0], *small[1:], larger[1]])
    assert failures(results) == {}
    for email_id in larger:
        slim = results[email_id]
        assert isinstance(slim, FetchedEmail)
        assert len(slim.raw) < 10_000
        assert read(slim.raw).new_text().strip() == "Spent 1.2 hrs on the reply."
        assert slim == await box.app.fetch(email_id)
    # The first try of all six, then only what leaves attachments out; and twice two by `fetch` above.
    assert (await simulated.stats())["calls"]["messages.get"] == 6 + 2 + 4


# Whole batches go together, so that one turn of five or eleven stays with calls that come by themselves.
@pytest.mark.parametrize(("calls_at_once", "most"), [(1, 1), (2, 2), (3, 3), (5, 4), (10, 10), (11, 10)])
async def test_as_many_calls_are_under_way_as_may_be_and_never_more(
    box: Box, simulated: Simulated, calls_at_once: int, most: int
) -> None:
    sent = await send(box, 44)
    await settings(simulated, latency_ms=20, jitter_ms=20)
    await simulated.http.delete(f"{simulated.url}/_sim/stats")
    assert failures(await many(another(box, simulated.url, calls_at_once=calls_at_once), sent)) == {}
    assert (await simulated.stats())["most_under_way"][box.owner.address] == most


async def test_all_who_read_at_the_same_time_share_one_limit(box: Box, simulated: Simulated) -> None:
    sent = await send(box, 30)
    await settings(simulated, latency_ms=20, jitter_ms=20)
    await simulated.http.delete(f"{simulated.url}/_sim/stats")
    await simulated.fault("500", method="messages.get", count=6)
    alone = [box.app.fetch(email_id) for email_id in sent]
    together = [many(box.app, sent) for _ in range(3)]
    *_, first, second, third = await asyncio.gather(*alone, *together)
    assert first == second == third
    assert (await simulated.stats())["most_under_way"][box.owner.address] == 10
    assert free_turns(box.gmail) == 50


async def test_gmail_runs_so_many_calls_of_a_batch_at_a_time(box: Box, simulated: Simulated) -> None:
    sent = await send(box, 50)
    await settings(simulated, latency_ms=20, batch_parallel=7)
    await simulated.http.delete(f"{simulated.url}/_sim/stats")
    assert failures(await many(another(box, simulated.url, calls_at_once=100), sent)) == {}
    stats = await simulated.stats()
    assert (stats["calls"]["batch"], stats["most_under_way"][box.owner.address]) == (1, 7)


async def test_no_more_is_read_ahead_than_there_is_room_for(box: Box, simulated: Simulated) -> None:
    sent = await send(box, 60)
    room = box.gmail.read_ahead

    async def room_is_full() -> bool:
        return bool((await simulated.stats())["calls"]["messages.get"] >= room)

    told = 0
    async with aclosing(box.app.fetch_many(sent)) as results:
        async for _ in results:
            told += 1
            if told == 1:
                await until(room_is_full)
                # Time enough for what would come on top.
                await asyncio.gather(*(box.app.profile() for _ in range(50)))
                assert (await simulated.stats())["calls"]["messages.get"] == room
    assert told == 60


async def nothing_is_left(box: Box, simulated: Simulated, before: set[asyncio.Task[Any]]) -> None:
    assert asyncio.all_tasks() == before
    assert free_turns(box.gmail) == 50
    made = box.app.calls_made
    await simulated.stats()
    assert box.app.calls_made == made


async def test_whoever_stops_early_leaves_nothing_under_way(box: Box, simulated: Simulated) -> None:
    sent = await send(box, 60)
    await settings(simulated, latency_ms=30, jitter_ms=30)
    before = asyncio.all_tasks()
    async with aclosing(box.app.fetch_many(sent)) as results:
        async for _ in results:
            break
    await nothing_is_left(box, simulated, before)
    assert box.app.calls_made <= box.gmail.read_ahead


@pytest.mark.parametrize("steps", range(14))
async def test_whoever_is_cancelled_while_waiting_leaves_nothing_under_way(
    box: Box, simulated: Simulated, steps: int
) -> None:
    sent = await send(box, 30)
    await settings(simulated, latency_ms=200)
    before = asyncio.all_tasks()
    waiting = asyncio.create_task(many(box.app, sent))
    for _ in range(steps):
        await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert waiting.cancelled()
    await nothing_is_left(box, simulated, before)


class Counted(Quota):
    """The real quota, with what was asked of it."""

    def __init__(self) -> None:
        super().__init__(PROFILES["unmetered"])
        self.asked: list[tuple[str, int, bool, float]] = []

    async def spend(
        self, user: str, method_id: str, *, patience_seconds: float, calls: int = 1, background: bool = False
    ) -> None:
        self.asked.append((method_id.removeprefix("gmail.users."), calls, background, patience_seconds))
        await super().spend(user, method_id, patience_seconds=patience_seconds, calls=calls, background=background)


@pytest.mark.parametrize("background", [True, False])
async def test_every_call_is_paid_for_and_says_who_waits_for_it(
    box: Box, simulated: Simulated, background: bool
) -> None:
    sent = await send(box, 7)
    quota = box.gmail.quota = Counted()
    mailbox = box.gmail.mailbox(uuid4(), box.app._refresh_token, background=background, patience_seconds=3.0)
    await mailbox.sent_page("", None, 10)
    await mailbox.profile()
    await simulated.fault("500", method="messages.get", count=1)
    await many(mailbox, sent)
    paid = [(method, calls) for method, calls, *_ in quota.asked]
    assert paid == [
        ("messages.list", 1),
        ("getProfile", 1),
        ("messages.get", 5),
        ("messages.get", 2),
        ("messages.get", 1),
    ]
    assert sum(calls for _, calls in paid) == mailbox.calls_made
    assert {waits for *_, waits, _ in quota.asked} == {background}
    assert all(0 < patience <= 3.0 for *_, patience in quota.asked)


async def test_emails_that_no_quota_is_left_for_are_told_and_the_others_come(box: Box) -> None:
    sent = await send(box, 10)
    box.gmail.quota = Quota(PROFILES["2026"])
    mailbox = box.gmail.mailbox(uuid4(), box.app._refresh_token, patience_seconds=0.01)
    # All but six of what may be spent at once.
    burst = int(PROFILES["2026"].units_a_user_minute * PROFILES["2026"].burst_share)
    for _ in range(burst // PROFILES["2026"].cost["gmail.users.messages.get"] - 6):
        await box.gmail.quota.spend(mailbox._mailbox_id, "gmail.users.messages.get", patience_seconds=1)
    results = await many(mailbox, sent)
    assert failures(results) == dict.fromkeys(sent[5:], OverQuota)
