"""Deliveries of a rescan's steps that hang, die or are late, with a real Gmail client, Pub/Sub and database."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from infra.local.mailbox import app_credentials
from infra.local.parts import Part, http_answers, module_path
from infra.local.ports import free_port
from infra.local.pubsub import lay_out, pubsub
from infra.local.stack import DELIVERY
from shared.errors import GmailUnavailable, TransientError
from shared.gmail.client import Gmail
from shared.gmail.quota import Quota, QuotaProfile
from shared.handlers.rescan_page import MOST_GIVEN_UP, TRIES, PageOutcome, PageRead, RescanPageHandler
from shared.pubsub.messages import RescanPage
from shared.settings import RescanPageSettings
from shared.store.rescans import ClaimVerdict, Hold, PageWork, RescanStore
from shared.tokens import TokenVault
from shared.wiring import rescan_page_handler
from tests.e2e.wire import Hold as Held
from tests.e2e.wire import When, Wire
from tests.integration.store.conftest import Database, Timekeeper

PROJECT, TOPIC = "tenths-local", "rescan-pages"
LIST, GET = "gmail.users.messages.list", "gmail.users.messages.get"
DEADLINE_SECONDS = 60.0


@dataclass(frozen=True)
class Outside:
    """Gmail, behind a wire of the handlers' own, and a Pub/Sub that pushes to nobody: a test delivers by itself."""

    gmail_url: str
    wire: Wire
    settings: dict[str, str]
    http: httpx.AsyncClient

    async def fault(self, kind: str, **plan: Any) -> None:
        (await self.http.post(f"{self.gmail_url}/_sim/faults", json={"kind": kind, **plan})).raise_for_status()


@pytest.fixture(scope="module")
async def outside(tmp_path_factory: pytest.TempPathFactory, database: Database) -> AsyncIterator[Outside]:
    folder = tmp_path_factory.mktemp("outside")
    port = free_port()
    simulator = Part(
        "gmail simulator",
        [
            *(sys.executable, "-m", "infra.local.gmail", "--port", str(port), "--data", str(folder)),
            *("--pubsub-emulator", f"127.0.0.1:{free_port()}", "--project", PROJECT, "--quota-profile", "unmetered"),
        ],
        log=folder / "gmail.log",
        ready=lambda: http_answers(port, "/healthz"),
        env=module_path(),
    )
    wire = Wire(port)
    async with simulator, pubsub(folder) as bus, httpx.AsyncClient(timeout=30) as http:
        await lay_out(bus.host, PROJECT, {}, dead_letters=TOPIC)
        await wire.open()
        app = await app_credentials(http, f"http://127.0.0.1:{port}")
        settings = {
            "SUPABASE_URL": database.gateway.url,
            "SUPABASE_SECRET_KEY": database.keys.secret_key,
            "SUPABASE_PUBLISHABLE_KEY": database.keys.publishable_key,
            "GMAIL_API_ENDPOINT": f"http://127.0.0.1:{wire.port}",
            "OAUTH_TOKEN_ENDPOINT": f"http://127.0.0.1:{port}/token",
            "GOOGLE_CLIENT_ID": app.client_id,
            "GOOGLE_CLIENT_SECRET": app.client_secret,
            "TOKEN_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
            "GMAIL_QUOTA_PROFILE": "unmetered",
            "GCP_PROJECT": PROJECT,
            "CALLER_AUDIENCE": "http://127.0.0.1:1",
            "CALLER_ACCOUNTS": "push@tenths-local.iam.gserviceaccount.com",
            "RESCAN_PAGES_TOPIC": TOPIC,
            "PUBSUB_EMULATOR_HOST": bus.host,
        }
        yield Outside(f"http://127.0.0.1:{port}", wire, settings, http)
        await wire.close()


@dataclass(frozen=True)
class Past:
    """A lawyer's mailbox with a past, and her rescan of it."""

    database: Database
    dana: Timekeeper
    address: str
    outside: Outside
    folder: Path
    make_handler: Callable[..., RescanPageHandler]

    @property
    def jobs(self) -> RescanStore:
        return RescanStore(self.database.client)

    async def sent(self, emails: int) -> None:
        """So many emails have been in the mailbox for some hours."""
        mbox = self.folder / "past.mbox"
        mbox.write_bytes(b"".join(_sent(number) for number in range(emails)))
        url = f"{self.outside.gmail_url}/_sim/mailboxes/{self.address}/load"
        assert (await self.outside.http.post(url, json={"path": str(mbox)})).json()["sent"] == emails

    async def start(self, *, page_token: str | None = None) -> UUID:
        """A job whose first step begins at this page."""
        end = datetime.now(UTC)
        started = await self.jobs.start(
            uuid4(),
            self.dana.id,
            mailbox_id=None,
            start=end - timedelta(days=30),
            end=end,
            query_filter=None,
            use_cache=True,
        )
        assert started.job is not None
        await self.sql("update public.rescan_jobs set page_token = $2 where id = $1", started.job.id, page_token)
        return started.job.id

    async def sql(self, statement: str, *values: Any) -> None:
        await self.database.sql.execute(statement, *values)

    async def end_lease(self, job_id: UUID) -> None:
        """As if the lease's time had passed."""
        await self.sql("update public.rescan_jobs set leased_until = clock_timestamp() where id = $1", job_id)

    async def seen(self, job_id: UUID) -> dict[str, Any]:
        """The job as its user sees it."""
        answer = await self.dana.rest.post("/rpc/rescan_job", json={"p_job_id": str(job_id)})
        job: dict[str, Any] = answer.json()
        return job

    async def counts(self, job_id: UUID) -> tuple[str, int, int, int]:
        job = await self.seen(job_id)
        return job["state"], job["listed"], job["processed"], job["failed"]

    async def hang(self) -> None:
        """Gmail takes calls for emails of this mailbox, and never answers them."""
        for method in ("messages.get", "batch"):
            await self.outside.fault("timeout", method=method, address=self.address, count=100_000)

    def hold(self, needle: bytes) -> Held:
        return self.outside.wire.hold(needle, When.BEFORE)


@pytest.fixture
async def past(database: Database, outside: Outside, tmp_path: Path) -> AsyncIterator[Past]:
    address = f"{uuid4().hex}@firm.example"
    made = await outside.http.post(f"{outside.gmail_url}/_sim/mailboxes", json={"address": address})
    vault = TokenVault(SecretStr(outside.settings["TOKEN_ENCRYPTION_KEYS"]))
    dana = await database.timekeeper(address)
    await database.mailboxes.connect(
        user_id=dana.id,
        email_address=address,
        history_id=1,
        watch_expires_at=None,
        refresh_token_encrypted=vault.encrypt(made.json()["refresh_token"]),
    )
    async with AsyncExitStack() as ending:
        await ending.enter_async_context(dana.rest)

        def make_handler(*, page_seconds: float = 30.0) -> RescanPageHandler:
            environ = {**outside.settings, "RESCAN_PAGE_SECONDS": str(page_seconds)}
            handler = rescan_page_handler(RescanPageSettings.from_environ(environ))
            ending.push_async_callback(handler.publisher.close)
            ending.push_async_callback(handler.gmail.http.aclose)
            return handler

        yield Past(database, dana, address, outside, tmp_path, make_handler)
    await outside.http.delete(f"{outside.gmail_url}/_sim/faults")


def _sent(number: int) -> bytes:
    message = EmailMessage()
    message["From"], message["To"] = "dana@firm.example", "r.ortiz@mailbox.example"
    message["Subject"] = "Ortiz - where we are"
    message["Date"] = format_datetime(datetime.now(UTC) - timedelta(hours=1, minutes=7 * number))
    message["Message-ID"] = f"<{uuid4()}@mail.example>"
    message["X-Gmail-Labels"] = "Sent"
    message.set_content(f"Ray,\n\nI spent {6 + number} minutes on the phone with the adjuster.\n\nDana\n")
    return b"From 1@xxx Tue Sep 01 12:00:00 +0000 2026\n" + message.as_bytes() + b"\n"


async def delivered(handler: RescanPageHandler, job_id: UUID, step: int = 0) -> PageRead | None:
    """What a delivery of the step's message came to; None: it is not acked."""
    try:
        return await handler.handle(RescanPage(job_id=job_id, step=step))
    except TransientError:
        return None


async def carry_on(handler: RescanPageHandler, job_id: UUID) -> list[str]:
    """Deliver step after step, each until it is acked, to the end of the job; what each delivery came to."""
    came_to: list[str] = []
    step = 0
    async with asyncio.timeout(DEADLINE_SECONDS):
        while True:
            try:
                read = await handler.handle(RescanPage(job_id=job_id, step=step))
            except GmailUnavailable:
                continue  # not even the list came within the page's time, on a machine that has much else to do
            except TransientError as error:
                came_to.append(error.code)
                continue
            came_to.append(read.outcome)
            if read.outcome is not PageOutcome.ADVANCED:
                return came_to
            step += 1


async def test_a_failure_for_good_of_a_delivery_that_lost_its_step_is_not_acked(past: Past) -> None:
    """Its ack could be of the very message that the step's new holder was given."""
    handler = past.make_handler()
    job_id = await past.start(page_token="no-page-of-gmails")
    hold = past.hold(b"pageToken=no-page-of-gmails")
    late = asyncio.create_task(handler.handle(RescanPage(job_id=job_id, step=0)))
    await hold.until_reached()
    await past.end_lease(job_id)
    new = await past.jobs.claim(job_id, 0, uuid4(), 60.0)
    assert new.step is not None
    hold.release()
    with pytest.raises(TransientError):
        await late
    assert (await past.seen(job_id))["state"] == "running"
    assert await past.jobs.hold(new.step) is Hold.HELD, "nor was the step taken from its new holder"
    # The new holder dies. The message that was not acked comes again, and ends the job.
    await past.end_lease(job_id)
    assert await delivered(handler, job_id) == PageRead(PageOutcome.FAILED, "gmail_refused")
    job = await past.seen(job_id)
    assert (job["state"], job["failure"]) == ("failed", "gmail_refused")


async def test_a_delivery_that_lost_its_step_while_it_read_is_not_acked(past: Past) -> None:
    await past.sent(2)
    handler = past.make_handler()
    job_id = await past.start()
    hold = past.hold(b"/batch/")
    late = asyncio.create_task(handler.handle(RescanPage(job_id=job_id, step=0)))
    await hold.until_reached()
    await past.end_lease(job_id)
    assert (await past.jobs.claim(job_id, 0, uuid4(), 60.0)).verdict is ClaimVerdict.CLAIMED
    with pytest.raises(TransientError):
        await late
    hold.release()
    await past.end_lease(job_id)
    assert await carry_on(handler, job_id) == ["done"]
    assert await past.counts(job_id) == ("done", 2, 2, 0)


async def test_a_failure_for_good_of_a_job_that_was_cancelled_meanwhile_is_acked(past: Past) -> None:
    handler = past.make_handler()
    job_id = await past.start(page_token="no-page-of-gmails")
    hold = past.hold(b"pageToken=no-page-of-gmails")
    late = asyncio.create_task(handler.handle(RescanPage(job_id=job_id, step=0)))
    await hold.until_reached()
    await past.jobs.cancel(past.dana.id, job_id)
    hold.release()
    assert await late == PageRead(PageOutcome.NOTHING, ClaimVerdict.OVER)
    assert (await past.seen(job_id))["state"] == "cancelled"


async def test_the_step_of_a_delivery_that_was_killed_is_taken_over_once_its_lease_ends(past: Past) -> None:
    await past.sent(2)
    hasty = past.make_handler(page_seconds=0.1)
    job_id = await past.start()
    hold = past.hold(b"/users/me/messages?")
    killed = asyncio.create_task(hasty.handle(RescanPage(job_id=job_id, step=0)))
    await hold.until_reached()
    # Nothing more is heard of it: it can't even let go of its lease.
    killed.cancel()
    await asyncio.gather(killed, return_exceptions=True)
    other = past.make_handler()
    assert await delivered(other, job_id) is None, "the lease still runs"
    async with asyncio.timeout(DEADLINE_SECONDS):
        while (read := await delivered(other, job_id)) is None:  # noqa: ASYNC110  a lease just ends
            await asyncio.sleep(0.1)
    assert read == PageRead(PageOutcome.DONE, emails=2, read=2)


@pytest.mark.parametrize("page_seconds", [0.1, 5.0, 40.0])
async def test_a_lease_lasts_for_the_page_and_ends_before_the_message_comes_again(
    past: Past, page_seconds: float
) -> None:
    lease_seconds = past.make_handler(page_seconds=page_seconds).lease_seconds
    assert page_seconds < lease_seconds < DELIVERY.ack_deadline.total_seconds()


@pytest.mark.parametrize("emails", [2, MOST_GIVEN_UP, MOST_GIVEN_UP + 2])
async def test_a_page_on_which_gmail_hangs_each_time_is_gone_past_however_many_emails_hang(
    past: Past, emails: int
) -> None:
    await past.sent(emails)
    await past.hang()
    job_id = await past.start()
    came_to = await carry_on(past.make_handler(page_seconds=1.0), job_id)
    in_vain = ["page_in_vain"] * (TRIES - 1)
    assert came_to == [*in_vain, "done"] if emails <= MOST_GIVEN_UP else [*in_vain, "advanced", *in_vain, "done"]
    assert await past.counts(job_id) == ("done", emails, emails, emails)
    rows = (await past.dana.rest.get("/processed_emails")).json()
    assert [(row["outcome"], row["failure"]) for row in rows] == [("failed", "gmail_unavailable")] * emails


async def test_what_hung_is_read_by_the_next_rescan(past: Past) -> None:
    await past.sent(2)
    await past.hang()
    await carry_on(past.make_handler(page_seconds=1.0), await past.start())
    await past.outside.http.delete(f"{past.outside.gmail_url}/_sim/faults")
    job_id = await past.start()
    assert await carry_on(past.make_handler(), job_id) == ["done"]
    assert await past.counts(job_id) == ("done", 2, 2, 0)
    assert {row["duration_minutes"] for row in await past.dana.entries()} == {6, 7}


async def test_a_rescan_leaves_the_quota_of_mail_as_it_is_sent(past: Past) -> None:
    """Of 100 units a minute a rescan may use 60: 40 are left to emails that are sent meanwhile."""
    await past.sent(30)
    handler = past.make_handler(page_seconds=3.0)
    quota = Quota(QuotaProfile(100, 100_000, MappingProxyType({LIST: 5, GET: 5}), burst_share=1 - 1e-9))
    own = handler.gmail
    counted = Gmail(own.http, own.tokens, quota, past.outside.settings["GMAIL_API_ENDPOINT"])
    job_id = await past.start()
    read = await replace(handler, gmail=counted).handle(RescanPage(job_id=job_id, step=0))
    assert (read.outcome, read.emails) == (PageOutcome.ADVANCED, 30)
    assert 0 < read.read <= (60 - 5) // 5
    await quota.spend(str(past.dana.mailbox_id), GET, patience_seconds=0, calls=8)


@pytest.mark.parametrize("begun", [False, True], ids=["queued", "running"])
@pytest.mark.parametrize(("minutes", "stalled"), [(14.9, False), (15.1, True)])
async def test_a_job_that_has_not_moved_for_a_quarter_of_an_hour_is_shown_as_stalled(
    past: Past, begun: bool, minutes: float, stalled: bool
) -> None:
    job_id = await past.start()
    if begun:
        assert (await past.jobs.claim(job_id, 0, uuid4(), 0.0)).verdict is ClaimVerdict.CLAIMED
    await _age(past, job_id, minutes)
    shown = await past.seen(job_id)
    assert (shown["state"], shown["stalled"]) == ("running" if begun else "queued", stalled)
    [listed] = (await past.dana.rest.post("/rpc/latest_rescans", json={"p_most": 50})).json()
    assert listed == shown


async def test_a_stalled_job_that_moves_again_is_no_longer_stalled(past: Past) -> None:
    job_id = await past.start()
    await _age(past, job_id, 60)
    await past.jobs.claim(job_id, 0, uuid4(), 0.0)
    assert (await past.seen(job_id))["stalled"] is False


@pytest.mark.parametrize("state", ["done", "cancelled", "failed"])
async def test_a_job_that_has_ended_is_not_stalled_however_long_ago(past: Past, state: str) -> None:
    job_id = await past.start()
    claim = await past.jobs.claim(job_id, 0, uuid4(), 60.0)
    assert claim.step is not None
    end: dict[str, Callable[[], Awaitable[Any]]] = {
        "done": partial(past.jobs.advance, claim.step, PageWork((), 0, is_done=True, next_page_token=None)),
        "cancelled": partial(past.jobs.cancel, past.dana.id, job_id),
        "failed": partial(past.jobs.fail, claim.step, "gmail_refused"),
    }
    await end[state]()
    await _age(past, job_id, 60)
    shown = await past.seen(job_id)
    assert (shown["state"], shown["stalled"]) == (state, False)


async def _age(past: Past, job_id: UUID, minutes: float) -> None:
    ago = "update public.rescan_jobs set updated_at = now() - $2 * interval '1 minute' where id = $1"
    await past.sql(ago, job_id, minutes)


async def test_what_was_never_listed_is_told_until_the_last_page_of_the_rescan_is_done(past: Past) -> None:
    now = datetime.now(UTC)
    await past.sql("update public.mailboxes set not_listed = '{}' where id = $1", past.dana.mailbox_id)
    left_out = (now - timedelta(days=20), now - timedelta(days=10))
    await past.database.mailboxes.advance_watermark(past.dana.mailbox_id, 2, up_to_date=True, not_listed=left_out)

    async def told() -> int:
        period = {"p_from": "-infinity", "p_to": "infinity"}
        return len((await past.dana.rest.post("/rpc/coverage", json=period)).json()["not_listed"])

    job_id = await past.start()
    for step, next_page_token in enumerate(("2", None)):
        claim = await past.jobs.claim(job_id, step, uuid4(), 60.0)
        assert claim.step is not None
        assert await told() == 1
        await past.jobs.advance(claim.step, PageWork((), 0, is_done=True, next_page_token=next_page_token))
    assert await told() == 0


async def test_gmail_that_is_back_on_the_last_try_has_nothing_given_up(past: Past) -> None:
    await past.sent(100)
    await past.hang()
    job_id = await past.start()
    handler = past.make_handler(page_seconds=1.5)
    for _ in range(3):
        assert await delivered(handler, job_id) is None
    await past.outside.http.delete(f"{past.outside.gmail_url}/_sim/faults")
    await past.outside.http.patch(f"{past.outside.gmail_url}/_sim/settings", json={"latency_ms": 300})
    try:
        assert await delivered(handler, job_id) is not None
    finally:
        await past.outside.http.patch(f"{past.outside.gmail_url}/_sim/settings", json={"latency_ms": 0})
    assert (await past.counts(job_id))[3] == 0
