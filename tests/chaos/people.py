"""What people do while it all goes on: decide about entries, add their own, scan, rescan. Again until it works."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from tests.chaos.expected import Expected
from tests.chaos.plan import Mail
from tests.chaos.scene import Scene, Timekeeper, patiently

ACT_SECONDS: Final = 1_500.0
_WANTED: Final = {"Prefer": "return=representation"}


@dataclass
class Doings:
    """The rows that people have touched, as the API showed them right after: nothing may change them any more."""

    rows: dict[str, dict[str, Any]] = field(default_factory=dict)

    def of(self, user_id: str) -> list[dict[str, Any]]:
        return [row for row in self.rows.values() if row["user_id"] == user_id]


async def act(scene: Scene, doings: Doings, expected: Expected, mail: Mail, what: str) -> None:
    """Decide about the first entry of an email, as soon as it is there."""
    timekeeper = scene.people[mail.person]
    start = expected.mails[mail.number].lines[0].start
    row = await patiently(lambda: _entry(scene, timekeeper, mail, start), ACT_SECONDS, (_NotYet, httpx.HTTPError))
    by_id = {"id": f"eq.{row['id']}"}

    async def decide() -> dict[str, Any]:
        if what in {"approve", "dismiss"}:
            body = {"p_entry_ids": [row["id"]], "p_status": "approved" if what == "approve" else "dismissed"}
            answer = await timekeeper.rest.post("/rpc/set_entry_status", json=body)
        else:
            change = (
                {"client_matter": "Chosen by a person"}
                if what == "move"
                else {"duration_minutes": row["duration_minutes"] + 7, "description": "Put right by a person"}
            )
            answer = await timekeeper.rest.patch("/time_tracking_entries", params=by_id, json=change, headers=_WANTED)
        [changed] = answer.raise_for_status().json()
        return dict(changed)

    changed = await patiently(decide, ACT_SECONDS, (httpx.HTTPError,))
    doings.rows[changed["id"]] = changed
    scene.counts[f"person: {what}"] += 1


async def add(scene: Scene, doings: Doings, person: int, minutes: int) -> None:
    """Add an entry by hand. When the answer is lost it may be there all the same: a person looks first."""
    timekeeper = scene.people[person]
    description = f"Added by hand, {minutes} minutes"

    async def once() -> dict[str, Any]:
        there = await timekeeper.rest.get("/time_tracking_entries", params={"description": f"eq.{description}"})
        rows = there.raise_for_status().json()
        if not rows:
            entry = {
                "user_id": str(timekeeper.user.id),
                "duration_minutes": minutes,
                "entry_type": "other",
                "date_performed": "2026-07-01",
                "description": description,
            }
            added = await timekeeper.rest.post("/time_tracking_entries", json=entry, headers=_WANTED)
            rows = added.raise_for_status().json()
        [row] = rows
        return dict(row)

    row = await patiently(once, ACT_SECONDS, (httpx.HTTPError,))
    doings.rows[row["id"]] = row
    scene.counts["person: add"] += 1


async def scan(scene: Scene, person: int) -> None:
    """Ask for a scan. What becomes of the request itself is not held here: it may meet anything."""
    await _ask(scene, person, "scan", "/tools/scan_billable_time", {"date_range_days": 7, "max_emails": 500})


async def rescan(scene: Scene, person: int, mailbox: int) -> None:
    """Start a rescan of the last days."""
    mailbox_id = str(scene.people[person].mailboxes[mailbox].id)
    await _ask(scene, person, "rescan", "/rescans", {"date_range_days": 7, "mailbox_id": mailbox_id})


async def _ask(scene: Scene, person: int, name: str, path: str, body: dict[str, Any]) -> None:
    timekeeper = scene.people[person]
    try:
        async with asyncio.timeout(90), scene.stack.functions_as(timekeeper.user) as functions:
            answer = await functions.post(path, json=body)
            scene.counts[f"person: {name} answered {answer.status_code}"] += 1
    except (httpx.HTTPError, TimeoutError):
        scene.counts[f"person: {name} broken off"] += 1


class _NotYet(Exception):
    """The entry isn't there yet."""


async def _entry(scene: Scene, timekeeper: Timekeeper, mail: Mail, start: int) -> dict[str, Any]:
    if mail.number not in scene.sent:
        raise _NotYet
    params = {"email_id": f"eq.{scene.sent[mail.number]}"}
    answer = await timekeeper.rest.get("/time_tracking_entries", params=params)
    rows = [row for row in answer.raise_for_status().json() if row["amount"].startswith(f"[{start},")]
    if not rows:
        raise _NotYet
    return dict(rows[0])
