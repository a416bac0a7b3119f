"""analyze_time_entry says why; configure_time_tracking changes what it says and nothing else."""

from collections import Counter
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from tests.e2e.asking import Asking, problem
from tests.e2e.conftest import Running, Timekeeper, email

MIXED = email(
    "Ray,\n\nI spent an hour and a half on the phone with the adjuster this morning. You have 14 days to answer,"
    " which should take you 20 minutes at most.\n\nDana\n"
)


@pytest.fixture
async def asking(running: Running, dana: Timekeeper) -> AsyncIterator[Asking]:
    client = Asking.of(running.stack, dana.user)
    async with client.http:
        yield client


async def test_an_email_is_explained_with_its_words_and_its_refusals(dana: Timekeeper, asking: Asking) -> None:
    sent = await dana.mailbox.send(MIXED)
    await dana.until_outcomes(sent)
    found = await asking.answer("analyze_time_entry", email_id=sent)
    [row] = await dana.entries()
    [candidate] = found["candidates"]
    assert (candidate["entry_id"], candidate["status"]) == (row["id"], "draft")
    assert candidate["extracted_text"] == row["extracted_text"]
    assert candidate["duration_minutes"] == 90
    assert candidate["rules"]
    assert candidate["extracted_text"] in candidate["explanation"]
    [refused] = found["refused"]
    assert (refused["text"], refused["minutes"]) == ("20 minutes", 20)
    assert refused["reason"] in refused["explanation"]
    assert (found["email_id"], found["outcome"], found["model"]) == (sent, "entries", None)


async def test_explaining_writes_nothing(dana: Timekeeper, asking: Asking) -> None:
    await asking.answer("configure_time_tracking", auto_analysis=False)
    sent = await dana.mailbox.send(MIXED)
    found = await asking.answer("analyze_time_entry", email_id=sent)
    assert [each["entry_id"] for each in found["candidates"]] == [None]
    assert (await dana.entries(), await dana.outcomes()) == ([], {})


async def test_what_was_explained_a_moment_ago_is_not_fetched_again(
    running: Running, dana: Timekeeper, asking: Asking
) -> None:
    sent = await dana.mailbox.send(MIXED)
    await dana.until_outcomes(sent)
    first = await asking.answer("analyze_time_entry", email_id=sent)
    before = Counter(await running.calls())
    again = await asking.answer("analyze_time_entry", email_id=sent)
    assert (first.pop("from_cache"), again.pop("from_cache")) == (False, True)
    assert again == first
    assert (Counter(await running.calls()) - before)["messages.get"] == 0
    anew = await asking.answer("analyze_time_entry", email_id=sent, use_cache=False)
    assert (anew.pop("from_cache"), anew) == (False, first)
    assert (Counter(await running.calls()) - before)["messages.get"] == 1


async def test_what_is_remembered_of_an_email_shows_its_entries_as_they_are_now(
    dana: Timekeeper, asking: Asking
) -> None:
    sent = await dana.mailbox.send(MIXED)
    await dana.until_outcomes(sent)
    await asking.answer("analyze_time_entry", email_id=sent)
    [row] = await dana.entries()
    await dana.rest.patch("/time_tracking_entries", params={"id": f"eq.{row['id']}"}, json={"status": "approved"})
    found = await asking.answer("analyze_time_entry", email_id=sent)
    assert (found["from_cache"], found["candidates"][0]["status"]) == (True, "approved")


async def test_a_pasted_text_is_read_without_a_mailbox(running: Running) -> None:
    user = await running.stack.add_user("nobox@firm.example")
    client = Asking.of(running.stack, user)
    async with client.http:
        found = await client.answer(
            "analyze_time_entry", text="Reviewed the lease for Hollis, 1.2 hours.\n> spent 3 hours"
        )
    assert [(each["duration_minutes"], each["entry_type"]) for each in found["candidates"]] == [(72, "review")]
    assert (found["email_id"], found["sent_at"]) == (None, None)


async def test_a_new_setting_reads_what_is_remembered_anew(asking: Asking) -> None:
    text = "I spent 24 minutes on the phone with the adjuster."
    await asking.answer("analyze_time_entry", text=text)
    await asking.answer("configure_time_tracking", default_client_matter="Office")
    found = await asking.answer("analyze_time_entry", text=text)
    assert (found["from_cache"], found["candidates"][0]["client_matter"]) == (False, "Office")


@pytest.mark.parametrize(
    ("arguments", "status", "field"),
    [
        ({}, 422, "email_id"),
        ({"email_id": "abc", "text": "x"}, 422, "email_id"),
        ({"email_id": "../../x"}, 422, "email_id"),
        ({"email_id": 7}, 422, "email_id"),
        ({"text": ""}, 422, "text"),
        ({"text": "x" * 60_001}, 422, "text"),
        ({"email_id": "18f0000000000000"}, 404, None),
        ({"email_id": "nosuchid"}, 404, None),
    ],
)
async def test_what_can_not_be_explained_is_refused(
    asking: Asking, arguments: dict[str, Any], status: int, field: str | None
) -> None:
    refused = await asking.ask("analyze_time_entry", **arguments)
    assert refused.status_code == status
    assert [error["field"] for error in problem(refused).get("errors", [])] == ([field] if field else [])


async def test_received_mail_is_as_if_it_did_not_exist(dana: Timekeeper, asking: Asking) -> None:
    received = await dana.mailbox.receive(email("I spent 3 hours on it.", sender="glenn@pruittvance.example"))
    assert (await asking.ask("analyze_time_entry", email_id=received)).status_code == 404


async def test_another_users_email_is_as_if_it_did_not_exist(running: Running, dana: Timekeeper) -> None:
    sent = await dana.mailbox.send(MIXED)
    await dana.until_outcomes(sent)
    priya = await running.stack.add_user(f"priya-{uuid4().hex[:12]}@ramanlaw.example")
    await running.stack.connect(priya)
    client = Asking.of(running.stack, priya)
    async with client.http:
        missing = await client.ask("analyze_time_entry", email_id="18f0000000000000")
        others = await client.ask("analyze_time_entry", email_id=sent)
    assert (others.status_code, problem(others)) == (404, problem(missing))


async def test_settings_are_shown_and_only_what_is_given_is_changed(asking: Asking) -> None:
    shown = await asking.answer("configure_time_tracking")
    assert (shown["version"], shown["changed"], shown["matters"]) == (0, False, [])
    assert shown["settings"]["rounding_increment"] == 6
    changed = await asking.answer(
        "configure_time_tracking",
        time_zone="Europe/London",
        rounding_increment=15,
        excluded_recipients=["Mum@Home.example", "@family.example"],
    )
    expected = shown["settings"] | {
        "time_zone": "Europe/London",
        "rounding_increment": 15,
        "excluded_recipients": ["mum@home.example", "@family.example"],
    }
    assert (changed["settings"], changed["changed"], changed["rereads"]) == (expected, True, True)
    assert (await asking.answer("configure_time_tracking"))["settings"] == expected
    same = await asking.answer("configure_time_tracking", rounding_increment=15)
    assert (same["changed"], same["rereads"], same["version"]) == (False, False, changed["version"])
    back = await asking.answer("configure_time_tracking", reset=["time_zone", "excluded_recipients"])
    assert back["settings"] == shown["settings"] | {"rounding_increment": 15}


async def test_the_directory_is_kept_by_its_names(asking: Asking) -> None:
    added = await asking.answer(
        "configure_time_tracking",
        add_matters=[
            {"client": "Ortiz", "matter": "Wage claim", "aliases": ["Ray"], "domains": ["Ortiz.example"]},
            {"client": "Hollis"},
        ],
    )
    assert [(each["client"], each["matter"]) for each in added["matters"]] == [
        ("Hollis", None),
        ("Ortiz", "Wage claim"),
    ]
    assert added["matters"][1]["domains"] == ["ortiz.example"]
    changed = await asking.answer(
        "configure_time_tracking",
        add_matters=[{"client": "Ortiz", "matter": "Wage claim", "hourly_rate": 450}],
        remove_matters=[{"client": "Hollis"}],
    )
    assert [(each["client"], each["aliases"], each["hourly_rate"]) for each in changed["matters"]] == [
        ("Ortiz", [], 450)
    ]


async def test_a_label_is_left_out_by_its_name(dana: Timekeeper, asking: Asking) -> None:
    label = await dana.mailbox.add_label("Family")
    changed = await asking.answer("configure_time_tracking", excluded_labels=["family", "Sent"])
    assert changed["settings"]["excluded_labels"] == sorted([label, "SENT"])
    sent = await dana.mailbox.send(MIXED)
    assert await dana.until_outcomes(sent) == {sent: "excluded"}
    refused = await asking.ask("configure_time_tracking", excluded_labels=["SENT", "Nothing so called"])
    assert [error["field"] for error in problem(refused)["errors"]] == ["excluded_labels.1"]


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"time_zone": "europe/london"}, "time_zone"),
        ({"time_zone": "posix/Europe/London"}, "time_zone"),
        ({"rounding_increment": 7}, "rounding_increment"),
        ({"rounding_increment": 0}, "rounding_increment"),
        ({"rounding_increment": 6.5}, "rounding_increment"),
        ({"rounding_mode": "down"}, "rounding_mode"),
        ({"rounding_minimum": 61}, "rounding_minimum"),
        ({"hourly_rate": -1}, "hourly_rate"),
        ({"hourly_rate": 1e9}, "hourly_rate"),
        ({"minimum_confidence": 1.5}, "minimum_confidence"),
        ({"auto_analysis": "yes"}, "auto_analysis"),
        ({"analysis_mode": "everything"}, "analysis_mode"),
        ({"excluded_recipients": ["not an address"]}, "excluded_recipients.0"),
        ({"excluded_recipients": "mum@home.example"}, "excluded_recipients"),
        ({"add_matters": [{"matter": "Lease"}]}, "add_matters.0.client"),
        ({"add_matters": [{"client": "x" * 201}]}, "add_matters.0.client"),
        ({"add_matters": [{"client": "A", "domains": ["not a domain"]}]}, "add_matters.0.domains.0"),
        ({"add_matters": [{"client": "A"}, {"client": "A"}]}, "add_matters.1"),
        ({"remove_matters": [{"client": "Nobody"}]}, "remove_matters.0"),
        ({"reset": ["everything"]}, "reset.0"),
        ({"reset": ["hourly_rate"], "hourly_rate": 5}, "reset"),
        ({"version": 9}, "version"),
        ({"user_id": "00000000-0000-4000-8000-000000000000"}, "user_id"),
    ],
)
async def test_what_can_not_be_set_is_named_and_nothing_is(
    asking: Asking, arguments: dict[str, Any], field: str
) -> None:
    refused = await asking.ask("configure_time_tracking", rate_category="partner", **arguments)
    assert refused.status_code == 422
    assert [error["field"] for error in problem(refused)["errors"]] == [field]
    assert (await asking.answer("configure_time_tracking"))["version"] == 0


async def test_tools_are_listed_as_strict_functions(running: Running) -> None:
    listed = (await running.stack.http.get(f"{running.stack.gateway.functions_url}/tools")).json()["tools"]
    assert [tool["function"]["name"] for tool in listed] == [
        "scan_billable_time",
        "analyze_time_entry",
        "get_time_tracking_summary",
        "configure_time_tracking",
    ]
    assert all(tool["function"]["strict"] is True for tool in listed)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/tools/drop_tables", 404),
        ("POST", "/tools", 404),
        ("GET", "/tools/scan_billable_time", 404),
        ("DELETE", "/tools/scan_billable_time", 404),
        ("POST", "/chat", 503),
    ],
)
async def test_what_there_is_not_is_a_problem(asking: Asking, method: str, path: str, status: int) -> None:
    refused = await asking.http.request(method, path, json={})
    assert (refused.status_code, problem(refused)["status"]) == (status, status)


async def test_a_body_of_ten_megabytes_is_refused_unread(asking: Asking) -> None:
    for path in ("/tools/analyze_time_entry", "/tools/scan_billable_time"):
        refused = await asking.http.post(path, content=b'{"text": "' + b"x" * 10_000_000 + b'"}')
        assert (refused.status_code, problem(refused)["type"]) == (413, "urn:tenths:problem:request_too_large")


async def test_without_a_token_no_tool_answers(running: Running) -> None:
    for tool in ("scan_billable_time", "analyze_time_entry", "get_time_tracking_summary", "configure_time_tracking"):
        refused = await running.stack.http.post(f"{running.stack.gateway.functions_url}/tools/{tool}", json={})
        assert (refused.status_code, problem(refused)["type"]) == (401, "urn:tenths:problem:not_authenticated")
