import asyncio
from dataclasses import replace
from uuid import uuid4

import pytest

from shared.errors import StoreRefused
from shared.models import BillableTimeEntry
from shared.store.analyses import Analysis, Outcome, evidence_key
from tests.integration.store.conftest import Database, MakeEntry, Timekeeper


def found(email_id: str, *entries: object, version: int = 1) -> Analysis:
    outcome = Outcome.ENTRIES if entries else Outcome.NONE
    return Analysis(email_id, outcome, version, "push-1", entries=entries)  # type: ignore[arg-type]  # Entry objects


async def test_an_email_that_states_two_pieces_of_work_gives_two_entries(
    database: Database, dana: Timekeeper, entry: MakeEntry
) -> None:
    analysis = found("m1", entry(0), entry(40, duration_minutes=72.0, extracted_text="rev. records 1.2"))
    [recorded] = await database.analyses.record(dana.context, [analysis])
    assert (recorded.is_new, recorded.entry_count) == (True, 2)
    assert [(row["extracted_text"], row["duration_minutes"]) for row in await dana.entries()] == [
        ("TC w/ client re 0 .4", 24.0),
        ("rev. records 1.2", 72.0),
    ]


async def test_recording_the_same_analysis_again_changes_nothing(
    database: Database, dana: Timekeeper, entry: MakeEntry
) -> None:
    await database.analyses.record(dana.context, [found("m1", entry())])
    before = await dana.entries()
    [again] = await database.analyses.record(dana.context, [found("m1", entry())])
    assert not again.is_new
    assert await dana.entries() == before


async def test_eight_analyses_of_one_email_at_once_write_its_entries_once(
    database: Database, dana: Timekeeper, entry: MakeEntry
) -> None:
    analysis = found("m1", entry(0), entry(40))
    answers = await asyncio.gather(*(database.analyses.record(dana.context, [analysis]) for _ in range(8)))
    assert sum(recorded.is_new for [recorded] in answers) == 1
    assert len(await dana.entries()) == 2


@pytest.mark.parametrize("change", [{"duration_minutes": 30}, {"status": "approved"}, {"status": "dismissed"}])
async def test_what_a_person_decided_survives_a_newer_analyser(
    database: Database, dana: Timekeeper, entry: MakeEntry, change: dict[str, object]
) -> None:
    await database.analyses.record(dana.context, [found("m1", entry())])
    [row] = await dana.entries()
    assert (await dana.edit(row["id"], **change)).status_code == 200
    [decided] = await dana.entries()
    wider = entry(duration_minutes=36.0, extracted_text="Ortiz: TC w/ client re 0 .4")
    await database.analyses.record(dana.context, [found("m1", wider, version=2)])
    assert await dana.entries() == [decided]


async def test_an_entry_that_a_newer_analyser_no_longer_finds_stays_if_a_person_approved_it(
    database: Database, dana: Timekeeper, entry: MakeEntry
) -> None:
    await database.analyses.record(dana.context, [found("m1", entry())])
    [row] = await dana.entries()
    await dana.edit(row["id"], status="approved")
    await database.analyses.record(dana.context, [found("m1", version=2)])
    assert [kept["status"] for kept in await dana.entries()] == ["approved"]


async def test_drafts_that_nobody_touched_are_replaced_by_a_newer_analyser(
    database: Database, dana: Timekeeper, entry: MakeEntry
) -> None:
    await database.analyses.record(dana.context, [found("m1", entry(0), entry(40))])
    await database.analyses.record(dana.context, [found("m1", entry(0, duration_minutes=30.0), version=2)])
    assert [(row["duration_minutes"], row["analyser_version"]) for row in await dana.entries()] == [(30.0, 2)]


async def test_an_older_analyser_that_comes_late_changes_nothing(
    database: Database, dana: Timekeeper, entry: MakeEntry
) -> None:
    await database.analyses.record(dana.context, [found("m1", entry(), version=2)])
    [late] = await database.analyses.record(dana.context, [found("m1", version=1)])
    assert not late.is_new
    assert len(await dana.entries()) == 1


async def test_an_email_deleted_after_it_was_read_keeps_its_entries(
    database: Database, dana: Timekeeper, entry: MakeEntry
) -> None:
    await database.analyses.record(dana.context, [found("m1", entry())])
    for version in (1, 2):
        [gone] = await database.analyses.record(dana.context, [Analysis("m1", Outcome.GONE, version, "push-2")])
        assert (gone.is_new, gone.entry_count) == (False, 1)
    assert len(await dana.entries()) == 1


async def test_a_reading_replaces_a_failure_on_record(database: Database, dana: Timekeeper, entry: MakeEntry) -> None:
    await database.analyses.record(dana.context, [Analysis("m1", Outcome.FAILED, 1, "p", failure="unreadable")])
    [read] = await database.analyses.record(dana.context, [found("m1", entry())])
    assert read.is_new
    context = await database.analyses.context(dana.mailbox_id, "m1")
    assert context is not None
    assert context.is_settled(1)


async def test_a_batch_of_fifty_emails_is_one_transaction(
    database: Database, dana: Timekeeper, entry: MakeEntry
) -> None:
    batch = [found(f"m{n:02}", entry()) for n in range(50)]
    broken = replace(batch[-1], entries=[entry(duration_minutes=9999.0)])
    with pytest.raises(StoreRefused):
        await database.analyses.record(dana.context, [*batch[:-1], broken])
    assert await dana.entries() == []
    assert sum(recorded.is_new for recorded in await database.analyses.record(dana.context, batch)) == 50
    assert len(await dana.entries()) == 50


async def test_batches_that_share_emails_in_opposite_orders_do_not_block_each_other(
    database: Database, dana: Timekeeper, entry: MakeEntry
) -> None:
    deadlocks = "select deadlocks from pg_stat_database where datname = current_database()"
    before = await database.sql.fetchval(deadlocks)
    batch = [found(f"m{n:03}", entry()) for n in range(200)]
    async with asyncio.timeout(30):
        answers = await asyncio.gather(
            *(database.analyses.record(dana.context, batch[:: 1 if n % 2 else -1]) for n in range(8))
        )
    assert sum(recorded.is_new for answer in answers for recorded in answer) == 200
    assert len(await dana.entries()) == 200
    await database.sql.execute("select pg_stat_force_next_flush()")
    assert await database.sql.fetchval(deadlocks) == before


async def test_an_analysis_that_names_another_users_mailbox_is_refused(
    database: Database, dana: Timekeeper, priya: Timekeeper, entry: MakeEntry
) -> None:
    forged = dana.context.model_copy(update={"mailbox_id": priya.mailbox_id})
    with pytest.raises(StoreRefused):
        await database.analyses.record(forged, [found("m1", entry())])
    assert await dana.entries() == []
    assert await priya.entries() == []


async def test_two_users_with_the_same_email_id_keep_their_own_entries(
    database: Database, dana: Timekeeper, priya: Timekeeper, entry: MakeEntry
) -> None:
    for timekeeper, minutes in ((dana, 24.0), (priya, 30.0)):
        await database.analyses.record(timekeeper.context, [found("m1", entry(duration_minutes=minutes))])
    assert [row["duration_minutes"] for row in await dana.entries()] == [24.0]
    assert [row["duration_minutes"] for row in await priya.entries()] == [30.0]


async def test_a_matter_removed_meanwhile_leaves_its_name_on_the_entry(
    database: Database, dana: Timekeeper, entry: MakeEntry
) -> None:
    await database.analyses.record(dana.context, [found("m1", entry(matter_id=uuid4()))])
    [row] = await dana.entries()
    assert (row["client_matter"], row["matter_id"]) == ("Ortiz", None)


async def test_words_that_a_database_cannot_hold_do_not_lose_the_entry(
    database: Database, dana: Timekeeper, entry: MakeEntry
) -> None:
    await database.analyses.record(dana.context, [found("m1", entry(extracted_text="call\0 \ud800 .4"))])
    [row] = await dana.entries()
    assert row["extracted_text"] == "call\ufffd ? .4"


def test_two_amounts_in_the_same_words_are_two_pieces_of_evidence(entry: MakeEntry) -> None:
    first, second = entry(0, extracted_text="two calls, .2 and .3"), entry(5, extracted_text="two calls, .2 and .3")
    assert evidence_key(first) != evidence_key(second)
    assert evidence_key(first) == evidence_key(entry(0, extracted_text="two calls, .2 and .3"))


@pytest.mark.parametrize(
    ("mode", "minutes", "billed"),
    [
        ("up", 24.0, 24.0),
        ("up", 24.1, 30.0),
        ("up", 0.0, 0.0),
        ("nearest", 26.9, 24.0),
        ("nearest", 27.0, 30.0),
        ("more_than_half", 27.0, 24.0),
        ("more_than_half", 27.1, 30.0),
    ],
)
async def test_billed_minutes_are_rounded_once_by_the_rule_of_the_day(
    database: Database, dana: Timekeeper, entry: MakeEntry, mode: str, minutes: float, billed: float
) -> None:
    rule = await dana.rest.post("/time_tracking_settings", json={"user_id": str(dana.id), "rounding_mode": mode})
    assert rule.status_code == 201
    context = await database.analyses.context(dana.mailbox_id, "m1")
    assert context is not None
    await database.analyses.record(context, [found("m1", entry(duration_minutes=minutes))])
    changed = await dana.rest.patch(
        "/time_tracking_settings", params={"user_id": f"eq.{dana.id}"}, json={"rounding_increment": 15}
    )
    assert changed.json()[0]["version"] == 2
    [row] = await dana.entries()
    assert (row["duration_minutes"], row["billed_minutes"], row["rounding_increment"]) == (minutes, billed, 6)


async def test_a_row_of_the_api_is_a_time_entry_as_the_project_defines_it(
    database: Database, dana: Timekeeper, entry: MakeEntry
) -> None:
    await database.analyses.record(dana.context, [found("m1", entry())])
    [row] = await dana.entries()
    shown = BillableTimeEntry.model_validate(row)
    assert (shown.user_id, shown.email_id, shown.duration_minutes) == (dana.id, "m1", 24.0)
    assert set(BillableTimeEntry.model_fields) <= set(row)


async def test_work_that_is_not_charged_bills_nothing(database: Database, dana: Timekeeper, entry: MakeEntry) -> None:
    await database.analyses.record(dana.context, [found("m1", entry(billable=False))])
    [row] = await dana.entries()
    assert (row["duration_minutes"], row["billed_minutes"]) == (24.0, 0.0)
