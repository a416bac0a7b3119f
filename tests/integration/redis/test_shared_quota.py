"""Two `Quota`s stand for two processes: they share nothing but Valkey."""

import asyncio

import pytest
from redis.asyncio import Redis

from infra.local.valkey import Valkey
from shared.errors import OverQuota
from shared.gmail.quota import PROFILES, Quota
from shared.gmail.shared_window import SharedWindow
from tests.integration.redis.conftest import COST, MakeQuota, spend, spend_all

WINDOW = "tenths:gmail/user/{}/100/61/second"
BACKGROUND = "tenths:gmail/background/{}/60/61/second"


async def test_what_one_process_spends_the_other_can_not(make_quota: MakeQuota) -> None:
    one, other = make_quota(), make_quota()
    assert await spend_all(one, "dana", most=12) == 12
    assert await spend_all(other, "dana") == 8
    assert await spend_all(one, "dana") == 0


async def test_a_user_who_used_up_the_minute_holds_up_no_other(make_quota: MakeQuota) -> None:
    quota = make_quota()
    assert await spend_all(quota, "dana") == 20
    waiting = [asyncio.create_task(spend(quota, "dana")) for _ in range(20)]
    assert await spend_all(quota, "priya") == 20
    for task in waiting:
        task.cancel()
    assert all(isinstance(end, BaseException) for end in await asyncio.gather(*waiting, return_exceptions=True))


async def test_all_users_together_keep_within_the_project(make_quota: MakeQuota, redis: Redis) -> None:
    one, other = make_quota(project=150), make_quota(project=150)
    assert await spend_all(one, "dana") == 20
    assert await spend_all(other, "priya") == 10
    assert await redis.llen(WINDOW.format("priya")) == 50, "a refusal of the project costs the user nothing"


async def test_background_calls_leave_the_rest_of_the_minute_to_live_ones(make_quota: MakeQuota) -> None:
    one, other = make_quota(), make_quota()
    assert await spend_all(one, "dana", background=True) == 12
    assert await spend_all(other, "dana", background=True) == 0
    assert await spend_all(other, "dana") == 8


async def test_background_calls_get_what_live_ones_left_and_lose_nothing_by_asking(
    make_quota: MakeQuota, redis: Redis
) -> None:
    quota = make_quota()
    assert await spend_all(quota, "dana", most=18) == 18
    assert await spend_all(quota, "dana", background=True) == 2
    for _ in range(20):
        assert await spend_all(quota, "dana", background=True) == 0
    assert await redis.llen(BACKGROUND.format("dana")) == 2 * COST


async def test_a_queue_of_background_calls_holds_up_no_live_one(make_quota: MakeQuota) -> None:
    quota = make_quota()
    assert await spend_all(quota, "dana", background=True) == 12
    queue = [asyncio.create_task(spend(quota, "dana", background=True)) for _ in range(5)]
    await asyncio.sleep(0)
    assert await spend_all(quota, "dana") == 8
    for task in queue:
        task.cancel()
    await asyncio.gather(*queue, return_exceptions=True)


async def test_a_batch_costs_what_its_calls_do(make_quota: MakeQuota, redis: Redis) -> None:
    quota = make_quota()
    await spend(quota, "dana", calls=15)
    assert await redis.llen(WINDOW.format("dana")) == 75
    with pytest.raises(OverQuota):
        await spend(quota, "dana", calls=6, patience=0)
    assert await spend_all(quota, "dana") == 5


@pytest.mark.parametrize(("calls", "background"), [(45, False), (13, True), (30, True)])
async def test_a_batch_larger_than_a_window_takes_several(make_quota: MakeQuota, calls: int, background: bool) -> None:
    quota = make_quota(window_seconds=1)
    async with asyncio.timeout(30):
        await spend(quota, "dana", calls=calls, background=background)


async def test_callers_of_one_user_are_let_through_in_the_order_in_which_they_came(make_quota: MakeQuota) -> None:
    quota = make_quota(window_seconds=1)
    order: list[int] = []

    async def call(number: int) -> None:
        await spend(quota, "dana")
        order.append(number)

    await asyncio.gather(*(call(number) for number in range(50)))
    assert order == list(range(50))


async def test_of_those_who_wait_only_the_first_asks(make_quota: MakeQuota, redis: Redis) -> None:
    quota = make_quota(window_seconds=6)  # asked again every tenth of a second
    assert await spend_all(quota, "dana") == 20
    await redis.config_resetstat()
    waiting = [spend(quota, "dana", patience=0.5) for _ in range(100)]
    ends = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(end) for end in ends] == [OverQuota] * 100
    scripts = (await redis.info("commandstats"))["cmdstat_evalsha"]["calls"]
    assert 0 < scripts < 50


async def test_who_waited_for_long_enough_is_told_when_to_come_again(make_quota: MakeQuota) -> None:
    quota = make_quota()
    assert await spend_all(quota, "dana") == 20
    with pytest.raises(OverQuota) as refused:
        await spend(quota, "dana", patience=0.05)
    assert refused.value.retry_after == 60


async def test_a_caller_that_goes_away_gives_its_turn_to_the_next(make_quota: MakeQuota) -> None:
    quota = make_quota(window_seconds=1)
    assert await spend_all(quota, "dana") == 20
    first, second = (asyncio.create_task(spend(quota, "dana")) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    async with asyncio.timeout(30):
        await second
    assert first.cancelled()


async def test_keys_hold_mailbox_ids_and_go_with_their_window(make_quota: MakeQuota, redis: Redis) -> None:
    mailbox_id = "0d5cbb1e-6c2f-4d5c-9d53-6b8f3c1f7a10"
    await spend(make_quota(), mailbox_id, background=True)
    keys = {
        WINDOW.format(mailbox_id),
        BACKGROUND.format(mailbox_id),
        "tenths:gmail/project/100000/61/second",
        "tenths:gmail/background/60000/61/second",
    }
    assert set(await redis.keys()) == keys
    for key in keys:
        assert 0 < await redis.ttl(key) <= 61


async def test_a_stand_in_of_gmail_that_counts_nothing_is_not_counted_for(valkey: Valkey, redis: Redis) -> None:
    quota = Quota(PROFILES["unmetered"], shared=SharedWindow(valkey.url))
    await spend(quota, "dana", calls=100)
    await quota.aclose()
    assert await redis.dbsize() == 0


async def test_connections_end_with_the_quota(make_quota: MakeQuota, redis: Redis) -> None:
    quota = make_quota()
    before = len(await redis.client_list())
    await spend(quota, "dana")
    assert len(await redis.client_list()) == before + 1
    await quota.aclose()
    async with asyncio.timeout(10):
        while len(await redis.client_list()) > before:
            pass  # until Valkey has seen it
