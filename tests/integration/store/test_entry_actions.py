"""Entries in a person's hands: what they change can be undone, many get a status at once, and machines keep off."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from asyncpg.pool import PoolConnectionProxy

from shared.store.analyses import Analysis, Outcome
from tests.integration.store.conftest import Database, MakeEntry, Timekeeper

BY_HAND = {
    "duration_minutes": 20,
    "entry_type": "call",
    "date_performed": "2026-09-03",
    "description": "Call with the clerk",
}
NOTHING_TO_UNDO = {
    "code": "P0002",
    "message": "there is no change of such an entry to undo",
    "details": None,
    "hint": None,
}
Row = dict[str, Any]


def found(email_id: str, *entries: object, version: int = 1) -> Analysis:
    outcome = Outcome.ENTRIES if entries else Outcome.NONE
    return Analysis(email_id, outcome, version, "push-1", entries=entries)  # type: ignore[arg-type]  # Entry objects


async def add(timekeeper: Timekeeper, **values: Any) -> Row:
    row = {**BY_HAND, "user_id": str(timekeeper.id), **values}
    answer = await timekeeper.rest.post("/time_tracking_entries", json=row)
    assert answer.status_code == 201, answer.text
    [added] = answer.json()
    return dict(added)


async def edit(timekeeper: Timekeeper, entry_id: str, **changes: Any) -> Row:
    answer = await timekeeper.edit(entry_id, **changes)
    assert answer.status_code == 200, answer.text
    [edited] = answer.json()
    return dict(edited)


async def delete(timekeeper: Timekeeper, entry_id: str) -> None:
    answer = await timekeeper.rest.delete("/time_tracking_entries", params={"id": f"eq.{entry_id}"})
    assert [row["id"] for row in answer.json()] == [entry_id]


async def asked_to_undo(timekeeper: Timekeeper, entry_id: str) -> httpx.Response:
    return await timekeeper.rest.post("/rpc/undo_entry_change", json={"p_entry_id": entry_id})


async def undo(timekeeper: Timekeeper, entry_id: str) -> Row | None:
    answer = await asked_to_undo(timekeeper, entry_id)
    assert answer.status_code == 200, answer.text
    entry: Row | None = answer.json()
    return entry


async def set_status(timekeeper: Timekeeper, entry_ids: list[str], status: str) -> httpx.Response:
    return await timekeeper.rest.post("/rpc/set_entry_status", json={"p_entry_ids": entry_ids, "p_status": status})


@asynccontextmanager
async def as_user(database: Database, timekeeper: Timekeeper) -> "AsyncIterator[PoolConnectionProxy[asyncpg.Record]]":
    """One transaction under the rights that PostgREST gives to a request with this user's token."""
    claims = json.dumps({"sub": str(timekeeper.id), "role": "authenticated"})
    async with database.sql.acquire() as connection, connection.transaction():
        await connection.execute("select set_config('request.jwt.claims', $1, true)", claims)
        await connection.execute("set local role authenticated")
        yield connection


async def changes(database: Database, user_id: UUID) -> list[str]:
    """The kinds of the changes that can be undone, the first one first."""
    rows = await database.sql.fetch("select kind from private.entry_changes where user_id = $1 order by id", user_id)
    return [row["kind"] for row in rows]


@pytest.fixture
async def drafted(database: Database, dana: Timekeeper, entry: MakeEntry) -> Row:
    """An entry of Dana's that a machine made."""
    await database.analyses.record(dana.context, [found("m1", entry())])
    [row] = await dana.entries()
    return row


@pytest.mark.parametrize(
    "change",
    [
        {"duration_minutes": 31},
        {"entry_type": "review"},
        {"date_performed": "2026-09-01"},
        {"client_matter": None},
        {"description": "Something else"},
        {"billable": False},
        {"rate_category": "partner"},
        {"hourly_rate": 450.5},
        {"status": "approved"},
        {"status": "dismissed"},
        {},
    ],
)
async def test_an_edit_undone_leaves_the_entry_as_the_machine_made_it(
    database: Database, dana: Timekeeper, drafted: Row, change: Row
) -> None:
    edited = await edit(dana, drafted["id"], **(change or {"status": "draft"}))
    assert edited["edited_at"] is not None
    assert await changes(database, dana.id) == ["edited"]
    assert await undo(dana, drafted["id"]) == drafted
    assert await dana.entries() == [drafted]
    assert await changes(database, dana.id) == []


async def test_undone_again_and_again_the_changes_go_back_one_by_one(database: Database, dana: Timekeeper) -> None:
    added = await add(dana)
    longer = await edit(dana, added["id"], duration_minutes=31)
    approved = await edit(dana, added["id"], status="approved")
    await delete(dana, added["id"])
    assert await changes(database, dana.id) == ["added", "edited", "edited", "deleted"]
    assert await undo(dana, added["id"]) == approved
    assert await undo(dana, added["id"]) == longer
    assert await undo(dana, added["id"]) == added
    assert await dana.entries() == [added]
    assert await undo(dana, added["id"]) is None
    assert await dana.entries() == []
    assert (await asked_to_undo(dana, added["id"])).status_code == 404


async def test_a_deletion_undone_brings_the_entry_back_as_it_was_rounded(dana: Timekeeper) -> None:
    added = await add(dana)
    assert (added["billed_minutes"], added["rounding_increment"]) == (24, 6)
    await delete(dana, added["id"])
    rule = {"user_id": str(dana.id), "rounding_increment": 15, "rounding_minimum": 60}
    assert (await dana.rest.post("/time_tracking_settings", json=rule)).status_code == 201
    assert await undo(dana, added["id"]) == added
    assert await dana.entries() == [added]


async def test_an_edit_after_an_undo_is_an_edit(database: Database, dana: Timekeeper, drafted: Row) -> None:
    await edit(dana, drafted["id"], duration_minutes=31)
    await undo(dana, drafted["id"])
    assert (await edit(dana, drafted["id"], duration_minutes=32))["edited_at"] is not None
    assert await changes(database, dana.id) == ["edited"]


async def test_an_undo_cannot_be_undone(dana: Timekeeper, drafted: Row) -> None:
    await edit(dana, drafted["id"], duration_minutes=31)
    await undo(dana, drafted["id"])
    answer = await asked_to_undo(dana, drafted["id"])
    assert (answer.status_code, answer.json()) == (404, NOTHING_TO_UNDO)
    assert await dana.entries() == [drafted]


@pytest.mark.parametrize("whose", ["another's", "another's deleted", "nobody's"])
async def test_nothing_can_be_undone_of_an_entry_that_is_not_ones_own(
    database: Database, dana: Timekeeper, priya: Timekeeper, whose: str
) -> None:
    added = await add(dana)
    await edit(dana, added["id"], duration_minutes=31)
    if whose == "another's deleted":
        await delete(dana, added["id"])
    before, changed = await dana.entries(), await changes(database, dana.id)
    answer = await asked_to_undo(priya, str(uuid4()) if whose == "nobody's" else added["id"])
    assert (answer.status_code, answer.json()) == (404, NOTHING_TO_UNDO)
    assert (await dana.entries(), await changes(database, dana.id)) == (before, changed)
    assert await priya.entries() == []


@pytest.mark.parametrize("function", ["undo_entry_change", "set_entry_status"])
@pytest.mark.parametrize(("key", "status"), [("publishable_key", 401), ("secret_key", 403)])
async def test_neither_nobody_nor_a_machine_undoes_or_decides(
    database: Database, dana: Timekeeper, drafted: Row, function: str, key: str, status: int
) -> None:
    approved = await edit(dana, drafted["id"], status="approved")
    arguments: Row = {"p_entry_id": drafted["id"]}
    if function == "set_entry_status":
        arguments = {"p_entry_ids": [drafted["id"]], "p_status": "dismissed"}
    async with database.rest(apikey=getattr(database.keys, key)) as rest:
        assert (await rest.post(f"/rpc/{function}", json=arguments)).status_code == status
    assert await dana.entries() == [approved]


async def test_what_machines_write_leaves_nothing_to_undo(
    database: Database, dana: Timekeeper, drafted: Row, entry: MakeEntry
) -> None:
    await database.analyses.record(dana.context, [found("m1", entry(), entry(40), version=2)])
    async with database.rest(apikey=database.keys.secret_key, Prefer="return=representation") as machine:
        mine = {"user_id": f"eq.{dana.id}"}
        changed = await machine.patch("/time_tracking_entries", params=mine, json={"confidence_score": 0.5})
        added = await machine.post("/time_tracking_entries", json={**BY_HAND, "user_id": str(dana.id)})
        removed = await machine.delete("/time_tracking_entries", params=mine)
    assert [len(answer.json()) for answer in (changed, added, removed)] == [2, 1, 3]
    assert await changes(database, dana.id) == []
    assert (await asked_to_undo(dana, drafted["id"])).status_code == 404


async def test_an_entry_that_is_gone_otherwise_is_not_made_up_by_an_undo(
    database: Database, dana: Timekeeper, drafted: Row
) -> None:
    await edit(dana, drafted["id"], duration_minutes=31)
    await database.sql.execute("delete from public.time_tracking_entries where id = $1", UUID(drafted["id"]))
    answer = await asked_to_undo(dana, drafted["id"])
    assert (answer.status_code, answer.json()) == (404, NOTHING_TO_UNDO)
    assert await dana.entries() == []


async def test_the_last_fifty_changes_of_each_entry_are_kept(
    database: Database, dana: Timekeeper, drafted: Row
) -> None:
    other = await add(dana)
    rows = [await edit(dana, drafted["id"], duration_minutes=minutes) for minutes in range(1, 56)]
    assert await changes(database, dana.id) == ["added"] + ["edited"] * 50
    for _ in range(49):
        await undo(dana, drafted["id"])
    # The oldest five are forgotten: it stays a person's entry.
    assert await undo(dana, drafted["id"]) == rows[4]
    assert (await asked_to_undo(dana, drafted["id"])).status_code == 404
    assert await undo(dana, other["id"]) is None


async def test_removing_a_matter_is_no_change_of_its_entries_and_no_undo_brings_it_back(
    database: Database, dana: Timekeeper
) -> None:
    answer = await dana.rest.post("/matters", json={"user_id": str(dana.id), "client": "Ortiz"})
    [matter] = answer.json()
    kept, deleted = [await add(dana, client_matter="Ortiz", matter_id=matter["id"]) for _ in range(2)]
    await edit(dana, kept["id"], description="Call with Ortiz")
    await delete(dana, deleted["id"])
    await dana.rest.delete("/matters", params={"id": f"eq.{matter['id']}"})
    [row] = await dana.entries()
    assert (row["client_matter"], row["matter_id"]) == ("Ortiz", None)
    assert await changes(database, dana.id) == ["added", "added", "edited", "deleted"]
    for before in (kept, deleted):
        assert await undo(dana, before["id"]) == {**before, "matter_id": None}


async def test_a_user_who_leaves_leaves_no_history(database: Database, dana: Timekeeper, drafted: Row) -> None:
    await edit(dana, drafted["id"], duration_minutes=31)
    await database.sql.execute("delete from auth.users where id = $1", dana.id)
    assert await changes(database, dana.id) == []


async def test_an_edit_undone_makes_room_for_a_newer_reading(
    database: Database, dana: Timekeeper, drafted: Row, entry: MakeEntry
) -> None:
    newer = entry(duration_minutes=36.0, extracted_text="Ortiz: TC w/ client re 0 .4")
    edited = await edit(dana, drafted["id"], duration_minutes=31)
    await database.analyses.record(dana.context, [found("m1", newer, version=2)])
    assert await dana.entries() == [edited]
    await undo(dana, drafted["id"])
    await database.analyses.record(dana.context, [found("m1", newer, version=3)])
    [row] = await dana.entries()
    assert (row["duration_minutes"], row["analyser_version"], row["edited_at"]) == (36, 3, None)


async def test_an_entry_with_one_of_its_two_edits_undone_is_still_a_persons(
    database: Database, dana: Timekeeper, drafted: Row, entry: MakeEntry
) -> None:
    edited = await edit(dana, drafted["id"], duration_minutes=31)
    await edit(dana, drafted["id"], status="approved")
    assert await undo(dana, drafted["id"]) == edited
    await database.analyses.record(dana.context, [found("m1", entry(duration_minutes=36.0), version=2)])
    assert await dana.entries() == [edited]


@pytest.mark.parametrize("decision", ["edited", "approved", "dismissed", "back to draft", "added", "brought back"])
@pytest.mark.parametrize("reading", ["the same amount", "another", "none"])
async def test_what_a_person_decided_survives_every_reading_after_it(
    database: Database, dana: Timekeeper, drafted: Row, entry: MakeEntry, decision: str, reading: str
) -> None:
    if decision == "edited":
        decided = await edit(dana, drafted["id"], duration_minutes=31)
    elif decision in {"approved", "dismissed"}:
        [decided] = (await set_status(dana, [drafted["id"]], decision)).json()
    elif decision == "back to draft":
        await set_status(dana, [drafted["id"]], "approved")
        [decided] = (await set_status(dana, [drafted["id"]], "draft")).json()
    else:
        decided = await add(dana)
        if decision == "brought back":
            await delete(dana, decided["id"])
            await undo(dana, decided["id"])
    for version in (2, 3):
        read = {"the same amount": [entry(duration_minutes=36.0)], "another": [entry(40)], "none": []}[reading]
        await database.analyses.record(dana.context, [found("m1", *read, version=version)])
        assert decided in await dana.entries()
    others = [row for row in await dana.entries() if row != decided]
    by_hand = decision in {"added", "brought back"}
    assert len(others) == (reading != "none" if by_hand else reading == "another")


@pytest.mark.parametrize("status", ["approved", "dismissed"])
async def test_many_entries_get_a_status_at_once_and_each_can_be_undone(
    database: Database, dana: Timekeeper, entry: MakeEntry, status: str
) -> None:
    await database.analyses.record(dana.context, [found(f"m{n}", entry()) for n in range(3)])
    first, second, third = await dana.entries()
    answer = await set_status(dana, [third["id"], first["id"], third["id"]], status)
    assert answer.status_code == 200
    assert [(row["id"], row["status"]) for row in answer.json()] == [(third["id"], status), (first["id"], status)]
    assert [row["status"] for row in await dana.entries()] == [status, "draft", status]
    assert await undo(dana, first["id"]) == first
    assert [row["status"] for row in await dana.entries()] == ["draft", "draft", status]
    assert second in await dana.entries()


async def test_an_entry_that_has_the_status_already_is_shown_and_not_changed(
    database: Database, dana: Timekeeper, drafted: Row
) -> None:
    assert (await set_status(dana, [drafted["id"]], "draft")).json() == [drafted]
    first = (await set_status(dana, [drafted["id"]], "approved")).json()
    assert (await set_status(dana, [drafted["id"]], "approved")).json() == first
    assert await changes(database, dana.id) == ["edited"]


async def test_other_users_entries_keep_their_status(dana: Timekeeper, priya: Timekeeper, drafted: Row) -> None:
    own = await add(priya)
    answer = await set_status(priya, [drafted["id"], own["id"], str(uuid4())], "dismissed")
    assert [(row["id"], row["status"]) for row in answer.json()] == [(own["id"], "dismissed")]
    assert await dana.entries() == [drafted]


async def test_at_most_five_hundred_entries_get_a_status_at_once(
    database: Database, dana: Timekeeper, entry: MakeEntry
) -> None:
    await database.analyses.record(dana.context, [found(f"m{n:03}", entry()) for n in range(501)])
    ids = [row["id"] for row in await dana.entries()]
    answer = await set_status(dana, ids, "approved")
    assert (answer.status_code, answer.json()["code"]) == (400, "22023")
    assert {row["status"] for row in await dana.entries()} == {"draft"}
    assert len((await set_status(dana, ids[:500], "approved")).json()) == 500
    assert sum(row["status"] == "approved" for row in await dana.entries()) == 500
    assert (await set_status(dana, ids[:1], "billed")).status_code == 400


async def test_calls_that_share_entries_in_opposite_orders_do_not_block_each_other(
    database: Database, dana: Timekeeper, entry: MakeEntry
) -> None:
    await database.analyses.record(dana.context, [found(f"m{n:03}", entry()) for n in range(200)])
    ids = [row["id"] for row in await dana.entries()]
    statuses = ["approved", "dismissed"]
    async with asyncio.timeout(30):
        answers = await asyncio.gather(
            *(set_status(dana, ids[:: 1 if n % 2 else -1], statuses[n // 2 % 2]) for n in range(8))
        )
    assert [answer.status_code for answer in answers] == [200] * 8
    assert len({row["status"] for row in await dana.entries()}) == 1


async def test_undos_at_the_same_time_undo_a_change_each(database: Database, dana: Timekeeper) -> None:
    added = await add(dana)
    for minutes in range(1, 11):
        await edit(dana, added["id"], duration_minutes=minutes)
    await asyncio.gather(*(undo(dana, added["id"]) for _ in range(8)))
    assert [row["duration_minutes"] for row in await dana.entries()] == [2]
    await delete(dana, added["id"])
    await asyncio.gather(*(undo(dana, added["id"]) for _ in range(3)))
    assert await dana.entries() == [added]
    assert await changes(database, dana.id) == ["added"]


async def test_undos_among_edits_lose_no_change(database: Database, dana: Timekeeper, drafted: Row) -> None:
    await edit(dana, drafted["id"], duration_minutes=1)
    await asyncio.gather(
        *(edit(dana, drafted["id"], duration_minutes=minutes) for minutes in range(2, 22)),
        *(asked_to_undo(dana, drafted["id"]) for _ in range(10)),
    )
    for _ in await changes(database, dana.id):
        await undo(dana, drafted["id"])
    assert await dana.entries() == [drafted]


async def test_an_undo_beside_an_edit_waits_for_it_and_undoes_it(
    database: Database, dana: Timekeeper, drafted: Row
) -> None:
    first = await edit(dana, drafted["id"], duration_minutes=31)
    async with as_user(database, dana) as connection:
        change = "update public.time_tracking_entries set duration_minutes = 32 where id = $1"
        await connection.execute(change, UUID(drafted["id"]))
        undoing = asyncio.create_task(undo(dana, drafted["id"]))
        async with asyncio.timeout(10):
            while not await database.sql.fetchval(
                "select exists (select from pg_stat_activity where $1 = any (pg_blocking_pids(pid)))",
                connection.get_server_pid(),
            ):
                assert not undoing.done()
    assert await undoing == first
    assert await undo(dana, drafted["id"]) == drafted


async def test_an_edit_in_the_transaction_of_an_undo_is_still_an_edit(
    database: Database, dana: Timekeeper, drafted: Row
) -> None:
    await edit(dana, drafted["id"], duration_minutes=31)
    async with as_user(database, dana) as connection:
        await connection.execute("select public.undo_entry_change($1)", UUID(drafted["id"]))
        change = "update public.time_tracking_entries set duration_minutes = 32 where id = $1"
        await connection.execute(change, UUID(drafted["id"]))
    assert [row["edited_at"] is None for row in await dana.entries()] == [False]
    assert await changes(database, dana.id) == ["edited"]


FOREIGN = {
    "id": str(uuid4()),
    "user_id": "another",
    "email_id": "m9",
    "evidence_key": "forged",
    "billed_minutes": 9,
    "confidence_score": 0.1,
    "extracted_text": "forged",
    "evidence": "[0,5)",
    "amount": "[0,5)",
    "extractor": "rules",
    "analyser_version": 9,
    "rounding_increment": 60,
    "rounding_mode": "nearest",
    "rounding_scope": "matter_day",
    "rounding_minimum": 60,
    "created_at": "2020-01-01T00:00:00Z",
    "processed_at": "2020-01-01T00:00:00Z",
    "edited_at": None,
}


@pytest.mark.parametrize("column", FOREIGN)
async def test_what_is_not_a_persons_to_write_cannot_be_added_edited_or_undone_into_an_entry(
    database: Database, dana: Timekeeper, priya: Timekeeper, drafted: Row, column: str
) -> None:
    forged = {column: str(priya.id) if column == "user_id" else FOREIGN[column]}
    added = await dana.rest.post("/time_tracking_entries", json={**BY_HAND, "user_id": str(dana.id), **forged})
    assert added.status_code in {400, 403}
    approved = await edit(dana, drafted["id"], status="approved")
    edited = await dana.edit(drafted["id"], **forged)
    assert edited.status_code in {400, 403}
    assert await dana.entries() == [approved]
    assert await changes(database, dana.id) == ["edited"]
    assert await undo(dana, drafted["id"]) == drafted
    assert await dana.entries() == [drafted]
    assert await priya.entries() == []


async def test_an_undo_leaves_what_a_machine_wrote_since(database: Database, dana: Timekeeper, drafted: Row) -> None:
    await edit(dana, drafted["id"], duration_minutes=31)
    await database.sql.execute(
        "update public.time_tracking_entries set confidence_score = 0.5 where id = $1", UUID(drafted["id"])
    )
    assert await undo(dana, drafted["id"]) == {**drafted, "confidence_score": 0.5}


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/entry_changes"), ("POST", "/entry_changes"), ("DELETE", "/entry_changes"), ("POST", "/rpc/set_config")],
)
@pytest.mark.parametrize("schema", ["public", "private"])
async def test_the_history_of_changes_is_nobodys_to_read_or_write(
    database: Database, dana: Timekeeper, drafted: Row, method: str, path: str, schema: str
) -> None:
    await edit(dana, drafted["id"], duration_minutes=31)
    headers = {"Accept-Profile": schema, "Content-Profile": schema}
    body = {"setting_name": "tenths.undoing", "new_value": "yes", "is_local": "false"} if method == "POST" else None
    answer = await dana.rest.request(method, path, json=body, headers=headers)
    assert answer.status_code in {404, 406}
    assert await changes(database, dana.id) == ["edited"]
    assert await undo(dana, drafted["id"]) == drafted
