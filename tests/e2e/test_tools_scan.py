"""scan_billable_time: what was sent is read once, stored once, and counted truly."""

import asyncio
import base64
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import asyncpg
import pytest

from shared.errors import TransientError
from shared.settings import ToolsSettings
from shared.wiring import tools_parts
from tests.e2e.asking import Asking, problem
from tests.e2e.conftest import Running, Timekeeper, email, extracted, until
from tests.e2e.wire import When


@dataclass
class Scanning:
    """A lawyer whose mail is not read as it is sent: only scans find it."""

    dana: Timekeeper
    asking: Asking
    running: Running

    async def send(self, *raw: bytes) -> list[str]:
        before = await self._unread_deliveries()
        ids = [await self.dana.mailbox.send(one) for one in raw]
        await until(self._unread_deliveries, lambda seen: seen >= before + len(raw))
        return ids

    async def _unread_deliveries(self) -> int:
        """How many emails of hers the push path has left alone so far."""
        mailbox = str(self.dana.mailbox.id)
        return sum(
            line.get("mailbox_id") == mailbox and line.get("note") == "auto_analysis_off"
            for line in self.running.log("analyze_email")
        )

    async def gmail_calls(self, work: Callable[[], Awaitable[Any]]) -> tuple[Any, Counter[str]]:
        """What the work gives, and the calls of Gmail that it made."""
        before = Counter(await self.running.calls())
        result = await work()
        return result, Counter(await self.running.calls()) - before


@pytest.fixture
async def scanning(running: Running, dana: Timekeeper) -> AsyncIterator[Scanning]:
    asking = Asking.of(running.stack, dana.user)
    async with asking.http:
        await asking.answer("configure_time_tracking", auto_analysis=False)
        yield Scanning(dana, asking, running)


def sent(text: str, **headers: str) -> bytes:
    return email(text, Date=format_datetime(datetime.now(UTC)), **headers)


def calls(minutes: int, client: str = "Ortiz", **headers: str) -> bytes:
    text = f"Ray,\n\nI spent {minutes} minutes on the phone with the adjuster.\n\nDana\n"
    return sent(text, Subject=f"{client} - where we are", **headers)


async def test_a_scan_finds_what_was_sent_and_stores_it_once(scanning: Scanning) -> None:
    raw = [calls(12), sent("See you on Thursday.\n"), calls(18, "Hollis")]
    await scanning.send(*raw)
    first = await scanning.asking.scan()
    expected = sorted(entry["duration_minutes"] for found in extracted(*raw) for entry in found)
    assert sorted(entry["duration_minutes"] for entry in first["entries"]) == expected == [12, 18]
    assert {entry["extracted_text"] for entry in first["entries"]} == {
        f"I spent {minutes} minutes on the phone with the adjuster." for minutes in (12, 18)
    }
    again = await scanning.asking.scan()
    assert again["entries"] == first["entries"]
    assert sorted(row["duration_minutes"] for row in await scanning.dana.entries()) == expected


async def test_its_counters_are_true(scanning: Scanning) -> None:
    await scanning.send(calls(12), calls(18), sent("See you.\n"))
    first, made = await scanning.gmail_calls(scanning.asking.scan)
    assert (first["total_processed"], first["cache_hits"], first["cache_misses"]) == (3, 0, 3)
    assert (first["time_entries_found"], first["failed"], first["llm_calls"]) == (2, 0, 0)
    assert made["messages.get"] == 3
    assert first["api_calls_made"] == made["messages.get"] + made["messages.list"] == 4
    assert (first["truncated"], first["continue_from"], first["stopped_by"]) == (False, None, None)

    again, made = await scanning.gmail_calls(scanning.asking.scan)
    assert (again["total_processed"], again["cache_hits"], again["cache_misses"]) == (3, 3, 0)
    assert again["time_entries_found"] == 2
    assert made["messages.get"] == 0
    assert again["api_calls_made"] == 1


async def test_without_the_cache_all_is_read_again_and_nothing_is_written_twice(scanning: Scanning) -> None:
    await scanning.send(calls(12), calls(18))
    first = await scanning.asking.scan()
    again, made = await scanning.gmail_calls(lambda: scanning.asking.scan(use_cache=False))
    assert made["messages.get"] == again["cache_misses"] == 2
    assert again["entries"] == first["entries"]
    assert len(await scanning.dana.entries()) == 2


async def test_two_scans_at_once_write_nothing_twice(scanning: Scanning) -> None:
    await scanning.send(*(calls(minutes) for minutes in range(6, 66, 6)))
    both = await asyncio.gather(scanning.asking.scan(), scanning.asking.scan(use_cache=False))
    assert [each["time_entries_found"] for each in both] == [10, 10]
    assert len(await scanning.dana.entries()) == 10


async def test_what_the_push_path_has_read_is_not_fetched_again(running: Running, dana: Timekeeper) -> None:
    ids = [await dana.mailbox.send(calls(minutes)) for minutes in (12, 18)]
    await dana.until_outcomes(*ids)
    asking = Asking.of(running.stack, dana.user)
    async with asking.http:
        found, made = await Scanning(dana, asking, running).gmail_calls(asking.scan)
    assert (found["cache_hits"], made["messages.get"]) == (2, 0)
    assert found["time_entries_found"] == 2


async def test_a_query_narrows_what_is_read(scanning: Scanning) -> None:
    await scanning.send(calls(12, "Ortiz"), calls(18, "Hollis"), calls(24, "Novak"))
    found = await scanning.asking.scan(query_filter="subject:hollis OR subject:novak")
    assert sorted(entry["duration_minutes"] for entry in found["entries"]) == [18, 24]
    assert found["total_processed"] == 2


async def test_a_client_narrows_what_is_listed_and_all_is_stored(scanning: Scanning) -> None:
    await scanning.send(calls(12, "Ortiz"), calls(18, "Hollis"))
    await scanning.asking.answer("configure_time_tracking", add_matters=[{"client": "Hollis"}])
    found = await scanning.asking.scan(client_filter="hollis")
    assert [entry["client_matter"] for entry in found["entries"]] == ["Hollis"]
    assert (found["time_entries_found"], found["total_processed"]) == (1, 2)
    assert len(await scanning.dana.entries()) == 2


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"client_filter": "Nobody at all"}, "client_filter"),
        ({"query_filter": "in:anywhere"}, "query_filter"),
        ({"query_filter": "-label:sent"}, "query_filter"),
        ({"query_filter": 'x" OR in:inbox "'}, "query_filter"),
        ({"query_filter": "x) OR (y"}, "query_filter"),
        ({"query_filter": '"'}, "query_filter"),
        ({"date_range_days": 0}, "date_range_days"),
        ({"date_range_days": 31}, "date_range_days"),
        ({"max_emails": 501}, "max_emails"),
        ({"max_emails": "10"}, "max_emails"),
        ({"days": 7}, "days"),
        ({"use_cache": "no"}, "use_cache"),
        ({"continue_from": "bm90IG9uZQ=="}, "continue_from"),
        ({"continue_from": "é"}, "continue_from"),
    ],
)
async def test_what_is_wrong_is_named_and_changes_nothing(
    scanning: Scanning, arguments: dict[str, Any], field: str
) -> None:
    await scanning.send(calls(12))
    refused, made = await scanning.gmail_calls(lambda: scanning.asking.ask("scan_billable_time", **arguments))
    assert refused.status_code == 422
    assert [error["field"] for error in problem(refused)["errors"]] == [field]
    assert made["messages.list"] == made["messages.get"] == 0
    assert await scanning.dana.outcomes() == {}


async def test_emails_that_fail_fail_alone_and_the_next_scan_has_them(scanning: Scanning) -> None:
    await scanning.send(*(calls(minutes) for minutes in range(6, 66, 6)))
    # Of ten emails with three tries each, at least five fail for good.
    await scanning.running.fault("500", count=25, method="messages.get", address=scanning.dana.user.email)
    found = await scanning.asking.scan()
    failed = found["failed"]
    assert 5 <= failed < 10
    assert {failure["code"] for failure in found["failures"]} == {"gmail_unavailable"}
    assert (found["total_processed"], found["time_entries_found"]) == (10, 10 - failed)
    await scanning.running.stack.http.delete(f"{scanning.running.stack.gmail_url}/_sim/faults")
    again = await scanning.asking.scan()
    assert (again["cache_misses"], again["time_entries_found"]) == (failed, 10)


async def test_an_email_that_the_database_refuses_keeps_no_other_out(scanning: Scanning) -> None:
    ids = await scanning.send(calls(12), calls(18), calls(24))
    sql = await asyncpg.connect(scanning.running.stack.postgres.url)
    try:
        await sql.execute(
            f"""create function private.refuse_one() returns trigger language plpgsql as $$
                begin raise exception 'not this one'; end $$;
                create trigger refuse_one before insert on public.processed_emails
                for each row when (new.email_id = '{ids[1]}') execute function private.refuse_one();"""
        )
        found = await scanning.asking.scan()
    finally:
        await sql.execute("drop function if exists private.refuse_one cascade")
        await sql.close()
    assert found["failures"] == [{"email_id": ids[1], "code": "store_refused"}]
    assert sorted(entry["duration_minutes"] for entry in found["entries"]) == [12, 24]
    assert (await scanning.asking.scan())["time_entries_found"] == 3


async def test_a_quota_that_is_used_up_ends_the_scan_and_fails_no_email(scanning: Scanning) -> None:
    await scanning.send(calls(12), calls(18), calls(24))
    address = scanning.dana.user.email
    await scanning.running.fault("429", count=100, method="messages.get", address=address, retry_after_s=60)
    found = await scanning.asking.scan()
    await scanning.running.stack.http.delete(f"{scanning.running.stack.gmail_url}/_sim/faults")
    assert (found["truncated"], found["stopped_by"], found["failures"]) == (True, "over_quota", [])
    goes_on = await scanning.asking.scan(continue_from=found["continue_from"])
    assert (goes_on["truncated"], goes_on["time_entries_found"]) == (False, 3)


async def test_an_email_that_is_deleted_while_it_is_fetched_is_on_record_as_gone(scanning: Scanning) -> None:
    ids = await scanning.send(calls(12), calls(18), calls(24))
    hold = scanning.running.wires["tools", "gmail"].hold(b"/batch/gmail/v1", When.BEFORE)
    scan = asyncio.create_task(scanning.asking.scan())
    await hold.until_reached()
    await scanning.dana.mailbox.delete(ids[1])
    hold.release()
    found = await scan
    assert sorted(entry["duration_minutes"] for entry in found["entries"]) == [12, 24]
    assert await scanning.dana.outcomes() == {ids[0]: "entries", ids[1]: "gone", ids[2]: "entries"}
    assert (found["total_processed"], found["failed"]) == (3, 0)


async def test_more_than_was_asked_for_goes_on_where_it_ended(scanning: Scanning) -> None:
    await scanning.send(*(calls(minutes) for minutes in range(6, 48, 6)))
    found = await scanning.asking.scan(max_emails=3)
    pages = [found]
    while found["truncated"]:
        assert found["stopped_by"] == "max_emails"
        found = await scanning.asking.scan(max_emails=3, continue_from=found["continue_from"])
        pages.append(found)
    assert [page["total_processed"] for page in pages] == [3, 3, 1]
    minutes = [entry["duration_minutes"] for page in pages for entry in page["entries"]]
    assert sorted(minutes) == list(range(6, 48, 6))


async def test_at_its_deadline_it_answers_with_what_it_has_and_goes_on_there(scanning: Scanning) -> None:
    running, dana = scanning.running, scanning.dana
    await scanning.send(*(calls(minutes) for minutes in range(6, 246, 6)))
    settings = running.stack.function_settings()
    parts = tools_parts(
        ToolsSettings.from_environ({**settings, "SCAN_DEADLINE_SECONDS": "0.6", "GMAIL_CONCURRENCY": "2"})
    )
    caller = await parts.tokens.verify(f"Bearer {dana.user.token}")
    await running.simulate(latency_ms=80)
    try:
        found: Any = await parts.toolbox.call(caller, "scan_billable_time", b"{}")
        assert (found.truncated, found.stopped_by) == (True, "deadline")
        assert 0 < found.total_processed < 40
        assert len(await dana.entries()) == found.time_entries_found == found.total_processed
        scans = 1
        while found.truncated:
            arguments = f'{{"continue_from": "{found.continue_from}"}}'
            found = await parts.toolbox.call(caller, "scan_billable_time", arguments)
            scans += 1
    finally:
        await running.simulate(latency_ms=0)
        await parts.aclose()
    assert scans > 2
    assert sorted(row["duration_minutes"] for row in await dana.entries()) == list(range(6, 246, 6))


async def test_it_tells_how_far_it_is(scanning: Scanning) -> None:
    await scanning.send(*(calls(minutes) for minutes in range(6, 186, 6)))
    events = await scanning.asking.events("scan_billable_time")
    progress = [data for name, data in events if name == "progress"]
    assert progress[0] == {"done": 0, "total": 30, "entries": 0}
    assert progress[-1] == {"done": 30, "total": 30, "entries": 30}
    assert [one["done"] for one in progress] == sorted(one["done"] for one in progress)
    name, result = events[-1]
    assert (name, result["time_entries_found"]) == ("result", 30)


async def test_what_goes_wrong_after_the_stream_began_is_its_last_event(scanning: Scanning) -> None:
    await scanning.send(calls(12))
    await scanning.running.fault("500", count=3, method="messages.list", address=scanning.dana.user.email)
    [*_, (name, said)] = await scanning.asking.events("scan_billable_time")
    assert (name, said["status"], said["type"]) == ("problem", 503, "urn:tenths:problem:gmail_unavailable")
    assert TransientError.code not in str(said["detail"])


async def test_mail_out_of_range_is_not_read(scanning: Scanning) -> None:
    mailbox, old = scanning.dana.mailbox, format_datetime(datetime.now(UTC) - timedelta(days=20))
    await scanning.send(calls(12))
    raw = base64.urlsafe_b64encode(email("I spent 30 minutes on the phone with Ortiz.\n", Date=old)).decode()
    put_in = await mailbox.http.post(  # what is sent is dated now; what is put in may be older
        f"{mailbox.gmail_url}/gmail/v1/users/me/messages",
        params={"internalDateSource": "dateHeader"},
        json={"raw": raw, "labelIds": ["SENT"]},
        headers={"Authorization": f"Bearer {mailbox.owner_token}"},
    )
    put_in.raise_for_status()
    assert (await scanning.asking.scan(date_range_days=7))["total_processed"] == 1
    assert (await scanning.asking.scan(date_range_days=30))["total_processed"] == 2


async def test_whoever_has_no_mailbox_is_told_so(running: Running) -> None:
    user = await running.stack.add_user("nobox@firm.example")
    asking = Asking.of(running.stack, user)
    async with asking.http:
        refused = await asking.ask("scan_billable_time")
    assert (refused.status_code, problem(refused)["type"]) == (409, "urn:tenths:problem:in_conflict")


async def test_a_mailbox_whose_owner_took_the_permission_back_says_so_from_then_on(scanning: Scanning) -> None:
    await scanning.send(calls(12))
    await scanning.running.fault("revoke_token", address=scanning.dana.user.email)
    first = await scanning.asking.ask("scan_billable_time")
    assert (first.status_code, problem(first)["type"]) == (409, "urn:tenths:problem:access_revoked")
    assert (await scanning.dana.mailbox_row())["state"] == "reconnect_needed"


async def test_nobody_scans_anything(running: Running, scanning: Scanning) -> None:
    forged = Asking.of(running.stack, scanning.dana.user, token=scanning.dana.user.token[:-4] + "AAAA")
    async with forged.http:
        refused = await forged.ask("scan_billable_time")
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
        assert problem(refused)["type"] == "urn:tenths:problem:not_authenticated"
