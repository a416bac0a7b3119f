"""What is due for maintenance: claimed once, again when its time comes, and not for those who don't want it."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

import pytest

from shared.extraction.found import Found
from shared.extraction.grounding import Judged
from shared.pubsub.messages import SentEmail
from shared.store.analyses import Analysis, Outcome
from shared.store.coverage import Coverage
from shared.store.maintenance import MaintenanceStore
from tests.integration.store.conftest import Database, Timekeeper

HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
ALL: Final = 1_000_000
CLAIM_WATCHES: Final = "select public.claim_watches(518400, 600, 1000000)"
CLAIM_UNREAD: Final = "select public.claim_unread_mailboxes(2400, 600, 1000000)"


@pytest.fixture
def maintenance(database: Database) -> MaintenanceStore:
    return MaintenanceStore(database.client)


async def at_once(database: Database, claim: str) -> tuple[set[str], set[str]]:
    """The mailboxes that a claim gets, and the same one while the first has not ended."""
    async with database.sql.acquire() as first, database.sql.acquire() as second, first.transaction():
        answers = [json.loads(await connection.fetchval(claim)) for connection in (first, second)]
    mine, others = ({each["mailbox_id"] for each in answer} for answer in answers)
    return mine, others


# watches ---------------------------------------------------------------------------------------------------


async def due_watches(maintenance: MaintenanceStore) -> set[UUID]:
    claimed = await maintenance.claim_watches(within_seconds=6 * DAY.total_seconds(), lease_seconds=600, most=ALL)
    return {each.mailbox_id for each in claimed}


async def watch_ends(database: Database, dana: Timekeeper, left: timedelta | None) -> None:
    moment = None if left is None else datetime.now(UTC) + left
    await database.sql.execute("update mailboxes set watch_expires_at = $2 where id = $1", dana.mailbox_id, moment)


@pytest.mark.parametrize(
    ("left", "is_due"), [(None, True), (-HOUR, True), (HOUR, True), (6 * DAY - HOUR, True), (6 * DAY + HOUR, False)]
)
async def test_a_watch_is_due_a_day_after_it_began_or_when_there_is_none(
    database: Database, dana: Timekeeper, maintenance: MaintenanceStore, left: timedelta | None, is_due: bool
) -> None:
    await watch_ends(database, dana, left)
    assert (dana.mailbox_id in await due_watches(maintenance)) == is_due


@pytest.mark.parametrize("state", ["reconnect_needed", "disconnected"])
async def test_a_mailbox_that_is_not_read_is_not_watched(
    database: Database, dana: Timekeeper, maintenance: MaintenanceStore, state: str
) -> None:
    await watch_ends(database, dana, None)
    await database.sql.execute("update mailboxes set state = $2 where id = $1", dana.mailbox_id, state)
    assert dana.mailbox_id not in await due_watches(maintenance)


async def test_a_claimed_watch_is_nobody_elses_until_the_claim_ends(
    database: Database, dana: Timekeeper, maintenance: MaintenanceStore
) -> None:
    await watch_ends(database, dana, None)
    first, second = await at_once(database, CLAIM_WATCHES)
    assert str(dana.mailbox_id) in first
    assert not first & second
    assert dana.mailbox_id not in await due_watches(maintenance)
    # Whoever had it died; 600 seconds later:
    await database.sql.execute(
        "update private.mailbox_upkeep set watch_due_at = now() where mailbox_id = $1", dana.mailbox_id
    )
    assert dana.mailbox_id in await due_watches(maintenance)


async def test_of_many_claims_at_once_no_two_get_the_same_watch_and_none_is_left_out(
    database: Database, dana: Timekeeper, maintenance: MaintenanceStore
) -> None:
    await due_watches(maintenance)  # what other tests have left
    await database.sql.execute(
        """with made as (
             insert into mailboxes (user_id, email_address, history_id)
             select $1::uuid, format('%s-%s@firm.example', $1::uuid, n), 1 from generate_series(1, 1000) n returning id
           )
           insert into private.mailbox_credentials (mailbox_id, refresh_token_encrypted) select id, 'x' from made""",
        dana.id,
    )

    async def claim() -> list[UUID]:
        claimed: list[UUID] = []
        while batch := await maintenance.claim_watches(within_seconds=0, lease_seconds=600, most=20):
            claimed += [each.mailbox_id for each in batch]
        return claimed

    claimed = [mailbox_id for each in await asyncio.gather(*(claim() for _ in range(8))) for mailbox_id in each]
    claimed += await claim()  # one that found all others locked has given up early
    assert len(claimed) == len(set(claimed)) == 1_000


async def test_a_watch_that_cannot_be_renewed_is_left_alone_longer_each_time(
    database: Database, dana: Timekeeper, maintenance: MaintenanceStore
) -> None:
    await watch_ends(database, dana, None)
    pauses = []
    for _ in range(7):
        await database.sql.execute(
            "update private.mailbox_upkeep set watch_due_at = now() where mailbox_id = $1", dana.mailbox_id
        )
        assert dana.mailbox_id in await due_watches(maintenance)
        await maintenance.watch_not_renewed(dana.mailbox_id, "gmail_unavailable")
        assert dana.mailbox_id not in await due_watches(maintenance)
        pauses.append(
            await database.sql.fetchval(
                "select round(extract(epoch from watch_due_at - now()) / 900)::integer from private.mailbox_upkeep"
                " where mailbox_id = $1",
                dana.mailbox_id,
            )
        )
    assert pauses == [1, 2, 4, 8, 16, 32, 32]
    assert await maintenance.watch_renewed(dana.mailbox_id, datetime.now(UTC) + HOUR)
    assert dana.mailbox_id in await due_watches(maintenance)


async def test_a_watch_that_nobody_wants_any_more_is_not_noted(
    database: Database, dana: Timekeeper, maintenance: MaintenanceStore
) -> None:
    await watch_ends(database, dana, None)
    await database.sql.execute("update mailboxes set state = 'disconnected' where id = $1", dana.mailbox_id)
    assert not await maintenance.watch_renewed(dana.mailbox_id, datetime.now(UTC) + HOUR)
    assert await database.sql.fetchval("select watch_expires_at from mailboxes where id = $1", dana.mailbox_id) is None


# unread mailboxes ------------------------------------------------------------------------------------------


async def unread(maintenance: MaintenanceStore) -> set[UUID]:
    claimed = await maintenance.claim_unread_mailboxes(quiet_seconds=2_400, pause_seconds=600, most=ALL)
    return {each.mailbox_id for each in claimed}


async def test_a_mailbox_that_was_read_lately_is_let_be_and_a_quiet_one_looked_at_once(
    database: Database, dana: Timekeeper, maintenance: MaintenanceStore
) -> None:
    assert dana.mailbox_id not in await unread(maintenance)
    await database.sql.execute(
        "update mailboxes set history_read_at = now() - interval '1 hour' where id = $1", dana.mailbox_id
    )
    first, second = await at_once(database, CLAIM_UNREAD)
    assert str(dana.mailbox_id) in first
    assert not first & second
    assert dana.mailbox_id not in await unread(maintenance)


async def test_a_mailbox_that_has_to_catch_up_is_looked_at_however_lately_it_was_read(
    database: Database, dana: Timekeeper, maintenance: MaintenanceStore
) -> None:
    await database.sql.execute("update mailboxes set catch_up_due = true where id = $1", dana.mailbox_id)
    assert dana.mailbox_id in await unread(maintenance)


async def test_a_mailbox_that_nobody_can_read_is_asked_for_later_each_time_until_it_was_read(
    database: Database, dana: Timekeeper, maintenance: MaintenanceStore
) -> None:
    await database.sql.execute("update mailboxes set catch_up_due = true where id = $1", dana.mailbox_id)

    async def pause() -> int:
        await database.sql.execute(
            "update private.mailbox_upkeep set look_due_at = now() where mailbox_id = $1", dana.mailbox_id
        )
        assert dana.mailbox_id in await unread(maintenance)
        minutes = "select round(extract(epoch from look_due_at - now()) / 60) from private.mailbox_upkeep"
        return int(await database.sql.fetchval(f"{minutes} where mailbox_id = $1", dana.mailbox_id))

    assert [await pause() for _ in range(5)] == [10, 20, 40, 60, 60]
    await database.mailboxes.advance_watermark(dana.mailbox_id, 2, up_to_date=True)
    assert await pause() == 10


# waiting emails --------------------------------------------------------------------------------------------


async def waits(database: Database, dana: Timekeeper, *email_ids: str) -> None:
    """These emails have waited in vain until now."""
    await database.analyses.await_analysis(dana.mailbox_id, email_ids)
    await database.sql.execute(
        "update awaited_emails set next_try_at = now() where user_id = $1 and email_id = any ($2)", dana.id, email_ids
    )


def own(dana: Timekeeper, emails: tuple[SentEmail, ...]) -> list[str]:
    return sorted(each.email_id for each in emails if each.mailbox_id == dana.mailbox_id)


async def handed_on(maintenance: MaintenanceStore, dana: Timekeeper) -> list[str]:
    """Dana's emails that are handed on again now."""
    claimed = (await maintenance.claim_waiting_emails(ALL)).emails
    await maintenance.waiting_emails_handed_on(claimed)
    return own(dana, claimed)


async def next_try(database: Database, dana: Timekeeper) -> int:
    """In how many minutes the next try of Dana's one email that waits is due."""
    minutes = "select round(extract(epoch from next_try_at - now()) / 60) from awaited_emails where user_id = $1"
    return int(await database.sql.fetchval(minutes, dana.id))


async def waiting(database: Database, dana: Timekeeper) -> dict[str, Any]:
    rows = await database.sql.fetch("select email_id, tries from awaited_emails where user_id = $1", dana.id)
    return {row["email_id"]: row["tries"] for row in rows}


async def test_an_email_is_handed_on_again_after_an_hour_then_two_then_four_up_to_a_day(
    database: Database, dana: Timekeeper, maintenance: MaintenanceStore
) -> None:
    await database.analyses.await_analysis(dana.mailbox_id, ["m1"])
    assert await handed_on(maintenance, dana) == [], "it has not waited for long"
    pauses = []
    for _ in range(7):
        await waits(database, dana, "m1")
        assert await handed_on(maintenance, dana) == ["m1"]
        assert await handed_on(maintenance, dana) == []
        pauses.append(await next_try(database, dana) / 60)
    assert pauses == [1, 2, 4, 8, 16, 24, 24]
    assert await waiting(database, dana) == {"m1": 7}


async def test_an_email_that_was_claimed_and_could_not_be_published_is_due_soon_and_no_try_is_counted(
    database: Database, dana: Timekeeper, maintenance: MaintenanceStore
) -> None:
    await waits(database, dana, "m1")
    assert own(dana, (await maintenance.claim_waiting_emails(ALL)).emails) == ["m1"]
    assert own(dana, (await maintenance.claim_waiting_emails(ALL)).emails) == [], "it is the first one's to publish"
    assert await next_try(database, dana) == 10
    assert await waiting(database, dana) == {"m1": 0}


async def test_what_was_recorded_while_it_was_published_again_waits_no_more(
    database: Database, dana: Timekeeper, maintenance: MaintenanceStore
) -> None:
    await waits(database, dana, "m1")
    claimed = (await maintenance.claim_waiting_emails(ALL)).emails
    await database.analyses.record(dana.context, [Analysis("m1", Outcome.NONE, 1, "push-1")])
    await maintenance.waiting_emails_handed_on(claimed)
    assert await waiting(database, dana) == {}


@pytest.mark.parametrize("why", ["reconnect_needed", "auto_analysis_off"])
async def test_an_email_that_cannot_be_read_for_now_waits_and_no_try_is_counted(
    database: Database, dana: Timekeeper, maintenance: MaintenanceStore, why: str
) -> None:
    await waits(database, dana, "m1")
    if why == "reconnect_needed":
        await database.sql.execute("update mailboxes set state = 'reconnect_needed' where id = $1", dana.mailbox_id)
    else:
        await dana.rest.post("/time_tracking_settings", json={"user_id": str(dana.id), "auto_analysis": False})
    assert await handed_on(maintenance, dana) == []
    assert await waiting(database, dana) == {"m1": 0}
    assert await next_try(database, dana) == 24 * 60, "and nobody looks at it every time"
    await database.sql.execute(
        "update awaited_emails set handed_on_at = now() - interval '1 hour' where user_id = $1", dana.id
    )
    # Once it can be read again, it is handed on.
    if why == "reconnect_needed":
        await database.sql.execute("update mailboxes set state = 'connected' where id = $1", dana.mailbox_id)
    else:
        on = await dana.rest.patch(
            "/time_tracking_settings", params={"user_id": f"eq.{dana.id}"}, json={"auto_analysis": True}
        )
        on.raise_for_status()
    assert await handed_on(maintenance, dana) == ["m1"]


async def test_what_is_on_record_after_all_or_of_a_disconnected_mailbox_waits_no_more(
    database: Database, dana: Timekeeper, priya: Timekeeper, maintenance: MaintenanceStore
) -> None:
    await database.analyses.record(dana.context, [Analysis("m1", Outcome.NONE, 1, "push-1")])
    # Left behind by a hand-on that came while it was recorded.
    await database.sql.execute(
        "insert into awaited_emails (user_id, mailbox_id, email_id, next_try_at) values ($1, $2, 'm1', now())",
        *(dana.id, dana.mailbox_id),
    )
    await waits(database, priya, "m2")
    await database.sql.execute("update mailboxes set state = 'disconnected' where id = $1", priya.mailbox_id)
    claimed = await maintenance.claim_waiting_emails(ALL)
    assert (own(dana, claimed.emails), own(priya, claimed.emails)) == ([], [])
    assert (await waiting(database, dana), await waiting(database, priya)) == ({}, {})
    # Whether due or not.
    await database.sql.execute(
        "insert into awaited_emails (user_id, mailbox_id, email_id) values ($1, $2, 'm3')", priya.id, priya.mailbox_id
    )
    await maintenance.drop_disconnected_waiting(ALL)
    assert await waiting(database, priya) == {}


async def test_an_email_that_failed_and_was_handed_on_again_is_not_forgotten(
    database: Database, dana: Timekeeper, maintenance: MaintenanceStore
) -> None:
    failed = Analysis("m1", Outcome.FAILED, 1, "push-1", failure="access_revoked")
    await database.analyses.record(dana.context, [failed])
    await waits(database, dana, "m1")
    assert own(dana, (await maintenance.claim_waiting_emails(ALL)).emails) == ["m1"]


# rescans ---------------------------------------------------------------------------------------------------


async def rescan(database: Database, dana: Timekeeper, **columns: Any) -> UUID:
    """A job that has not moved for an hour."""
    job_id = uuid4()
    values = {"state": "running", "step": 3, "published_step": 3, "leased_until": None, **columns}
    await database.sql.execute(
        """insert into rescan_jobs
             (id, user_id, mailbox_id, range_start, range_end, updated_at, state, step, published_step, leased_until)
           values ($1, $2, $3, now() - interval '9 days', now(), now() - interval '1 hour', $4, $5, $6, $7)""",
        *(job_id, dana.id, dana.mailbox_id, *values.values()),
    )
    return job_id


async def revived(maintenance: MaintenanceStore, job_id: UUID) -> list[int]:
    return [each.step for each in (await maintenance.claim_stalled_rescans(ALL)).steps if each.job_id == job_id]


async def test_a_rescan_whose_message_was_lost_is_gone_on_with_and_failed_only_when_that_does_not_help(
    database: Database, dana: Timekeeper, maintenance: MaintenanceStore
) -> None:
    job_id = await rescan(database, dana)
    for _ in range(6):
        assert await revived(maintenance, job_id) == [3]
        assert await revived(maintenance, job_id) == [], "not twice at once"
        await database.sql.execute("update private.rescan_revivals set due_at = now() where job_id = $1", job_id)
    assert await revived(maintenance, job_id) == []
    [row] = await database.sql.fetch("select state, failure from rescan_jobs where id = $1", job_id)
    assert tuple(row) == ("failed", "stalled")


async def test_a_rescan_that_moves_has_all_its_chances_again(
    database: Database, dana: Timekeeper, maintenance: MaintenanceStore
) -> None:
    job_id = await rescan(database, dana)
    for step in (3, 4, 5, 6, 7, 8, 9, 10):
        await database.sql.execute("update rescan_jobs set step = $2 where id = $1", job_id, step)
        assert await revived(maintenance, job_id) == [step]


@pytest.mark.parametrize(
    "columns",
    [
        {"state": "done"},
        {"state": "cancelled"},
        {"leased_until": datetime.now(UTC) + HOUR},
    ],
)
async def test_a_rescan_that_has_ended_or_is_somebodys_is_let_be(
    database: Database, dana: Timekeeper, maintenance: MaintenanceStore, columns: dict[str, Any]
) -> None:
    assert await revived(maintenance, await rescan(database, dana, **columns)) == []


async def test_a_rescan_that_has_just_moved_is_let_be(
    database: Database, dana: Timekeeper, maintenance: MaintenanceStore
) -> None:
    job_id = await rescan(database, dana)
    await database.sql.execute("update rescan_jobs set updated_at = now() where id = $1", job_id)
    assert await revived(maintenance, job_id) == []


# second looks ----------------------------------------------------------------------------------------------


async def read_without_model(
    database: Database, dana: Timekeeper, *email_ids: str, reason: str = "model_unavailable"
) -> None:
    """These were read an hour ago, and the model had no say in it."""
    judged = Judged(Found(), second_look=reason)
    analyses = [Analysis(email_id, Outcome.NONE, 1, "push-1", judged=judged) for email_id in email_ids]
    await database.analyses.record(dana.context, analyses)
    await later(database, dana)


async def later(database: Database, dana: Timekeeper, by: timedelta = HOUR) -> None:
    """So much time passes for her emails."""
    await database.sql.execute(
        """update processed_emails
           set processed_at = processed_at - $2::interval,
             second_look_given_up_at = second_look_given_up_at - $2::interval
           where user_id = $1""",
        *(dana.id, by),
    )
    await database.sql.execute(
        "update private.second_looks set read_at = read_at - $2::interval, due_at = due_at - $2::interval"
        " where user_id = $1",
        *(dana.id, by),
    )


async def looks(maintenance: MaintenanceStore, dana: Timekeeper, most_a_user: int = ALL) -> list[str]:
    """Dana's emails that are handed on for a second look now."""
    claimed = (await maintenance.claim_second_looks(ALL, most_a_user)).emails
    await maintenance.second_looks_handed_on(claimed)
    return own(dana, claimed)


async def second_look(database: Database, dana: Timekeeper) -> tuple[str | None, bool, int]:
    """What is on record of m1: its code, whether it was given up, and how many coverage says are due."""
    [row] = await database.sql.fetch("select * from processed_emails where user_id = $1 and email_id = 'm1'", dana.id)
    period = {"p_from": (datetime.now(UTC) - 30 * DAY).isoformat(), "p_to": (datetime.now(UTC) + DAY).isoformat()}
    due = Coverage.model_validate((await dana.rest.post("/rpc/coverage", json=period)).json()).second_look_due
    return row["second_look"], row["second_look_given_up_at"] is not None, due


@pytest.mark.parametrize("reason", ["model_unusable", "model_disbelieved"])
async def test_what_the_model_answers_badly_is_asked_three_times_and_then_honestly_left(
    database: Database, dana: Timekeeper, maintenance: MaintenanceStore, reason: str
) -> None:
    await read_without_model(database, dana, "m1", reason=reason)
    for pause in (HOUR, 2 * HOUR, 4 * HOUR):
        assert await looks(maintenance, dana) == ["m1"]
        assert await looks(maintenance, dana) == []
        assert await second_look(database, dana) == (reason, False, 1)
        await later(database, dana, pause)
    assert await looks(maintenance, dana) == []
    # It still says that the model had no say; it is only not due any more, and not counted from anew.
    assert await second_look(database, dana) == (reason, True, 0)
    assert await looks(maintenance, dana) == []
    assert await database.analyses.still_to_analyse(dana.mailbox_id, ["m1"], 1) == ("m1",), "a rescan may look again"


async def test_a_second_look_that_could_not_be_published_is_no_try(
    database: Database, dana: Timekeeper, maintenance: MaintenanceStore
) -> None:
    await read_without_model(database, dana, "m1", reason="model_disbelieved")
    for _ in range(4):
        assert own(dana, (await maintenance.claim_second_looks(ALL, ALL)).emails) == ["m1"]
        assert own(dana, (await maintenance.claim_second_looks(ALL, ALL)).emails) == []
        await later(database, dana, timedelta(minutes=10))
    assert await second_look(database, dana) == ("model_disbelieved", False, 1)


async def test_while_the_model_is_away_an_email_is_looked_at_for_a_week(
    database: Database, dana: Timekeeper, maintenance: MaintenanceStore
) -> None:
    await read_without_model(database, dana, "m1")
    for _ in range(7):
        assert await looks(maintenance, dana) == ["m1"]
        assert await second_look(database, dana) == ("model_unavailable", False, 1)
        await later(database, dana, DAY)
    assert await looks(maintenance, dana) == []
    assert await second_look(database, dana) == ("model_unavailable", True, 0)


async def test_an_email_that_was_read_anew_has_all_its_chances_again(
    database: Database, dana: Timekeeper, maintenance: MaintenanceStore
) -> None:
    await read_without_model(database, dana, "m1")
    assert await looks(maintenance, dana) == ["m1"]
    await later(database, dana, 8 * DAY)
    assert await looks(maintenance, dana) == []
    assert (await second_look(database, dana))[1:] == (True, 0)
    judged = Judged(Found(), second_look="model_disbelieved")
    await database.analyses.record(dana.context, [Analysis("m1", Outcome.NONE, 1, "push-2", judged=judged)])
    assert (await second_look(database, dana))[2] == 1
    await later(database, dana)
    assert await looks(maintenance, dana) == ["m1"]


async def test_an_email_that_was_settled_meanwhile_is_not_looked_at(
    database: Database, dana: Timekeeper, maintenance: MaintenanceStore
) -> None:
    await read_without_model(database, dana, "m1")
    assert await looks(maintenance, dana) == ["m1"]
    await database.analyses.record(dana.context, [Analysis("m1", Outcome.NONE, 1, "push-2")])
    await later(database, dana, DAY)
    assert await looks(maintenance, dana) == []
    assert await database.sql.fetchval("select count(*) from private.second_looks where user_id = $1", dana.id) == 0


@pytest.mark.parametrize("settings", [{"analysis_mode": "rules_only"}, {"auto_analysis": False}])
async def test_who_lets_no_model_see_mail_has_none_looked_at_again(
    database: Database, dana: Timekeeper, maintenance: MaintenanceStore, settings: dict[str, Any]
) -> None:
    await dana.rest.post("/time_tracking_settings", json={"user_id": str(dana.id), **settings})
    await read_without_model(database, dana, "m1")
    assert await looks(maintenance, dana) == []
    back = {"analysis_mode": "snippets", "auto_analysis": True}
    await dana.rest.patch("/time_tracking_settings", params={"user_id": f"eq.{dana.id}"}, json=back)
    await later(database, dana)
    assert await looks(maintenance, dana) == ["m1"], "and no try was counted"


async def test_a_disconnected_mailbox_holds_up_nobodys_second_looks(
    database: Database, dana: Timekeeper, priya: Timekeeper, maintenance: MaintenanceStore
) -> None:
    await read_without_model(database, dana, "m1")
    await read_without_model(database, priya, "m1")
    await looks(maintenance, priya)
    await later(database, priya, 8 * DAY)
    await later(database, dana)
    await database.sql.execute("update mailboxes set state = 'disconnected' where id = $1", priya.mailbox_id)
    assert await looks(maintenance, priya) == []
    assert (await maintenance.claim_second_looks(ALL, ALL)).settled == 0, "and is no work again and again"


async def test_one_timekeepers_second_looks_leave_room_for_new_mail_and_for_others(
    database: Database, dana: Timekeeper, maintenance: MaintenanceStore
) -> None:
    await read_without_model(database, dana, *(f"m{n}" for n in range(10)))
    first = await looks(maintenance, dana, 4)
    assert len(first) == 4
    await later(database, dana)
    # The hour after, those that were put off come before those that had their look.
    assert not set(await looks(maintenance, dana, 4)) & set(first)
