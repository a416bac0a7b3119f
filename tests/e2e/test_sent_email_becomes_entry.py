"""The path itself, and what it leaves alone."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from infra.local.gmail.mbox import MboxMessage, stream
from tests.e2e.conftest import Running, Timekeeper, email, extracted, until, work

SAMPLE = Path(__file__).parents[2] / "infra" / "local" / "sample.mbox"
FIELDS = (
    "duration_minutes",
    "entry_type",
    "date_performed",
    "client_matter",
    "billable",
    "confidence_score",
    "extracted_text",
    "description",
)


async def test_a_mailbox_gives_the_same_entries_as_the_command_line(dana: Timekeeper) -> None:
    raw = [message.raw for message in stream(SAMPLE) if isinstance(message, MboxMessage) and message.sent][:60]
    ids = [await dana.mailbox.send(one) for one in raw]
    await dana.until_outcomes(*ids)
    found: dict[str, list[dict[str, object]]] = {email_id: [] for email_id in ids}
    for row in await dana.entries():
        found[row["email_id"]].append({field: row[field] for field in FIELDS})
    expected = dict(zip(ids, extracted(*raw), strict=True))
    assert sum(map(len, expected.values())) > 10
    for email_id in ids:
        assert sorted(found[email_id], key=str) == sorted(expected[email_id], key=str)


async def test_received_mail_is_never_read(dana: Timekeeper) -> None:
    await dana.mailbox.receive(email("I spent 3 hours on the production.", sender="glenn@pruittvance.example"))
    sent = await dana.mailbox.send(work())
    assert await dana.until_outcomes(sent) == {sent: "entries"}


async def test_a_draft_is_not_read_however_often_it_is_saved_and_counts_once_when_sent(dana: Timekeeper) -> None:
    for minutes in (12, 18, 24):
        await dana.mailbox.save_draft(work(minutes))
    sent = await dana.mailbox.send(work(24))
    assert await dana.until_outcomes(sent) == {sent: "entries"}
    assert [row["duration_minutes"] for row in await dana.entries()] == [24]


async def test_a_scheduled_send_that_arrives_as_a_label_is_read(running: Running, dana: Timekeeper) -> None:
    await running.simulate(sent_as="labelAdded")
    try:
        sent = await dana.mailbox.send(work())
        assert await dana.until_outcomes(sent) == {sent: "entries"}
    finally:
        await running.simulate(sent_as="messageAdded")


async def test_an_email_that_says_nothing_of_time_is_on_record_as_read(dana: Timekeeper) -> None:
    sent = await dana.mailbox.send(email("See you on Thursday.\n"))
    assert await dana.until_outcomes(sent) == {sent: "none"}
    assert await dana.entries() == []


async def test_two_timekeepers_see_their_own_entries(running: Running, dana: Timekeeper) -> None:
    user = await running.stack.add_user("priya@ramanlaw.example")
    mailbox = await running.stack.connect(user)
    async with running.stack.rest(user) as rest:
        priya = Timekeeper(user, mailbox, rest)
        hers, his = await dana.mailbox.send(work(24)), await priya.mailbox.send(work(36))
        await dana.until_outcomes(hers)
        await priya.until_outcomes(his)
        assert [row["duration_minutes"] for row in await dana.entries()] == [24]
        assert [row["duration_minutes"] for row in await priya.entries()] == [36]


async def test_settings_decide_what_is_read_and_how_it_is_rounded(dana: Timekeeper) -> None:
    answer = await dana.rest.post(
        "/time_tracking_settings",
        json={
            "user_id": str(dana.user.id),
            "excluded_recipients": ["@family.example"],
            "rounding_increment": 15,
        },
    )
    answer.raise_for_status()
    private = await dana.mailbox.send(
        email("I spent 2 hours on the phone with the school.", To="Sam <sam@family.example>")
    )
    charged = await dana.mailbox.send(work(24))
    assert await dana.until_outcomes(private, charged) == {private: "excluded", charged: "entries"}
    assert [(row["duration_minutes"], row["billed_minutes"]) for row in await dana.entries()] == [(24, 30)]


async def test_with_auto_analysis_off_nothing_is_read_until_it_is_asked_for(dana: Timekeeper, running: Running) -> None:
    await dana.set(auto_analysis=False)
    sent = await dana.mailbox.send(work())
    await until(
        lambda: _events(running, "analyze_email", email_id=sent, note="auto_analysis_off"), lambda found: found != []
    )
    assert await dana.outcomes() == {}


async def test_entries_below_the_least_confidence_are_not_written(dana: Timekeeper) -> None:
    await dana.set(minimum_confidence=1)
    sent = await dana.mailbox.send(work())
    assert await dana.until_outcomes(sent) == {sent: "none"}


async def test_an_email_with_an_excluded_label_is_not_read(dana: Timekeeper) -> None:
    await dana.set(excluded_labels=["SENT"])
    sent = await dana.mailbox.send(work())
    assert await dana.until_outcomes(sent) == {sent: "excluded"}


async def test_an_email_is_excluded_only_if_all_who_get_it_are(dana: Timekeeper) -> None:
    await dana.set(excluded_recipients=["sam@family.example"])
    text = "I spent 2 hours on the phone with the adjuster."
    both = await dana.mailbox.send(email(text, To="Sam <Sam@family.example>, Ray <r@client.example>"))
    assert await dana.until_outcomes(both) == {both: "entries"}


async def test_the_timekeepers_day_directory_and_rates_are_those_of_the_entry(dana: Timekeeper) -> None:
    await dana.set(time_zone="Pacific/Auckland", hourly_rate=300, rate_category="standard")
    matter = {"client": "Ortiz", "matter": "Ortiz v. Ledger", "hourly_rate": 450, "rate_category": "trial"}
    answer = await dana.rest.post("/matters", json={"user_id": str(dana.user.id), **matter})
    answer.raise_for_status()
    sent = await dana.mailbox.send(work())  # 2 September, 18:12 in New York: the 3rd in Auckland
    await dana.until_outcomes(sent)
    [entry] = await dana.entries()
    assert entry["date_performed"] == "2026-09-03"
    assert (entry["hourly_rate"], entry["rate_category"]) == (450, "trial")
    rows = (await dana.rest.get("/processed_emails", params={"email_id": f"eq.{sent}"})).json()
    assert rows[0]["sent_at"] is not None
    assert rows[0]["settings_version"] == 2  # her time zone, then her directory


async def test_the_correlation_id_of_the_push_stands_on_the_analysis(running: Running, dana: Timekeeper) -> None:
    sent = await dana.mailbox.send(work())
    await dana.until_outcomes(sent)
    [analysis] = await until(
        lambda: _events(running, "analyze_email", email_id=sent, event="analysis.recorded"), lambda found: found != []
    )
    pushes = await _events(running, "gmail_push", correlation_id=analysis["correlation_id"])
    assert str(dana.mailbox.id) in {event.get("mailbox_id") for event in pushes}
    answer = await dana.rest.get("/processed_emails", params={"email_id": f"eq.{sent}"})
    assert answer.json()[0]["correlation_id"] == analysis["correlation_id"]


async def test_logs_hold_no_text_and_no_address_of_an_email(running: Running, dana: Timekeeper) -> None:
    secret = "Quillfeather"
    sent = await dana.mailbox.send(
        email(f"I spent 48 minutes on the {secret} settlement.", To=f"{secret} <{secret.lower()}@client.example>")
    )
    await dana.until_outcomes(sent)
    assert secret in str(await dana.entries())
    for function in ("gmail_push", "analyze_email"):
        log = (running.stack.folder / f"{function}.log").read_text()
        assert sent in log or function == "gmail_push"
        for private in (secret, secret.lower(), dana.user.email, "whitfieldlaw", "settlement"):
            assert private not in log


async def _events(running: Running, function: str, **fields: str) -> list[dict[str, str]]:
    wanted = {("message" if name == "event" else name): value for name, value in fields.items()}
    return [event for event in running.log(function) if wanted.items() <= event.items()]


@pytest.fixture(autouse=True)
async def nothing_is_given_up(running: Running, dana: Timekeeper) -> AsyncIterator[None]:
    """No test of the plain path may lean on the dead letters."""
    yield
    assert await running.dead_letters(dana.mailbox) == 0
