"""A user takes everything along, or has all of it deleted: no trace is left, whatever is under way or breaks."""

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.local.stack import GMAIL_EVENTS, SENT_EMAILS
from tests.e2e.asking import problem
from tests.e2e.conftest import ROOT, Running, Timekeeper, email, until
from tests.e2e.wire import When

CONFIRMED = {"confirm": "delete everything"}


def names(who: Timekeeper) -> tuple[str, str]:
    """Two names that stand in nobody else's mail and settings."""
    return f"Quill{who.user.id.hex[:10]}", f"Brack{who.user.id.hex[:10]}"


def evidence(who: Timekeeper) -> str:
    return f"I spent 24 minutes on the phone with the adjuster about the {names(who)[0]} lien."


@pytest.fixture
async def mine(running: Running, dana: Timekeeper) -> AsyncIterator[httpx.AsyncClient]:
    """Dana asks, who has something in as many tables as she can."""
    lien, other = names(dana)
    sent = await dana.mailbox.send(email(f"Ray,\n\n{evidence(dana)}\n\nDana\n", sender=dana.user.email))
    await dana.until_outcomes(sent)
    async with running.stack.functions_as(dana.user) as client:
        added = {"client": "Ortiz", "matter": lien, "aliases": [other]}
        (await client.post("/tools/configure_time_tracking", json={"add_matters": [added]})).raise_for_status()
        edit = {"description": f"{other}, edited"}
        edited = await dana.rest.patch("/time_tracking_entries", params={"email_id": f"eq.{sent}"}, json=edit)
        edited.raise_for_status()
        asked = {"date_range_days": 3, "query_filter": lien}
        (await client.post("/rescans", json=asked)).raise_for_status()
        (await client.post("/tools/get_time_tracking_summary", json={})).raise_for_status()
        yield client


async def exported(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    answer = await client.get("/my_data")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in answer.text.splitlines()]


async def delete(client: httpx.AsyncClient, **body: Any) -> httpx.Response:
    return await client.request("DELETE", "/my_data", json={**CONFIRMED, **body})


def dump(running: Running) -> str:
    """Every row of every table of the whole database, as text."""
    postgres = running.stack.postgres
    done = subprocess.run(
        [postgres.files.programs / "pg_dump", "--inserts", "--no-owner", postgres.admin_url],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def traces(running: Running, who: Timekeeper) -> list[str]:
    """Whatever tells of this user in the database, but for the line that is Supabase's own; materialized views too."""
    words = (str(who.user.id), who.user.email, str(who.mailbox.id), *names(who))
    lines = [line for line in dump(running).splitlines() if any(word in line for word in words)]
    return [line for line in lines if not line.startswith("INSERT INTO auth.users ")]


async def in_the_view(running: Running, who: Timekeeper) -> int:
    import asyncpg  # noqa: PLC0415  for this look alone

    connection = await asyncpg.connect(running.stack.postgres.admin_url)
    try:
        count = await connection.fetchval("select count(*) from private.time_summaries where user_id = $1", who.user.id)
        return int(count)
    finally:
        await connection.close()


async def test_a_user_takes_along_every_row_of_theirs(
    dana: Timekeeper, eli: Timekeeper, mine: httpx.AsyncClient
) -> None:
    sent = await eli.mailbox.send(email("I spent 36 minutes on the Hollis will.", sender=eli.user.email))
    await eli.until_outcomes(sent)
    lines = await exported(mine)
    tables = {line["table"] for line in lines[:-1]}
    assert tables >= {
        "auth.users",
        "mailboxes",
        "time_tracking_entries",
        "entry_changes",
        "matters",
        "processed_emails",
    }
    assert lines[-1]["end"] is True
    assert sum(lines[-1]["rows"].values()) == len(lines) - 1
    [entry] = [line["row"] for line in lines[:-1] if line["table"] == "time_tracking_entries"]
    assert (entry["extracted_text"], entry["description"]) == (evidence(dana), f"{names(dana)[1]}, edited")
    text = json.dumps(lines)
    assert dana.user.email in text
    for word in (eli.user.email, str(eli.user.id), str(eli.mailbox.id), "Hollis", "encrypted"):
        assert word not in text


async def test_what_is_not_confirmed_is_not_deleted(mine: httpx.AsyncClient) -> None:
    before = await exported(mine)
    for body in (b"", b"{}", b'{"confirm": true}', b'{"confirm": "yes"}', b'{"confirm": "delete everything", "x": 1}'):
        answer = await mine.request("DELETE", "/my_data", content=body)
        assert problem(answer)["type"] == "urn:tenths:problem:invalid_arguments"
    # Another rescan's page may move on meanwhile: only that.
    after = await exported(mine)
    steady = {"time_tracking_entries", "mailboxes", "matters", "entry_changes", "auth.users"}
    assert [x for x in after if x.get("table") in steady] == [x for x in before if x.get("table") in steady]


async def test_a_user_who_is_deleted_leaves_no_trace(
    running: Running, dana: Timekeeper, eli: Timekeeper, mine: httpx.AsyncClient
) -> None:
    theirs = await eli.mailbox_row()
    assert traces(running, dana), "she is all over it"
    answer = await delete(mine)
    assert answer.status_code == 200, answer.text
    assert answer.json()["deleted"]["public.time_tracking_entries"] == 1
    assert traces(running, dana) == []
    assert await in_the_view(running, dana) == 0
    stats = (await running.stack.http.get(f"{running.stack.gmail_url}/_sim/stats")).json()
    assert stats["calls"].get("stop", stats["calls"].get("users.stop", 0)) >= 1, "Gmail pushes no more"
    assert await eli.mailbox_row() == theirs, "nobody else is touched"
    again = await delete(mine)
    assert (again.status_code, again.json()["deleted"]) == (200, {})
    lines = await exported(mine)
    assert [line["table"] for line in lines[:-1]] == ["auth.users"], "that one is Supabase's"


async def test_messages_on_their_way_record_nothing_of_a_deleted_user(
    running: Running, dana: Timekeeper, mine: httpx.AsyncClient
) -> None:
    held = running.wires["analyze_email", "gateway"].hold(b"/rpc/record_analysis", When.BEFORE)
    await dana.mailbox.send(email(f"I spent 36 minutes on the {names(dana)[1]} lease.", sender=dana.user.email))
    await held.until_reached()  # read, found, and about to be recorded
    try:
        assert (await delete(mine)).status_code == 200
    finally:
        held.release()
    push = {"emailAddress": dana.user.email, "historyId": 99_999_999}
    message = {"mailbox_id": str(dana.mailbox.id), "email_id": "1a2b3c"}
    before = len(running.log("analyze_email"))
    await running.publish(GMAIL_EVENTS, json.dumps(push).encode())
    await running.publish(SENT_EMAILS, json.dumps(message).encode())

    async def refused() -> tuple[int, int]:
        pushes = [e for e in running.log("gmail_push") if e.get("code") == "unknown_mailbox"]
        emails = [e for e in running.log("analyze_email")[before:] if e.get("code") == "unknown_mailbox"]
        return len(pushes), len(emails)

    # Of the two emails the one that was held comes again, too, and finds no mailbox.
    await until(refused, lambda counts: counts[0] >= 1 and counts[1] >= 2)
    assert traces(running, dana) == []


async def test_while_google_is_away_nothing_is_deleted_until_the_user_wants_it_without(
    running: Running, dana: Timekeeper, mine: httpx.AsyncClient
) -> None:
    await running.stack.gmail.kill9()
    try:
        answer = await delete(mine)
        assert problem(answer)["type"] == "urn:tenths:problem:not_erased_yet"
        assert (answer.status_code, "retry-after" in answer.headers) == (503, True)
        assert (await dana.mailbox_row())["state"] == "disconnected", "nothing more is read of it, though"
        assert len(await dana.entries()) == 1
        without = await delete(mine, without_google=True)
        assert without.status_code == 200, without.text
        assert traces(running, dana) == []
    finally:
        await running.stack.gmail.start()


@pytest.mark.parametrize(
    ("call", "when"),
    [
        (b"/rpc/erase_user_data", When.BEFORE),
        (b"/rpc/erase_user_data", When.AFTER),
        (b"/rpc/refresh_summaries", When.BEFORE),
        (b"/rpc/refresh_summaries", When.AFTER),
    ],
)
async def test_a_deletion_that_is_killed_is_done_by_asking_again(
    running: Running, dana: Timekeeper, mine: httpx.AsyncClient, call: bytes, when: When
) -> None:
    held = running.wires["my_data", "gateway"].hold(call, when)
    asking = asyncio.create_task(delete(mine))
    await held.until_reached()
    await running.stack.functions["my_data"].kill9()
    held.release()
    with pytest.raises((httpx.HTTPError, AssertionError)):
        assert (await asking).status_code == 200
    answer = await until(lambda: delete(mine), lambda response: response.status_code != 503)
    assert answer.status_code == 200, answer.text
    assert traces(running, dana) == []
    assert await in_the_view(running, dana) == 0


async def test_nobody_is_given_or_deleted_by_anybody_elses_token(running: Running, dana: Timekeeper) -> None:
    async with httpx.AsyncClient(base_url=running.stack.gateway.functions_url) as nobody:
        assert problem(await nobody.get("/my_data"))["status"] == 401
        assert problem(await delete(nobody))["status"] == 401
    assert (await dana.mailbox_row())["state"] == "connected"


def operate(running: Running, *arguments: str, typed: str = "") -> "subprocess.CompletedProcess[str]":
    """A command with the environment of the function of the same purpose."""
    environ = {**os.environ, **running.stack.function_settings(), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "infra.operate", *arguments]
    return subprocess.run(
        command, env=environ, input=typed, capture_output=True, text=True, check=False, cwd=ROOT, timeout=120
    )


async def test_an_operator_exports_and_erases_for_a_user_who_asks(
    running: Running, dana: Timekeeper, mine: httpx.AsyncClient, tmp_path: Path
) -> None:
    file = tmp_path / "dana.ndjson"
    user = ("--user", str(dana.user.id))
    done = await asyncio.to_thread(operate, running, "export", *user, "--to", str(file))
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert file.stat().st_mode & 0o077 == 0, "nobody else reads it"
    shown = [x for x in await exported(mine) if x.get("table") == "time_tracking_entries"]
    assert [x for x in lines if x.get("table") == "time_tracking_entries"] == shown

    refused = await asyncio.to_thread(operate, running, "erase", *user, typed="no\n")
    assert (refused.returncode, "Nothing was deleted." in refused.stdout) == (1, True), refused.stderr
    assert len(await dana.entries()) == 1
    done = await asyncio.to_thread(operate, running, "erase", *user, typed="delete everything\n")
    assert done.returncode == 0, done.stderr
    assert re.search(r"public\.time_tracking_entries: 1", done.stdout)
    assert traces(running, dana) == []
    assert dana.user.email not in done.stdout + done.stderr
