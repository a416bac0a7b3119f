"""Mail and trouble at once, each kind of fault at least once; `make chaos` is the same for longer."""

from pathlib import Path

from tests.chaos.faults import FAULTS
from tests.chaos.plan import Plan
from tests.chaos.planning import make_plan
from tests.chaos.run import Ran, run

SEED = 7
USERS = 5
# What hits something in any run, however slow the machine; `make chaos` holds all that it counts to that.
SURE = ("push ", "clock ")


async def test_whatever_goes_wrong_each_entry_comes_out_once_and_no_other(tmp_path: Path) -> None:
    plan = make_plan(SEED, emails=110, users=USERS, seconds=15)
    ran = await comes_out_right(plan, tmp_path)
    assert [name for name in ran.never_met if name.startswith(SURE)] == []
    # Which single faults find somebody in so short a time differs.
    assert len(hit(ran, "gmail ")) >= 6
    assert len(hit(ran, "model ")) >= 2


async def test_without_maintenance_what_pubsub_holds_is_enough_to_lose_and_repeat_nothing(tmp_path: Path) -> None:
    ran = await comes_out_right(make_plan(SEED, emails=90, users=USERS, seconds=20, aided=False), tmp_path)
    assert [name for name in ran.never_met if name.startswith(SURE)] == []
    # Which steps somebody comes by in time differs, too.
    assert min(len(hit(ran, f"kill {function} amid ")) for function in ("gmail_push", "analyze_email")) >= 1
    assert len(hit(ran, "gmail ")) >= 1


def hit(ran: Ran, beginning: str) -> set[str]:
    """The faults of these names that met something."""
    return {name for name, times in ran.met.items() if times and name.startswith(beginning)}


async def comes_out_right(plan: Plan, folder: Path) -> Ran:
    plan.save(folder / "plan.json")
    ran = await run(plan, folder / "stack", patience_seconds=150)
    again = f"python -m tests.chaos --plan {folder}/plan.json; logs: {folder}/stack"
    assert ran.differences == [], again
    assert ran.sent == sum(mail.fate == "sent" for mail in plan.mails)
    assert ran.entries > ran.sent / 2
    return ran


def test_every_kind_of_trouble_has_its_place() -> None:
    plans = [make_plan(SEED, emails=20, users=USERS, seconds=10, aided=aided) for aided in (True, False)]
    long = make_plan(SEED, emails=20, users=USERS, seconds=100)
    for planned in ([event for plan in plans for event in plan.events], long.events):
        assert set(FAULTS) <= {event.what for event in planned}


def test_the_same_seed_is_the_same_plan() -> None:
    plan = make_plan(SEED, emails=20, users=USERS, seconds=10)
    assert make_plan(SEED, emails=20, users=USERS, seconds=10) == plan
    assert make_plan(SEED + 1, emails=20, users=USERS, seconds=10) != plan
