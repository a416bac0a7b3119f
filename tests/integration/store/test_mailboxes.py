from datetime import UTC, datetime

import pytest

from shared.errors import StoreRefused
from shared.pubsub.messages import MAX_HISTORY_ID
from shared.store.analyses import Analysis, Outcome
from shared.store.mailboxes import Mailbox, MailboxState
from tests.integration.store.conftest import Database, Timekeeper


async def _watermark(database: Database, timekeeper: Timekeeper) -> int:
    return int(
        await database.sql.fetchval("select history_id from public.mailboxes where id = $1", timekeeper.mailbox_id)
    )


async def test_a_late_push_cannot_move_the_watermark_back(database: Database, dana: Timekeeper) -> None:
    await database.mailboxes.advance_watermark(dana.mailbox_id, 250, up_to_date=True)
    await database.mailboxes.advance_watermark(dana.mailbox_id, 200, up_to_date=True)
    assert await _watermark(database, dana) == 250


async def test_a_history_id_of_sixty_four_bits_keeps_every_digit(database: Database, dana: Timekeeper) -> None:
    await database.mailboxes.advance_watermark(dana.mailbox_id, MAX_HISTORY_ID, up_to_date=True)
    assert await _watermark(database, dana) == MAX_HISTORY_ID
    address = await database.sql.fetchval("select email_address from public.mailboxes where id = $1", dana.mailbox_id)
    mailbox = await database.mailboxes.by_address(address.upper())
    assert mailbox is not None
    assert mailbox.history_id == MAX_HISTORY_ID


async def test_an_address_that_nobody_connected_leads_to_no_mailbox(database: Database) -> None:
    assert await database.mailboxes.by_address("nobody@firm.example") is None


async def _mailbox(database: Database, address: str) -> Mailbox:
    mailbox = await database.mailboxes.by_address(address)
    assert mailbox is not None
    return mailbox


async def _connect(database: Database, timekeeper: Timekeeper, address: str) -> None:
    await database.mailboxes.connect(
        user_id=timekeeper.id,
        email_address=address,
        history_id=900,
        watch_expires_at=datetime.now(UTC),
        refresh_token_encrypted="new",
    )


async def test_connecting_again_keeps_the_watermark_so_that_mail_sent_meanwhile_is_read(database: Database) -> None:
    timekeeper = await database.timekeeper("again@firm.example")
    await database.mailboxes.mark_access_revoked(timekeeper.mailbox_id, "encrypted")
    assert (await _mailbox(database, "again@firm.example")).state is MailboxState.RECONNECT_NEEDED
    await _connect(database, timekeeper, "Again@firm.example")
    mailbox = await _mailbox(database, "again@firm.example")
    assert (mailbox.history_id, mailbox.state, mailbox.refresh_token_encrypted) == (100, MailboxState.CONNECTED, "new")
    assert mailbox.catch_up_due


async def test_a_catch_up_stays_due_until_it_was_made(database: Database) -> None:
    timekeeper = await database.timekeeper("due@firm.example")
    assert not (await _mailbox(database, "due@firm.example")).catch_up_due
    await database.mailboxes.mark_access_revoked(timekeeper.mailbox_id, "encrypted")
    for _ in range(2):
        await _connect(database, timekeeper, "due@firm.example")
    await database.mailboxes.advance_watermark(timekeeper.mailbox_id, 120, up_to_date=True)
    assert (await _mailbox(database, "due@firm.example")).catch_up_due
    await database.mailboxes.advance_watermark(timekeeper.mailbox_id, 130, up_to_date=True, caught_up=True)
    assert not (await _mailbox(database, "due@firm.example")).catch_up_due


async def test_a_refusal_of_the_old_token_does_not_undo_a_new_connection(database: Database) -> None:
    timekeeper = await database.timekeeper("meanwhile@firm.example")
    await _connect(database, timekeeper, "meanwhile@firm.example")
    await database.mailboxes.mark_access_revoked(timekeeper.mailbox_id, "encrypted")
    assert (await _mailbox(database, "meanwhile@firm.example")).state is MailboxState.CONNECTED


async def test_a_mailbox_that_someone_else_connected_cannot_be_taken_over(database: Database, dana: Timekeeper) -> None:
    await database.timekeeper("taken@firm.example")
    with pytest.raises(StoreRefused):
        await _connect(database, dana, "taken@firm.example")
    mailbox = await database.mailboxes.by_address("taken@firm.example")
    assert mailbox is not None
    assert mailbox.refresh_token_encrypted == "encrypted"
    assert mailbox.user_id != dana.id


async def test_a_page_that_is_not_the_last_does_not_say_that_all_is_handed_on(database: Database) -> None:
    timekeeper = await database.timekeeper("pages@firm.example")
    before = (await _mailbox(database, "pages@firm.example")).history_read_at
    await database.mailboxes.advance_watermark(timekeeper.mailbox_id, 200, up_to_date=False)
    assert (await _mailbox(database, "pages@firm.example")).history_read_at == before
    await database.mailboxes.advance_watermark(timekeeper.mailbox_id, 300, up_to_date=True)
    assert (await _mailbox(database, "pages@firm.example")).history_read_at > before


async def test_a_disconnected_mailbox_is_not_found_and_whoever_owns_it_may_connect_it(
    database: Database, dana: Timekeeper
) -> None:
    old = await database.timekeeper("sold@firm.example")
    await database.sql.execute("update public.mailboxes set state = 'disconnected' where id = $1", old.mailbox_id)
    assert await database.mailboxes.by_address("sold@firm.example") is None
    await database.mailboxes.mark_access_revoked(old.mailbox_id, "encrypted")
    assert await database.mailboxes.by_address("sold@firm.example") is None
    await _connect(database, dana, "sold@firm.example")
    assert (await _mailbox(database, "sold@firm.example")).user_id == dana.id


async def test_another_users_record_hides_no_email(database: Database, dana: Timekeeper, priya: Timekeeper) -> None:
    await database.analyses.record(priya.context, [Analysis("m1", Outcome.NONE, 1, "push-1")])
    await database.analyses.record(dana.context, [Analysis("m2", Outcome.FAILED, 1, "push-1", failure="unreadable")])
    await database.analyses.record(dana.context, [Analysis("m3", Outcome.NONE, 1, "push-1")])
    await database.analyses.record(dana.context, [Analysis("m4", Outcome.GONE, 1, "push-1")])
    listed = await database.analyses.still_to_analyse(dana.mailbox_id, ["m4", "m3", "m2", "m1"])
    assert listed == ("m4", "m2", "m1")
    assert await database.analyses.still_to_analyse(dana.mailbox_id, ["m3"], analyser_version=2) == ("m3",)
