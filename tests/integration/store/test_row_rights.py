"""Whose rows are whose, asked over the API as users ask: allowed, forbidden, then the state read back."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from shared.store.analyses import Analysis, Outcome
from tests.integration.store.conftest import Database, MakeEntry, Timekeeper

TABLES = [
    "mailboxes",
    "time_tracking_settings",
    "matters",
    "time_tracking_entries",
    "processed_emails",
    "awaited_emails",
    "rescan_jobs",
]
SERVICE_CALLS: dict[str, dict[str, Any]] = {
    "connect_mailbox": {
        "p_user_id": str(uuid4()),
        "p_email_address": "x@y.example",
        "p_history_id": 1,
        "p_watch_expires_at": "2026-01-01T00:00:00Z",
        "p_refresh_token_encrypted": "x",
    },
    "mailbox_by_address": {"p_email_address": "x@y.example"},
    "begin_connection": {
        "p_attempt_id": str(uuid4()),
        "p_user_id": str(uuid4()),
        "p_verifier_encrypted": "x",
        "p_expires_at": "2026-01-01T00:00:00Z",
    },
    "use_connection_attempt": {"p_attempt_id": str(uuid4()), "p_user_id": str(uuid4()), "p_used_by": str(uuid4())},
    "watch_started": {"p_mailbox_id": str(uuid4()), "p_watch_expires_at": "2026-01-01T00:00:00Z"},
    "confirmed_address": {"p_user_id": str(uuid4())},
    "disconnect_mailbox": {
        "p_user_id": str(uuid4()),
        "p_mailbox_id": str(uuid4()),
        "p_claim": str(uuid4()),
        "p_claim_seconds": 1,
    },
    "claim_releases": {"p_claim": str(uuid4()), "p_most": 1, "p_claim_seconds": 1},
    "end_release": {"p_mailbox_id": str(uuid4()), "p_claim": str(uuid4()), "p_is_done": True},
    "encrypted_secrets": {"p_kind": "token", "p_after": None, "p_most": 1},
    "encrypt_again": {"p_kind": "token", "p_changes": []},
    "advance_watermark": {"p_mailbox_id": str(uuid4()), "p_history_id": 1, "p_up_to_date": True, "p_caught_up": True},
    "mark_access_revoked": {"p_mailbox_id": str(uuid4()), "p_refresh_token_encrypted": "x"},
    "analysis_context": {"p_mailbox_id": str(uuid4()), "p_email_id": "m1"},
    "emails_to_analyse": {"p_mailbox_id": str(uuid4()), "p_email_ids": ["m1"], "p_analyser_version": 1},
    "record_analysis": {"p_user_id": str(uuid4()), "p_analyses": []},
    "await_analysis": {"p_mailbox_id": str(uuid4()), "p_email_ids": ["m1"]},
    "timekeeper_context": {"p_user_id": str(uuid4())},
    "analysis_mode_of": {"p_user_id": str(uuid4())},
    "refresh_summaries": {},
    "start_rescan": {
        "p_job_id": str(uuid4()),
        "p_user_id": str(uuid4()),
        "p_mailbox_id": str(uuid4()),
        "p_range_start": "2026-01-01T00:00:00Z",
        "p_range_end": "2026-02-01T00:00:00Z",
        "p_query_filter": None,
        "p_use_cache": True,
    },
    "cancel_rescan": {"p_user_id": str(uuid4()), "p_job_id": str(uuid4())},
    "claim_rescan_step": {"p_job_id": str(uuid4()), "p_step": 1, "p_lease": str(uuid4()), "p_lease_seconds": 1},
    "rescan_step_hold": {"p_job_id": str(uuid4()), "p_lease": str(uuid4())},
    "advance_rescan": {
        "p_job_id": str(uuid4()),
        "p_step": 1,
        "p_lease": str(uuid4()),
        "p_page_listed": 1,
        "p_page_done": ["m1"],
        "p_is_page_done": True,
        "p_next_page_token": None,
    },
    "rescan_step_published": {"p_job_id": str(uuid4()), "p_step": 1},
    "release_rescan_step": {"p_job_id": str(uuid4()), "p_lease": str(uuid4())},
    "fail_rescan": {"p_job_id": str(uuid4()), "p_lease": None, "p_failure": "x"},
    "claim_watches": {"p_within_seconds": 1, "p_lease_seconds": 1, "p_most": 1},
    "watch_renewed": {"p_mailbox_id": str(uuid4()), "p_expires_at": "2026-01-01T00:00:00Z"},
    "watch_not_renewed": {"p_mailbox_id": str(uuid4()), "p_failure": "x"},
    "watches": {"p_within_seconds": 1},
    "standing": {},
    "claim_unread_mailboxes": {"p_quiet_seconds": 1, "p_pause_seconds": 1, "p_most": 1},
    "claim_waiting_emails": {"p_most": 1},
    "drop_disconnected_waiting": {"p_most": 1},
    "claim_stalled_rescans": {"p_most": 1},
    "claim_second_looks": {"p_most": 1, "p_most_a_user": 1},
    "keep_dead_letters": {"p_letters": []},
    "kept_dead_letters": {"p_after": "", "p_most": 1},
    "forget_dead_letters": {"p_message_ids": ["1"]},
    "sent_mail_listed": {"p_mailbox_id": str(uuid4()), "p_again_in_seconds": 60},
    "waiting_emails_handed_on": {"p_emails": []},
    "second_looks_handed_on": {"p_emails": []},
    "emails_on_record": {"p_user_id": str(uuid4()), "p_email_ids": ["m1"]},
    "purge": {"p_what": "entries", "p_before": "2026-01-01T00:00:00Z", "p_most": 1},
    "rows_of_user": {
        "p_user_id": str(uuid4()),
        "p_table": "mailboxes",
        "p_after": None,
        "p_most": 1,
        "p_hidden": False,
    },
    "erase_user_data": {"p_user_id": str(uuid4()), "p_without_google": True},
    "left_of_user": {"p_user_id": str(uuid4())},
}
USER_CALLS: dict[str, dict[str, Any]] = {
    "change_configuration": {"p_changes": {}, "p_matters": [], "p_removed_matters": []},
    "coverage": {"p_from": "2026-01-01T00:00:00Z", "p_to": "2027-01-01T00:00:00Z"},
    "undo_entry_change": {"p_entry_id": str(uuid4())},
    "time_summary": {"p_from": "2026-01-01", "p_to": "2026-01-31"},
    "known_clients": {},
    "found_in_emails": {"p_email_ids": ["m1"]},
    "knows_client": {"p_client": "Ortiz"},
    "own_mailboxes": {},
    "rescan_job": {"p_job_id": str(uuid4())},
    "latest_rescans": {"p_most": 1},
    "set_entry_status": {"p_entry_ids": [str(uuid4())], "p_status": "approved"},
    "my_rows": {"p_table": "mailboxes", "p_after": None, "p_most": 1},
    "my_hidden_rows": {"p_table": "entry_changes", "p_after": None, "p_most": 1},
}


@pytest.fixture
async def written(database: Database, dana: Timekeeper, entry: MakeEntry) -> Timekeeper:
    """Dana, with a row in every table."""
    analysis = Analysis("m1", Outcome.ENTRIES, 1, "push-1", entries=[entry()])
    await database.analyses.record(dana.context, [analysis])
    await database.analyses.await_analysis(dana.mailbox_id, ["m2"])
    await dana.rest.post("/time_tracking_settings", json={"user_id": str(dana.id)})
    await dana.rest.post("/matters", json={"user_id": str(dana.id), "client": "Ortiz"})
    await database.sql.execute(
        """insert into public.rescan_jobs (user_id, mailbox_id, range_start, range_end)
           values ($1, $2, now() - interval '1 day', now())""",
        dana.id,
        dana.mailbox_id,
    )
    return dana


async def _rows(rest: httpx.AsyncClient, table: str) -> list[dict[str, Any]]:
    answer = await rest.get(f"/{table}")
    answer.raise_for_status()
    rows: list[dict[str, Any]] = answer.json()
    return rows


@pytest.mark.parametrize("table", TABLES)
async def test_users_see_their_own_rows_and_nobody_elses(written: Timekeeper, priya: Timekeeper, table: str) -> None:
    assert {row["user_id"] for row in await _rows(written.rest, table)} == {str(written.id)}
    assert str(written.id) not in {row["user_id"] for row in await _rows(priya.rest, table)}


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.usefixtures("written")
async def test_nobody_without_a_token_sees_a_row(database: Database, table: str) -> None:
    async with database.rest(apikey=database.keys.publishable_key) as anonymous:
        assert (await anonymous.get(f"/{table}")).status_code == 401


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
async def test_another_user_changes_and_deletes_nothing(
    written: Timekeeper, priya: Timekeeper, table: str, method: str
) -> None:
    before = await _rows(written.rest, table)
    change = {"client": "Priya"} if table == "matters" else {"hourly_rate": 1}
    answer = await priya.rest.request(
        method, f"/{table}", params={"user_id": f"eq.{written.id}"}, json=change if method == "PATCH" else None
    )
    assert answer.status_code in {403, 400} or answer.json() == []
    assert await _rows(written.rest, table) == before


@pytest.mark.parametrize(
    ("table", "row"),
    [
        ("time_tracking_settings", {}),
        ("matters", {"client": "Ortiz"}),
        (
            "time_tracking_entries",
            {"duration_minutes": 6, "entry_type": "call", "date_performed": "2026-09-02", "description": "x"},
        ),
    ],
)
async def test_a_row_cannot_be_written_in_another_users_name(
    dana: Timekeeper, priya: Timekeeper, table: str, row: dict[str, Any]
) -> None:
    answer = await priya.rest.post(f"/{table}", json={**row, "user_id": str(dana.id)})
    assert answer.status_code == 403
    assert await _rows(dana.rest, table) == []


@pytest.mark.parametrize("function", sorted(SERVICE_CALLS))
async def test_users_cannot_call_what_machines_call(database: Database, dana: Timekeeper, function: str) -> None:
    assert (await dana.rest.post(f"/rpc/{function}", json=SERVICE_CALLS[function])).status_code == 403
    async with database.rest(apikey=database.keys.publishable_key) as anonymous:
        assert (await anonymous.post(f"/rpc/{function}", json=SERVICE_CALLS[function])).status_code == 401


@pytest.mark.parametrize("function", sorted(USER_CALLS))
async def test_nobody_without_a_token_can_call_what_users_call(
    database: Database, dana: Timekeeper, function: str
) -> None:
    async with database.rest(apikey=database.keys.publishable_key) as anonymous:
        assert (await anonymous.post(f"/rpc/{function}", json=USER_CALLS[function])).status_code == 401
    answer = await dana.rest.post(f"/rpc/{function}", json=USER_CALLS[function])
    assert answer.status_code == 200 or answer.json()["code"] == "P0002", "she can, though there is nothing to undo"


async def test_every_function_of_the_api_is_known_to_be_the_machines_or_the_users(database: Database) -> None:
    rows = await database.sql.fetch("select proname from pg_proc where pronamespace = 'public'::regnamespace")
    assert {row["proname"] for row in rows} == set(SERVICE_CALLS) | set(USER_CALLS)


async def test_every_table_of_the_api_has_row_level_security(database: Database) -> None:
    rows = await database.sql.fetch(
        "select relname, relrowsecurity from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'"
    )
    assert {row["relname"]: row["relrowsecurity"] for row in rows} == dict.fromkeys(TABLES, True)


@pytest.mark.parametrize("column", ["extracted_text", "evidence_key", "analyser_version", "billed_minutes", "user_id"])
async def test_the_proof_of_an_entry_is_not_the_users_to_write(
    written: Timekeeper, priya: Timekeeper, column: str
) -> None:
    [before] = await written.entries()
    values = {"analyser_version": 9, "billed_minutes": 9, "user_id": str(priya.id)}
    answer = await written.edit(before["id"], **{column: values.get(column, "forged")})
    assert answer.status_code in {400, 403}
    assert await written.entries() == [before]


async def test_a_machines_entry_is_dismissed_and_one_added_by_hand_can_be_deleted(written: Timekeeper) -> None:
    by_hand = await written.rest.post(
        "/time_tracking_entries",
        json={
            "user_id": str(written.id),
            "duration_minutes": 18,
            "entry_type": "call",
            "date_performed": "2026-09-03",
            "description": "Call with the clerk",
        },
    )
    assert by_hand.status_code == 201
    assert by_hand.json()[0]["extractor"] == "person"
    await written.rest.delete("/time_tracking_entries", params={"user_id": f"eq.{written.id}"})
    assert [row["extractor"] for row in await written.entries()] == ["rules"]


async def test_an_entry_cannot_name_another_users_matter(written: Timekeeper, priya: Timekeeper) -> None:
    [matter] = await _rows(written.rest, "matters")
    answer = await priya.rest.post(
        "/time_tracking_entries",
        json={
            "user_id": str(priya.id),
            "duration_minutes": 6,
            "entry_type": "call",
            "date_performed": "2026-09-02",
            "description": "x",
            "matter_id": matter["id"],
        },
    )
    assert answer.status_code == 409
    assert await priya.entries() == []


@pytest.mark.parametrize(
    "change",
    [
        {"time_zone": "Mars/Olympus"},
        {"time_zone": "america/new_york"},
        {"time_zone": "PDT"},
        {"time_zone": "Nowhere+5"},
        {"excluded_recipients": [None]},
        {"hourly_rate": "NaN"},
        {"hourly_rate": "Infinity"},
        {"rounding_increment": 7},
        {"minimum_confidence": 1.5},
        {"hourly_rate": -1},
        {"rounding_mode": "sideways"},
        {"version": 9},
    ],
)
async def test_settings_that_make_no_sense_are_refused(written: Timekeeper, change: dict[str, Any]) -> None:
    before = await _rows(written.rest, "time_tracking_settings")
    answer = await written.rest.patch("/time_tracking_settings", params={"user_id": f"eq.{written.id}"}, json=change)
    assert answer.status_code in {400, 403}
    assert await _rows(written.rest, "time_tracking_settings") == before


async def test_settings_are_changed_and_never_deleted_so_that_their_version_rises(written: Timekeeper) -> None:
    answer = await written.rest.delete("/time_tracking_settings", params={"user_id": f"eq.{written.id}"})
    assert answer.status_code == 403
    assert len(await _rows(written.rest, "time_tracking_settings")) == 1


async def test_a_directory_with_nothing_for_a_name_is_refused(written: Timekeeper) -> None:
    answer = await written.rest.post("/matters", json={"user_id": str(written.id), "client": "X", "aliases": [None]})
    assert answer.status_code == 400


async def test_an_entry_by_hand_is_rounded_as_its_user_wants(written: Timekeeper) -> None:
    await written.rest.patch(
        "/time_tracking_settings", params={"user_id": f"eq.{written.id}"}, json={"rounding_increment": 15}
    )
    answer = await written.rest.post(
        "/time_tracking_entries",
        json={
            "user_id": str(written.id),
            "duration_minutes": 20,
            "entry_type": "call",
            "date_performed": "2026-09-03",
            "description": "Call with the clerk",
        },
    )
    [entry] = answer.json()
    assert (entry["billed_minutes"], entry["rounding_increment"]) == (30, 15)


async def test_removing_a_matter_is_no_edit_of_its_entries(
    database: Database, written: Timekeeper, entry: MakeEntry
) -> None:
    [matter] = await _rows(written.rest, "matters")
    analysis = Analysis("m2", Outcome.ENTRIES, 1, "push-1", entries=[entry(matter_id=matter["id"])])
    await database.analyses.record(written.context, [analysis])
    await written.rest.delete("/matters", params={"id": f"eq.{matter['id']}"})
    [row] = [row for row in await written.entries() if row["email_id"] == "m2"]
    assert (row["matter_id"], row["edited_at"]) == (None, None)
