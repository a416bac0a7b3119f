"""Mailboxes of a domain whose administrator lets the service in: each user's own, and no other."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from infra.local.mailbox import DELEGATED_DOMAIN, make
from tests.e2e.asking import problem
from tests.e2e.conftest import Running, until, work
from tests.e2e.mailboxes import Person, permissions, person, select


@pytest.fixture
async def let_in(running: Running) -> AsyncIterator[None]:
    await _let_in(running, DELEGATED_DOMAIN)
    yield
    await _let_in(running)


async def _let_in(running: Running, *domains: str) -> None:
    url = f"{running.stack.gmail_url}/_sim/delegation"
    (await running.stack.http.put(url, json={"domains": list(domains)})).raise_for_status()


@pytest.fixture
async def omar(running: Running) -> AsyncIterator[Person]:
    async with person(running.stack, f"omar-{uuid4().hex[:12]}@{DELEGATED_DOMAIN}") as someone:
        yield someone


async def _delegate(someone: Person) -> str:
    connected = await someone.functions.post("/mailbox/delegate", json={})
    assert connected.status_code == 201, connected.text
    return str(connected.json()["id"])


@pytest.mark.usefixtures("let_in")
async def test_a_users_own_mailbox_is_connected_without_a_consent_screen_and_read(
    running: Running, omar: Person
) -> None:
    mailbox_id = await _delegate(omar)
    [shown] = await omar.mailboxes()
    assert (shown["id"], shown["email_address"], shown["access"]) == (mailbox_id, omar.user.email, "delegated")
    owner = await make(running.stack.http, running.stack.gmail_url, omar.user.email)
    sent = await running.stack.http.post(
        f"{running.stack.gmail_url}/upload/gmail/v1/users/me/messages/send?uploadType=media",
        content=work(18),
        headers={"Authorization": f"Bearer {owner}", "Content-Type": "message/rfc822"},
    )
    query = "select email_id, duration_minutes from public.time_tracking_entries where user_id = $1"
    [row] = await until(lambda: select(running.stack, query, omar.user.id), bool)
    assert (row["email_id"], row["duration_minutes"]) == (sent.json()["id"], 18)
    [stored] = await select(
        running.stack,
        "select refresh_token_encrypted from private.mailbox_credentials where mailbox_id = $1",
        mailbox_id,
    )
    assert omar.user.email not in stored["refresh_token_encrypted"]


@pytest.mark.usefixtures("let_in")
async def test_nobody_chooses_whose_mailbox_is_opened(running: Running, omar: Person) -> None:
    async with person(running.stack) as mallory:
        # The token says what Mallory likes, the database knows the address that was confirmed.
        claims: dict[str, Any] = {"sub": str(mallory.user.id), "email": omar.user.email, "role": "authenticated"}
        claims["user_metadata"] = {"email": omar.user.email, "email_verified": True}
        token = mallory.stack.keys.sign(claims, timedelta(hours=1))
        headers = {"Authorization": f"Bearer {token}"}
        for body in ({}, {"email": omar.user.email}, {"address": omar.user.email}):
            refused = await mallory.functions.post("/mailbox/delegate", json=body, headers=headers)
            assert refused.status_code in {409, 422}
        assert await mallory.mailboxes() == []


@pytest.mark.usefixtures("let_in")
async def test_an_address_that_was_never_confirmed_opens_nothing(running: Running, omar: Person) -> None:
    await select(
        running.stack, "update auth.users set email_confirmed_at = null where id = $1 returning id", omar.user.id
    )
    refused = await omar.functions.post("/mailbox/delegate", json={})
    assert refused.status_code == 409
    assert "confirm your email address" in problem(refused)["detail"]


async def test_where_the_administrator_does_not_let_us_in_the_user_is_told(omar: Person) -> None:
    refused = await omar.functions.post("/mailbox/delegate", json={})
    assert refused.status_code == 409
    assert "administrator" in problem(refused)["detail"]
    assert await omar.mailboxes() == []


@pytest.mark.usefixtures("let_in")
async def test_leave_that_the_administrator_takes_back_marks_the_mailbox_until_it_is_given_again(
    running: Running, omar: Person
) -> None:
    mailbox_id = await _delegate(omar)
    await until(lambda: _pushes(running, mailbox_id), lambda pushes: pushes > 0)
    await _let_in(running)
    refused = await omar.functions.post("/tools/scan_billable_time", json={})
    assert refused.status_code == 409
    [shown] = await omar.mailboxes()
    assert shown["state"] == "reconnect_needed"
    assert "administrator" in shown["what_to_do"]
    await _let_in(running, DELEGATED_DOMAIN)
    assert await _delegate(omar) == mailbox_id
    assert [each["state"] for each in await omar.mailboxes()] == ["connected"]


async def _pushes(running: Running, mailbox_id: str) -> int:
    return sum(event.get("mailbox_id") == mailbox_id for event in running.log("gmail_push"))


@pytest.mark.usefixtures("let_in")
async def test_disconnecting_ends_the_watch_and_no_permission_of_the_persons_own(
    running: Running, omar: Person
) -> None:
    mailbox_id = await _delegate(omar)
    before = (await running.calls()).get("revoke", 0)
    done = await omar.disconnect(mailbox_id)
    assert (done.status_code, done.json()["is_complete"]) == (200, True)
    stats = (await running.stack.http.get(f"{running.stack.gmail_url}/_sim/stats")).json()
    assert omar.user.email not in stats["watched"]
    assert (await running.calls()).get("revoke", 0) == before


@pytest.mark.usefixtures("let_in")
async def test_a_permission_that_the_owner_gave_is_given_back_before_the_administrators_takes_its_place(
    running: Running, omar: Person
) -> None:
    connected = await omar.connect()
    refused = await omar.functions.post("/mailbox/delegate", json={})
    assert problem(refused)["status"] == 409
    [shown] = await omar.mailboxes()
    assert shown["access"] == "oauth"
    disconnected = await omar.functions.delete(f"/mailbox/{connected}")
    assert disconnected.json()["is_complete"]
    assert await permissions(running.stack, omar.user.email) == 0
    await _delegate(omar)
