"""Pushes: who gets them, how many, in which order, and that none is lost by a broker or a process that goes away."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from googleapiclient.errors import HttpError

from tests.integration.gmail_simulator.broker import TOPIC, Broker
from tests.integration.gmail_simulator.caller import Mailbox, letter, raw
from tests.integration.gmail_simulator.process import Process


def watch(mailbox: Mailbox, broker: Broker, **request: object) -> dict[str, str]:
    """A watch, its test message received."""
    answer: dict[str, str] = mailbox.app.users().watch(userId="me", body={"topicName": TOPIC} | request).execute()
    assert broker.push() == {"emailAddress": mailbox.address, "historyId": int(answer["historyId"])}
    return answer


def pushes_until(broker: Broker, mailbox: Mailbox) -> list[int]:
    """History ids pushed, up to the one that announces the mailbox as it is now."""
    newest = int(mailbox.owner.users().getProfile(userId="me").execute()["historyId"])
    pushed: list[int] = []
    while newest not in pushed:
        pushed.append(broker.push()["historyId"])
    return pushed


@pytest.fixture(autouse=True)
def none_left_over(broker: Broker) -> Iterator[None]:
    """A push of one test is never taken for one of the next."""
    yield
    assert broker.no_more()


@pytest.fixture
def watched(mailbox: Mailbox, broker: Broker) -> Mailbox:
    watch(mailbox, broker, labelIds=["SENT"])
    return mailbox


def test_a_watch_says_from_where_on_and_for_seven_days(mailbox: Mailbox, broker: Broker) -> None:
    answer = watch(mailbox, broker)
    assert answer["historyId"] == mailbox.history_id()
    assert 7 * 86_400 - 60 < int(answer["expiration"]) / 1000 - time.time() <= 7 * 86_400


@pytest.mark.parametrize(
    "request_body",
    [
        {},
        {"topicName": "projects/tenths-local/topics/other"},
        {"topicName": "gmail-events"},
        {"topicName": TOPIC, "labelIds": ["NOWHERE"]},
        {"topicName": TOPIC, "labelFilterBehavior": "sometimes"},
    ],
)
def test_a_watch_on_anything_but_the_projects_topic_and_known_labels_is_refused(
    mailbox: Mailbox, request_body: dict[str, object]
) -> None:
    with pytest.raises(HttpError) as refused:
        mailbox.app.users().watch(userId="me", body=request_body).execute()
    assert refused.value.status_code == 400


def test_a_sent_message_is_announced_with_the_address_and_the_history_id(watched: Mailbox, broker: Broker) -> None:
    watched.send()
    pushed = broker.push()
    assert pushed == {"emailAddress": watched.address, "historyId": int(watched.history_id())}
    assert broker.topics[-1] == TOPIC


def test_the_history_id_may_be_text_as_documented(simulator: Process, watched: Mailbox, broker: Broker) -> None:
    simulator.settings(history_id_as_text=True)
    watched.send()
    assert broker.push()["historyId"] == watched.history_id()


def test_changes_close_together_share_a_push_and_the_last_is_always_announced(watched: Mailbox, broker: Broker) -> None:
    for _ in range(30):
        watched.send()
    pushed = pushes_until(broker, watched)
    assert pushed == sorted(pushed)
    assert len(pushed) <= 30


def test_a_watch_on_sent_fires_for_other_changes_unless_told_to_be_exact(
    simulator: Process, watched: Mailbox, broker: Broker
) -> None:
    inbox = raw(letter(), labelIds=["INBOX"])
    watched.owner.users().messages().insert(userId="me", body=inbox).execute()
    pushes_until(broker, watched)
    simulator.settings(exact_filter=True)
    watched.owner.users().messages().insert(userId="me", body=inbox).execute()
    watched.send()
    assert pushes_until(broker, watched) == [int(watched.history_id())]


def test_labels_may_be_what_a_watch_leaves_out(simulator: Process, mailbox: Mailbox, broker: Broker) -> None:
    simulator.settings(exact_filter=True)
    watch(mailbox, broker, labelIds=["SENT"], labelFilterBehavior="exclude")
    mailbox.send()
    mailbox.owner.users().messages().insert(userId="me", body=raw(letter(), labelIds=["INBOX"])).execute()
    assert pushes_until(broker, mailbox) == [int(mailbox.history_id())]


def test_nothing_is_announced_before_a_watch_after_its_stop_or_after_its_end(
    simulator: Process, mailbox: Mailbox, broker: Broker
) -> None:
    mailbox.send()
    watch(mailbox, broker)
    mailbox.app.users().stop(userId="me").execute()
    mailbox.send()
    watch(mailbox, broker)
    simulator.fault("expire_watch", address=mailbox.address)
    mailbox.send()
    watch(mailbox, broker)
    mailbox.send()
    assert broker.push()["historyId"] == int(mailbox.history_id())


def test_gmails_own_way_drops_what_comes_within_a_second(simulator: Process, watched: Mailbox, broker: Broker) -> None:
    simulator.settings(push_mode="one_a_second_dropping")
    watched.send()
    first = int(watched.history_id())
    for _ in range(3):
        watched.send()
    assert broker.push()["historyId"] == first
    assert simulator.stats()["pushes"]["dropped_by_rate"] >= 1


def test_a_push_may_be_lost(simulator: Process, watched: Mailbox, broker: Broker) -> None:
    simulator.fault("push_drop")
    watched.send()
    watched.send()
    watched.send()
    assert pushes_until(broker, watched)
    assert simulator.stats()["pushes"]["dropped"] == 1


def test_a_push_may_come_twice(simulator: Process, watched: Mailbox, broker: Broker) -> None:
    simulator.fault("push_duplicate")
    watched.send()
    assert broker.push() == broker.push()


def test_a_push_may_come_late(simulator: Process, watched: Mailbox, broker: Broker) -> None:
    simulator.fault("push_delay", delay_ms=400)
    watched.send()
    late = int(watched.history_id())
    watched.send()
    newest = int(watched.history_id())
    assert [broker.push()["historyId"], broker.push()["historyId"]] == [newest, late]


def test_pushes_may_change_places(simulator: Process, mailbox: Mailbox, watched: Mailbox, broker: Broker) -> None:
    other = simulator.mailbox("overtaking@example.com")
    watch(other, broker)
    simulator.fault("push_reorder")
    watched.send()
    other.send()
    assert [broker.push()["emailAddress"], broker.push()["emailAddress"]] == [other.address, mailbox.address]


def test_a_push_nobody_overtakes_goes_out_all_the_same(simulator: Process, watched: Mailbox, broker: Broker) -> None:
    simulator.fault("push_reorder")
    watched.send()
    assert broker.push()["historyId"] == int(watched.history_id())


def test_a_push_can_be_ahead_of_the_history_it_announces(simulator: Process, watched: Mailbox, broker: Broker) -> None:
    before = watched.history_id()
    simulator.fault("history_lag", delay_ms=3_600_000)
    watched.send()
    assert broker.push()["historyId"] > int(watched.history(before)["historyId"])


@pytest.fixture
def own(tmp_path: Path) -> Iterator[tuple[Process, Broker, Mailbox]]:
    """A process and a broker that may be ended, with a watched mailbox."""
    broker = Broker()
    broker.start()
    process = Process(tmp_path, broker)
    mailbox = process.mailbox()
    watch(mailbox, broker)
    yield process, broker, mailbox
    process.stop()
    broker.stop()


def test_sending_waits_for_no_broker_and_one_push_tells_of_all_that_waited(
    own: tuple[Process, Broker, Mailbox],
) -> None:
    _, broker, mailbox = own
    broker.stop()
    for _ in range(5):
        mailbox.send()
    broker.start()
    pushed = pushes_until(broker, mailbox)
    assert pushed[-1] == int(mailbox.history_id())
    assert len(pushed) <= 2, "the one under way when the broker went, and one for the rest"


def test_a_process_that_is_killed_keeps_its_mail_and_announces_what_it_had_not(
    own: tuple[Process, Broker, Mailbox],
) -> None:
    process, broker, mailbox = own
    before = mailbox.history_id()
    broker.stop()
    sent = mailbox.send()
    process.kill()
    broker.start()
    process.start()
    again = process.mailbox()
    assert pushes_until(broker, again) == [int(again.history_id())]
    (record,) = again.history(before)["history"]
    assert record["messages"] == [{"id": sent["id"], "threadId": sent["threadId"]}]


def test_a_push_that_was_lost_stays_lost_after_a_restart(own: tuple[Process, Broker, Mailbox]) -> None:
    process, broker, mailbox = own
    process.fault("push_drop")
    mailbox.send()
    assert process.stats()["pushes"]["dropped"] == 1
    process.kill()
    process.start()
    again = process.mailbox()
    again.send()
    assert pushes_until(broker, again) == [int(again.history_id())]


def test_pushes_that_go_elsewhere_have_to_be_stopped_first(
    simulator: Process, mailbox: Mailbox, broker: Broker
) -> None:
    simulator.fault("watch_elsewhere", address=mailbox.address)
    with pytest.raises(HttpError) as refused:
        watch(mailbox, broker)
    assert (refused.value.status_code, b"failedPrecondition" in refused.value.content) == (400, True)
    mailbox.app.users().stop(userId="me").execute()
    watch(mailbox, broker)
