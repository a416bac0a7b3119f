"""Messages, as Google's client lists, reads, sends, changes and removes them."""

import io
import time
from base64 import urlsafe_b64decode
from email.message import EmailMessage
from typing import Any

import pytest
from googleapiclient.errors import HttpError
from googleapiclient.http import MediaIoBaseUpload

from tests.integration.gmail_simulator.caller import OWNER, Mailbox, letter, raw
from tests.integration.gmail_simulator.process import Process

Searched = tuple[Mailbox, dict[str, str]]


def listed(mailbox: Mailbox, **arguments: Any) -> list[str]:
    answer = mailbox.app.users().messages().list(userId="me", **arguments).execute()
    return [message["id"] for message in answer.get("messages", [])]


def insert(mailbox: Mailbox, content: bytes, *labels: str) -> str:
    """A message dated by its own Date header."""
    answer = (
        mailbox.owner.users()
        .messages()
        .insert(userId="me", body=raw(content, labelIds=list(labels)), internalDateSource="dateHeader")
        .execute()
    )
    message_id: str = answer["id"]
    return message_id


def read(mailbox: Mailbox, message_id: str, **arguments: Any) -> dict[str, Any]:
    message: dict[str, Any] = mailbox.app.users().messages().get(userId="me", id=message_id, **arguments).execute()
    return message


def test_a_sent_message_comes_back_byte_for_byte(mailbox: Mailbox) -> None:
    content = letter("Überprüfung", X_Own_Header="kept").replace(b"\n", b"\r\n")
    sent = mailbox.owner.users().messages().send(userId="me", body=raw(content)).execute()
    assert content == urlsafe_b64decode(read(mailbox, sent["id"], format="raw")["raw"])


def test_a_sent_message_is_dated_now_whatever_its_header_says(mailbox: Mailbox) -> None:
    before = time.time() * 1000
    sent = mailbox.send(Date="Fri, 03 May 2002 10:00:00 +0000")
    assert before - 1 <= int(read(mailbox, sent["id"], format="minimal")["internalDate"]) <= time.time() * 1000


def test_ids_are_sixteen_hex_digits_and_a_lone_message_is_its_own_thread(mailbox: Mailbox) -> None:
    sent = mailbox.send()
    assert len(sent["id"]) == 16
    assert int(sent["id"], 16)
    assert sent["id"] == sent["threadId"]


def test_mail_to_oneself_is_sent_and_received(mailbox: Mailbox) -> None:
    assert set(mailbox.send(To=mailbox.address)["labelIds"]) == {"SENT", "INBOX", "UNREAD"}


def test_the_full_format_shows_parts_with_bodies_inline_and_attachments_by_id(mailbox: Mailbox) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = OWNER, "a@client.example", "=?utf-8?q?Dep=C3=B4t?="
    message.set_content("plain text")
    message.add_alternative("<p>html</p>", subtype="html")
    message.add_attachment(b"%PDF-1.4 exhibit", maintype="application", subtype="pdf", filename="exhibit.pdf")
    sent = mailbox.owner.users().messages().send(userId="me", body=raw(message.as_bytes())).execute()

    payload = read(mailbox, sent["id"], format="full")["payload"]

    assert {"name": "Subject", "value": "Depôt"} in payload["headers"]
    assert payload["mimeType"] == "multipart/mixed"
    alternative, pdf = payload["parts"]
    assert [part["mimeType"] for part in alternative["parts"]] == ["text/plain", "text/html"]
    assert urlsafe_b64decode(alternative["parts"][0]["body"]["data"]) == b"plain text\n"
    assert (pdf["partId"], pdf["filename"], "data" in pdf["body"]) == ("1", "exhibit.pdf", False)
    attachments = mailbox.app.users().messages().attachments()
    found = attachments.get(userId="me", messageId=sent["id"], id=pdf["body"]["attachmentId"]).execute()
    assert urlsafe_b64decode(found["data"]) == b"%PDF-1.4 exhibit"


def test_the_metadata_format_gives_only_the_headers_asked_for(mailbox: Mailbox) -> None:
    sent = mailbox.send("Motion to compel")
    found = read(mailbox, sent["id"], format="metadata", metadataHeaders=["subject"])
    assert found["payload"]["headers"] == [{"name": "Subject", "value": "Motion to compel"}]


def test_the_minimal_format_has_labels_snippet_and_no_payload(mailbox: Mailbox) -> None:
    found = read(mailbox, mailbox.send()["id"], format="minimal")
    assert (found["labelIds"], found["snippet"]) == (["SENT"], "Spent 1.4 on the reply brief.")
    assert not {"payload", "raw"} & set(found)


def test_a_field_mask_leaves_nothing_else(mailbox: Mailbox) -> None:
    sent = mailbox.send("Masked")
    assert set(read(mailbox, sent["id"], fields="id,labelIds,payload/headers(name)")) == {"id", "labelIds", "payload"}
    answer = mailbox.app.users().messages().list(userId="me", fields="messages(id),nextPageToken").execute()
    assert answer == {"messages": [{"id": sent["id"]}]}


def test_a_field_mask_that_cannot_be_read_is_refused(mailbox: Mailbox) -> None:
    with pytest.raises(HttpError) as refused:
        mailbox.app.users().messages().list(userId="me", fields="messages(id").execute()
    assert refused.value.status_code == 400


def test_a_message_that_is_not_there_is_404(mailbox: Mailbox) -> None:
    with pytest.raises(HttpError) as refused:
        read(mailbox, "18c0000000000000")
    assert refused.value.status_code == 404
    assert refused.value.error_details[0]["reason"] == "notFound"


def test_nobody_reads_another_mailbox_by_a_message_id(simulator: Process, mailbox: Mailbox) -> None:
    theirs = simulator.mailbox("someone.else@example.com").send()
    with pytest.raises(HttpError) as refused:
        read(mailbox, theirs["id"])
    assert refused.value.status_code == 404


def test_a_message_comes_by_upload_alone_or_with_json(mailbox: Mailbox) -> None:
    content = letter("Uploaded")
    messages = mailbox.owner.users().messages()

    def media() -> MediaIoBaseUpload:
        return MediaIoBaseUpload(io.BytesIO(content), "message/rfc822")

    alone = messages.send(userId="me", media_body=media()).execute()
    answered = messages.send(userId="me", media_body=media(), body={"threadId": alone["threadId"]}).execute()

    assert answered["threadId"] == alone["threadId"]
    assert answered["id"] != alone["id"]
    for sent in (alone, answered):
        assert urlsafe_b64decode(read(mailbox, sent["id"], format="raw")["raw"]) == content


@pytest.mark.parametrize("body", [{}, {"raw": ""}, {"raw": "not base64!"}, {"raw": "abcde"}, {"raw": 7}])
def test_a_message_that_cannot_be_read_is_refused(mailbox: Mailbox, body: dict[str, Any]) -> None:
    with pytest.raises(HttpError) as refused:
        mailbox.owner.users().messages().send(userId="me", body=body).execute()
    assert refused.value.status_code == 400


def test_an_answer_joins_the_thread_by_references_and_subject(mailbox: Mailbox) -> None:
    first = mailbox.send("Lease", Message_ID="<one@firm.example>")
    answer = mailbox.send("Re: Lease", In_Reply_To="<one@firm.example>", References="<one@firm.example>")
    other = mailbox.send("Another matter", In_Reply_To="<one@firm.example>")
    assert answer["threadId"] == first["threadId"]
    assert other["threadId"] == other["id"]


def test_insert_dates_by_header_when_asked_and_import_does_so_by_itself(mailbox: Mailbox) -> None:
    messages = mailbox.owner.users().messages()
    inserted = insert(mailbox, letter(Date="Fri, 03 May 2024 10:00:00 +0000"), "SENT")
    imported = messages.import_(userId="me", body=raw(letter(Date="Fri, 03 May 2024 10:00:00 +0000"))).execute()
    received = messages.insert(userId="me", body=raw(letter(Date="Fri, 03 May 2024 10:00:00 +0000"))).execute()
    assert read(mailbox, inserted)["internalDate"] == "1714730400000"
    assert read(mailbox, imported["id"])["internalDate"] == "1714730400000"
    assert int(read(mailbox, received["id"])["internalDate"]) > 1714730400000


def test_a_listing_is_newest_first_and_paged(mailbox: Mailbox) -> None:
    ids = [
        insert(mailbox, letter(Date=f"Fri, {day:02} May 2024 10:00:00 +0000"), "SENT") for day in (3, 10, 17, 24, 31)
    ]
    messages = mailbox.app.users().messages()
    pages = []
    request = messages.list(userId="me", labelIds=["SENT"], maxResults=2)
    while request is not None:
        answer = request.execute()
        pages.append([message["id"] for message in answer["messages"]])
        request = messages.list_next(request, answer)
    assert pages == [[ids[4], ids[3]], [ids[2], ids[1]], [ids[0]]]


@pytest.fixture(scope="module")
def searched(shared_process: Process) -> Searched:
    """A mailbox with a handful of messages, by name."""
    mailbox = shared_process.mailbox("searched@example.com")
    mailbox.owner.users().labels().create(userId="me", body={"name": "Clients/Smith"}).execute()
    at = {"Date": "Fri, 03 May 2024 10:00:00 +0000", "From": "Ana Ortiz <searched@example.com>"}
    late = at | {"Date": "Fri, 10 May 2024 10:00:00 +0000"}
    ids = {
        "brief": insert(mailbox, letter("Reply brief", "Spent 1.4 on it.", **at), "SENT"),
        "march": insert(mailbox, letter("Marching orders", "The reply is near. Brief me.", **late), "SENT"),
        "inbox": insert(
            mailbox, letter("Invoice", "Amount due.", From="billing@vendor.example", Date=at["Date"]), "INBOX", "UNREAD"
        ),
        "bin": insert(mailbox, letter("Reply brief", "old", **at), "SENT", "TRASH"),
        "filed": insert(mailbox, letter("Filed", "x", **at | {"To": "Li Smith <li@smith.example>"}), "SENT", "Label_1"),
    }
    return mailbox, ids


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {"brief", "march", "inbox", "filed"}),
        ("brief", {"brief", "march"}),
        ("bri", set()),
        ('"reply brief"', {"brief"}),
        ("subject:brief", {"brief"}),
        ('subject:"reply brief"', {"brief"}),
        ("subject:(reply brief)", {"brief"}),
        ("brief -march -marching", {"brief"}),
        ("-in:sent", {"inbox"}),
        ("in:inbox", {"inbox"}),
        ("in:inbox OR subject:filed", {"inbox", "filed"}),
        ("{in:inbox subject:filed}", {"inbox", "filed"}),
        ("(in:inbox OR subject:filed) -is:unread", {"filed"}),
        ("is:unread", {"inbox"}),
        ("in:trash", {"bin"}),
        ("in:anywhere brief", {"brief", "march", "bin"}),
        ("label:clients-smith", {"filed"}),
        ("label:Clients/Smith", {"filed"}),
        ("label:nobody", set()),
        ("from:vendor.example", {"inbox"}),
        ("from:me", {"brief", "march", "filed"}),
        ("from:ana", {"brief", "march", "filed"}),
        ("to:li@smith.example", {"filed"}),
        ("after:2024/05/04", {"march"}),
        ("after:2024-05-03 before:2024-05-04", {"brief", "inbox", "filed"}),
        ("before:1714730400", set()),
        ("after:1714730400 before:1714730401", {"brief", "inbox", "filed"}),
        ("newer_than:2d", set()),
        ("older_than:2d in:inbox", {"inbox"}),
        ("has:attachment", set()),
        ("brief ) (", {"brief", "march"}),
        ("unheard:of", set()),
    ],
)
def test_a_query_finds_what_gmail_would(searched: Searched, query: str, expected: set[str]) -> None:
    mailbox, ids = searched
    names = {message_id: name for name, message_id in ids.items()}
    assert expected == {names[found] for found in listed(mailbox, q=query)}


@pytest.mark.parametrize("query", ["in:inbox", "in:sent OR in:inbox", "in:anywhere", "{in:inbox is:unread}", ") OR ("])
def test_no_query_widens_the_labels_asked_for(searched: Searched, query: str) -> None:
    mailbox, ids = searched
    assert ids["inbox"] not in listed(mailbox, labelIds=["SENT"], q=query)


def test_labels_asked_for_must_all_be_there(searched: Searched) -> None:
    mailbox, ids = searched
    assert listed(mailbox, labelIds=["SENT", "Label_1"]) == [ids["filed"]]


def test_the_bin_is_listed_only_when_asked_for(searched: Searched) -> None:
    mailbox, ids = searched
    assert ids["bin"] not in listed(mailbox, labelIds=["SENT"])
    assert ids["bin"] in listed(mailbox, labelIds=["SENT"], includeSpamTrash=True)


def test_a_message_may_be_relabelled_binned_and_removed(mailbox: Mailbox) -> None:
    message_id = mailbox.send()["id"]
    messages = mailbox.owner.users().messages()
    starred = messages.modify(userId="me", id=message_id, body={"addLabelIds": ["STARRED"]}).execute()
    assert starred["labelIds"] == ["SENT", "STARRED"]
    assert "TRASH" in messages.trash(userId="me", id=message_id).execute()["labelIds"]
    assert "TRASH" not in messages.untrash(userId="me", id=message_id).execute()["labelIds"]
    messages.delete(userId="me", id=message_id).execute()
    with pytest.raises(HttpError):
        read(mailbox, message_id)


@pytest.mark.parametrize("label", ["SENT", "DRAFT", "Label_99"])
def test_some_labels_are_nobodys_to_give(mailbox: Mailbox, label: str) -> None:
    message_id = mailbox.send()["id"]
    with pytest.raises(HttpError) as refused:
        mailbox.owner.users().messages().modify(userId="me", id=message_id, body={"removeLabelIds": [label]}).execute()
    assert refused.value.status_code == 400


def test_labels_are_listed_with_ids_and_kinds(mailbox: Mailbox) -> None:
    labels = mailbox.owner.users().labels()
    made = labels.create(userId="me", body={"name": "Matters"}).execute()
    kinds = {label["id"]: label["type"] for label in labels.list(userId="me").execute()["labels"]}
    assert (kinds["SENT"], kinds[made["id"]]) == ("system", "user")
    mailbox.send()
    assert labels.get(userId="me", id="SENT").execute()["messagesTotal"] == 1


def test_the_profile_counts_messages_and_threads(mailbox: Mailbox) -> None:
    mailbox.send()
    mailbox.send()
    profile = mailbox.app.users().getProfile(userId="me").execute()
    assert (profile["emailAddress"], profile["messagesTotal"], profile["threadsTotal"]) == (mailbox.address, 2, 2)
