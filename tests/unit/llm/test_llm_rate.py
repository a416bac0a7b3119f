"""The model's limits as one process keeps them. Minutes pass at once: see `in_jumping_time`."""

import asyncio
from bisect import bisect_left
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import ModelOverLimit
from shared.leave import LeaveTakenBack
from shared.llm.rate import FRESH_SECONDS, MACHINES_SHARE, Rate, RateLimits, Urgency, account_name
from tests.unit.shared.test_quota import FOREVER, Use, fullest_window, in_jumping_time, now

URGENCIES: list[Urgency] = ["person", "sent", "background"]


async def ask(rate: Rate, urgency: Urgency = "sent", tokens: int = 1_000, patience: float = FOREVER) -> float:
    """Send one call, which is answered at once: when it was sent."""
    with await rate.send(tokens, urgency, until=now() + patience):
        return now()


async def ask_all(rate: Rate, urgency: Urgency, tokens: int = 1_000) -> int:
    """How many calls are let through at once."""
    for calls in range(10_000):
        try:
            await ask(rate, urgency, tokens, patience=0)
        except ModelOverLimit:
            return calls
    raise AssertionError


async def ask_for(rate: Rate, urgency: Urgency, seconds: float, *, tasks: int = 10) -> list[float]:
    """When calls were sent by so many tasks that ask all the time."""
    times: list[float] = []

    async def keep_asking() -> None:
        while now() < seconds:
            times.append(await ask(rate, urgency))

    await asyncio.gather(*(keep_asking() for _ in range(tasks)))
    return times


@pytest.mark.parametrize(("urgency", "share"), [("person", 1.0), ("sent", MACHINES_SHARE), ("background", 0.6)])
def test_ten_minutes_of_asking_use_nearly_all_that_is_allowed_and_no_minute_more(
    urgency: Urgency, share: float
) -> None:
    async def body() -> None:
        times = await ask_for(Rate(RateLimits()), urgency, 600)
        times.sort()
        assert max(bisect_left(times, at + 60) - place for place, at in enumerate(times)) <= 3_500 * share
        assert len(times) > 0.93 * 10 * 3_500 * share

    in_jumping_time(body)()


Calls = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.0, 0.0, 0.5, 7.0, 61.0]),  # seconds after the one before
        st.one_of(st.integers(1, 300), st.integers(2_000, 12_000)),  # tokens
        st.sampled_from(URGENCIES),
    ),
    min_size=20,
    max_size=80,
)


@given(Calls)
def test_no_minute_holds_more_requests_or_tokens_than_allowed(calls: list[tuple[float, int, Urgency]]) -> None:
    async def body() -> None:
        rate = Rate(RateLimits(requests=30, tokens=20_000, background_share=0.5))
        sent: list[tuple[float, int, Urgency]] = []

        async def one(tokens: int, urgency: Urgency) -> None:
            try:
                sent.append((await ask(rate, urgency, tokens, patience=45), tokens, urgency))
            except ModelOverLimit:
                return

        tasks = []
        for pause, tokens, urgency in calls:
            await asyncio.sleep(pause)
            tasks.append(asyncio.create_task(one(tokens, urgency)))
        await asyncio.gather(*tasks)
        for share, of in ((1.0, URGENCIES), (MACHINES_SHARE, URGENCIES[1:]), (0.5, URGENCIES[2:])):
            within = [each for each in sent if each[2] in of]
            assert fullest_window([Use(at, 1, "", background=False) for at, _, _ in within]) <= 30 * share
            # One that is larger than its part of a minute counts as all of it.
            most = int(20_000 * share)
            uses = [Use(at, min(tokens, most), "", background=False) for at, tokens, _ in within]
            assert fullest_window(uses) <= most

    in_jumping_time(body)()


@pytest.mark.parametrize("requests", [10, 60, 500])
def test_a_low_limit_lets_the_first_calls_through_at_once(requests: int) -> None:
    async def body() -> None:
        assert await ask_all(Rate(RateLimits(requests=requests)), "person") >= 4

    in_jumping_time(body)()


def test_a_call_with_more_tokens_than_a_minute_has_is_left_to_the_api_to_refuse() -> None:
    async def body() -> None:
        await ask(Rate(RateLimits(tokens=5_000)), "person", tokens=50_000)
        assert now() < 62

    in_jumping_time(body)()


@pytest.mark.parametrize("tokens", [None, 100_000])
def test_tokens_count_only_where_a_limit_is_known(tokens: int | None) -> None:
    async def body() -> None:
        calls = await ask_all(Rate(RateLimits(tokens=tokens)), "person", tokens=4_000)
        assert calls == (105 if tokens is None else 4)

    in_jumping_time(body)()


def test_who_waited_until_the_deadline_is_told_so_and_nobody_behind_loses_a_turn() -> None:
    async def body() -> None:
        rate = Rate(RateLimits(requests=60))
        await ask_all(rate, "person")
        begun = now()
        impatient = [asyncio.create_task(ask(rate, "person", patience=0.5)) for _ in range(5)]
        patient = asyncio.create_task(ask(rate, "person", patience=10))
        ends = await asyncio.gather(*impatient, return_exceptions=True)
        assert all(isinstance(end, ModelOverLimit) for end in ends)
        assert now() - begun == pytest.approx(0.5, abs=0.01)
        assert await patient - begun < 1.5

    in_jumping_time(body)()


def test_machines_that_queue_hold_up_no_person_and_rescans_hold_up_no_sent_mail() -> None:
    async def body() -> None:
        rate = Rate(RateLimits(requests=600))
        waiting: list[asyncio.Task[float]] = []
        for urgency in ("background", "sent"):
            waiting += [asyncio.create_task(ask(rate, urgency)) for _ in range(2_000)]
        await asyncio.sleep(200)
        begun = now()
        assert await ask(rate, "person") - begun < 1
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

        rescans = [asyncio.create_task(ask(rate, "background")) for _ in range(2_000)]
        await asyncio.sleep(200)
        begun = now()
        assert await ask(rate, "sent") - begun < 1
        for task in rescans:
            task.cancel()
        await asyncio.gather(*rescans, return_exceptions=True)

    in_jumping_time(body)()


# leave ----------------------------------------------------------------------------------------------------------------


def test_leave_is_asked_only_once_the_wait_is_over() -> None:
    async def body() -> None:
        rate = Rate(RateLimits(requests=60))
        await ask_all(rate, "person")
        asked: list[float] = []

        async def leave() -> None:
            asked.append(now())

        begun = now()
        await rate.send(1, "person", until=now() + 60, leave=leave)
        assert asked == [now()]
        assert now() > begun

    in_jumping_time(body)()


def test_leave_taken_back_sends_nothing_and_leaves_no_call_under_way() -> None:
    async def body() -> None:
        rate: Any = Rate(RateLimits())

        async def leave() -> None:
            raise LeaveTakenBack

        with pytest.raises(LeaveTakenBack):
            await rate.send(1_000, "person", until=now() + 60, leave=leave)
        assert rate._left.under_way == 0

    in_jumping_time(body)()


@pytest.mark.parametrize(("pause", "turns"), [(FRESH_SECONDS / 2, 1), (FRESH_SECONDS * 2, 2)])
def test_a_turn_that_grew_old_while_leave_was_asked_is_taken_anew(pause: float, turns: int) -> None:
    async def body() -> None:
        rate = Rate(RateLimits(requests=10))  # four at once, the next one six tenths of a minute later
        asked = 0

        async def leave() -> None:
            nonlocal asked
            asked += 1
            await asyncio.sleep(pause)

        await rate.send(1, "person", until=now() + 60, leave=leave)
        assert asked == 1
        assert await ask_all(rate, "person") == 4 - turns

    in_jumping_time(body)()


def test_leave_is_asked_again_where_the_second_turn_had_to_be_waited_for() -> None:
    async def body() -> None:
        rate = Rate(RateLimits(requests=10))
        asked: list[float] = []

        async def leave() -> None:
            asked.append(now())
            if len(asked) == 1:
                await ask_all(rate, "person")
                await asyncio.sleep(FRESH_SECONDS * 2)

        await rate.send(1, "person", until=now() + 60, leave=leave)
        assert len(asked) == 2
        assert asked[-1] == now()

    in_jumping_time(body)()


def test_an_account_is_named_without_its_key_and_each_has_its_own_name() -> None:
    names = {
        account_name("sk-1", "https://api.openai.com/v1", "m"),
        account_name("sk-2", "https://api.openai.com/v1", "m"),
        account_name("sk-1", "https://elsewhere.example/v1", "m"),
        account_name("sk-1", "https://api.openai.com/v1", "n"),
    }
    assert len(names) == 4
    assert not any("sk-" in name for name in names)
