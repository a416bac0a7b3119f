"""What the database holds of connecting and disconnecting: attempts, claims, tokens under changing keys."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from shared.connecting.rotation import PAGE, Rotated, encrypt_again
from shared.connecting.store import ConnectionStore
from shared.errors import InConflict, StoreRefused
from shared.store.analyses import Analysis, Outcome
from shared.store.mailboxes import MailboxAccess, MailboxState
from shared.tokens import TokenVault
from tests.integration.store.conftest import Database, Timekeeper

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()
BEFORE = TokenVault(SecretStr(OLD))
BOTH = TokenVault(SecretStr(f"{NEW},{OLD}"))
AFTER = TokenVault(SecretStr(NEW))


@pytest.fixture
def store(database: Database) -> ConnectionStore:
    return ConnectionStore(database.client)


async def _begun(store: ConnectionStore, user: Timekeeper, minutes: float = 10.0) -> UUID:
    attempt_id = uuid4()
    await store.begin(attempt_id, user.id, "verifier", datetime.now(UTC) + timedelta(minutes=minutes))
    return attempt_id


async def test_an_attempt_is_used_once_and_by_its_own_user(
    store: ConnectionStore, dana: Timekeeper, priya: Timekeeper
) -> None:
    attempt = await _begun(store, dana)
    assert await store.use(attempt, priya.id, uuid4()) is None
    used_by = uuid4()
    assert await store.use(attempt, dana.id, used_by) == "verifier"
    assert await store.use(attempt, dana.id, used_by) == "verifier", "the same call, repeated"
    assert await store.use(attempt, dana.id, uuid4()) is None


async def test_of_many_that_use_an_attempt_at_once_one_does(store: ConnectionStore, dana: Timekeeper) -> None:
    attempt = await _begun(store, dana)
    found = await asyncio.gather(*(store.use(attempt, dana.id, uuid4()) for _ in range(8)))
    assert sorted(each is not None for each in found) == [False] * 7 + [True]


async def test_an_attempt_that_is_late_is_none_and_is_cleared_away(
    database: Database, store: ConnectionStore, dana: Timekeeper
) -> None:
    late = await _begun(store, dana, minutes=-1)
    assert await store.use(late, dana.id, uuid4()) is None
    await _begun(store, dana)
    assert await database.sql.fetchval("select count(*) from private.connection_attempts where id = $1", late) == 0


async def _disconnect(store: ConnectionStore, user: Timekeeper, claim: UUID, seconds: int = 60) -> Any:
    return await store.disconnect(user.id, user.mailbox_id, claim, seconds)


async def _connect(store: ConnectionStore, user: Timekeeper, address: str, encrypted: str = "new") -> UUID:
    return await store.connect(user.id, address, 900, encrypted, MailboxAccess.OAUTH)


async def _address(database: Database, user: Timekeeper) -> str:
    query = "select email_address from public.mailboxes where id = $1"
    return str(await database.sql.fetchval(query, user.mailbox_id))


async def test_who_disconnects_is_the_one_to_tell_google_and_a_repeated_call_is_the_same(
    store: ConnectionStore, dana: Timekeeper
) -> None:
    claim = uuid4()
    for _ in range(2):
        found = await _disconnect(store, dana, claim)
        assert found is not None
        assert (found.released, found.release.refresh_token_encrypted, found.release.tries) == (False, "encrypted", 1)
    other = await _disconnect(store, dana, uuid4())
    assert (other.released, other.release) == (False, None)
    await store.end_release(dana.mailbox_id, uuid4(), is_done=True)
    assert not (await _disconnect(store, dana, uuid4())).released, "a claim that is not theirs ends nothing"
    await store.end_release(dana.mailbox_id, claim, is_done=True)
    assert (await _disconnect(store, dana, uuid4())).released


async def test_another_users_mailbox_cannot_be_disconnected(
    database: Database, store: ConnectionStore, dana: Timekeeper, priya: Timekeeper
) -> None:
    assert await store.disconnect(priya.id, dana.mailbox_id, uuid4(), 60) is None
    assert await database.mailboxes.by_address(await _address(database, dana)) is not None


async def test_a_try_that_died_is_made_again_after_a_pause_and_by_one_alone(
    database: Database, store: ConnectionStore, dana: Timekeeper
) -> None:
    await _disconnect(store, dana, uuid4())
    assert await store.claim_releases(uuid4(), 100, 60) == ()
    await database.sql.execute(
        "update private.mailbox_credentials set release_at = now(), release_claimed_until = now()"
        " where mailbox_id = $1",
        dana.mailbox_id,
    )
    claims = [uuid4() for _ in range(6)]
    found = await asyncio.gather(*(store.claim_releases(claim, 100, 60) for claim in claims))
    assert [each.mailbox_id for releases in found for each in releases] == [dana.mailbox_id]
    [winner] = [claim for claim, releases in zip(claims, found, strict=True) if releases]
    [again] = await store.claim_releases(winner, 100, 60)
    assert again.tries == 2, "a repeated call is no further try"
    await store.end_release(dana.mailbox_id, winner, is_done=True)


async def test_the_pauses_between_tries_grow_to_a_day(
    database: Database, store: ConnectionStore, dana: Timekeeper
) -> None:
    await _disconnect(store, dana, uuid4())
    pauses = []
    for _ in range(14):
        pause = await database.sql.fetchval(
            "update private.mailbox_credentials set release_claimed_until = null, release_at = now()"
            " where mailbox_id = $1 returning release_at",
            dana.mailbox_id,
        )
        claim = uuid4()
        assert len(await store.claim_releases(claim, 1_000, 60)) >= 1
        pauses.append(
            await database.sql.fetchval(
                "select release_at - $2 from private.mailbox_credentials where mailbox_id = $1", dana.mailbox_id, pause
            )
        )
        await store.end_release(dana.mailbox_id, claim, is_done=False)
    whole = [round(pause / timedelta(seconds=10)) for pause in pauses]
    assert whole == sorted(whole)
    assert timedelta(minutes=1) < pauses[0] < timedelta(minutes=3)
    assert timedelta(hours=23) < pauses[-1] < timedelta(hours=25)


async def test_a_connected_mailbox_is_never_one_that_google_is_told_of(
    database: Database, store: ConnectionStore, dana: Timekeeper
) -> None:
    await database.sql.execute(
        "update private.mailbox_credentials set release_at = now() where mailbox_id = $1", dana.mailbox_id
    )
    claimed = await store.claim_releases(uuid4(), 1_000, 60)
    assert dana.mailbox_id not in {each.mailbox_id for each in claimed}
    await store.end_release(dana.mailbox_id, uuid4(), is_done=True)
    assert await database.mailboxes.by_address(await _address(database, dana)) is not None


async def test_connecting_waits_for_who_tells_google_and_else_takes_the_mailbox_over(
    database: Database, store: ConnectionStore, dana: Timekeeper, priya: Timekeeper
) -> None:
    address, claim = await _address(database, dana), uuid4()
    await _disconnect(store, dana, claim)
    with pytest.raises(InConflict, match="being disconnected"):
        await _connect(store, priya, address)
    assert await database.mailboxes.by_address(address) is None, "the refusal has left nothing behind"
    await store.end_release(dana.mailbox_id, claim, is_done=False)
    new = await _connect(store, priya, address)
    assert await store.claim_releases(claim, 1_000, 60) == ()
    await store.end_release(dana.mailbox_id, claim, is_done=True)
    mailbox = await database.mailboxes.by_address(address)
    assert mailbox is not None
    assert (mailbox.id, mailbox.user_id, mailbox.refresh_token_encrypted) == (new, priya.id, "new")


async def test_another_users_mailbox_cannot_be_connected(
    database: Database, store: ConnectionStore, dana: Timekeeper, priya: Timekeeper
) -> None:
    with pytest.raises(InConflict, match="another user"):
        await _connect(store, priya, await _address(database, dana))


async def test_disconnecting_drops_what_waits_and_nothing_is_recorded_after(
    database: Database, store: ConnectionStore, dana: Timekeeper
) -> None:
    await database.analyses.record(dana.context, [Analysis("m1", Outcome.NONE, 1, "push-1")])
    await database.analyses.await_analysis(dana.mailbox_id, ["m2"])
    await _disconnect(store, dana, uuid4())
    assert await database.sql.fetchval("select count(*) from public.awaited_emails where user_id = $1", dana.id) == 0
    for analysis in (Analysis("m2", Outcome.NONE, 1, "push-1"), Analysis("m1", Outcome.NONE, 2, "push-1")):
        with pytest.raises(StoreRefused) as refused:
            await database.analyses.record(dana.context, [analysis])
        assert refused.value.sqlstate == "P0D01"
    rows = await database.sql.fetch(
        "select email_id, analyser_version from public.processed_emails where user_id = $1", dana.id
    )
    assert [(row["email_id"], row["analyser_version"]) for row in rows] == [("m1", 1)]


@asynccontextmanager
async def _disconnecting(database: Database, user: Timekeeper) -> AsyncIterator[None]:
    """The user's mailbox is being disconnected, which is done once somebody waits for it."""
    async with database.sql.acquire() as connection, connection.transaction():
        await connection.execute(
            "select public.disconnect_mailbox($1, $2, gen_random_uuid(), 60)", user.id, user.mailbox_id
        )
        yield
        waiting = "select count(*) from pg_locks where not granted"
        async with asyncio.timeout(20):
            while not await database.sql.fetchval(waiting):  # noqa: ASYNC110  Postgres tells it only who asks
                await asyncio.sleep(0.01)


async def test_a_recording_that_waits_for_the_disconnecting_records_nothing(
    database: Database, dana: Timekeeper
) -> None:
    async with _disconnecting(database, dana):
        recording = asyncio.create_task(
            database.analyses.record(dana.context, [Analysis("m1", Outcome.NONE, 1, "push-1")])
        )
    with pytest.raises(StoreRefused):
        await recording
    assert await database.sql.fetchval("select count(*) from public.processed_emails where user_id = $1", dana.id) == 0


async def test_what_is_handed_on_while_it_is_disconnected_and_after_is_not_awaited(
    database: Database, dana: Timekeeper
) -> None:
    async with _disconnecting(database, dana):
        handing_on = asyncio.create_task(database.analyses.await_analysis(dana.mailbox_id, ["m1"]))
    await handing_on
    await database.analyses.await_analysis(dana.mailbox_id, ["m2"])
    assert await database.sql.fetchval("select count(*) from public.awaited_emails where user_id = $1", dana.id) == 0


async def test_an_address_counts_only_once_its_user_has_confirmed_it(
    database: Database, store: ConnectionStore, dana: Timekeeper
) -> None:
    assert await store.confirmed_address(dana.id) is None
    await database.sql.execute(
        "update auth.users set email = 'Dana@Firm.example', email_confirmed_at = now() where id = $1", dana.id
    )
    assert await store.confirmed_address(dana.id) == "dana@firm.example"
    assert await store.confirmed_address(uuid4()) is None


async def _with_token(database: Database, encrypted: str) -> Timekeeper:
    timekeeper = await database.timekeeper()
    await database.sql.execute(
        "update private.mailbox_credentials set refresh_token_encrypted = $2 where mailbox_id = $1",
        timekeeper.mailbox_id,
        encrypted,
    )
    return timekeeper


async def _token(database: Database, user: Timekeeper) -> str:
    query = "select refresh_token_encrypted from private.mailbox_credentials where mailbox_id = $1"
    return str(await database.sql.fetchval(query, user.mailbox_id))


async def _state(database: Database, user: Timekeeper) -> str:
    return str(await database.sql.fetchval("select state from public.mailboxes where id = $1", user.mailbox_id))


@pytest.fixture
async def only_ours(database: Database) -> None:
    """No tokens of other tests, which are none."""
    await database.sql.execute("delete from private.mailbox_credentials")
    await database.sql.execute("delete from private.connection_attempts")


@pytest.mark.usefixtures("only_ours")
async def test_after_new_keys_everything_is_readable_without_the_old_one(
    database: Database, store: ConnectionStore
) -> None:
    users = [await _with_token(database, BEFORE.encrypt(f"1//{n}")) for n in range(3)]
    newest = await _with_token(database, BOTH.encrypt("1//newest"))
    attempt = uuid4()
    await store.begin(attempt, users[0].id, BEFORE.encrypt("verifier"), datetime.now(UTC) + timedelta(minutes=10))
    assert await encrypt_again(database.client, BOTH) == Rotated(changed=4, as_they_were=1)
    assert [AFTER.decrypt(await _token(database, user)) for user in users] == ["1//0", "1//1", "1//2"]
    assert AFTER.decrypt(await _token(database, newest)) == "1//newest"
    assert AFTER.decrypt(await store.use(attempt, users[0].id, uuid4()) or "") == "verifier"
    assert await encrypt_again(database.client, BOTH) == Rotated(as_they_were=5)


@pytest.mark.usefixtures("only_ours")
async def test_new_keys_reach_more_than_a_page(database: Database) -> None:
    user = uuid4()
    await database.sql.execute("insert into auth.users (id) values ($1)", user)
    rows = [(uuid4(), f"{n}@many.example", BEFORE.encrypt(f"1//{n}")) for n in range(2 * PAGE + 3)]
    await database.sql.executemany(
        "with m as (insert into public.mailboxes (id, user_id, email_address, history_id)"
        " values ($1, $4, $2, 1) returning id)"
        " insert into private.mailbox_credentials (mailbox_id, refresh_token_encrypted) select $1, $3",
        [(*row, user) for row in rows],
    )
    assert await encrypt_again(database.client, BOTH) == Rotated(changed=len(rows))
    kept = await database.sql.fetch("select refresh_token_encrypted as token from private.mailbox_credentials")
    assert {AFTER.decrypt(row["token"]) for row in kept} == {f"1//{n}" for n in range(len(rows))}
    await database.sql.execute("delete from auth.users where id = $1", user)


@pytest.mark.usefixtures("only_ours")
async def test_what_no_key_opens_stays_as_it_is_and_is_counted(database: Database) -> None:
    lost = await _with_token(database, TokenVault(SecretStr(Fernet.generate_key().decode())).encrypt("1//x"))
    before = await _token(database, lost)
    assert await encrypt_again(database.client, BOTH) == Rotated(unreadable=1)
    assert await _token(database, lost) == before


async def test_a_token_that_came_meanwhile_is_not_overwritten(database: Database) -> None:
    user = await _with_token(database, "came meanwhile")
    change = {"id": str(user.mailbox_id), "encrypted_before": "read before", "encrypted_after": "again"}
    changed = await database.client.call("encrypt_again", {"p_kind": "token", "p_changes": [change]})
    assert (changed, await _token(database, user)) == (0, "came meanwhile")


async def test_a_token_that_is_refused_just_as_the_keys_change_marks_its_mailbox(database: Database) -> None:
    user = await _with_token(database, "under the old key")
    change = {"id": str(user.mailbox_id), "encrypted_before": "under the old key", "encrypted_after": "under the new"}
    assert await database.client.call("encrypt_again", {"p_kind": "token", "p_changes": [change]}) == 1
    await database.mailboxes.mark_access_revoked(user.mailbox_id, "another")
    assert await _state(database, user) == MailboxState.CONNECTED
    await database.mailboxes.mark_access_revoked(user.mailbox_id, "under the old key")
    assert await _state(database, user) == MailboxState.RECONNECT_NEEDED


async def test_a_token_refused_before_the_keys_changed_does_not_undo_a_new_connection(
    database: Database, store: ConnectionStore
) -> None:
    user = await _with_token(database, "under the old key")
    change = {"id": str(user.mailbox_id), "encrypted_before": "under the old key", "encrypted_after": "under the new"}
    await database.client.call("encrypt_again", {"p_kind": "token", "p_changes": [change]})
    await _connect(store, user, await _address(database, user), "connected again")
    for stale in ("under the old key", "under the new"):
        await database.mailboxes.mark_access_revoked(user.mailbox_id, stale)
    assert await _state(database, user) == MailboxState.CONNECTED


async def test_no_token_is_kept_as_it_was_before_the_keys_changed(database: Database) -> None:
    old = BEFORE.encrypt("1//token")
    user = await _with_token(database, old)
    change = {"id": str(user.mailbox_id), "encrypted_before": old, "encrypted_after": AFTER.encrypt("1//token")}
    await database.client.call("encrypt_again", {"p_kind": "token", "p_changes": [change]})
    row = await database.sql.fetchval(
        "select to_jsonb(c)::text from private.mailbox_credentials c where mailbox_id = $1", user.mailbox_id
    )
    assert old not in row
