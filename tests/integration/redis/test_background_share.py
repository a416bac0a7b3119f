"""Rescans of all users together leave their part of the project's minute to mail as it is sent."""

import asyncio
from types import MappingProxyType

import pytest

from infra.local.valkey import Valkey
from shared.gmail.quota import BACKGROUND_SHARE, Quota, QuotaProfile
from tests.integration.redis.conftest import COST, GET, UNITS, Events, MakeQuota, spend, spend_all

PROJECT = 1_000
# Calls: what rescans may use of the project's minute, and what of a user's.
ALL_IN_BACKGROUND = int(PROJECT * BACKGROUND_SHARE) // COST
ALL_OF_A_USER = UNITS // COST
RESCANNED = [f"user {number}" for number in range(40)]
NEVER = 3_600.0


async def rescan_all(*quotas: Quota) -> int:
    """Rescans of forty mailboxes, at turns by these processes: how many of their calls are let through."""
    calls = [
        await spend_all(quotas[number % len(quotas)], user, background=True) for number, user in enumerate(RESCANNED)
    ]
    return sum(calls)


def alone() -> Quota:
    """One process that minds its own quota, and may use nearly all of a minute at once."""
    return Quota(QuotaProfile(UNITS, PROJECT, MappingProxyType({GET: COST}), burst_share=1 - 1e-9))


async def test_rescans_of_many_leave_one_process_its_quota_for_sent_mail() -> None:
    quota = alone()
    assert await rescan_all(quota) == pytest.approx(ALL_IN_BACKGROUND, abs=1)
    assert await spend_all(quota, "who just sent mail") == pytest.approx(ALL_OF_A_USER, abs=1)


async def test_rescans_of_many_by_many_processes_leave_quota_for_sent_mail(make_quota: MakeQuota) -> None:
    one, other = make_quota(project=PROJECT), make_quota(project=PROJECT)
    assert await rescan_all(one, other) == ALL_IN_BACKGROUND
    for number in range(4):
        assert await spend_all(other, f"who just sent mail {number}") == ALL_OF_A_USER
    # Sent mail has used up the rest: the project's minute is at its end, for everybody.
    assert await spend_all(one, "who just sent mail, too") == 0


async def test_rescans_get_what_sent_mail_left_of_the_project(make_quota: MakeQuota) -> None:
    quota = make_quota(project=PROJECT)
    for number in range(8):
        assert await spend_all(quota, f"who just sent mail {number}") == ALL_OF_A_USER
    assert await rescan_all(quota) == PROJECT // COST - 8 * ALL_OF_A_USER


async def test_rescans_that_wait_for_the_projects_share_hold_up_no_sent_mail(make_quota: MakeQuota) -> None:
    quota = make_quota(project=PROJECT)
    await rescan_all(quota)
    waiting = [asyncio.create_task(spend(quota, user, background=True)) for user in RESCANNED]
    await asyncio.sleep(0)
    assert await spend_all(quota, RESCANNED[-1]) == ALL_OF_A_USER
    assert not any(task.done() for task in waiting)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


async def test_rescans_whose_share_is_used_up_get_no_second_one_when_valkey_is_killed(
    valkey: Valkey, make_quota: MakeQuota, events: Events
) -> None:
    quota = make_quota(project=PROJECT, retry_seconds=NEVER)
    assert await rescan_all(quota) == ALL_IN_BACKGROUND
    await valkey.kill9()
    assert await spend_all(quota, "a new rescan", background=True) == 0
    assert events.names == ["quota.shared_window_lost"]
    await spend(quota, "who just sent mail")
