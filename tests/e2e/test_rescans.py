"""A mailbox's past is read again page by page: exactly once, whatever dies, comes twice or is cancelled meanwhile."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from infra.local.stack import Stack
from shared.errors import InvalidArguments, TransientError
from shared.handlers.rescan_page import PageRead, RescanPageHandler
from shared.pubsub.messages import RescanPage
from shared.rescanning import RescanRequest
from shared.settings import RescanPageSettings
from shared.tools.registry import checked
from shared.wiring import rescan_page_handler
from tests.e2e.asking import Asking, problem
from tests.e2e.conftest import Running, Timekeeper, email, extracted, push_body, until, work
from tests.e2e.wire import When, Wire

PAGE = 12
NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """A stack of its own, with small pages: few emails are many steps."""
    wires: dict[tuple[str, str], Wire] = {}

    def rewire(function: str, part: str, port: int) -> int:
        return wires.setdefault((function, part), Wire(port)).port

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RESCAN_PAGE_EMAILS", str(PAGE))
        stack = Stack(tmp_path_factory.mktemp("rescans"), quota_profile="unmetered", rewire=rewire)
        async with AsyncExitStack() as ending:
            await ending.enter_async_context(stack)
            for wire in wires.values():
                await wire.open()
                ending.push_async_callback(wire.close)
            yield Running(stack, wires)


@dataclass
class Rescanned:
    """A lawyer whose mail was not read as it was sent, and who asks for rescans."""

    dana: Timekeeper
    asking: Asking
    running: Running
    folder: Path

    async def past(self, *raw: bytes) -> None:
        """These emails have been in the mailbox for long: no push tells of them."""
        mbox = self.folder / f"{uuid4().hex}.mbox"
        mbox.write_bytes(b"".join(b"From 1@xxx Tue Sep 01 12:00:00 +0000 2026\n" + one + b"\n" for one in raw))
        url = f"{self.running.stack.gmail_url}/_sim/mailboxes/{self.dana.user.email}/load"
        loaded = (await self.running.stack.http.post(url, json={"path": str(mbox)})).json()
        assert (loaded["sent"], loaded["broken"]) == (len(raw), 0)

    async def ask(self, **request: Any) -> httpx.Response:
        return await self.asking.http.post("/rescans", json={"date_range_days": 30} | request)

    async def start(self, **request: Any) -> str:
        answer = await self.ask(**request)
        assert answer.status_code == 202, answer.text
        assert answer.headers["location"] == f"/rescans/{answer.json()['id']}"
        return str(answer.json()["id"])

    async def job(self, job_id: str) -> dict[str, Any]:
        answer = await self.asking.http.get(f"/rescans/{job_id}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def ended(self, job_id: str) -> dict[str, Any]:
        return await until(lambda: self.job(job_id), lambda job: job["state"] not in {"queued", "running"})

    async def rescan(self, **request: Any) -> dict[str, Any]:
        return await self.ended(await self.start(**request))

    async def minutes(self) -> list[float]:
        return sorted(row["duration_minutes"] for row in await self.dana.entries())

    def pages(self, job_id: str) -> list[dict[str, Any]]:
        return [line for line in self.running.log("rescan_page") if line.get("job_id") == job_id]

    async def sql(self, statement: str, *values: Any) -> None:
        connection = await asyncpg.connect(self.running.stack.postgres.url)
        try:
            await connection.execute(statement, *values)
        finally:
            await connection.close()


MakeLawyer = Callable[[], Awaitable[Rescanned]]


@pytest.fixture
async def lawyer(running: Running, tmp_path: Path) -> AsyncIterator[MakeLawyer]:
    async with AsyncExitStack() as ending:

        async def make() -> Rescanned:
            user = await running.stack.add_user(f"dana-{uuid4().hex[:12]}@whitfieldlaw.example")
            mailbox = await running.stack.connect(user)
            rest = await ending.enter_async_context(running.stack.rest(user))
            asking = Asking.of(running.stack, user)
            await ending.enter_async_context(asking.http)
            rescanned = Rescanned(Timekeeper(user, mailbox, rest), asking, running, tmp_path)
            await rescanned.dana.set(auto_analysis=False)
            return rescanned

        yield make


@pytest.fixture
async def dana(lawyer: MakeLawyer) -> Rescanned:
    return await lawyer()


def dated(number: int, text: str | None = None, *, days: float | None = None) -> bytes:
    """An email of the past: each a few minutes before the one of the number before."""
    sent = datetime.now(UTC) - (timedelta(days=days) if days else timedelta(hours=1, minutes=7 * number))
    said = text or f"Ray,\n\nI spent {6 + number % 60} minutes on the phone with the adjuster.\n\nDana\n"
    return email(said, Date=format_datetime(sent), X_Gmail_Labels="Sent")


async def deliver(running: Running, job_id: str, step: int = 0) -> int:
    """Deliver the step's message as Pub/Sub does; the status it is answered with."""
    page = RescanPage(job_id=UUID(job_id), step=step).model_dump_json().encode()
    answer = await running.deliver("rescan_page", json=push_body(page))
    return answer.status_code


def counts(job: dict[str, Any]) -> tuple[str, int, int, int, int]:
    return job["state"], job["listed"], job["processed"], job["failed"], job["entries_found"]


async def test_a_rescan_finds_exactly_what_the_command_line_finds(dana: Rescanned) -> None:
    texts = [None, "See you on Thursday.\n", "Spent 1.4 on the reply brief and .5 on a call with Hollis.\n"]
    old = [dated(n, texts[n % 3]) for n in range(220)]
    await dana.past(*old, dated(0, days=40))
    fresh = [work(6 + n) for n in range(10)]
    for raw in fresh:
        await dana.dana.mailbox.send(raw)
    job = await dana.rescan()
    expected = [entry for found in extracted(*old, *fresh) for entry in found]
    assert counts(job) == ("done", 230, 230, 0, len(expected))
    stored = await dana.dana.entries()
    assert Counter((row["duration_minutes"], row["extracted_text"]) for row in stored) == Counter(
        (entry["duration_minutes"], entry["extracted_text"]) for entry in expected
    )
    assert [page["outcome"] for page in dana.pages(job["id"])].count("advanced") == 230 // PAGE

    before = await dana.running.calls()
    again = await dana.rescan()
    after = await dana.running.calls()
    assert counts(again) == counts(job)
    assert {name for name in after if after[name] > before.get(name, 0)} <= {
        "gmail.users.messages.list",
        "messages.list",
    }
    assert await dana.dana.entries() == stored
    listed = (await dana.asking.http.get("/rescans")).json()["rescans"]
    assert [each["id"] for each in listed] == [again["id"], job["id"]]


async def test_a_rescan_reads_what_was_sent_and_put_into_the_bin(dana: Rescanned) -> None:
    sent = await dana.dana.mailbox.send(work(24))
    await dana.dana.mailbox.bin(sent)
    assert (await dana.rescan())["state"] == "done"
    assert await dana.minutes() == [24]


async def test_a_rescan_reads_its_range_and_what_its_filter_leaves(dana: Rescanned) -> None:
    await dana.past(dated(12, days=1), dated(18, days=5), dated(24, days=9), dated(30, "Filing fee, 0.5 on it", days=5))
    now = datetime.now(UTC)
    span = {"range_start": (now - timedelta(days=7)).isoformat(), "range_end": (now - timedelta(days=3)).isoformat()}
    job = await dana.rescan(date_range_days=None, query_filter="adjuster", **span)
    assert await dana.minutes() == [24]
    assert counts(job) == ("done", 1, 1, 0, 1)
    assert job["filters"] == {"query_filter": "adjuster", "use_cache": True}
    assert datetime.fromisoformat(job["range"]["start"]) == datetime.fromisoformat(span["range_start"])


# What the requests of a step look like on the wire, in the order of its path.
STEPS = [
    ("gateway", b"/rpc/claim_rescan_step"),
    ("gateway", b"/rpc/analysis_context"),
    ("gmail", b"POST /token"),
    ("gmail", b"/users/me/messages?"),
    ("gateway", b"/rpc/emails_to_analyse"),
    ("gmail", b"/batch/"),
    ("gateway", b"/rpc/record_analysis"),
    ("gateway", b"/rpc/advance_rescan"),
    ("pubsub", b"job_id"),
]


@pytest.mark.parametrize("when", list(When))
async def test_a_kill_between_any_two_steps_loses_and_counts_nothing_twice(
    running: Running, lawyer: MakeLawyer, when: When
) -> None:
    """One rescan is held at each step; then all of them die at once."""
    lawyers = [await lawyer() for _ in range(len(STEPS) + 1)]
    for each in lawyers:
        await each.past(*(dated(n) for n in range(PAGE + 2)))
    noted = running.wires["rescan_page", "gateway"].hold(b"/rpc/rescan_step_published", when)
    jobs = [await lawyers[0].start()]
    await noted.until_reached()
    holds = [noted, *(running.wires["rescan_page", part].hold(line, when) for part, line in STEPS)]
    jobs += [await each.start() for each in lawyers[1:]]
    # Pub/Sub's emulator leaves few deliveries unanswered at a time: these don't wait for it.
    deliveries = [asyncio.create_task(deliver(running, job_id)) for job_id in jobs[1:]]
    for hold in holds:
        await hold.until_reached()
    await running.stack.functions["rescan_page"].kill9()
    await asyncio.gather(*deliveries)
    for hold in holds:
        hold.release()
    # As if the time of the leases had passed.
    await lawyers[0].sql("update public.rescan_jobs set leased_until = now() where state = 'running'")
    for each, job_id in zip(lawyers, jobs, strict=True):
        await until(partial(deliver, running, job_id), lambda status: status == 204)
        assert counts(await each.ended(job_id)) == ("done", PAGE + 2, PAGE + 2, 0, PAGE + 2)
        assert await each.minutes() == [6 + n for n in range(PAGE + 2)]


async def test_a_rescan_whose_start_died_before_it_was_published_goes_on_when_asked_again(
    running: Running, dana: Rescanned
) -> None:
    await dana.past(dated(0))
    hold = running.wires["rescans", "pubsub"].hold(b"job_id", When.BEFORE)
    asking = asyncio.create_task(dana.ask())
    await hold.until_reached()
    await running.stack.functions["rescans"].kill9()
    assert (await asking).status_code == 503
    again = await until(dana.ask, lambda answer: answer.status_code != 503)
    assert problem(again)["type"] == "urn:tenths:problem:rescan_running"
    assert counts(await dana.ended(again.json()["job_id"])) == ("done", 1, 1, 0, 1)


async def test_a_page_delivered_ten_times_is_read_and_counted_once(running: Running, dana: Rescanned) -> None:
    await dana.past(*(dated(n) for n in range(2 * PAGE)))
    hold = running.wires["rescan_page", "gateway"].hold(b"/rpc/record_analysis", When.BEFORE)
    job_id = await dana.start()
    await hold.until_reached()
    assert await asyncio.gather(*(deliver(running, job_id) for _ in range(10))) == [503] * 10
    hold.release()
    assert counts(await dana.ended(job_id)) == ("done", 2 * PAGE, 2 * PAGE, 0, 2 * PAGE)
    assert await asyncio.gather(*(deliver(running, job_id) for _ in range(10))) == [204] * 10
    outcomes = Counter(line["outcome"] for line in dana.pages(job_id))
    assert (outcomes["advanced"], outcomes["done"], outcomes["republished"]) == (1, 1, 0)
    assert len(await dana.minutes()) == 2 * PAGE


def _soon(ask: Callable[[], Any]) -> Callable[[], Awaitable[Any]]:
    async def asking() -> Any:
        return ask()

    return asking


async def test_a_cancelled_rescan_goes_no_further_and_makes_room_for_the_next(
    running: Running, dana: Rescanned
) -> None:
    await dana.past(*(dated(n) for n in range(4 * PAGE)))
    hold = running.wires["rescan_page", "gmail"].hold(b"/batch/", When.BEFORE)
    job_id = await dana.start()
    await hold.until_reached()
    cancelled = await dana.asking.http.delete(f"/rescans/{job_id}")
    assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
    await until(_soon(lambda: [line["outcome"] for line in dana.pages(job_id)]), lambda found: found == ["nothing"])
    hold.release()
    assert counts(await dana.job(job_id)) == ("cancelled", 0, 0, 0, 0)
    assert len(await dana.minutes()) < PAGE
    assert (await dana.asking.http.delete(f"/rescans/{job_id}")).json()["state"] == "cancelled"
    assert counts(await dana.rescan()) == ("done", 4 * PAGE, 4 * PAGE, 0, 4 * PAGE)


async def test_two_at_once_is_one_too_many_and_another_users_is_none_at_all(
    running: Running, dana: Rescanned, lawyer: MakeLawyer
) -> None:
    priya = await lawyer()
    await dana.past(dated(0))
    hold = running.wires["rescan_page", "gateway"].hold(b"/rpc/advance_rescan", When.BEFORE)
    job_id = await dana.start()
    await hold.until_reached()
    second = await dana.ask()
    assert (second.status_code, problem(second)["job_id"]) == (409, job_id)
    assert job_id in problem(second)["detail"]
    for method in ("GET", "DELETE"):
        hers = await priya.asking.http.request(method, f"/rescans/{job_id}")
        nobodys = await priya.asking.http.request(method, f"/rescans/{uuid4()}")
        assert hers.status_code == nobodys.status_code == 404
        assert {**problem(hers), "instance": ""} == {**problem(nobodys), "instance": ""}
    assert (await priya.asking.http.get("/rescans")).json() == {"rescans": []}
    hold.release()
    assert (await dana.ended(job_id))["state"] == "done"


async def test_what_a_person_edited_survives_a_rescan_of_everything(dana: Rescanned) -> None:
    await dana.past(*(dated(n) for n in range(4)))
    await dana.rescan()
    edited, dismissed, *_ = await dana.dana.entries()
    for row, change in ((edited, {"duration_minutes": 99}), (dismissed, {"status": "dismissed"})):
        answer = await dana.dana.rest.patch("/time_tracking_entries", params={"id": f"eq.{row['id']}"}, json=change)
        answer.raise_for_status()
    before = await dana.dana.entries()
    # As a newer analyser would find it.
    await dana.sql("update public.processed_emails set analyser_version = 0 where user_id = $1", dana.dana.user.id)
    job = await dana.rescan(use_cache=False)
    assert counts(job) == ("done", 4, 4, 0, 4)
    assert dana.pages(job["id"])[-1]["read"] == 4
    after = await dana.dana.entries()
    assert len(after) == 4
    assert [row for row in after if row["id"] in {edited["id"], dismissed["id"]}] == before[:2]


async def test_mail_sent_during_a_rescan_is_recorded(running: Running, dana: Rescanned) -> None:
    await dana.past(*(dated(n) for n in range(PAGE + 1)))
    answer = await dana.dana.rest.patch(
        "/time_tracking_settings", params={"user_id": f"eq.{dana.dana.user.id}"}, json={"auto_analysis": True}
    )
    answer.raise_for_status()
    hold = running.wires["rescan_page", "gateway"].hold(b"/rpc/record_analysis", When.BEFORE)
    job_id = await dana.start()
    await hold.until_reached()
    sent = await dana.dana.mailbox.send(work(99))
    assert await dana.dana.until_outcomes(sent) == {sent: "entries"}
    hold.release()
    assert (await dana.ended(job_id))["state"] == "done"
    assert await dana.minutes() == [*(6 + n for n in range(PAGE + 1)), 99]


@pytest.mark.parametrize("failure", ["access_revoked", "disconnected"])
async def test_a_rescan_of_a_mailbox_that_can_no_longer_be_read_fails_and_says_why(
    running: Running, dana: Rescanned, failure: str
) -> None:
    await dana.past(*(dated(n) for n in range(PAGE + 1)))
    hold = running.wires["rescan_page", "gateway"].hold(b"/rpc/analysis_context", When.BEFORE)
    job_id = await dana.start()
    await hold.until_reached()
    if failure == "disconnected":
        await dana.sql("update public.mailboxes set state = 'disconnected' where id = $1", dana.dana.mailbox.id)
    else:
        await running.fault("revoke_token", address=dana.dana.user.email)
    hold.release()
    job = await dana.ended(job_id)
    assert (job["state"], job["failure"]) == ("failed", failure)
    refused = problem(await dana.ask())
    assert (refused["status"], refused["type"]) == (409, "urn:tenths:problem:in_conflict")
    if failure == "access_revoked":
        assert (await dana.dana.mailbox_row())["state"] == "reconnect_needed"


@pytest.fixture
async def faults(running: Running) -> AsyncIterator[Callable[..., Awaitable[None]]]:
    yield running.fault
    await running.stack.http.delete(f"{running.stack.gmail_url}/_sim/faults")


async def test_an_email_that_gmail_never_gives_is_put_on_record_and_holds_up_no_other(
    running: Running, dana: Rescanned, faults: Callable[..., Awaitable[None]]
) -> None:
    await dana.past(dated(0))
    await faults("500", method="messages.get", address=dana.dana.user.email, count=100_000)
    job_id = await dana.start()
    await until(partial(deliver, running, job_id), lambda status: status == 204)
    assert counts(await dana.ended(job_id)) == ("done", 1, 1, 1, 0)
    assert set((await dana.dana.outcomes()).values()) == {"gmail_unavailable"}
    assert sum(line.get("code") == "page_in_vain" for line in running.log("rescan_page")) >= 3, "it was tried again"
    await running.stack.http.delete(f"{running.stack.gmail_url}/_sim/faults")
    assert counts(await dana.rescan()) == ("done", 1, 1, 0, 1)


async def test_where_gmails_quota_is_used_up_a_rescan_waits_however_long(
    running: Running, dana: Rescanned, faults: Callable[..., Awaitable[None]]
) -> None:
    await dana.past(*(dated(n) for n in range(4)))
    await faults("429", method="messages.get", address=dana.dana.user.email, count=100_000)
    job_id = await dana.start()
    for _ in range(6):
        assert await deliver(running, job_id) == 503
    assert counts(await dana.job(job_id)) == ("running", 0, 0, 0, 0)
    await running.stack.http.delete(f"{running.stack.gmail_url}/_sim/faults")
    await until(partial(deliver, running, job_id), lambda status: status == 204)
    assert counts(await dana.ended(job_id)) == ("done", 4, 4, 0, 4)
    assert await dana.minutes() == [6, 7, 8, 9]


async def test_a_page_that_takes_too_long_goes_on_in_the_next_step(running: Running, dana: Rescanned) -> None:
    await dana.past(*(dated(n) for n in range(100)))
    handler = rescan_page_handler(
        RescanPageSettings.from_environ(
            {**running.stack.function_settings(), "RESCAN_PAGE_EMAILS": "100", "RESCAN_PAGE_SECONDS": "1.5"}
        )
    )
    end = datetime.now(UTC)
    started = await handler.jobs.start(
        uuid4(),
        dana.dana.user.id,
        mailbox_id=None,
        start=end - timedelta(days=30),
        end=end,
        query_filter=None,
        use_cache=False,
    )
    assert started.job is not None
    await running.simulate(latency_ms=400)
    try:
        page = await until(partial(_handled, handler, started.job.id), lambda page: page is not None)
    finally:
        await running.simulate(latency_ms=0)
        await handler.publisher.close()
        await handler.gmail.http.aclose()
    assert page is not None
    assert (page.outcome, page.emails) == ("advanced", 100)
    assert 0 < page.read < 100
    job_id = str(started.job.id)
    assert counts(await dana.ended(job_id)) == ("done", 100, 100, 0, 100)
    assert page.read + sum(line["read"] for line in dana.pages(job_id)) == 100
    assert len(await dana.minutes()) == 100


async def _handled(handler: RescanPageHandler, job_id: UUID) -> PageRead | None:
    """None: nothing could be read in the time, as on a machine that has much else to do."""
    try:
        return await handler.handle(RescanPage(job_id=job_id, step=0))
    except TransientError:
        return None


DAYS = {"date_range_days": 7}
SPAN = {"range_start": "2026-08-01T00:00:00Z", "range_end": "2026-08-31T00:00:00+02:00"}


@pytest.mark.parametrize(
    ("request_body", "field"),
    [
        ({}, "date_range_days"),
        ({"date_range_days": 0}, "date_range_days"),
        ({"date_range_days": 3_651}, "date_range_days"),
        ({"date_range_days": "7"}, "date_range_days"),
        ({"date_range_days": True}, "date_range_days"),
        ({**DAYS, **SPAN}, "date_range_days"),
        ({"range_start": SPAN["range_start"]}, "range_end"),
        ({"range_end": SPAN["range_end"]}, "range_start"),
        ({"range_start": SPAN["range_end"], "range_end": SPAN["range_start"]}, "range_end"),
        ({**SPAN, "range_end": SPAN["range_start"]}, "range_end"),
        ({**SPAN, "range_end": "2026-09-02T00:00:00Z"}, "range_end"),
        ({**SPAN, "range_start": "1999-01-01T00:00:00Z"}, "range_start"),
        ({**SPAN, "range_start": "0001-01-01T00:00:00+14:00"}, "range_start"),
        ({**SPAN, "range_start": "2026-08-01T00:00:00"}, "range_start"),
        ({**SPAN, "range_start": "2026-08-01"}, "range_start"),
        ({**SPAN, "range_start": 1_785_000_000}, "range_start"),
        ({**SPAN, "range_start": "1785000000"}, "range_start"),
        ({**DAYS, "query_filter": "in:anywhere"}, "query_filter"),
        ({**DAYS, "query_filter": "x) OR (label:inbox"}, "query_filter"),
        ({**DAYS, "query_filter": "a OR b) {"}, "query_filter"),
        ({**DAYS, "query_filter": " "}, "query_filter"),
        ({**DAYS, "query_filter": "a\0b"}, "query_filter"),
        ({**DAYS, "query_filter": "x" * 501}, "query_filter"),
        ({**DAYS, "use_cache": "no"}, "use_cache"),
        ({**DAYS, "client_filter": "Ortiz"}, "client_filter"),
        ({**DAYS, "user_id": str(uuid4())}, "user_id"),
        ({**DAYS, "mailbox_id": "mine"}, "mailbox_id"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused_by_the_field(request_body: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidArguments) as refused:
        checked(RescanRequest, httpx.Request("POST", "http://x", json=request_body).content).range(NOW)
    assert [error.field for error in refused.value.errors] == [field]


@pytest.mark.parametrize(
    ("path", "method", "body", "status", "field"),
    [
        ("/rescans", "POST", b'{"date_range_days":"7"}', 422, "date_range_days"),
        ("/rescans", "POST", b'{"date_range_days":7,"mailbox_id":"%s"}' % str(uuid4()).encode(), 422, "mailbox_id"),
        ("/rescans", "POST", b"[]", 422, "body"),
        ("/rescans", "POST", b"{", 422, "body"),
        ("/rescans", "POST", b" " * 20_000, 413, None),
        ("/rescans/mine", "GET", b"", 422, "id"),
        ("/rescans/mine", "DELETE", b"", 422, "id"),
        ("/rescans", "PUT", b"{}", 404, None),
        ("/rescans/x/y", "GET", b"", 404, None),
    ],
)  # fmt: skip
async def test_what_cannot_be_answered_is_a_problem(
    dana: Rescanned, path: str, method: str, body: bytes, status: int, field: str | None
) -> None:
    answer = await dana.asking.http.request(method, path, content=body)
    assert answer.status_code == status
    assert [error["field"] for error in problem(answer).get("errors", [])] == ([field] if field else [])


async def test_nobody_without_a_token_starts_sees_or_cancels_anything(running: Running) -> None:
    asks: Sequence[tuple[str, str]] = [("POST", ""), ("GET", ""), ("GET", f"/{uuid4()}"), ("DELETE", f"/{uuid4()}")]
    for method, path in asks:
        answer = await running.stack.http.request(method, f"{running.stack.gateway.functions_url}/rescans{path}")
        assert (answer.status_code, problem(answer)["type"]) == (401, "urn:tenths:problem:not_authenticated")


@pytest.mark.parametrize("data", [b"{}", b'{"job_id":"x","step":0}', b'{"job_id":"%s","step":-1}', b"nothing"])
async def test_a_message_that_is_no_page_is_acked(running: Running, data: bytes) -> None:
    seen = len(_refusals(running))
    await running.publish("rescan-pages", data.replace(b"%s", str(uuid4()).encode()))
    await until(_soon(lambda: len(_refusals(running))), lambda now: now > seen)
    assert _refusals(running)[-1]["code"] == "bad_delivery"


def _refusals(running: Running) -> list[dict[str, Any]]:
    return [line for line in running.log("rescan_page") if line["message"] == "delivery.refused"]
