"""One run: peace, then mail and trouble at once, then until it has settled; then what is there is compared."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from infra.local.stack import SENT_EMAILS
from tests.chaos import people, upkeep
from tests.chaos.expected import Expected, expect
from tests.chaos.faults import FAULTS, all_answer, calm
from tests.chaos.met import count_met, never_met, until_met
from tests.chaos.plan import Event, Mail, Plan
from tests.chaos.scene import Scene, patiently, scene
from tests.chaos.settling import NotSettled, log, once_more, read_anew, settle
from tests.chaos.verdict import as_they_came, differences

QUOTA_PROFILE: Final = "2026"
PATIENCE_SECONDS: Final = 300.0
MEETING_SECONDS: Final = 20.0
"""For what has hit nothing yet."""
_LOGS: Final = ("gmail_push", "analyze_email", "rescan_page")

# What people do takes as long as it takes, whatever goes wrong meanwhile.
_DOINGS: Final = frozenset({"act", "add", "scan", "rescan"})

Say = Callable[[str], None]


@dataclass(frozen=True)
class Ran:
    """How a run went. `differences`: none, if all is as it must be."""

    differences: list[str]
    sent: int
    entries: int
    settled_seconds: float
    counts: Counter[str]
    met: Counter[str]
    retries: Counter[str]
    quota: dict[str, Any]

    @property
    def never_met(self) -> list[str]:
        """What was planned, would have been counted when it hit, and hit nothing."""
        return never_met(self.counts, self.met)


async def run(
    plan: Plan, folder: Path, say: Say = lambda _: None, *, patience_seconds: float = PATIENCE_SECONDS
) -> Ran:
    """Run the plan on a stack of its own, whose data and logs go into the folder.

    patience_seconds: how long it may take after the last fault until nothing is left to be done.
    """
    async with scene(folder, plan, quota_profile=QUOTA_PROFILE) as on:
        expected = await expect(plan, on)
        say(f"{len(plan.persons)} people have signed up; {len(expected.mails)} emails to send in {plan.seconds:g} s")
        begun, doings, doing = datetime.now(UTC), people.Doings(), list[asyncio.Task[None]]()
        looking = asyncio.create_task(_look_for_refusals(on))
        try:
            await _play(plan, on, expected, doings, doing, say)
            await all_answer(on)
            await until_met(on, plan, MEETING_SECONDS)
            await calm(on)
            say("nothing goes wrong any more")
            since, unsettled, before = time.monotonic(), list[str](), list[str]()
            try:
                await settle(on, plan, expected, doing, patience_seconds)
                await asyncio.gather(*doing)
                say("all is settled; now the same once more")
                settled = time.monotonic() - since
                await once_more(on, plan)
                if plan.aided:
                    before = await as_they_came(plan, on, expected, doings)
                    await read_anew(on, patience_seconds)
                    # For some there was no room in the model's minute.
                    await settle(on, plan, expected, doing, patience_seconds)
            except NotSettled as failure:
                unsettled, settled = [str(failure)], time.monotonic() - since
        finally:
            for task in (*doing, looking):
                task.cancel()
        return Ran(
            [*unsettled, *before, *await differences(plan, on, expected, doings, begun)],
            sent=len(expected.mails),
            entries=sum(len(outcome.lines) for outcome in expected.mails.values()),
            settled_seconds=settled,
            counts=on.counts,
            met=await count_met(on),
            retries=_retries(on),
            quota=(await on.gmail_stats())["quota"],
        )


async def _look_for_refusals(on: Scene) -> None:
    while True:
        await on.look_for_refusals()
        await asyncio.sleep(1)


async def _play(
    plan: Plan, on: Scene, expected: Expected, doings: people.Doings, doing: list["asyncio.Task[None]"], say: Say
) -> None:
    """All that is planned, each at its time. What people do may take longer: `doing` is theirs to finish."""
    start = time.monotonic()
    on.ends_at = asyncio.get_running_loop().time() + plan.seconds

    async def at(seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        await asyncio.sleep(start + seconds - time.monotonic())
        await work()

    async def tell() -> None:
        while True:
            await asyncio.sleep(10)
            [row] = await on.rows("select count(*) from public.processed_emails")
            say(f"{time.monotonic() - start:4.0f} s: {len(on.sent)} sent, {row['count']} on record")

    telling = asyncio.create_task(tell())
    try:
        async with asyncio.TaskGroup() as group:
            for mail in plan.mails:
                group.create_task(at(mail.at, lambda mail=mail: _send(on, mail)))  # type: ignore[misc]
            for number, event in enumerate(plan.events):
                work = _work(plan, on, expected, doings, event)
                if event.what in _DOINGS:
                    name = f"{event.what} {number}: {event.how}"
                    doing.append(asyncio.create_task(_later(at(event.at, work)), name=name))
                else:
                    group.create_task(at(event.at, work))
    finally:
        telling.cancel()


async def _later(work: Awaitable[None]) -> None:
    await work


async def _send(on: Scene, mail: Mail) -> None:
    mailbox = on.people[mail.person].mailboxes[mail.mailbox]
    match mail.fate:
        case "draft":
            await mailbox.save_draft(mail.content)
        case "received":
            await mailbox.receive(mail.content)
        case "sent" | "deleted":
            email_id = await mailbox.send(mail.content)
            if mail.fate == "deleted":
                await mailbox.delete(email_id)
            on.sent[mail.number] = email_id


def _work(
    plan: Plan, on: Scene, expected: Expected, doings: people.Doings, event: Event
) -> Callable[[], Awaitable[None]]:
    how = event.how
    match event.what:
        case "act":
            return lambda: people.act(on, doings, expected, plan.mails[how["mail"]], how["act"])
        case "add":
            return lambda: people.add(on, doings, **how)
        case "scan":
            return lambda: people.scan(on, how["person"])
        case "rescan":
            return lambda: people.rescan(on, **how)
        case "redeliver":
            return lambda: _redeliver(plan, on, **how)
        case "maintain":
            return lambda: upkeep.maintain(on, **how)
        case "time_passes":
            return lambda: upkeep.time_passes(on, **how)
    return lambda: FAULTS[event.what](on, **how)


async def _redeliver(plan: Plan, on: Scene, mail: int, times: int) -> None:
    """Hand an email to analysis again, several times at once."""
    sent = plan.mails[mail]
    mailbox_id = str(on.people[sent.person].mailboxes[sent.mailbox].id)
    email_id = await patiently(lambda: _id_of(on, mail), 60.0, (KeyError,))
    message = json.dumps({"mailbox_id": mailbox_id, "email_id": email_id}).encode()
    await on.publish(SENT_EMAILS, *[message] * times)
    on.counts["email delivered again"] += times


async def _id_of(on: Scene, mail: int) -> str:
    return on.sent[mail]


def _retries(on: Scene) -> Counter[str]:
    """What the functions' logs tell of deliveries that were tried again, of the model, and of dead letters."""
    told: Counter[str] = Counter()
    for function in _LOGS:
        for event in log(on, function):
            match event.get("message"):
                case "delivery.will_be_tried_again" | "delivery.refused" as message:
                    told[f"{function}: {message.partition('.')[2].replace('_', ' ')}, {event['code']}"] += 1
                case "delivery.not_authenticated" | "delivery.broken" as message:
                    told[f"{function}: {message}"] += 1
                case "model.gave_nothing":
                    told[f"model: {event['code']}"] += 1
    for event in log(on, "maintenance"):
        match event.get("message"):
            case "dead_letter.replayed":
                told["dead letters replayed"] += event["letters"]
            case "dead_letter.kept":
                told[f"dead letters kept: {event['reason']}"] += 1
    return told
