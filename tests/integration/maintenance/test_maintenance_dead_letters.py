"""Dead letters, made by a real Pub/Sub: tried again a few times, then kept; none is lost, none circles for ever."""

import json
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.errors import PublishFailed
from tests.integration.maintenance.conftest import Bus, Upkeep
from tests.integration.store.conftest import Database, Timekeeper

TASK = "replay_dead_letters"


def sent_email(mailbox_id: UUID, email_id: str = "m1") -> bytes:
    return json.dumps({"mailbox_id": str(mailbox_id), "email_id": email_id}).encode()


async def kept(database: Database) -> list[dict[str, Any]]:
    rows = await database.sql.fetch("delete from private.dead_letters returning *")
    return [dict(row) for row in rows]


async def test_a_message_that_was_given_up_is_delivered_again_once_what_failed_is_mended(
    database: Database, dana: Timekeeper, bus: Bus, upkeep: Upkeep
) -> None:
    endpoint = bus.topics["sent-emails"]
    endpoint.status = 503
    await bus.publish("sent-emails", sent_email(dana.mailbox_id), correlation_id="push-1")
    await bus.until_dead()
    endpoint.status = 204
    endpoint.forget()
    done = await upkeep().run(TASK)
    assert done.counts == {"replayed": 1, "kept": 0, "failed": {}}
    message, attributes = await endpoint.next()
    assert message == {"mailbox_id": str(dana.mailbox_id), "email_id": "m1"}
    run = attributes.pop("replayed_by")
    assert run.startswith(TASK)
    assert attributes == {"correlation_id": "push-1", "replays": "1"}
    # It is let go of: nothing is left to be replayed.
    assert (await upkeep().run(TASK)).counts == {"replayed": 0, "kept": 0, "failed": {}}
    assert await kept(database) == []


async def test_a_message_that_fails_time_after_time_is_kept_in_ids_and_delivered_when_an_operator_says_so(
    database: Database, dana: Timekeeper, bus: Bus, upkeep: Upkeep
) -> None:
    endpoint = bus.topics["gmail-events"]
    endpoint.status = 503
    address = await database.sql.fetchval("select email_address from mailboxes where id = $1", dana.mailbox_id)
    await bus.publish("gmail-events", json.dumps({"emailAddress": address, "historyId": 7}).encode())
    replaying = upkeep()
    for _ in range(3):
        await bus.until_dead()
        assert (await replaying.run(TASK)).counts == {"replayed": 1, "kept": 0, "failed": {}}
    await bus.until_dead()
    assert (await replaying.run(TASK)).counts == {"replayed": 0, "kept": 1, "failed": {}}
    rows = await database.sql.fetch("select * from private.dead_letters")
    [row] = [dict(row) for row in rows]
    assert (row["topic"], row["reason"], row["replays"], row["mailbox_id"]) == (
        *("gmail-events", "replayed_in_vain", 3),
        dana.mailbox_id,
    )
    assert address not in str(row)

    endpoint.status = 204
    endpoint.forget()
    assert await replaying.replaying.replay_kept(10) == 1
    message, _ = await endpoint.next()
    assert message == {"emailAddress": address, "historyId": 100}, "the watermark, so that it is never behind"
    assert await kept(database) == []
    assert await replaying.replaying.replay_kept(10) == 0


@pytest.mark.parametrize(
    ("topic", "data", "reason"),
    [
        ("sent-emails", b"no JSON", "malformed"),
        ("sent-emails", b'{"mailbox_id": "x", "email_id": "m1"}', "malformed"),
        ("rescan-pages", b"{}", "malformed"),
    ],
)
async def test_what_is_no_message_of_ours_is_kept_and_in_nobodys_way(
    database: Database, bus: Bus, upkeep: Upkeep, topic: str, data: bytes, reason: str
) -> None:
    bus.topics[topic].status = 503
    bus.topics["gmail-events"].status = 503
    await bus.publish(topic, data)
    await bus.publish("gmail-events", b'{"emailAddress": "nobody@firm.example", "historyId": 7}')
    await bus.until_dead(2)
    bus.topics["gmail-events"].status = 204
    assert (await upkeep().run(TASK)).counts == {"replayed": 1, "kept": 1, "failed": {}}
    [row] = await kept(database)
    assert (row["topic"], row["reason"], row["mailbox_id"], row["email_id"]) == (topic, reason, None, None)


async def test_a_letter_from_where_nobody_knows_is_kept(database: Database, bus: Bus, upkeep: Upkeep) -> None:
    await bus.publish("dead-letter", sent_email(uuid4()))
    assert (await upkeep().run(TASK)).counts == {"replayed": 0, "kept": 1, "failed": {}}
    assert [row["reason"] for row in await kept(database)] == ["unknown"]


async def test_what_pubsub_does_not_take_stays_a_dead_letter(
    database: Database, dana: Timekeeper, bus: Bus, upkeep: Upkeep
) -> None:
    letter = {
        "CloudPubSubDeadLetterSourceSubscription": "no-such-topic",
        "CloudPubSubDeadLetterSourceSubscriptionProject": "law-firm",
    }
    await bus.publish("dead-letter", sent_email(dana.mailbox_id), **letter)
    with pytest.raises(PublishFailed):
        await upkeep(SENT_EMAILS_TOPIC="no-such-topic").run(TASK)
    await bus.until_dead()
    assert (await upkeep().run(TASK)).counts == {"replayed": 0, "kept": 1, "failed": {}}
    await kept(database)


async def test_a_letter_that_comes_twice_is_kept_once(database: Database, dana: Timekeeper) -> None:
    letter = {"message_id": "1", "topic": "sent-emails", "reason": "replayed_in_vain", "replays": 3}
    ids = {"mailbox_id": str(dana.mailbox_id), "email_id": "m1"}
    for _ in range(2):
        await database.client.call("keep_dead_letters", {"p_letters": [{**letter, **ids}]})
    assert len(await kept(database)) == 1
