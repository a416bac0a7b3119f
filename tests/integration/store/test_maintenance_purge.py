"""What has been kept long enough goes; all else stays, what was dismissed stays dismissed, and summaries stay right."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import uuid4

import pytest

from shared.errors import StoreRefused
from shared.store.analyses import Analysis, Outcome
from shared.store.maintenance import MaintenanceStore
from tests.integration.store.conftest import Database, MakeEntry, Timekeeper

DAY: Final = timedelta(days=1)
YEARS: Final = 2_600 * DAY
PERIOD: Final = {"p_from": "2015-01-01", "p_to": "2030-12-31"}


@pytest.fixture
def maintenance(database: Database) -> MaintenanceStore:
    return MaintenanceStore(database.client)


async def purge(maintenance: MaintenanceStore, what: str, days: int = 2_557, most: int = 5_000) -> int:
    return await maintenance.purge(what, datetime.now(UTC) - timedelta(days=days), most)


async def written(database: Database, dana: Timekeeper, make: MakeEntry, *email_ids: str) -> None:
    """An entry from each of these emails."""
    analyses = [Analysis(each, Outcome.ENTRIES, 1, "push-1", entries=[make()]) for each in email_ids]
    await database.analyses.record(dana.context, analyses)


async def age(database: Database, dana: Timekeeper, by: timedelta, *email_ids: str) -> None:
    """These emails, and all that came of them, were so much earlier."""
    await database.sql.execute(
        """update time_tracking_entries
           set created_at = created_at - $3::interval, processed_at = processed_at - $3::interval,
             edited_at = edited_at - $3::interval, date_performed = date_performed - $3::interval
           where user_id = $1 and email_id = any ($2)""",
        *(dana.id, email_ids, by),
    )
    await database.sql.execute(
        "update processed_emails set processed_at = processed_at - $3::interval, sent_at = sent_at - $3::interval"
        " where user_id = $1 and email_id = any ($2)",
        *(dana.id, email_ids, by),
    )


async def of(dana: Timekeeper, table: str) -> list[str]:
    rows = (await dana.rest.get(f"/{table}", params={"order": "email_id"})).json()
    return [row["email_id"] for row in rows]


async def status(dana: Timekeeper, email_id: str, new: str) -> None:
    [entry] = [row for row in await dana.entries() if row["email_id"] == email_id]
    (await dana.edit(entry["id"], status=new)).raise_for_status()


async def summary(dana: Timekeeper) -> Any:
    answer = await dana.rest.post("/rpc/time_summary", json=PERIOD)
    answer.raise_for_status()
    told = answer.json()
    return told["totals"]["entries"], told["totals"]["minutes"], told["by_status"]


async def live(database: Database, dana: Timekeeper) -> tuple[int, float]:
    [row] = await database.sql.fetch(
        """select count(*), coalesce(sum(duration_minutes), 0)::float8 from time_tracking_entries
           where user_id = $1 and status <> 'dismissed'""",
        dana.id,
    )
    return tuple(row)


async def test_entries_and_emails_go_when_their_years_are_over_and_others_stay(
    database: Database, dana: Timekeeper, entry: MakeEntry, maintenance: MaintenanceStore
) -> None:
    await written(database, dana, entry, "old", "new")
    await age(database, dana, YEARS, "old")
    await maintenance.refresh_summaries()
    assert (await summary(dana))[:2] == (2, 48)

    await purge(maintenance, "emails")
    assert await of(dana, "processed_emails") == ["new", "old"], "what has an entry stays on record"
    await purge(maintenance, "entries")
    await purge(maintenance, "emails")
    assert await of(dana, "time_tracking_entries") == ["new"]
    assert await of(dana, "processed_emails") == ["new"]
    assert (await summary(dana))[:2] == await live(database, dana) == (1, 24)
    await maintenance.refresh_summaries()
    assert (await summary(dana))[:2] == (1, 24)


@pytest.mark.parametrize("column", ["created_at", "processed_at", "edited_at", "date_performed"])
async def test_an_entry_is_as_old_as_the_latest_that_happened_to_it(
    database: Database, dana: Timekeeper, entry: MakeEntry, maintenance: MaintenanceStore, column: str
) -> None:
    """Such as one of a day long gone, that a rescan has only just found."""
    await written(database, dana, entry, "m1")
    await age(database, dana, YEARS, "m1")
    await database.sql.execute(
        f"update time_tracking_entries set {column} = now() where user_id = $1",  # noqa: S608  a name from above
        dana.id,
    )
    await purge(maintenance, "entries")
    assert await of(dana, "time_tracking_entries") == ["m1"]


async def test_what_a_person_dismissed_goes_and_no_later_reading_brings_it_back(
    database: Database, dana: Timekeeper, entry: MakeEntry, maintenance: MaintenanceStore
) -> None:
    await written(database, dana, entry, "dismissed", "approved", "draft", "lately")
    await status(dana, "dismissed", "dismissed")
    await status(dana, "lately", "dismissed")
    await status(dana, "approved", "approved")
    await age(database, dana, 100 * DAY, "dismissed", "approved", "draft")
    await maintenance.refresh_summaries()
    await purge(maintenance, "dismissed_entries", days=90)
    assert await of(dana, "time_tracking_entries") == ["approved", "draft", "lately"]
    told = await summary(dana)
    assert told[:2] == await live(database, dana) == (2, 48)
    assert {row["status"]: row["entries"] for row in told[2]} == {"approved": 1, "draft": 1, "dismissed": 1}
    # Its words are gone, from what it was changed from, too.
    left = await database.sql.fetchval(
        "select count(*) from private.entry_changes where user_id = $1 and was ->> 'email_id' = 'dismissed'", dana.id
    )
    assert left == 0

    # A newer analyser reads them all again, and finds one more in the email.
    again = [Analysis("dismissed", Outcome.ENTRIES, 2, "push-2", entries=[entry(), entry(100)])]
    await database.analyses.record(dana.context, again)
    assert [row["evidence"] for row in await dana.entries() if row["email_id"] == "dismissed"] == ["[100,120)"]


async def test_under_other_words_for_the_same_amount_what_was_dismissed_stays_so_too(
    database: Database, dana: Timekeeper, entry: MakeEntry, maintenance: MaintenanceStore
) -> None:
    await written(database, dana, entry, "m1")
    await status(dana, "m1", "dismissed")
    await age(database, dana, 100 * DAY, "m1")
    await purge(maintenance, "dismissed_entries", days=90)
    other = entry(extracted_text="another quote, the same amount")
    await database.analyses.record(dana.context, [Analysis("m1", Outcome.ENTRIES, 2, "push-2", entries=[other])])
    assert await of(dana, "time_tracking_entries") == []


async def test_what_people_changed_and_rescans_that_ended_go_in_their_time(
    database: Database, dana: Timekeeper, entry: MakeEntry, maintenance: MaintenanceStore
) -> None:
    await written(database, dana, entry, "m1")
    await status(dana, "m1", "approved")
    await database.sql.execute(
        "update private.entry_changes set changed_at = changed_at - $2::interval where user_id = $1", dana.id, YEARS
    )
    await status(dana, "m1", "draft")
    for state in ("done", "running"):
        await database.sql.execute(
            """insert into rescan_jobs (user_id, mailbox_id, range_start, range_end, state, updated_at)
               values ($1, $2, now() - interval '1 day', now(), $3, now() - interval '100 days')""",
            *(dana.id, dana.mailbox_id, state),
        )
    await purge(maintenance, "entry_changes")
    await purge(maintenance, "rescans", days=90)
    kept = await database.sql.fetchval("select count(*) from private.entry_changes where user_id = $1", dana.id)
    assert kept == 1
    jobs = await database.sql.fetch("select state from rescan_jobs where user_id = $1", dana.id)
    assert [job["state"] for job in jobs] == ["running"]


async def test_dead_letters_of_nobody_go_and_those_that_can_be_replayed_stay(
    database: Database, maintenance: MaintenanceStore, dana: Timekeeper
) -> None:
    letter = {"topic": "sent-emails", "reason": "replayed_in_vain", "replays": 3, "correlation_id": "c1"}
    hers = {**letter, "message_id": f"hers-{dana.id}", "mailbox_id": str(dana.mailbox_id), "email_id": "m1"}
    nobodys = {**letter, "message_id": f"nobodys-{dana.id}", "mailbox_id": str(uuid4()), "email_id": "m2"}
    await database.client.call("keep_dead_letters", {"p_letters": [hers, nobodys]})
    query = "select * from private.dead_letters where message_id = any ($1) order by message_id"
    ids = [hers["message_id"], nobodys["message_id"]]
    kept = [(row["email_id"], row["correlation_id"]) for row in await database.sql.fetch(query, ids)]
    assert kept == [("m1", "c1"), (None, "")], "of what is nobody's no id is kept"
    await purge(maintenance, "unknown_letters", days=7)
    assert len(await database.sql.fetch(query, ids)) == 2
    await database.sql.execute(
        "update private.dead_letters set kept_at = kept_at - interval '8 days' where message_id = any ($1)", ids
    )
    await purge(maintenance, "unknown_letters", days=7)
    assert [row["message_id"] for row in await database.sql.fetch(query, ids)] == [hers["message_id"]]


async def test_no_transaction_deletes_more_than_it_is_told_nor_waits_for_what_somebody_holds(
    database: Database, dana: Timekeeper, entry: MakeEntry, maintenance: MaintenanceStore
) -> None:
    await written(database, dana, entry, *(f"m{n}" for n in range(5)))
    await age(database, dana, YEARS, *(f"m{n}" for n in range(5)))
    async with database.sql.acquire() as other, other.transaction():
        await other.execute(
            "select from time_tracking_entries where user_id = $1 and email_id = 'm0' for update", dana.id
        )
        assert await purge(maintenance, "entries", most=3) == 3
        assert await purge(maintenance, "entries", most=3) == 1
    assert await of(dana, "time_tracking_entries") == ["m0"]
    assert await purge(maintenance, "entries", most=3) == 1


async def test_nothing_else_can_be_purged(maintenance: MaintenanceStore) -> None:
    with pytest.raises(StoreRefused):
        await purge(maintenance, "mailboxes")
