"""What is left by the API's own account."""

import asyncio
from bisect import bisect_left

import pytest

from shared.errors import ModelOverLimit, ModelUnavailable
from shared.llm.left import Left, seconds_of
from shared.llm.rate import Rate, RateLimits, Sending
from tests.unit.shared.test_quota import in_jumping_time, now


def headers(left: object, limit: object = 100, reset: object = "60s", kind: str = "requests") -> dict[str, str]:
    return {
        f"x-ratelimit-limit-{kind}": str(limit),
        f"x-ratelimit-remaining-{kind}": str(left),
        f"x-ratelimit-reset-{kind}": str(reset),
    }


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("12ms", 0.012),
        ("1s", 1.0),
        ("1.5s", 1.5),
        ("6m0s", 360.0),
        ("7m12s", 432.0),
        ("1h0m3.25s", 3603.25),
        ("1d", 86_400.0),
        ("20", 20.0),
        ("", None),
        ("soon", None),
        ("1s and a bit", None),
        ("-1", None),
        ("nan", None),
        ("inf", None),
        ("1x", None),
    ],
)
def test_times_are_read_as_the_headers_have_them(text: str, seconds: float | None) -> None:
    assert seconds_of(text) == (None if seconds is None else pytest.approx(seconds))


def test_nothing_told_is_no_reason_to_wait() -> None:
    async def body() -> None:
        left = Left(kept_seconds=60)
        Sending(left, 10).answered({})
        assert left.seconds(1_000_000) == 0

    in_jumping_time(body)()


@pytest.mark.parametrize(
    ("told", "tokens", "seconds"),
    [
        (headers(1), 10, 0),
        (headers(0), 10, 0.6),
        (headers(0, 200, "8m"), 10, 2.4),  # a day's limit: one comes back after minutes
        (headers(500, 1_000, "30s", "tokens"), 400, 0),
        (headers(500, 1_000, "30s", "tokens"), 700, 12),
        (headers(500, 1_000, "30s", "tokens"), 5_000, 30),  # more than there ever is: when all is there
        (headers(0, 10_000, "24h"), 10, 8.64),
        (headers(0, 1, "24h"), 10, 60),  # for so long it is believed
    ],
)
def test_what_is_missing_comes_back_as_a_part_of_all(told: dict[str, str], tokens: int, seconds: float) -> None:
    async def body() -> None:
        left = Left(kept_seconds=60)
        Sending(left, 10).answered(told)
        assert left.seconds(tokens) == pytest.approx(seconds)
        await asyncio.sleep(seconds)
        assert left.seconds(tokens) == pytest.approx(0, abs=1e-6)

    in_jumping_time(body)()


@pytest.mark.parametrize(
    "told",
    [
        headers(-1, -1, 0),
        headers(0, 0),
        headers("none"),
        headers(0, "many"),
        headers(0, 100, "soon"),
        headers("²"),
        {"x-ratelimit-remaining-requests": "0"},
    ],
)
def test_headers_that_make_no_sense_tell_nothing(told: dict[str, str]) -> None:
    async def body() -> None:
        left = Left(kept_seconds=60)
        Sending(left, 10).answered(told)
        assert left.seconds(10) == 0

    in_jumping_time(body)()


def test_calls_under_way_and_those_sent_since_count_against_what_was_told() -> None:
    async def body() -> None:
        left = Left(kept_seconds=60)
        answered, _under_way = Sending(left, 10), Sending(left, 10)
        answered.answered(headers(2))
        assert left.seconds(10) == 0
        Sending(left, 10)
        assert left.seconds(10) > 0

    in_jumping_time(body)()


@pytest.mark.parametrize("kind", ["requests", "tokens"])
def test_an_answer_that_was_overtaken_tells_of_nothing_that_is_gone_by_now(kind: str) -> None:
    async def body() -> None:
        left = Left(kept_seconds=60)
        first, second, third = (Sending(left, 1) for _ in range(3))
        third.answered(headers(1, kind=kind))
        second.answered(headers(2, kind=kind))
        first.answered(headers(3, kind=kind))
        assert left.seconds(1) == 0
        Sending(left, 1)
        assert left.seconds(1) > 0

    in_jumping_time(body)()


def test_a_refusal_that_names_a_time_keeps_all_away_until_then_and_for_a_minute_at_most() -> None:
    async def body() -> None:
        left = Left(kept_seconds=60)
        Sending(left, 10).refused(ModelOverLimit("busy", retry_after=20), {})
        Sending(left, 10).refused(ModelOverLimit("busy", retry_after=5), {})
        assert left.seconds(10) == pytest.approx(20)
        Sending(left, 10).refused(ModelOverLimit("busy", retry_after=3_600), {})
        assert left.seconds(10) == pytest.approx(60)

    in_jumping_time(body)()


def test_once_a_refusal_is_over_one_call_goes_and_its_answer_says_how_many_more() -> None:
    async def body() -> None:
        rate = Rate(RateLimits(requests=100))
        first, second = [await rate.send(10, "person", until=now() + 10) for _ in range(2)]
        first.refused(ModelOverLimit("busy", retry_after=5), headers(0))
        second.answered(headers(50))  # it was answered before that
        third = await rate.send(10, "person", until=now() + 10)
        assert now() == pytest.approx(5)
        begun = now()
        waiting = [asyncio.create_task(rate.send(10, "person", until=now() + 100)) for _ in range(3)]
        await asyncio.sleep(0.4)
        assert not any(task.done() for task in waiting)
        third.answered(headers(50))
        await asyncio.gather(*waiting)
        assert now() - begun < 1

    in_jumping_time(body)()


@pytest.mark.parametrize(
    "error", [ModelOverLimit("busy"), ModelUnavailable("down", retry_after=20)], ids=["no time", "no limit"]
)
def test_other_refusals_keep_nobody_away(error: ModelOverLimit | ModelUnavailable) -> None:
    async def body() -> None:
        left = Left(kept_seconds=60)
        Sending(left, 10).refused(error, {})
        assert left.seconds(10) == 0

    in_jumping_time(body)()


def test_where_others_have_used_up_the_key_calls_wait_and_then_go_one_by_one() -> None:
    async def body() -> None:
        rate = Rate(RateLimits(requests=100))
        (await rate.send(10, "person", until=now() + 10)).answered(headers(0))
        times = []
        for _ in range(5):
            with await rate.send(10, "person", until=now() + 10):
                times.append(now())
        assert times == pytest.approx([0.6, 1.2, 1.8, 2.4, 3.0], abs=0.01)

    in_jumping_time(body)()


def test_many_that_wait_for_the_same_do_not_all_go_when_it_comes_back() -> None:
    async def body() -> None:
        rate = Rate(RateLimits(requests=100))
        (await rate.send(10, "person", until=now() + 10)).answered(headers(0))

        async def slow_leave() -> None:
            await asyncio.sleep(0.1)

        calls = [asyncio.create_task(rate.send(10, "person", until=now() + 10, leave=slow_leave)) for _ in range(10)]
        await asyncio.sleep(0.75)
        assert sum(call.done() for call in calls) == 1
        await asyncio.gather(*calls)

    in_jumping_time(body)()


def test_a_wait_that_is_known_to_be_too_long_is_not_begun() -> None:
    async def body() -> None:
        rate = Rate(RateLimits())
        (await rate.send(10, "person", until=now() + 10)).answered(headers(0, 1, "60s"))
        begun = now()
        with pytest.raises(ModelOverLimit) as refused:
            await rate.send(10, "person", until=now() + 10)
        assert refused.value.retry_after == pytest.approx(60, abs=0.01)
        assert now() == begun

    in_jumping_time(body)()


@pytest.mark.parametrize("kind", ["requests", "tokens"])
def test_a_lower_limit_that_the_api_tells_of_is_kept_in_every_minute_and_nearly_all_of_it_used(kind: str) -> None:
    async def body() -> None:
        rate = Rate(RateLimits())
        limit, tokens = (60, 1) if kind == "requests" else (60_000, 1_000)
        times: list[float] = []
        while now() < 600:
            sending = await rate.send(tokens, "person", until=now() + 100)
            times.append(now())
            sending.answered(headers(limit, limit, "1s", kind))
        assert max(bisect_left(times, at + 60) - place for place, at in enumerate(times)) <= 60
        assert len(times) > 0.6 * 10 * 60

    in_jumping_time(body)()


def test_a_higher_limit_that_the_api_tells_of_changes_nothing() -> None:
    async def body() -> None:
        rate = Rate(RateLimits(requests=60, tokens=60_000))
        (await rate.send(10, "person", until=now())).answered(headers(10_000, 10_000, "1s"))
        for _ in range(8):
            with await rate.send(10, "person", until=now()):
                pass

    in_jumping_time(body)()


def test_once_a_lower_limit_is_known_there_is_no_burst_beside_what_was_sent_before() -> None:
    async def body() -> None:
        rate = Rate(RateLimits())
        (await rate.send(10, "person", until=now())).answered(headers(60, 60, "1s"))
        with pytest.raises(ModelOverLimit):
            await rate.send(10, "person", until=now())
        await rate.send(10, "person", until=now() + 2)

    in_jumping_time(body)()
