"""Of every email sent in a period it is on record what became of it, or that it waits."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from cryptography.fernet import Fernet

from infra.local.ports import free_port
from infra.local.pubsub import Pubsub, pubsub
from shared.errors import PublishFailed
from shared.extraction.found import Found
from shared.extraction.grounding import Judged
from shared.settings import GmailPushSettings
from shared.store.analyses import Analysis, Outcome
from shared.store.coverage import Coverage, CoveredMailbox
from shared.store.mailboxes import Mailbox, MailboxState
from shared.wiring import gmail_push_handler
from tests.integration.store.conftest import Database, MakeEntry, Timekeeper

MONDAY = datetime(2026, 8, 31, tzinfo=UTC)
DAY = timedelta(days=1)


async def coverage(timekeeper: Timekeeper, start: datetime | None = None, end: datetime | None = None) -> Coverage:
    period = {
        "p_from": "-infinity" if start is None else start.isoformat(),
        "p_to": "infinity" if end is None else end.isoformat(),
    }
    answer = await timekeeper.rest.post("/rpc/coverage", json=period)
    answer.raise_for_status()
    return Coverage.model_validate(answer.json())


async def record(database: Database, timekeeper: Timekeeper, *analyses: Analysis) -> None:
    await database.analyses.record(timekeeper.context, analyses)


def without_entries(email_id: str, sent_at: datetime | None = MONDAY, second_look: str | None = None) -> Analysis:
    judged = Judged(Found(), second_look=second_look)
    return Analysis(email_id, Outcome.NONE, 1, "push-1", sent_at=sent_at, judged=judged)


def failed(email_id: str, failure: str = "unreadable") -> Analysis:
    return Analysis(email_id, Outcome.FAILED, 1, "push-1", failure=failure)


async def awaited(database: Database, timekeeper: Timekeeper) -> dict[str, datetime]:
    rows = await database.sql.fetch(
        "select email_id, handed_on_at from public.awaited_emails where user_id = $1", timekeeper.id
    )
    return {row["email_id"]: row["handed_on_at"] for row in rows}


async def test_every_email_handed_on_is_waiting_or_counted_by_what_became_of_it(
    database: Database, dana: Timekeeper, entry: MakeEntry
) -> None:
    ids = [f"m{n}" for n in range(12)]
    await database.analyses.await_analysis(dana.mailbox_id, ids)
    assert (await coverage(dana)).model_dump(include={"sent", "accounted_for", "waiting"}) == {
        "sent": 12,
        "accounted_for": 0,
        "waiting": 12,
    }
    await record(
        database,
        dana,
        Analysis("m0", Outcome.ENTRIES, 1, "push-1", sent_at=MONDAY, entries=[entry(0), entry(40)]),
        without_entries("m1"),
        without_entries("m2", second_look="model_unavailable"),
        Analysis("m3", Outcome.EXCLUDED, 1, "push-1", sent_at=MONDAY),
        Analysis("m4", Outcome.GONE, 1, "push-1"),
        Analysis("m5", Outcome.NOT_SENT, 1, "push-1", sent_at=MONDAY),
        failed("m6", "unreadable"),
        failed("m7", "unreadable"),
        failed("m8", "access_revoked"),
    )
    found = await coverage(dana)
    assert found.model_dump(exclude={"history_read_at", "mailboxes", "not_listed"}) == {
        "sent": 12,
        "accounted_for": 9,
        "with_entries": 1,
        "without_entries": 2,
        "excluded": 1,
        "gone": 1,
        "not_sent": 1,
        "failed": {"unreadable": 2, "access_revoked": 1},
        "waiting": 3,
        "perhaps_waiting": 0,
        "second_look_due": 1,
    }
    assert set(await awaited(database, dana)) == {"m9", "m10", "m11"}


async def test_a_period_without_an_email_has_none(dana: Timekeeper) -> None:
    found = await coverage(dana, MONDAY, MONDAY + DAY)
    assert (found.sent, found.accounted_for, found.waiting, found.failed) == (0, 0, 0, {})


async def test_there_is_no_coverage_of_no_period(dana: Timekeeper) -> None:
    answer = await dana.rest.post("/rpc/coverage", json={"p_from": None, "p_to": MONDAY.isoformat()})
    assert (answer.status_code, answer.json()) == (200, None)


@pytest.mark.parametrize(
    ("sent_at", "days"),
    [
        (MONDAY - timedelta(microseconds=1), [1, 0, 0]),
        (MONDAY, [0, 1, 0]),
        (MONDAY + DAY - timedelta(microseconds=1), [0, 1, 0]),
        (MONDAY + DAY, [0, 0, 1]),
    ],
)
async def test_an_email_belongs_to_the_day_it_was_sent_on_and_to_no_other(
    database: Database, dana: Timekeeper, sent_at: datetime, days: list[int]
) -> None:
    await record(database, dana, without_entries("m1", sent_at))
    starts = (MONDAY - DAY, MONDAY, MONDAY + DAY)
    assert [(await coverage(dana, start, start + DAY)).accounted_for for start in starts] == days


async def test_where_nobody_knows_when_it_was_sent_an_email_belongs_to_the_time_it_was_looked_at(
    database: Database, dana: Timekeeper
) -> None:
    await record(database, dana, failed("m1"), without_entries("m2", None))
    await database.analyses.await_analysis(dana.mailbox_id, ["m3"])
    for change in (
        "update public.processed_emails set processed_at = $2 where user_id = $1",
        "update public.awaited_emails set handed_on_at = $2 where user_id = $1",
    ):
        await database.sql.execute(change, dana.id, MONDAY)
    found = await coverage(dana, MONDAY, MONDAY + DAY)
    assert (found.sent, found.failed, found.without_entries, found.waiting) == (3, {"unreadable": 1}, 1, 1)
    before = await coverage(dana, MONDAY - DAY, MONDAY)
    # It was sent before it was handed on: perhaps on Sunday.
    assert (before.sent, before.waiting, before.perhaps_waiting) == (0, 0, 1)
    after = await coverage(dana, MONDAY + DAY)
    assert (after.sent, after.waiting, after.perhaps_waiting) == (0, 0, 0)


async def test_an_email_keeps_its_day_when_a_later_try_does_not_know_it(database: Database, dana: Timekeeper) -> None:
    await record(database, dana, Analysis("m1", Outcome.FAILED, 1, "c", sent_at=MONDAY, failure="unreadable"))
    await record(database, dana, Analysis("m1", Outcome.GONE, 1, "c"))
    assert (await coverage(dana, MONDAY, MONDAY + DAY)).gone == 1


async def not_listed(
    timekeeper: Timekeeper, start: datetime | None = None, end: datetime | None = None
) -> list[tuple[datetime | None, datetime | None]]:
    return [(each.start, each.end) for each in (await coverage(timekeeper, start, end)).not_listed]


async def connected_on(database: Database, timekeeper: Timekeeper, moment: datetime) -> None:
    """As if the timekeeper's mailbox had been connected then."""
    await database.sql.execute(
        """update public.mailboxes
           set connected_at = $2, history_read_at = $2, not_listed = tstzmultirange(tstzrange(null, $2))
           where id = $1""",
        *(timekeeper.mailbox_id, moment),
    )


async def read_until(database: Database, timekeeper: Timekeeper, moment: datetime) -> None:
    """As if the history of the timekeeper's mailbox had last been read then."""
    history_read_at = "update public.mailboxes set history_read_at = $2 where id = $1"
    await database.sql.execute(history_read_at, timekeeper.mailbox_id, moment)


async def connect_again(database: Database, timekeeper: Timekeeper) -> UUID:
    address = "select email_address from public.mailboxes where id = $1"
    return await database.mailboxes.connect(
        user_id=timekeeper.id,
        email_address=await database.sql.fetchval(address, timekeeper.mailbox_id),
        history_id=1,
        watch_expires_at=None,
        refresh_token_encrypted="encrypted",
    )


async def disconnect(database: Database, timekeeper: Timekeeper) -> None:
    arguments = {
        "p_user_id": str(timekeeper.id),
        "p_mailbox_id": str(timekeeper.mailbox_id),
        "p_claim": str(uuid4()),
        "p_claim_seconds": 0,
    }
    assert await database.client.call("disconnect_mailbox", arguments)


async def test_what_was_sent_before_a_mailbox_was_connected_is_told_to_be_listed_never(
    database: Database, dana: Timekeeper
) -> None:
    [(start, end)] = await not_listed(dana)
    assert start is None
    assert end is not None
    assert end <= datetime.now(UTC)
    assert await not_listed(dana, MONDAY, MONDAY + DAY) == [(MONDAY, MONDAY + DAY)], "of the period alone"
    await connected_on(database, dana, MONDAY)
    assert await not_listed(dana, MONDAY - DAY, MONDAY + DAY) == [(MONDAY - DAY, MONDAY)]
    assert await not_listed(dana, MONDAY, MONDAY + DAY) == []


async def test_what_was_sent_while_a_mailbox_was_not_connected_is_told_to_be_listed_never(
    database: Database, dana: Timekeeper
) -> None:
    await connected_on(database, dana, MONDAY - 9 * DAY)
    await read_until(database, dana, MONDAY)
    await disconnect(database, dana)
    assert await not_listed(dana, MONDAY - 8 * DAY, None) == [(MONDAY - DAY, None)], "with a day for what still waited"
    again = await connect_again(database, dana)
    assert again != dana.mailbox_id
    found = await not_listed(dana)
    assert [start for start, _ in found] == [None, MONDAY - DAY]
    assert found[0][1] == MONDAY - 9 * DAY, "what was read then is no gap"
    assert await not_listed(dana, datetime.now(UTC), None) == []


async def test_from_the_first_email_on_that_was_not_read_any_more_all_is_told_to_be_listed_never(
    database: Database, dana: Timekeeper
) -> None:
    await connected_on(database, dana, MONDAY - 9 * DAY)
    await read_until(database, dana, MONDAY)
    await database.analyses.await_analysis(dana.mailbox_id, ["m1"])
    waits_since = "update public.awaited_emails set handed_on_at = $2 where user_id = $1"
    await database.sql.execute(waits_since, dana.id, MONDAY - 5 * DAY)
    await disconnect(database, dana)
    assert await not_listed(dana, MONDAY - 8 * DAY, None) == [(MONDAY - 6 * DAY, None)]


async def test_another_users_gap_of_the_same_address_stays_theirs(
    database: Database, dana: Timekeeper, priya: Timekeeper
) -> None:
    await connected_on(database, dana, MONDAY)
    await disconnect(database, dana)
    address = await database.sql.fetchval("select email_address from mailboxes where id = $1", dana.mailbox_id)
    await database.mailboxes.connect(
        user_id=priya.id,
        email_address=address,
        history_id=1,
        watch_expires_at=None,
        refresh_token_encrypted="encrypted",
    )
    assert await not_listed(priya, MONDAY, MONDAY + DAY) == [(MONDAY, MONDAY + DAY)]
    assert await not_listed(dana, MONDAY + DAY, None) == [(MONDAY + DAY, None)]


async def test_what_a_bounded_catch_up_left_out_is_told(database: Database, dana: Timekeeper) -> None:
    await connected_on(database, dana, MONDAY - 9 * DAY)
    for days in (0, 3):  # the second time adds to the first
        await database.mailboxes.advance_watermark(
            dana.mailbox_id,
            200,
            up_to_date=True,
            caught_up=True,
            not_listed=(MONDAY + days * DAY, MONDAY + (days + 1) * DAY),
        )
    assert await not_listed(dana, MONDAY - 9 * DAY) == [(MONDAY, MONDAY + DAY), (MONDAY + 3 * DAY, MONDAY + 4 * DAY)]
    assert await not_listed(dana, MONDAY + 4 * DAY) == []


async def test_an_email_handed_on_again_waits_once_and_since_the_first_time(
    database: Database, dana: Timekeeper
) -> None:
    await database.analyses.await_analysis(dana.mailbox_id, ["m1"])
    first = await awaited(database, dana)
    await database.analyses.await_analysis(dana.mailbox_id, ["m1", "m2", "m1"])
    again = await awaited(database, dana)
    assert set(again) == {"m1", "m2"}
    assert again["m1"] == first["m1"]


async def test_an_email_that_was_read_does_not_wait_when_it_is_handed_on_again(
    database: Database, dana: Timekeeper, entry: MakeEntry
) -> None:
    read = Analysis("m1", Outcome.ENTRIES, 1, "push-1", entries=[entry()])
    await record(database, dana, read, without_entries("m2", second_look="model_unavailable"))
    await database.analyses.await_analysis(dana.mailbox_id, ["m1", "m2"])
    assert await awaited(database, dana) == {}


@pytest.mark.parametrize("then", ["failed again", "read"])
async def test_an_email_that_failed_is_counted_as_failed_while_it_is_tried_again(
    database: Database, dana: Timekeeper, then: str
) -> None:
    await record(database, dana, failed("m1"))
    await database.analyses.await_analysis(dana.mailbox_id, ["m1"])
    trying = await coverage(dana)
    assert (trying.sent, trying.failed, trying.waiting) == (1, {"unreadable": 1}, 0)
    assert set(await awaited(database, dana)) == {"m1"}
    await record(database, dana, without_entries("m1") if then == "read" else failed("m1"))
    assert await awaited(database, dana) == {}
    assert (await coverage(dana)).sent == 1


async def test_what_a_race_left_behind_is_not_counted_twice(database: Database, dana: Timekeeper) -> None:
    await record(database, dana, without_entries("m1"))
    await database.sql.execute(
        "insert into public.awaited_emails (user_id, mailbox_id, email_id) values ($1, $2, 'm1')",
        dana.id,
        dana.mailbox_id,
    )
    found = await coverage(dana)
    assert (found.sent, found.accounted_for, found.waiting) == (1, 1, 0)


async def test_emails_handed_on_and_recorded_at_the_same_time_do_not_block_each_other(
    database: Database, dana: Timekeeper
) -> None:
    deadlocks = "select deadlocks from pg_stat_database where datname = current_database()"
    before = await database.sql.fetchval(deadlocks)
    ids = [f"m{n:04}" for n in range(3000)]
    batch = [without_entries(email_id) for email_id in ids[:200]]
    async with asyncio.timeout(30):
        await asyncio.gather(
            *(database.analyses.await_analysis(dana.mailbox_id, ids[:: 1 if n % 2 else -1]) for n in range(8)),
            *(database.analyses.record(dana.context, batch[:: 1 if n % 2 else -1]) for n in range(4)),
        )
    found = await coverage(dana)
    assert (found.sent, found.without_entries, found.waiting) == (3000, 200, 2800)
    await database.sql.execute("select pg_stat_force_next_flush()")
    assert await database.sql.fetchval(deadlocks) == before


async def test_another_users_emails_are_not_counted(database: Database, dana: Timekeeper, priya: Timekeeper) -> None:
    await record(database, dana, without_entries("m1"))
    await database.analyses.await_analysis(dana.mailbox_id, ["m2"])
    await record(database, priya, failed("m2"))
    assert (await coverage(dana)).sent == 2
    theirs = await coverage(priya)
    assert (theirs.sent, theirs.failed, theirs.waiting) == (1, {"unreadable": 1}, 0)
    assert theirs.mailboxes == (CoveredMailbox(id=priya.mailbox_id, state=MailboxState.CONNECTED),)


async def test_an_email_of_a_mailbox_that_is_unknown_waits_for_nobody(database: Database) -> None:
    unknown = uuid4()
    await database.analyses.await_analysis(unknown, ["m1"])
    assert not await database.sql.fetchval(
        "select exists (select from public.awaited_emails where mailbox_id = $1)", unknown
    )


async def test_history_is_read_as_far_as_in_the_mailbox_that_is_furthest_behind(
    database: Database, dana: Timekeeper
) -> None:
    second = await database.mailboxes.connect(
        user_id=dana.id,
        email_address=f"second.{dana.id.hex}@firm.example",
        history_id=1,
        watch_expires_at=None,
        refresh_token_encrypted="encrypted",
    )
    set_state = "update public.mailboxes set state = $2, history_read_at = $3 where id = $1"
    await database.sql.execute(set_state, dana.mailbox_id, "connected", MONDAY + DAY)
    await database.sql.execute(set_state, second, "connected", MONDAY)
    assert (await coverage(dana)).history_read_at == MONDAY
    await database.sql.execute(set_state, second, "reconnect_needed", MONDAY)
    found = await coverage(dana)
    assert found.history_read_at == MONDAY + DAY
    assert [(mailbox.id, mailbox.state.value) for mailbox in found.mailboxes] == [
        (dana.mailbox_id, "connected"),
        (second, "reconnect_needed"),
    ]
    await database.sql.execute(set_state, dana.mailbox_id, "disconnected", MONDAY)
    assert (await coverage(dana)).history_read_at is None


async def test_coverage_reads_the_period_and_not_the_table(
    database: Database, dana: Timekeeper, priya: Timekeeper
) -> None:
    scans = """select relname, seq_scan, idx_tup_fetch from pg_stat_xact_user_tables
               where relname in ('processed_emails', 'awaited_emails') order by relname"""
    async with database.sql.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        for owner, emails in ((priya, 40_000), (dana, 4_000)):
            await connection.execute(
                """insert into public.processed_emails (
                     user_id, mailbox_id, email_id, outcome, sent_at, analyser_version, settings_version
                   )
                   select $1, $2, 'm' || n, 'none', $4::timestamptz + n * interval '1 minute', 1, 0
                   from generate_series(1, $3::int) n""",
                *(owner.id, owner.mailbox_id, emails, MONDAY),
            )
            await connection.execute(
                """insert into public.awaited_emails (user_id, mailbox_id, email_id, handed_on_at)
                   select $1, $2, 'w' || n, $4::timestamptz + n * interval '1 hour'
                   from generate_series(1, $3::int) n""",
                *(owner.id, owner.mailbox_id, emails, MONDAY),
            )
        await connection.execute("analyze public.processed_emails, public.awaited_emails")
        before = {row["relname"]: row for row in await connection.fetch(scans)}
        claims = json.dumps({"sub": str(dana.id), "role": "authenticated"})
        await connection.execute("select set_config('request.jwt.claims', $1, true)", claims)
        await connection.execute("set local role authenticated")
        found = await connection.fetchval("select public.coverage($1, $2)", MONDAY, MONDAY + DAY)
        after = {row["relname"]: row for row in await connection.fetch(scans)}
        await transaction.rollback()
    answer = Coverage.model_validate_json(found)
    assert (answer.without_entries, answer.waiting) == (1439, 23)
    read = {table: after[table]["idx_tup_fetch"] - before[table]["idx_tup_fetch"] for table in after}
    # All that were handed on from then on: any of them may be of the period.
    # And each of these is looked for among what is on record.
    assert read == {"processed_emails": 1439 + 4_000, "awaited_emails": 4_000}
    assert all(after[table]["seq_scan"] == before[table]["seq_scan"] for table in after)


@pytest.fixture(scope="session")
async def bus(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pubsub]:
    """A Pub/Sub without a topic."""
    async with pubsub(tmp_path_factory.mktemp("no-topics")) as bus:
        yield bus


def push_settings(supabase_url: str, secret_key: str, pubsub_host: str) -> GmailPushSettings:
    environ = {
        "SUPABASE_URL": supabase_url,
        "SUPABASE_SECRET_KEY": secret_key,
        "GOOGLE_CLIENT_ID": "app",
        "GOOGLE_CLIENT_SECRET": "secret",
        "TOKEN_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        "GCP_PROJECT": "tenths-local",
        "PUBSUB_EMULATOR_HOST": pubsub_host,
        "CALLER_AUDIENCE": "http://127.0.0.1:1",
        "CALLER_ACCOUNTS": "push@tenths-local.iam.gserviceaccount.com",
    }
    return GmailPushSettings.from_environ(environ)


def mailbox_of(timekeeper: Timekeeper) -> Mailbox:
    return Mailbox(
        id=timekeeper.mailbox_id,
        user_id=timekeeper.id,
        state=MailboxState.CONNECTED,
        history_id=100,
        history_read_at=MONDAY,
        catch_up_due=False,
        refresh_token_encrypted="encrypted",
    )


async def test_an_email_waits_from_before_it_is_published(database: Database, dana: Timekeeper, bus: Pubsub) -> None:
    handler = gmail_push_handler(push_settings(database.gateway.url, database.keys.secret_key, bus.host))
    with pytest.raises(PublishFailed):
        await handler._hand_on(mailbox_of(dana), ["m1", "m2"], "push-1")
    assert (await coverage(dana)).waiting == 2
    await handler.publisher.close()
    await handler.gmail.http.aclose()


async def test_where_there_is_nothing_to_hand_on_nobody_is_called(dana: Timekeeper) -> None:
    nobody = f"127.0.0.1:{free_port()}"
    handler = gmail_push_handler(push_settings(f"http://{nobody}", "sb_secret_x", nobody))
    assert await handler._hand_on(mailbox_of(dana), [], "push-1") == 0
    await handler.publisher.close()
    await handler.gmail.http.aclose()
