"""All that is stored about a user: which tables that are, read whole, deleted whole, whoever writes meanwhile."""

import asyncio
import json
from collections.abc import Awaitable
from typing import Any

import asyncpg
import httpx
import pytest
from pydantic import SecretStr

from shared.caller import Caller
from shared.my_data.export import Rows, export
from shared.my_data.tables import EXPORTED, NOBODYS, NOT_EXPORTED
from shared.store.analyses import Analysis, Outcome
from shared.store.my_data import PAGE, EraseVerdict, OwnRows, UsersRows
from tests.integration.store.conftest import Database, MakeEntry, Timekeeper

# Supabase's, not ours: of it a user gets their own line.
NOT_OURS = {"auth.users"}


TABLES = """select n.nspname || '.' || c.relname as name from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where n.nspname in ('public', 'private') and c.relkind = any ($1)"""


async def tables(database: Database, *kinds: str) -> set[str]:
    """All there are of our own, out of the catalog. Kinds: r a table, p a partitioned one, m a materialized view."""
    return {row["name"] for row in await database.sql.fetch(TABLES, [kind.encode() for kind in kinds])}


def exported(table: str, *, hidden: bool) -> str:
    return table if "." in table else f"{'private' if hidden else 'public'}.{table}"


async def test_every_table_is_exported_or_says_why_not(database: Database) -> None:
    shown = {exported(each.table, hidden=each.hidden) for each in EXPORTED} - NOT_OURS
    told = [*shown, *NOT_EXPORTED, *NOBODYS]
    assert sorted(told) == sorted(await tables(database, "r", "p", "m")), "each once, and none that isn't there"


async def test_every_table_is_erased_or_goes_with_one_that_is(database: Database) -> None:
    rows = await database.sql.fetch("select private.full_name(t.about) as name from private.tables_about_users() t")
    erased = {row["name"] for row in rows}
    rows = await database.sql.fetch(
        """select private.full_name(f.conrelid) as goes, private.full_name(f.confrelid) as along
           from pg_constraint f where f.contype = 'f' and f.confdeltype = 'c'"""
    )
    along = {row["goes"] for row in rows if row["along"] in erased}
    # The log of days is emptied by a refresh, and with it the view.
    assert await tables(database, "r", "p") - erased - along == {"private.summary_changes", *NOBODYS}


async def test_a_table_that_is_made_later_is_erased_too(
    database: Database, dana: Timekeeper, priya: Timekeeper
) -> None:
    await database.sql.execute("create table private.made_later (mailbox_id uuid, note text)")
    try:
        for each in (dana, priya):
            await database.sql.execute("insert into private.made_later values ($1, 'x')", each.mailbox_id)
        await database.sql.execute("select public.erase_user_data($1, true)", dana.id)
        rows = await database.sql.fetch("select mailbox_id from private.made_later")
        assert [row["mailbox_id"] for row in rows] == [priya.mailbox_id]
    finally:
        await database.sql.execute("drop table private.made_later")


@pytest.fixture
async def written(database: Database, dana: Timekeeper, entry: MakeEntry) -> Timekeeper:
    await database.analyses.record(dana.context, [Analysis("m1", Outcome.ENTRIES, 1, "push-1", entries=[entry()])])
    await dana.rest.post("/matters", json={"user_id": str(dana.id), "client": "Ortiz"})
    await dana.rest.patch("/time_tracking_entries", params={"email_id": "eq.m1"}, json={"duration_minutes": 30})
    return dana


async def lines_of(rows: Rows) -> list[dict[str, Any]]:
    text = b"".join([piece async for piece in export(rows)])
    assert text.endswith(b"\n")
    return [json.loads(line) for line in text.splitlines()]


def own_rows(database: Database, http: httpx.AsyncClient, who: Timekeeper) -> OwnRows:
    token = who.rest.headers["Authorization"].removeprefix("Bearer ")
    publishable = SecretStr(database.keys.publishable_key)
    return OwnRows(http, database.gateway.url, publishable, Caller(who.id, SecretStr(token)))


async def test_a_user_is_given_every_row_of_theirs_and_an_operator_the_same(
    database: Database, written: Timekeeper, priya: Timekeeper
) -> None:
    async with httpx.AsyncClient() as http:
        own = await lines_of(own_rows(database, http, written))
        hers = await lines_of(own_rows(database, http, priya))
    assert own == await lines_of(UsersRows(database.client, written.id))
    end = {"auth.users": 1, "mailboxes": 1, "time_tracking_settings": 1, "matters": 1, "time_tracking_entries": 1}
    end |= {"entry_changes": 1, "processed_emails": 1, "awaited_emails": 0, "rescan_jobs": 0}
    assert own[-1]["end"] is True
    assert {table: number for table, number in own[-1]["rows"].items() if number or table in end} == end
    assert {line["row"].get("user_id", str(written.id)) for line in own[:-1]} == {str(written.id)}
    assert str(written.id) not in json.dumps(hers)
    assert "encrypted" not in json.dumps(own), "what opens a mailbox leaves with nobody"


async def test_more_rows_than_a_page_holds_come_each_once_and_in_order(database: Database, dana: Timekeeper) -> None:
    number = 2 * PAGE
    ids = [f"m{n:05}" for n in range(number)]
    await database.analyses.await_analysis(dana.mailbox_id, ids)
    lines = await lines_of(UsersRows(database.client, dana.id))
    assert [line["row"]["email_id"] for line in lines[:-1] if line["table"] == "awaited_emails"] == ids
    assert lines[-1]["rows"]["awaited_emails"] == number


async def test_what_nobody_is_shown_otherwise_comes_each_once_and_in_order_however_small_the_page(
    database: Database, written: Timekeeper, priya: Timekeeper
) -> None:
    for who in (written, priya):
        for number in range(5):
            given = (who.id, f"m{number}", who.mailbox_id)
            await database.sql.execute(
                """insert into private.dismissed_entries (user_id, email_id, evidence_key, amount, dismissed_at)
                   values ($1, $2, 'k', '[1,2)', now())""",
                *given[:2],
            )
            await database.sql.execute(
                """insert into private.dead_letters (message_id, topic, reason, mailbox_id, email_id)
                   values ($1::uuid || $2, 'sent-emails', 'x', $3, $2)""",
                *given,
            )
            await written.rest.patch("/time_tracking_entries", params={"email_id": "eq.m1"}, json={"status": "draft"})
    for table, number in (("dismissed_entries", 5), ("dead_letters", 5), ("entry_changes", 11)):
        rows: list[dict[str, Any]] = []
        after: str | None = None
        while True:
            asked = {"p_user_id": str(written.id), "p_table": table, "p_after": after, "p_most": 2, "p_hidden": True}
            page = await database.client.call("rows_of_user", asked)
            rows += page["rows"]
            if page["next"] is None:
                break
            after = page["next"]
        assert len(rows) == len({json.dumps(row) for row in rows}) == number, table
        assert str(priya.id) not in json.dumps(rows)
        assert str(priya.mailbox_id) not in json.dumps(rows)


async def test_a_dead_letter_of_a_rescan_is_its_owners(database: Database, dana: Timekeeper, priya: Timekeeper) -> None:
    job = await database.sql.fetchval(
        """insert into rescan_jobs (user_id, mailbox_id, range_start, range_end)
           values ($1, $2, now() - interval '1 day', now()) returning id""",
        *(dana.id, dana.mailbox_id),
    )
    letter = {"message_id": str(job), "topic": "rescan-pages", "reason": "replayed_in_vain", "replays": 3}
    await database.client.call("keep_dead_letters", {"p_letters": [{**letter, "job_id": str(job), "step": 1}]})
    for who, number in ((dana, 1), (priya, 0)):
        lines = await lines_of(UsersRows(database.client, who.id))
        assert lines[-1]["rows"]["dead_letters"] == number


async def test_nothing_is_erased_while_google_lets_us_into_a_mailbox(database: Database, written: Timekeeper) -> None:
    rows = UsersRows(database.client, written.id)
    before = await rows.left()
    erasure = await rows.erase(without_google=False)
    assert (erasure.verdict, erasure.mailbox_ids) == (EraseVerdict.CONNECTED, (written.mailbox_id,))
    assert await rows.left() == before


async def test_all_is_erased_and_nothing_of_anybody_elses(
    database: Database, written: Timekeeper, priya: Timekeeper, entry: MakeEntry
) -> None:
    await database.analyses.record(priya.context, [Analysis("m1", Outcome.ENTRIES, 1, "push-1", entries=[entry()])])
    rows, others = UsersRows(database.client, written.id), UsersRows(database.client, priya.id)
    await rows.refresh_summaries()
    kept = await others.left()
    erasure = await rows.erase(without_google=True)
    assert erasure.deleted["public.time_tracking_entries"] == 1
    assert "private.time_summaries" in await rows.left(), "the sums go with the refresh"
    await rows.refresh_summaries()
    assert await rows.left() == {}
    assert await others.left() == kept
    assert (await rows.erase(without_google=False)).deleted == {}, "again: there is nothing to do"


async def until_it_waits_for_a_lock(database: Database, pid: int) -> None:
    async with asyncio.timeout(20):
        while not await database.sql.fetchval("select pg_blocking_pids($1) <> '{}'", pid):  # noqa: ASYNC110  a lock's queue
            await asyncio.sleep(0.01)


RECORD = "select * from public.record_analysis($1, $2)"


def reading(who: Timekeeper, version: int) -> str:
    entry = {
        "evidence_key": f"k{version}",
        "duration_minutes": 24,
        "entry_type": "call",
        "date_performed": "2026-09-02",
        "description": "Call",
        "billable": True,
        "confidence_score": 0.9,
        "extracted_text": f"evidence of version {version}",
        "evidence": "[0,14)",
        "amount": f"[{version},{version + 1})",
        "extractor": "rules",
        "rounding_increment": 6,
        "rounding_mode": "up",
        "rounding_scope": "entry",
        "rounding_minimum": 0,
    }
    analysis = {
        "email_id": "m1",
        "mailbox_id": str(who.mailbox_id),
        "outcome": "entries",
        "analyser_version": version,
        "settings_version": 0,
        "entries": [entry],
    }
    return json.dumps([analysis])


Connection = Any  # asyncpg's own is generic for type checkers only


async def connected(database: Database) -> Connection:
    return await asyncpg.connect(database.postgres.url)


async def waits(database: Database, connection: Connection, work: Awaitable[Any]) -> "asyncio.Task[Any]":
    async def run() -> Any:
        return await work

    task = asyncio.create_task(run())
    await until_it_waits_for_a_lock(database, connection.get_server_pid())
    return task


@pytest.mark.parametrize("known", [False, True], ids=["an email that is new", "an email that is read again"])
async def test_an_email_recorded_while_its_sender_is_erased_is_erased_too(
    database: Database, dana: Timekeeper, *, known: bool
) -> None:
    recording, erasing = await connected(database), await connected(database)
    try:
        if known:
            await recording.execute(RECORD, dana.id, reading(dana, 1))
        async with recording.transaction():
            await recording.execute(RECORD, dana.id, reading(dana, 2))
            task = await waits(database, erasing, erasing.execute("select public.erase_user_data($1, true)", dana.id))
        await task
    finally:
        await recording.close()
        await erasing.close()
    rows = UsersRows(database.client, dana.id)
    await rows.refresh_summaries()
    assert await rows.left() == {}


@pytest.mark.parametrize("known", [False, True], ids=["an email that is new", "an email that is read again"])
async def test_an_email_that_comes_to_be_recorded_after_its_sender_is_erased_is_refused(
    database: Database, dana: Timekeeper, *, known: bool
) -> None:
    recording, erasing = await connected(database), await connected(database)
    try:
        if known:
            await recording.execute(RECORD, dana.id, reading(dana, 1))
        async with erasing.transaction():
            await erasing.execute("select public.erase_user_data($1, true)", dana.id)
            task = await waits(database, recording, recording.execute(RECORD, dana.id, reading(dana, 2)))
        with pytest.raises(asyncpg.ForeignKeyViolationError):
            await task
    finally:
        await recording.close()
        await erasing.close()
    rows = UsersRows(database.client, dana.id)
    await rows.refresh_summaries()
    assert await rows.left() == {}
