"""What an operator reads: counted by the functions, scraped from each, and equal to what really happened."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import asyncpg
import pytest
from prometheus_client.parser import text_string_to_metric_families

from infra.local.schedule import run_task
from infra.local.stack import FUNCTIONS, Stack
from shared.gmail.quota import PROFILES
from tests.e2e.conftest import Running, Timekeeper, email, until, work
from tests.e2e.doubtful import doubtful_mail

Tally = Mapping[str, tuple[float, float]]

HISTORY = "gmail.users.history.list"
EMAILS = 7
WITHOUT = 3


@pytest.fixture(scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """A stack of its own, so that all that is counted is these tests'."""
    async with Stack(tmp_path_factory.mktemp("metrics"), simulate_model=True) as stack:
        yield Running(stack, {})


class Scrape:
    """What one function tells."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.samples = [
            sample for family in text_string_to_metric_families(text) for sample in family.samples if sample
        ]

    def __call__(self, name: str, **labels: str) -> float:
        """The sum of all samples of this name that have these labels."""
        return sum(
            sample.value
            for sample in self.samples
            if sample.name == name and labels.items() <= dict(sample.labels).items()
        )


@asynccontextmanager
async def database(running: Running) -> "AsyncIterator[asyncpg.Connection[asyncpg.Record]]":
    connection = await asyncpg.connect(running.stack.postgres.url)
    try:
        yield connection
    finally:
        await connection.close()


async def scrape(running: Running, function: str) -> Scrape:
    answer = await running.stack.http.get(running.stack.metrics_url(function))
    answer.raise_for_status()
    return Scrape(answer.text)


async def gained(running: Running, function: str, before: Scrape, name: str, **labels: str) -> float:
    return (await scrape(running, function))(name, **labels) - before(name, **labels)


async def test_each_email_is_counted_once_by_outcome_and_has_one_lag(running: Running, dana: Timekeeper) -> None:
    before = await scrape(running, "analyze_email")
    sent = [await dana.mailbox.send(work(minutes)) for minutes in range(6, 6 + EMAILS)]
    sent += [await dana.mailbox.send(email("See you on Thursday.\n")) for _ in range(WITHOUT)]
    await dana.until_outcomes(*sent)

    async def seen() -> float:
        return await gained(running, "analyze_email", before, "tenths_deliveries_total", result="done")

    await until(seen, lambda deliveries: deliveries >= len(sent))
    after = await scrape(running, "analyze_email")

    def grew(name: str, **labels: str) -> float:
        return after(name, **labels) - before(name, **labels)

    assert grew("tenths_emails_total", outcome="entries") == EMAILS
    assert grew("tenths_emails_total", outcome="none") == WITHOUT
    assert grew("tenths_emails_total") == len(sent)
    assert grew("tenths_entries_total", extractor="rules") == len(await dana.entries()) == EMAILS
    assert grew("tenths_lag_seconds_count") == len(sent)
    assert 0 < grew("tenths_lag_seconds_sum") < 60 * len(sent)
    for stage in ("fetch", "read", "record"):
        assert grew("tenths_stage_seconds_count", stage=stage) == len(sent)
    assert grew("tenths_database_seconds_count", call="record_analysis", result="done") == len(sent)


async def test_calls_and_units_of_gmail_are_those_that_gmail_counts(running: Running, dana: Timekeeper) -> None:
    await running.stack.http.delete(f"{running.stack.gmail_url}/_sim/stats")
    before = await everything(running)
    sent = [await dana.mailbox.send(work(minutes)) for minutes in range(6, 6 + EMAILS)]
    await dana.until_outcomes(*sent)

    async def both() -> tuple[Tally, Tally]:
        """By method, calls and units: as Gmail counts them, and as the functions do."""
        cost = PROFILES["2026"].cost
        calls = {f"gmail.users.{name}": count for name, count in (await running.calls()).items()}
        by_gmail = {name: (count, count * cost[name]) for name, count in calls.items() if name in cost}
        after = await everything(running)

        def grew(name: str, **labels: str) -> float:
            return sum(after[each](name, **labels) - before[each](name, **labels) for each in FUNCTIONS)

        return by_gmail, {
            method: (
                grew("tenths_gmail_calls_total", method=method, status="200"),
                grew("tenths_gmail_quota_units_total", method=method),
            )
            for method in by_gmail
        }

    def told_alike(counts: tuple[Tally, Tally]) -> bool:
        by_gmail, by_us = counts
        return by_gmail == by_us and by_us["gmail.users.messages.get"][0] == EMAILS and HISTORY in by_us

    await until(both, told_alike, 20.0)  # the pushes that came last are still being worked off


async def test_a_streamed_answer_that_ends_in_a_problem_is_counted_as_that(running: Running, dana: Timekeeper) -> None:
    before = await scrape(running, "tools")
    await running.fault("revoke_token", address=dana.user.email)
    async with running.stack.functions_as(dana.user) as tools:
        answer = await tools.post("/tools/scan_billable_time", json={}, headers={"accept": "text/event-stream"})
    assert answer.text.startswith("event: ")
    assert "event: problem" in answer.text
    assert await gained(running, "tools", before, "tenths_requests_total", status="200", code="access_revoked") == 1
    assert await gained(running, "tools", before, "tenths_requests_total", status="200", code="done") == 0


async def everything(running: Running) -> Mapping[str, Scrape]:
    return {function: await scrape(running, function) for function in FUNCTIONS}


async def test_what_was_asked_and_remembered_is_counted(running: Running, dana: Timekeeper) -> None:
    before = await scrape(running, "tools")
    async with running.stack.functions_as(dana.user) as tools:
        for _ in range(3):
            (await tools.post("/tools/get_time_tracking_summary", json={"date_range_days": 7})).raise_for_status()
        assert (await tools.post("/tools/get_time_tracking_summary", json={"date_range_days": 0})).status_code == 422
        assert (await tools.post("/tools/no_such_tool", json={})).status_code == 404
    assert await gained(running, "tools", before, "tenths_requests_total", status="200", code="done") == 3
    assert await gained(running, "tools", before, "tenths_requests_total", code="invalid_arguments") == 1
    assert await gained(running, "tools", before, "tenths_requests_total", code="not_found") == 1
    assert await gained(running, "tools", before, "tenths_cache_lookups_total", cache="summaries", result="hit") == 2
    assert await gained(running, "tools", before, "tenths_cache_lookups_total", cache="summaries", result="miss") == 1


async def test_how_things_stand_is_told_after_each_task_of_maintenance(running: Running, dana: Timekeeper) -> None:
    async def stand() -> Scrape:
        before = await scrape(running, "maintenance")
        await run_task(running.stack, "refresh_summaries")
        after = await scrape(running, "maintenance")
        runs = [
            each("tenths_maintenance_runs_total", task="refresh_summaries", result="done") for each in (before, after)
        ]
        assert runs[1] == runs[0] + 1
        return after

    async with database(running) as sql:
        now = await stand()
        connected = await sql.fetchval("select count(*) from mailboxes where state = 'connected'")
        assert now("tenths_mailboxes", state="connected") == connected > 0
        assert (now("tenths_watches_lapsing"), now("tenths_watches_lapsed")) == (0, 0)
        assert (now("tenths_emails_waiting"), now("tenths_oldest_waiting_seconds")) == (0, 0)
        await sql.execute(
            "update mailboxes set watch_expires_at = now() + interval '3 hours' where id = $1", dana.mailbox.id
        )
        await sql.execute(
            "insert into awaited_emails (user_id, mailbox_id, email_id, handed_on_at, next_try_at)"
            " values ($1, $2, 'lost', now() - interval '7 hours', now() + interval '1 hour')",
            *(dana.user.id, dana.mailbox.id),
        )
        now = await stand()
        assert (now("tenths_watches_lapsing"), now("tenths_watches_lapsed")) == (1, 0)
        assert now("tenths_emails_waiting") == 1
        assert 7 * 3600 <= now("tenths_oldest_waiting_seconds") < 8 * 3600
        await sql.execute("delete from awaited_emails where email_id = 'lost'")
        await sql.execute("update mailboxes set watch_expires_at = now() where id = $1", dana.mailbox.id)
        now = await stand()
        assert (now("tenths_watches_lapsing"), now("tenths_watches_lapsed")) == (0, 1)
        assert (now("tenths_emails_waiting"), now("tenths_oldest_waiting_seconds")) == (0, 0)
        await run_task(running.stack, "renew_watches")
        assert (await scrape(running, "maintenance"))("tenths_watches_lapsed") == 0


async def test_calls_of_the_model_and_what_they_took_are_counted(running: Running, dana: Timekeeper) -> None:
    before = await scrape(running, "analyze_email")
    [doubted] = doubtful_mail("Lowe", 1, email)
    sent = await dana.mailbox.send(doubted)
    await dana.until_outcomes(sent)
    assert (
        await gained(running, "analyze_email", before, "tenths_model_calls_total", purpose="judge", result="done") == 1
    )
    for kind in ("prompt", "output"):
        assert await gained(running, "analyze_email", before, "tenths_model_tokens_total", kind=kind) > 0
    assert await gained(running, "analyze_email", before, "tenths_model_wait_seconds_count", result="granted") == 1
    assert await gained(running, "analyze_email", before, "tenths_stage_seconds_count", stage="model") == 1
    assert await gained(running, "analyze_email", before, "tenths_model_verdicts_total") > 0


async def test_a_refused_delivery_is_counted_by_its_code(running: Running) -> None:
    before = await scrape(running, "analyze_email")
    assert (await running.deliver("analyze_email", content=b"no push")).status_code == 204
    assert (await running.stack.http.post(f"{running.stack.gateway.functions_url}/analyze_email")).status_code == 401
    assert await gained(running, "analyze_email", before, "tenths_deliveries_total", result="bad_delivery") == 1
    assert await gained(running, "analyze_email", before, "tenths_deliveries_total", result="not_authenticated") == 1


async def test_what_is_left_of_a_mailboxs_minute_shows(running: Running, dana: Timekeeper) -> None:
    sent = [await dana.mailbox.send(work(minutes)) for minutes in range(6, 21)]
    await dana.until_outcomes(*sent)
    told = await scrape(running, "analyze_email")
    assert len(sent) * 20 / 6_000 <= told("tenths_gmail_quota_used_share", of="mailbox") < 1
    assert told("tenths_gmail_quota_used_share", of="project") < told("tenths_gmail_quota_used_share", of="mailbox")


async def test_no_user_mailbox_address_or_email_can_be_told_from_what_is_measured(
    running: Running, dana: Timekeeper
) -> None:
    sent = await dana.mailbox.send(work())
    await dana.until_outcomes(sent)
    async with running.stack.functions_as(dana.user) as tools:
        (await tools.post("/tools/scan_billable_time", json={"date_range_days": 7})).raise_for_status()
    for told in (await everything(running)).values():
        labels = {value for sample in told.samples for value in sample.labels.values()}
        for secret in (sent, str(dana.user.id), str(dana.mailbox.id), dana.user.email, "whitfieldlaw"):
            assert secret not in told.text
        assert not [value for value in labels if re.search(r"@|[0-9a-f]{8,}|\s", value)]
        # As many series as there are kinds of things, however many emails there were.
        assert len(told.samples) < 1_000


async def test_what_is_measured_is_not_served_where_the_world_can_ask(running: Running, dana: Timekeeper) -> None:
    urls = [running.stack.gateway.functions_url, *(f"{running.stack.gateway.functions_url}/{f}" for f in FUNCTIONS)]
    async with running.stack.functions_as(dana.user) as world:
        for url in urls:
            answer = await world.get(f"{url}/metrics")
            assert "tenths_" not in answer.text
            assert not answer.headers.get("content-type", "").startswith("text/plain")


async def test_a_look_at_a_functions_health_is_no_request(running: Running) -> None:
    for function in FUNCTIONS:
        before = await scrape(running, function)
        answer = await running.stack.http.get(f"{running.stack.gateway.functions_url}/{function}/health")
        assert (answer.status_code, answer.json()) == (200, {"status": "ok", "function": function})
        for name in ("tenths_requests_total", "tenths_deliveries_total"):
            assert await gained(running, function, before, name) == 0


async def test_only_machines_see_what_a_function_depends_on(running: Running, dana: Timekeeper) -> None:
    url = f"{running.stack.gateway.functions_url}/gmail_push/health?deep=1"
    for authorization in ("", f"Bearer {dana.user.token}", f"Bearer {running.stack.scheduler_token}"):
        answer = await running.stack.http.get(url, headers={"Authorization": authorization})
        assert (answer.status_code, answer.json()) == (401, {"status": "unknown", "function": "gmail_push"})
    answer = await running.stack.http.get(url, headers={"Authorization": f"Bearer {running.stack.push_token}"})
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "status": "ok",
            "function": "gmail_push",
            "database": "ok",
            "pubsub": "ok",
            "redis": "ok",
            "breakers": [],
        },
    )


async def test_without_redis_a_function_is_degraded_and_without_the_database_it_fails(running: Running) -> None:
    async def look() -> tuple[int, dict[str, object]]:
        url = f"{running.stack.gateway.functions_url}/analyze_email/health?deep=1"
        answer = await running.stack.http.get(url, headers={"Authorization": f"Bearer {running.stack.push_token}"})
        return answer.status_code, answer.json()

    await running.stack.valkey.stop()
    try:
        status, told = await look()
        assert (status, told["status"], told["redis"], told["database"]) == (200, "degraded", "unreachable", "ok")
    finally:
        await running.stack.valkey.start()
    await running.stack.postgrest.stop()
    try:
        status, told = await look()
        assert (status, told["status"], told["redis"], told["database"]) == (503, "failing", "ok", "unreachable")
    finally:
        await running.stack.postgrest.start()
    assert (await look())[0] == 200


async def test_lines_of_a_request_carry_the_trace_that_googles_front_end_gives_it(running: Running) -> None:
    trace = "105445aa7843bc8bf206b12000100000"
    for headers in ({"X-Cloud-Trace-Context": f"{trace}/1;o=1"}, {"traceparent": f"00-{trace}-00f067aa0ba902b7-01"}):
        seen = len(running.log("analyze_email"))
        await running.deliver("analyze_email", content=b"no push", headers=headers)
        [line] = running.log("analyze_email")[seen:]
        assert line["logging.googleapis.com/trace"] == f"projects/tenths-local/traces/{trace}"
    seen = len(running.log("analyze_email"))
    await running.deliver("analyze_email", content=b"no push", headers={"X-Cloud-Trace-Context": "../" * 9})
    [line] = running.log("analyze_email")[seen:]
    assert "logging.googleapis.com/trace" not in line
