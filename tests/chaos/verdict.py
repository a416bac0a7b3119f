"""What is there against what must be there: every difference is a sentence."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from tests.chaos.expected import Expected, Line, leaking_lines
from tests.chaos.people import Doings
from tests.chaos.plan import Plan
from tests.chaos.scene import Scene, Timekeeper

PAGE: Final = 1_000
# A minute of Gmail's, and what a call may wait after it was counted.
FORGOTTEN_SECONDS: Final = 65.0
Row = Mapping[str, Any]


async def differences(plan: Plan, scene: Scene, expected: Expected, doings: Doings, begun: datetime) -> list[str]:
    """All there are; none: the run has gone as it must."""
    found: list[str] = []
    theirs: list[Row] = []
    for place, timekeeper in enumerate(scene.people):
        rows = await _all(timekeeper, "time_tracking_entries", "id")
        theirs += rows
        found += _entries(plan, scene, expected, doings, place, rows)
        found += await _processed(plan, scene, expected, place)
        found += await _coverage(plan, expected, place, timekeeper, begun)
        found += await _summary(timekeeper, rows)
    found += await _nobody_elses(scene, theirs)
    found += await _limits(scene)
    found += await _shown_to_the_model(plan, scene)
    found += await _watched(scene)
    return found


_GIVEN_UP: Final = "select p.email_id from public.processed_emails p where p.second_look_given_up_at is not null"


async def as_they_came(plan: Plan, scene: Scene, expected: Expected, doings: Doings) -> list[str]:
    """The same of entries alone, before a rescan reads all mail anew and makes good what is missing or twice.

    But for emails of which the model was not to be believed as often as it is asked: theirs are the rules' alone.
    """
    given_up = frozenset(row["email_id"] for row in await scene.rows(_GIVEN_UP))
    scene.counts["second looks given up"] += len(given_up)
    return [
        f"before all was read anew: {difference}"
        for place, timekeeper in enumerate(scene.people)
        for difference in _entries(
            plan, scene, expected, doings, place, await _all(timekeeper, "time_tracking_entries", "id"), given_up
        )
    ]


def _entries(
    plan: Plan,
    scene: Scene,
    expected: Expected,
    doings: Doings,
    place: int,
    rows: Sequence[Row],
    but_of: frozenset[str] = frozenset(),
) -> Iterator[str]:
    """Entries of machines are those that were expected, once; what people touched is as they left it."""
    who = plan.persons[place].name
    touched = {row["id"]: row for row in doings.of(str(scene.people[place].user.id))}
    there = {row["id"]: row for row in rows}
    for entry_id, row in touched.items():
        now = there.get(entry_id)
        if now != row:
            yield f"{who}: an entry that a person touched was {row}, and is {now}"
    decided = {(row["email_id"], _start(row)) for row in touched.values() if row["amount"] is not None}
    wanted = Counter(
        line._replace(email_id=scene.sent[number])
        for number, outcome in expected.mails.items()
        if plan.mails[number].person == place
        for line in outcome.lines
        if (scene.sent[number], line.start) not in decided and scene.sent[number] not in but_of
    )
    machine = [row for row in rows if row["id"] not in touched and row["email_id"] not in but_of]
    by_hand = [row for row in machine if row["amount"] is None]
    yield from (f"{who}: an entry that nobody added: {row}" for row in by_hand)
    found = Counter(Line.of_row(row) for row in machine if row["amount"] is not None)
    yield from (f"{who}: missing {times} x {line}" for line, times in (wanted - found).items())
    yield from (f"{who}: unwanted {times} x {line}" for line, times in (found - wanted).items())


def _start(row: Row) -> int:
    return int(row["amount"].strip("[)").split(",")[0])


async def _processed(plan: Plan, scene: Scene, expected: Expected, place: int) -> list[str]:
    """Each email that was sent is on record once, as what it is; no draft, nothing received, nothing deleted."""
    timekeeper = scene.people[place]
    rows = await _all(timekeeper, "processed_emails", "email_id")
    found = {row["email_id"]: row["outcome"] for row in rows if row["outcome"] != "gone"}
    wanted = {
        scene.sent[number]: outcome.outcome
        for number, outcome in expected.mails.items()
        if plan.mails[number].person == place
    }
    who = plan.persons[place].name
    wrong = [f"{who}: {len(rows) - len({row['email_id'] for row in rows})} emails are on record twice"]
    differing = [
        f"{who}: email {email_id} should be {wanted.get(email_id)}, and is {found.get(email_id)}"
        for email_id in sorted(wanted.keys() | found.keys())
        if wanted.get(email_id) != found.get(email_id)
    ]
    deleted = {scene.sent[mail.number] for mail in plan.mails if mail.fate == "deleted"}
    gone = [
        f"{who}: email {row['email_id']} isn't gone"
        for row in rows
        if row["outcome"] == "gone" and row["email_id"] not in deleted
    ]
    return [*(wrong if len(rows) != len({row["email_id"] for row in rows}) else []), *differing, *gone]


async def _coverage(plan: Plan, expected: Expected, place: int, timekeeper: Timekeeper, begun: datetime) -> list[str]:
    """The user is told of each email that was sent."""
    period = {
        "p_from": (begun - timedelta(hours=1)).isoformat(),
        "p_to": (datetime.now(UTC) + timedelta(hours=1)).isoformat(),
    }
    answer = await timekeeper.rest.post("/rpc/coverage", json=period)
    told = answer.raise_for_status().json()
    outcomes = Counter(
        outcome.outcome for number, outcome in expected.mails.items() if plan.mails[number].person == place
    )
    wanted = {
        "sent": outcomes.total() + told["gone"],
        "accounted_for": outcomes.total() + told["gone"],
        "with_entries": outcomes["entries"],
        "without_entries": outcomes["none"],
        "excluded": outcomes["excluded"],
        "not_sent": 0,
        "failed": {},
        "waiting": 0,
        "second_look_due": 0,
    }
    return [
        f"{plan.persons[place].name}: coverage tells {name} {told[name]}, and it is {value}"
        for name, value in wanted.items()
        if told[name] != value
    ]


async def _summary(timekeeper: Timekeeper, rows: Sequence[Row]) -> list[str]:
    """The summary is the sum of the entries."""
    whole = {"p_from": "2000-01-01", "p_to": "2199-12-31"}
    answer = await timekeeper.rest.post("/rpc/time_summary", json=whole)
    told = answer.raise_for_status().json()
    kept = [row for row in rows if row["status"] != "dismissed"]
    wrong = []
    for name, tables in (("client_matter", "by_client"), ("entry_type", "by_type"), ("date_performed", "by_day")):
        sums: Counter[Any] = Counter()
        for row in kept:
            sums[row[name]] += round(100 * row["duration_minutes"])
        summed = {row[name]: round(100 * row["minutes"]) for row in told[tables]}
        if summed != dict(sums):
            wrong.append(f"{timekeeper.person.name}: the summary's {tables} isn't the sum of the entries")
    if told["totals"]["entries"] != len(kept):
        wrong.append(f"{timekeeper.person.name}: the summary counts {told['totals']['entries']} of {len(kept)} entries")
    return wrong


async def _nobody_elses(scene: Scene, theirs: Sequence[Row]) -> list[str]:
    """What is stored in all is what each user sees as their own."""
    [stored] = await scene.rows("select count(*) from public.time_tracking_entries")
    strays = await scene.rows(
        "select e.email_id from public.time_tracking_entries e where e.email_id is not null and not exists ("
        "select from public.processed_emails p where p.user_id = e.user_id and p.email_id = e.email_id)"
    )
    wrong = [f"an entry of email {row['email_id']} is another user's" for row in strays]
    if stored["count"] != len(theirs):
        wrong.append(f"{stored['count']} entries are stored, and their users see {len(theirs)}")
    return wrong


async def _limits(scene: Scene) -> list[str]:
    """Neither Gmail nor the model had to refuse for want of quota.

    But where Valkey and a function lose their memory within the same minute nobody knows any more what was spent in it:
    then they have to say so themselves.
    """
    over = _not_forgotten(scene, (await scene.gmail_stats())["quota"]["refused_at"])
    wrong = [f"Gmail refused {len(over)} calls over the quota, the first at {over[0]:.0f}"] if over else []
    await scene.look_for_refusals()
    if refused := _not_forgotten(scene, scene.model_refused_at):
        wrong.append(f"the model refused {len(refused)} calls over its limits, the first at {refused[0]:.0f}")
    return wrong


def _not_forgotten(scene: Scene, moments: Sequence[float]) -> list[float]:
    """Those after which nobody may say that what was spent was forgotten."""
    return [
        at for at in moments if not any(begun <= at <= ended + FORGOTTEN_SECONDS for begun, ended in scene.valkey_away)
    ]


async def _shown_to_the_model(plan: Plan, scene: Scene) -> list[str]:
    """The model saw no line of those who let it see none; and it saw others', or this says nothing."""
    requests = await scene.model("GET", "requests")
    shown = "\n".join(_said(message["content"]) for body in requests for message in body["messages"])
    wrong = [f"the model saw what it may not see: {line!r}" for line in leaking_lines(plan) if line in shown]
    if not requests:
        wrong.append("the model was never asked")
    return wrong


def _said(content: Any) -> str:
    """The words of a message; questions are JSON, in which words may be written otherwise."""
    try:
        return "\n".join(str(passage["text"]) for passage in json.loads(content)["passages"])
    except (ValueError, KeyError, TypeError):
        return str(content)


async def _watched(scene: Scene) -> list[str]:
    """Gmail tells of every mailbox again."""
    watched = (await scene.gmail_stats())["watched"]
    addresses = [mailbox.address for timekeeper in scene.people for mailbox in timekeeper.mailboxes]
    return [f"{address} is not watched" for address in addresses if address not in watched]


async def _all(timekeeper: Timekeeper, table: str, order: str) -> list[Row]:
    rows: list[Row] = []
    while True:
        params = {"order": order, "limit": str(PAGE), "offset": str(len(rows))}
        page = (await timekeeper.rest.get(f"/{table}", params=params)).raise_for_status().json()
        rows += page
        if len(page) < PAGE:
            return rows
