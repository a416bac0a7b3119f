"""Whether faults have hit anything: what each has met, counted where it hits, and a while for what has met nothing."""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tests.chaos.faults import FAULTS
from tests.chaos.plan import Plan
from tests.chaos.scene import MET, Scene
from tests.chaos.settling import log
from tests.chaos.upkeep import heal

BEGINNINGS: Final = (
    *("gmail ", "model ", "push ", "clock ", "history expired", "token revoked", "access token ended", "watch lapsed"),
)
AMID: Final = " amid "
# What is done to a mailbox at once, and may be done again until somebody has noticed it.
AGAIN: Final[Mapping[str, str]] = MappingProxyType(
    {"access_tokens_end": "access token ended", "history_expires": "history expired", "revoke": "token revoked"}
)
# What waits for a call to come by.
WAITING: Final = ("gmail ", "model ", *AGAIN.values())
STIR_SECONDS: Final = 0.5
ROUND_SECONDS: Final = 2.0


def is_counted(name: str) -> bool:
    """Whether it is told of a fault how often it has hit; others are done by whoever plans them."""
    return name.startswith(BEGINNINGS) or (AMID in name and not name.startswith(MET))


def never_met(planned: Counter[str], met: Counter[str]) -> list[str]:
    """What was planned, would have been counted when it hit, and hit nothing."""
    return sorted(name for name in planned if is_counted(name) and not met[name])


async def count_met(scene: Scene) -> Counter[str]:
    """How many calls, pushes and processes have met which fault, by the names that they were planned under."""
    stats, model = await scene.gmail_stats(), await scene.model("GET", "faults")
    gmail, refused = stats["faults_met"], stats["refused"]
    names = {kind: kind.replace("_", " ") if kind.startswith("push_") else f"gmail {kind}" for kind in gmail}
    met = Counter({names[kind]: times for kind, times in gmail.items()})
    met.update({f"model {kind}": times for kind, times in model.items()})
    met.update({name.removeprefix(MET): times for name, times in scene.counts.items() if name.startswith(MET)})
    # What a mailbox's owner, or time, has done shows in what Gmail answers for it.
    met["history expired"] = refused.get("history.list 404", 0)
    met["token revoked"] = refused.get("token invalid_grant", 0)
    met["access token ended"] = sum(times for what, times in refused.items() if what.endswith(" 401"))
    # Whoever connects gets a watch for a week: maintenance renews none but those that have lapsed.
    done = [event for event in log(scene, "maintenance") if event.get("message") == "maintenance.done"]
    met["watch lapsed"] = sum(event["renewed"] for event in done if event["task"] == "renew_watches")
    return met


async def until_met(scene: Scene, plan: Plan, seconds: float) -> None:
    """No part is away any more: let what still waits for calls meet some, for so long at most.

    Drafts are saved, so that Gmail pushes and its history is read; what happened to a mailbox happens again; in an
    aided run maintenance brings back what has met too much to be read.
    """
    ends, draft = time.monotonic() + seconds, next(mail.content for mail in plan.mails if mail.fate == "draft")
    while time.monotonic() < ends:
        left = [name for name in never_met(scene.counts, await count_met(scene)) if name.startswith(WAITING)]
        if not left:
            return
        # No deadline here: who has lost a mailbox's access must have it again.
        async with asyncio.TaskGroup() as group:
            for event in plan.events:
                if AGAIN.get(event.what) in left:
                    group.create_task(FAULTS[event.what](scene, **event.how))  # type: ignore[arg-type]
            group.create_task(_stir(scene, draft))
        await asyncio.sleep(ROUND_SECONDS)
        if plan.aided:
            await heal(scene)


async def _stir(scene: Scene, draft: bytes) -> None:
    await asyncio.sleep(STIR_SECONDS)
    for timekeeper in scene.people:
        for mailbox in timekeeper.mailboxes:
            await mailbox.save_draft(draft)
