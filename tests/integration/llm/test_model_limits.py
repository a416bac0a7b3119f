"""The limits of the model's account, as its API counts them: strictly, in every window, wherever it begins.

A minute is two seconds here, for both sides.
"""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from shared.errors import ModelOverLimit
from shared.extraction.verdicts import Answer
from shared.llm.judge import Asked
from shared.llm.rate import Rate, RateLimits
from shared.llm.streaming import Bounds, ChatModel
from tests.integration.llm.conftest import MakeJudge, Simulated, asks

WINDOW = 2.0
REQUESTS = 100
TOKENS = 60_000
AMPLE = 10_000
BODY = "We met on the lien again. It took 2 hours."


def rate(requests: int = REQUESTS, tokens: int | None = None, **limits: Any) -> Rate:
    """What is under test, on a machine whose calls may be under way for half a window."""
    return Rate(RateLimits(requests, tokens, **{"window_seconds": WINDOW, "margin_seconds": WINDOW / 2, **limits}))


async def ask_all(judge: Any, calls: int) -> list[Any]:
    """So many single questions, as fast as they are let."""
    question = asks(BODY, "2 hours")
    return await asyncio.gather(*(judge.judge(question) for _ in range(calls)), return_exceptions=True)


@pytest.mark.parametrize("counted", [REQUESTS, AMPLE], ids=["at its limit", "with headers that tell of no limit"])
async def test_no_window_holds_more_requests_than_allowed(
    simulated: Simulated, make_judge: MakeJudge, counted: int
) -> None:
    await simulated.limit(requests_a_minute=counted, window_seconds=WINDOW)
    answers = await ask_all(make_judge(rate=rate(), deadline_seconds=60), 2 * REQUESTS)
    assert all(isinstance(answer, Answer) for answer in answers)
    counts = await simulated.limits()
    assert REQUESTS / 2 < counts["most_requests"] <= REQUESTS
    assert counts["refused_requests"] == 0
    assert await simulated.calls() == 2 * REQUESTS


async def test_no_window_holds_more_tokens_than_allowed_where_emails_share_calls(
    simulated: Simulated, make_judge: MakeJudge
) -> None:
    await simulated.limit(window_seconds=WINDOW)
    judge = make_judge(rate=rate(AMPLE, TOKENS), deadline_seconds=60)
    users = [uuid4() for _ in range(40)]
    asked = [Asked(user, asks(f"I spent 2 hours on matter {n}.", "2 hours")) for user in users for n in range(5)]
    answers = await judge.judge_many(asked)
    assert all(isinstance(answer, Answer) for answer in answers)
    assert await simulated.calls() == len(users)
    assert TOKENS / 3 < (await simulated.limits())["most_tokens"] <= TOKENS


async def test_where_the_account_may_do_less_than_the_settings_say_the_api_is_believed(
    simulated: Simulated, make_judge: MakeJudge
) -> None:
    await simulated.limit(requests_a_minute=20, window_seconds=WINDOW)
    for _ in range(18):  # others use the same key
        await simulated.http.post(
            "/v1/chat/completions",
            headers={"authorization": f"Bearer {simulated.key}"},
            json={"model": simulated.api.model, "messages": [{"role": "user", "content": "Hi"}]},
        )
    judge = make_judge(rate=rate(AMPLE), deadline_seconds=60)
    await judge.judge(asks(BODY, "2 hours"))
    answers = await ask_all(judge, 10)
    assert all(isinstance(answer, Answer) for answer in answers)
    # One that finds out when to come again; not ten.
    assert (await simulated.limits())["refused_requests"] <= 1


async def test_an_account_whose_tokens_nobody_set_is_not_asked_until_they_are_refused(
    simulated: Simulated, make_judge: MakeJudge
) -> None:
    await simulated.limit(tokens_a_minute=10_000, window_seconds=WINDOW)
    judge = make_judge(rate=rate(AMPLE), deadline_seconds=60)
    await judge.judge(asks(BODY, "2 hours"))
    answers = await ask_all(judge, 15)
    assert all(isinstance(answer, Answer) for answer in answers)
    assert (await simulated.limits())["refused_tokens"] == 0


async def test_a_refused_call_keeps_the_others_away_until_the_time_that_it_was_told(
    simulated: Simulated, make_judge: MakeJudge
) -> None:
    judge = make_judge(calls_at_once=1)
    await simulated.fault("429", retry_after_s=0.3)
    answers = await ask_all(judge, 3)
    assert all(isinstance(answer, Answer) for answer in answers)
    await simulated.fault("429", retry_after_s=3_600)
    answers = await ask_all(judge, 5)
    assert all(isinstance(answer, ModelOverLimit) for answer in answers)
    assert await simulated.calls() == 5


async def test_who_would_wait_beyond_the_deadline_is_over_limit_and_nothing_is_sent(
    simulated: Simulated, make_judge: MakeJudge
) -> None:
    judge = make_judge(rate=rate(10, window_seconds=60), deadline_seconds=0.5)
    assert all(isinstance(answer, Answer) for answer in await ask_all(judge, 3))
    answers = await ask_all(judge, 6)
    assert all(isinstance(answer, ModelOverLimit) for answer in answers)
    assert await simulated.calls() == 3


async def test_the_chat_and_the_scans_of_a_process_share_its_limits(
    simulated: Simulated, make_judge: MakeJudge
) -> None:
    shared = rate(10, window_seconds=60)
    judge, chat = make_judge(rate=shared, deadline_seconds=0.5), ChatModel(simulated.api, shared)
    hello, bounds = [{"role": "user", "content": "Hello"}], Bounds(500, 5, 0.5)
    for _ in range(2):
        assert [piece async for piece in chat.stream(hello, tools=[], tool_choice="auto", bounds=bounds)]
    assert [type(answer) for answer in await ask_all(judge, 3)] == [Answer, Answer, ModelOverLimit]
    with pytest.raises(ModelOverLimit):
        await anext(chat.stream(hello, tools=[], tool_choice="auto", bounds=bounds))
    await chat.close()
    assert await simulated.calls() == 4
