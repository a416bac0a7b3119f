"""The limits of the model's account, kept by several processes together through Valkey."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from infra.local.valkey import Valkey
from shared.errors import ModelOverLimit
from shared.extraction.verdicts import Answer
from shared.gmail.shared_window import SharedWindow
from shared.llm.budget import Budget
from shared.llm.client import ChatClient
from shared.llm.judge import Judge
from shared.llm.rate import Rate, RateLimits, Urgency
from tests.integration.llm.conftest import Simulated, asks, process, simulated
from tests.integration.redis.conftest import Events

__all__ = ["process", "simulated"]

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
# The API's minute, and the longer one that Redis counts, as 60 and 61 s.
WINDOW, COUNTED = 2, 3
REQUESTS = 100
MINUTE = 60
NEVER = 3_600.0

MakeRate = Callable[..., Rate]


@pytest.fixture
async def make_rate(valkey: Valkey) -> AsyncIterator[MakeRate]:
    """What one process has of an account's limits: keyword arguments of RateLimits, the account, seconds."""
    made: list[Rate] = []

    def make(*, account: str = "a", counted: int = MINUTE, retry: float = NEVER, **limits: Any) -> Rate:
        window = SharedWindow(
            valkey.url, namespace="model", window_seconds=counted, answer_seconds=30, retry_seconds=retry
        )
        made.append(Rate(RateLimits(**limits), shared=window, account=account))
        return made[-1]

    yield make
    for rate in made:
        await rate.aclose()


async def hammer(url: str, model: Simulated, calls: int) -> asyncio.subprocess.Process:
    arguments = [url, model.api.base_url, REQUESTS, WINDOW, COUNTED, calls]
    return await asyncio.create_subprocess_exec(
        sys.executable,
        str(HERE / "model_hammer.py"),
        *map(str, arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(ROOT), "MODEL_KEY": model.key},
    )


async def answered_by(processes: list[asyncio.subprocess.Process]) -> int:
    """All begin at once: how many calls were answered in all."""
    for each in processes:
        assert each.stdout is not None
        while (line := await each.stdout.readline()) != b"ready\n":
            assert line, "it ended before it was ready"
    outputs = await asyncio.gather(*(each.communicate(b"go\n") for each in processes))
    return sum(int(output.split()[-1]) for output, _ in outputs)


async def test_two_processes_together_pass_the_limit_in_no_window(valkey: Valkey, simulated: Simulated) -> None:
    await simulated.limit(window_seconds=WINDOW)  # its headers tell of ample room: what counts is the settings'
    processes = [await hammer(valkey.url, simulated, 2 * REQUESTS) for _ in range(2)]
    assert await answered_by(processes) == 4 * REQUESTS
    assert 0.6 * REQUESTS < (await simulated.limits())["most_requests"] <= REQUESTS


async def test_calls_go_on_within_the_limit_when_valkey_is_killed(
    valkey: Valkey, simulated: Simulated, make_rate: MakeRate, events: Events
) -> None:
    await simulated.limit(window_seconds=WINDOW)
    margin = COUNTED - WINDOW
    rate = make_rate(counted=COUNTED, requests=REQUESTS, window_seconds=WINDOW, margin_seconds=margin)
    judge = Judge(ChatClient(simulated.api, rate, "person"), budget=Budget())
    question = asks("It took 2 hours.", "2 hours")
    answers: list[Answer] = []

    async def ask() -> None:
        for _ in range(REQUESTS // 5):
            answers.append(await judge.judge(question))
            if len(answers) == REQUESTS // 2:
                await valkey.kill9()

    await asyncio.gather(*(ask() for _ in range(10)))
    assert len(answers) == 2 * REQUESTS
    assert events.names.count("quota.shared_window_lost") == 1
    assert (await simulated.limits())["most_requests"] <= REQUESTS
    await judge.close()


async def ask_all(rate: Rate, urgency: Urgency, tokens: int = 100) -> int:
    """How many calls are let through at once."""
    for calls in range(1_000):
        try:
            with await rate.send(tokens, urgency, until=asyncio.get_running_loop().time()):
                pass
        except ModelOverLimit:
            return calls
    raise AssertionError


async def ask_everywhere(make_rate: MakeRate, urgency: Urgency, each: int = 100, **limits: Any) -> int:
    """The same by many processes, each of which lets through a part at once. `each`: the tokens of a call."""
    return sum([await ask_all(make_rate(**limits), urgency, each) for _ in range(20)])


async def test_rescans_leave_room_for_sent_mail_and_both_leave_some_for_people(make_rate: MakeRate) -> None:
    assert await ask_everywhere(make_rate, "background", requests=40) == 24
    assert await ask_everywhere(make_rate, "sent", requests=40) == 14
    assert await ask_everywhere(make_rate, "person", requests=40) == 2
    assert await ask_everywhere(make_rate, "person", requests=40) == 0


async def test_people_may_use_all_of_it(make_rate: MakeRate) -> None:
    assert await ask_everywhere(make_rate, "person", requests=40) == 40


async def test_tokens_are_counted_together_too(make_rate: MakeRate) -> None:
    calls = await ask_everywhere(make_rate, "person", each=2_000, tokens=20_000)
    assert calls == 10


async def test_each_account_has_limits_of_its_own(make_rate: MakeRate) -> None:
    assert await ask_everywhere(make_rate, "person", requests=40) == 40
    assert await ask_all(make_rate(requests=40, account="another"), "person") > 0


async def test_those_who_wait_in_one_process_go_in_the_order_in_which_they_came(make_rate: MakeRate) -> None:
    short: dict[str, Any] = {"requests": 40, "counted": COUNTED, "window_seconds": WINDOW}
    await ask_everywhere(make_rate, "person", **short)
    rate, order = make_rate(**short), list[int]()
    until = asyncio.get_running_loop().time() + 60

    async def ask(number: int) -> None:
        with await rate.send(1, "person", until=until):
            order.append(number)

    await asyncio.gather(*(ask(number) for number in range(10)))
    assert order == list(range(10))


async def sent_while_away(valkey: Valkey, rate: Rate, events: Events) -> None:
    """Five calls, of which the last four meet no Valkey; one that was restarted, so that it is empty, at the end."""
    until = asyncio.get_running_loop().time() + 60
    for number in range(5):
        if number == 1:
            await valkey.kill9()
        with await rate.send(250, "person", until=until):
            pass
    assert events.names == ["quota.shared_window_lost"]
    await valkey.start()


@pytest.mark.parametrize(("requests", "units"), [(40, 15), (150, 14)], ids=["one by one", "three together"])
async def test_what_was_sent_while_valkey_was_away_is_counted_once_it_is_back(
    valkey: Valkey, redis: Redis, make_rate: MakeRate, events: Events, requests: int, units: int
) -> None:
    rate = make_rate(requests=requests, tokens=1_000_000, retry=0.0)
    await sent_while_away(valkey, rate, events)
    with await rate.send(250, "person", until=asyncio.get_running_loop().time() + 60):
        pass
    assert events.names == ["quota.shared_window_lost", "quota.shared_window_found"]
    counted = f"tenths:model/a/all/{{}}/{MINUTE}/second"
    assert await redis.llen(counted.format(f"requests/{requests}")) == 5
    assert await redis.llen(counted.format("tokens/10000")) == units  # of a hundred tokens, each part rounded up


async def test_what_was_sent_longer_ago_than_a_window_is_not_counted_any_more(
    valkey: Valkey, redis: Redis, make_rate: MakeRate, events: Events
) -> None:
    rate = make_rate(requests=40, counted=1, retry=0.0)
    await sent_while_away(valkey, rate, events)
    await asyncio.sleep(1)
    with await rate.send(1, "person", until=asyncio.get_running_loop().time() + 60):
        pass
    assert await redis.llen("tenths:model/a/all/requests/40/1/second") == 1


async def test_what_lies_in_valkey_names_no_key_and_goes_with_its_window(make_rate: MakeRate, redis: Redis) -> None:
    rate = make_rate(account="0f3a", requests=40, tokens=10_000)
    await ask_all(rate, "background")
    kinds = ("requests/24", "requests/38", "requests/40", "tokens/60", "tokens/95", "tokens/100")
    shares = {"24": "background", "38": "machines", "40": "all", "60": "background", "95": "machines", "100": "all"}
    assert set(await redis.keys()) == {
        f"tenths:model/0f3a/{shares[kind.partition('/')[2]]}/{kind}/{MINUTE}/second" for kind in kinds
    }
    for key in await redis.keys():
        assert 0 < await redis.ttl(key) <= MINUTE
