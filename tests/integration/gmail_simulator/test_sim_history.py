"""History: what is told, in which form, and what is refused."""

import pytest
from googleapiclient.errors import HttpError

from tests.integration.gmail_simulator.caller import Mailbox, kinds, letter, raw
from tests.integration.gmail_simulator.process import Process


def test_a_sent_message_is_a_record_of_its_own_with_a_higher_id(mailbox: Mailbox) -> None:
    before = mailbox.history_id()
    sent = mailbox.send()
    history = mailbox.history(before)
    (record,) = history["history"]
    assert record == {
        "id": history["historyId"],
        "messages": [{"id": sent["id"], "threadId": sent["threadId"]}],
        "messagesAdded": [{"message": {"id": sent["id"], "threadId": sent["threadId"], "labelIds": ["SENT"]}}],
    }
    assert int(record["id"]) > int(before)


def test_ids_are_larger_than_any_signed_integer_and_are_text(mailbox: Mailbox) -> None:
    assert isinstance(mailbox.history_id(), str)
    assert int(mailbox.history_id()) > 2**63


def test_nothing_new_is_an_answer_without_history(mailbox: Mailbox) -> None:
    mailbox.send()
    now = mailbox.history_id()
    assert mailbox.history(now) == {"historyId": now}


def test_every_autosave_of_a_draft_is_a_new_message_and_sending_is_another(mailbox: Mailbox) -> None:
    drafts = mailbox.owner.users().drafts()
    before = mailbox.history_id()
    draft = drafts.create(userId="me", body={"message": raw(letter("v1"))}).execute()
    saved = drafts.update(userId="me", id=draft["id"], body={"message": raw(letter("v2"))}).execute()
    sent = drafts.send(userId="me", body={"id": draft["id"]}).execute()

    first, second = draft["message"]["id"], saved["message"]["id"]
    assert saved["id"] == draft["id"]
    assert sorted(kinds(mailbox.history(before))) == sorted(
        [
            ("messagesAdded", first, ("DRAFT",)),
            ("messagesAdded", second, ("DRAFT",)),
            ("messagesDeleted", first, ("DRAFT",)),
            ("messagesAdded", sent["id"], ("SENT",)),
            ("messagesDeleted", second, ("DRAFT",)),
        ]
    )
    assert sent["threadId"] == draft["message"]["threadId"]
    assert drafts.list(userId="me").execute() == {"resultSizeEstimate": 0}


def test_a_draft_may_be_read_listed_and_thrown_away(mailbox: Mailbox) -> None:
    drafts = mailbox.owner.users().drafts()
    draft = drafts.create(userId="me", body={"message": raw(letter("Unsent"))}).execute()
    assert drafts.get(userId="me", id=draft["id"], format="minimal").execute()["message"]["labelIds"] == ["DRAFT"]
    assert [found["id"] for found in drafts.list(userId="me").execute()["drafts"]] == [draft["id"]]
    drafts.delete(userId="me", id=draft["id"]).execute()
    with pytest.raises(HttpError) as refused:
        drafts.get(userId="me", id=draft["id"]).execute()
    assert refused.value.status_code == 404


def test_changed_labels_and_removals_are_told_with_what_changed(mailbox: Mailbox) -> None:
    message_id = mailbox.send()["id"]
    before = mailbox.history_id()
    messages = mailbox.owner.users().messages()
    messages.modify(userId="me", id=message_id, body={"addLabelIds": ["STARRED", "IMPORTANT"]}).execute()
    messages.modify(userId="me", id=message_id, body={"removeLabelIds": ["STARRED"]}).execute()
    messages.delete(userId="me", id=message_id).execute()
    assert kinds(mailbox.history(before)) == [
        ("labelsAdded", message_id, ("STARRED", "IMPORTANT")),
        ("labelsRemoved", message_id, ("STARRED",)),
        ("messagesDeleted", message_id, ("SENT", "IMPORTANT")),
    ]


def test_a_change_that_changes_nothing_leaves_no_trace(mailbox: Mailbox) -> None:
    message_id = mailbox.send()["id"]
    before = mailbox.history_id()
    mailbox.owner.users().messages().modify(userId="me", id=message_id, body={"removeLabelIds": ["STARRED"]}).execute()
    assert mailbox.history_id() == before


def test_many_messages_changed_at_once_share_a_record(mailbox: Mailbox) -> None:
    ids = sorted(mailbox.send()["id"] for _ in range(3))
    before = mailbox.history_id()
    messages = mailbox.owner.users().messages()
    messages.batchModify(userId="me", body={"ids": ids, "addLabelIds": ["STARRED"]}).execute()
    (record,) = mailbox.history(before)["history"]
    assert sorted(change["message"]["id"] for change in record["labelsAdded"]) == ids
    messages.batchDelete(userId="me", body={"ids": ids}).execute()
    assert mailbox.app.users().messages().list(userId="me").execute() == {"resultSizeEstimate": 0}


def test_sent_mail_may_arrive_as_a_label_put_on_later(simulator: Process, mailbox: Mailbox) -> None:
    simulator.settings(sent_as="labelAdded")
    before = mailbox.history_id()
    sent = mailbox.send()
    assert kinds(mailbox.history(before)) == [("messagesAdded", sent["id"], ()), ("labelsAdded", sent["id"], ("SENT",))]


def test_history_is_narrowed_by_type_and_by_label(mailbox: Mailbox) -> None:
    before = mailbox.history_id()
    sent = mailbox.send()["id"]
    received = (
        mailbox.owner.users().messages().insert(userId="me", body=raw(letter(), labelIds=["INBOX"])).execute()["id"]
    )
    mailbox.owner.users().messages().modify(userId="me", id=received, body={"addLabelIds": ["STARRED"]}).execute()
    assert kinds(mailbox.history(before, labelId="SENT")) == [("messagesAdded", sent, ("SENT",))]
    assert kinds(mailbox.history(before, historyTypes=["labelAdded"])) == [("labelsAdded", received, ("STARRED",))]
    both = mailbox.history(before, historyTypes=["messageAdded", "labelAdded"], labelId="INBOX")
    assert [message for _, message, _ in kinds(both)] == [received, received]


def test_a_label_taken_off_is_told_to_who_asks_for_that_label(mailbox: Mailbox) -> None:
    message_id = mailbox.send()["id"]
    messages = mailbox.owner.users().messages()
    messages.modify(userId="me", id=message_id, body={"addLabelIds": ["STARRED"]}).execute()
    before = mailbox.history_id()
    messages.modify(userId="me", id=message_id, body={"removeLabelIds": ["STARRED"]}).execute()
    assert kinds(mailbox.history(before, labelId="STARRED")) == [("labelsRemoved", message_id, ("STARRED",))]


def test_a_page_may_be_empty_and_still_name_the_next(mailbox: Mailbox) -> None:
    before = mailbox.history_id()
    for _ in range(3):
        mailbox.owner.users().messages().insert(userId="me", body=raw(letter(), labelIds=["INBOX"])).execute()
    sent = mailbox.send()["id"]
    history = mailbox.app.users().history()
    request = history.list(userId="me", startHistoryId=before, labelId="SENT", maxResults=2)
    first = request.execute()
    assert "history" not in first
    second = history.list_next(request, first).execute()
    assert kinds(second) == [("messagesAdded", sent, ("SENT",))]
    assert "nextPageToken" not in second
    assert first["historyId"] == second["historyId"]


@pytest.mark.parametrize("start", [None, "", "-5", "1.5", "abc", str(2**64)])
def test_a_start_that_is_no_id_is_refused(mailbox: Mailbox, start: str | None) -> None:
    with pytest.raises(HttpError) as refused:
        mailbox.app.users().history().list(userId="me", startHistoryId=start).execute()
    assert refused.value.status_code == 400


def test_a_start_that_is_too_old_or_not_yet_reached_is_404(simulator: Process, mailbox: Mailbox) -> None:
    before = mailbox.history_id()
    mailbox.send()
    now = mailbox.history_id()
    simulator.fault("expire_history", address=mailbox.address)
    for start in (before, "1", str(int(now) + 1)):
        with pytest.raises(HttpError) as refused:
            mailbox.history(start)
        assert refused.value.status_code == 404
    assert mailbox.history(now) == {"historyId": now}


def test_history_may_lag_behind_what_happened(simulator: Process, mailbox: Mailbox) -> None:
    before = mailbox.history_id()
    simulator.fault("history_lag", delay_ms=3_600_000)
    sent = mailbox.send()
    assert mailbox.history(before) == {"historyId": before}
    simulator.sim("DELETE", "faults")
    assert [message for _, message, _ in kinds(mailbox.history(before))] == [sent["id"]]


def test_a_message_may_vanish_between_being_told_of_and_being_read(simulator: Process, mailbox: Mailbox) -> None:
    before = mailbox.history_id()
    sent = mailbox.send()
    simulator.fault("vanish", address=mailbox.address, message_id=sent["id"])
    assert [message for _, message, _ in kinds(mailbox.history(before))] == [sent["id"]]
    messages = mailbox.app.users().messages()
    assert [message["id"] for message in messages.list(userId="me").execute()["messages"]] == [sent["id"]]
    with pytest.raises(HttpError) as refused:
        messages.get(userId="me", id=sent["id"]).execute()
    assert refused.value.status_code == 404


def test_a_mailbox_may_begin_with_small_ids(simulator: Process) -> None:
    mailbox = simulator.mailbox("small.ids@example.com", first_history_id=1000)
    assert mailbox.history_id() == "1000"
