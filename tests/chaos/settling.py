"""After the faults: until nothing is left to be done. Then all comes once more, which must change nothing."""

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from infra.local.stack import SENT_EMAILS
from tests.chaos.expected import Expected
from tests.chaos.plan import Plan
from tests.chaos.scene import Scene
from tests.chaos.upkeep import heal

# For a round of maintenance to have its effect before the next.
ROUND_SECONDS: Final = 4.0
LOOK_EVERY_SECONDS: Final = 0.25
AGAIN: Final = 60

_UNREAD: Final = """
select e.email_id
from unnest($1::text[]) as e (email_id)
where not exists (
  select from public.processed_emails p
  where p.email_id = e.email_id and p.outcome in ('entries', 'none', 'excluded')
    and (p.second_look is null or p.second_look_given_up_at > p.processed_at)
)
"""
_WAITING: Final = """
select a.email_id from public.awaited_emails a
where not exists (select from public.processed_emails p where p.user_id = a.user_id and p.email_id = a.email_id)
"""
_UNWELL: Final = "select m.id::text from public.mailboxes m where m.state <> 'connected' or m.catch_up_due"
_RESCANS: Final = "select j.id::text from public.rescan_jobs j where j.state in ('queued', 'running')"

_OLD: Final = """
select p.email_id from public.processed_emails p
join public.time_tracking_settings s using (user_id)
where p.outcome <> 'gone' and p.settings_version < s.analysis_version
"""


class NotSettled(Exception):
    """There still was something to do at the deadline. The message says what, in numbers, and names some."""


async def settle(
    scene: Scene, plan: Plan, expected: Expected, doing: Sequence["asyncio.Task[None]"], deadline: float
) -> None:
    """Wait until nothing is left to be done. In an aided run days pass, and maintenance runs. Raises NotSettled."""
    ids = [scene.sent[number] for number in expected.mails]
    deleted = [scene.sent[mail.number] for mail in plan.mails if mail.fate == "deleted"]
    left: Mapping[str, Sequence[str]] = {}
    try:
        async with asyncio.timeout(deadline):
            while True:
                round_ends = time.monotonic() + ROUND_SECONDS
                while time.monotonic() < round_ends:
                    left = await _left(scene, ids, deleted, doing)
                    if not any(left.values()):
                        return
                    await asyncio.sleep(LOOK_EVERY_SECONDS)
                if plan.aided:
                    await heal(scene)
    except TimeoutError:
        some = {what: (len(those), list(those[:5])) for what, those in left.items() if those}
        raise NotSettled(f"after {deadline:g} s there still was {some}") from None


async def _left(
    scene: Scene, ids: list[str], deleted: list[str], doing: Sequence["asyncio.Task[None]"]
) -> dict[str, list[str]]:
    return {
        "unread": [row["email_id"] for row in await scene.rows(_UNREAD, ids)],
        "waiting": [row["email_id"] for row in await scene.rows(_WAITING) if row["email_id"] not in deleted],
        "mailboxes": [row["id"] for row in await scene.rows(_UNWELL)],
        "rescans": [row["id"] for row in await scene.rows(_RESCANS)],
        "people": [task.get_name() for task in doing if not task.done()],
    }


async def once_more(scene: Scene, plan: Plan) -> None:
    """Some of the emails are handed to analysis once more, twice each, until these are answered. Raises NotSettled."""
    sent = [mail for mail in plan.mails if mail.fate == "sent"][:AGAIN]
    wanted = {scene.sent[mail.number] for mail in sent}
    before = len(log(scene, "analyze_email"))
    messages = [
        json.dumps(
            {
                "mailbox_id": str(scene.people[mail.person].mailboxes[mail.mailbox].id),
                "email_id": scene.sent[mail.number],
            }
        ).encode()
        for mail in sent
    ]
    await scene.publish(SENT_EMAILS, *messages, *messages)
    try:
        async with asyncio.timeout(120):
            while True:
                answered = [event.get("email_id") for event in log(scene, "analyze_email")[before:]]
                if all(answered.count(email_id) >= 2 for email_id in wanted):
                    return
                await asyncio.sleep(LOOK_EVERY_SECONDS)
    except TimeoutError:
        raise NotSettled("not all emails that were delivered once more were answered") from None


async def read_anew(scene: Scene, deadline: float) -> None:
    """Everybody changes a setting that has all emails read once more, and rescans. Raises NotSettled."""
    for timekeeper in scene.people:
        own = {"user_id": f"eq.{timekeeper.user.id}"}
        change = {"excluded_labels": ["Label_of_nothing"]}
        (await timekeeper.rest.patch("/time_tracking_settings", params=own, json=change)).raise_for_status()
        async with scene.stack.functions_as(timekeeper.user) as functions:
            for mailbox in timekeeper.mailboxes:
                wanted = {"date_range_days": 7, "mailbox_id": str(mailbox.id)}
                (await functions.post("/rescans", json=wanted)).raise_for_status()
    try:
        async with asyncio.timeout(deadline):
            while await scene.rows(_RESCANS) or await scene.rows(_OLD):  # noqa: ASYNC110  a database's rows, no event
                await asyncio.sleep(LOOK_EVERY_SECONDS)
    except TimeoutError:
        left = [row["email_id"] for row in await scene.rows(_OLD)]
        raise NotSettled(f"after {deadline:g} s {len(left)} emails weren't read anew: {left[:5]}") from None


def log(scene: Scene, function: str) -> list[dict[str, Any]]:
    """The function's events so far; a line that a crash has cut short is none."""
    events = []
    for line in (scene.stack.folder / f"{function}.log").read_text(errors="replace").splitlines():
        if line.startswith("{") and line.endswith("}"):
            try:
                events.append(json.loads(line))
            except ValueError:
                continue
    return events
