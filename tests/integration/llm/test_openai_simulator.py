"""The simulator refuses what the real API refuses, so that a test that passes here means something there."""

import asyncio
from typing import Any

import pytest

from tests.integration.llm.conftest import MODEL, Simulated

GOOD: dict[str, Any] = {"model": MODEL, "messages": [{"role": "user", "content": "Answer in JSON."}]}
FORMAT = {
    "type": "json_schema",
    "json_schema": {
        "name": "n",
        "strict": True,
        "schema": {"type": "object", "properties": {}, "required": [], "additionalProperties": False},
    },
}


async def ask(simulated: Simulated, body: Any, key: str | None = None) -> tuple[int, dict[str, Any], dict[str, str]]:
    headers = {"authorization": f"Bearer {key or simulated.key}"}
    answer = await simulated.http.post("/v1/chat/completions", json=body, headers=headers)
    return answer.status_code, answer.json(), dict(answer.headers)


async def test_a_good_request_is_answered_with_what_is_left_of_the_minute(simulated: Simulated) -> None:
    await simulated.limit(requests_a_minute=7)
    status, body, headers = await ask(simulated, {**GOOD, "response_format": FORMAT})
    assert (status, body["object"], body["choices"][0]["finish_reason"]) == (200, "chat.completion", "stop")
    assert headers["x-ratelimit-remaining-requests"] == "6"
    assert int(headers["x-ratelimit-remaining-tokens"]) < 10_000_000


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"model": "gpt-none"}, 404, "model_not_found"),
        ({"max_tokens": 100}, 400, "unsupported_parameter"),
        ({"colour": "blue"}, 400, "unsupported_parameter"),
        ({"messages": []}, 400, None),
        ({"messages": [{"role": "lawyer", "content": "x"}]}, 400, None),
        ({"messages": [{"role": "user", "content": "x"}], "response_format": {"type": "json_object"}}, 400, None),
        ({"response_format": {"type": "json_schema"}}, 400, None),
        ({"response_format": {"type": "xml"}}, 400, None),
        ({"max_completion_tokens": 0}, 400, None),
        ({"max_completion_tokens": 10_000_000}, 400, None),
        ({"temperature": 0}, 400, None),
        ({"response_format": {**FORMAT, "json_schema": {**FORMAT["json_schema"], "name": "no spaces"}}}, 400, None),  # type: ignore[dict-item]  # a nested literal
    ],
)
async def test_a_request_that_the_real_api_refuses_is_refused(
    simulated: Simulated, change: dict[str, Any], status: int, code: str | None
) -> None:
    answered, body, _ = await ask(simulated, {**GOOD, **change})
    assert (answered, body["error"]["code"]) == (status, code)
    assert await simulated.requests() == []


async def test_a_wrong_key_is_refused(simulated: Simulated) -> None:
    status, body, _ = await ask(simulated, GOOD, key="sk-wrong")
    assert (status, body["error"]["code"]) == (401, "invalid_api_key")


async def test_above_the_limit_the_answer_says_how_long_to_wait(simulated: Simulated) -> None:
    await simulated.limit(tokens_a_minute=1)
    status, body, headers = await ask(simulated, GOOD)
    assert (status, body["error"]["code"]) == (429, "rate_limit_exceeded")
    assert float(headers["retry-after"]) > 0


async def test_after_the_wait_that_it_names_there_is_room_and_not_before(simulated: Simulated) -> None:
    await simulated.limit(requests_a_minute=2, window_seconds=1)
    assert [(await ask(simulated, GOOD))[0] for _ in range(2)] == [200, 200]
    status, _, headers = await ask(simulated, GOOD)
    assert (status, headers["retry-after"], headers["x-ratelimit-remaining-requests"]) == (429, "1", "0")
    assert 0 < int(headers["retry-after-ms"]) <= 1_000
    await asyncio.sleep(int(headers["retry-after-ms"]) / 1_000)  # what a client does
    assert (await ask(simulated, GOOD))[0] == 200


async def test_the_most_that_any_window_held_is_told_and_what_was_refused(simulated: Simulated) -> None:
    await simulated.limit(requests_a_minute=3)
    answers = [await ask(simulated, {**GOOD, "max_completion_tokens": 100}) for _ in range(5)]
    assert [status for status, _, _ in answers] == [200, 200, 200, 429, 429]
    used = answers[0][1]["usage"]["prompt_tokens"] + 100
    assert await simulated.limits() == {
        "most_requests": 3,
        "most_tokens": 3 * used,
        "refused_requests": 2,
        "refused_tokens": 0,
    }


async def test_tokens_are_counted_as_the_prompt_and_the_longest_answer_to_it(simulated: Simulated) -> None:
    await simulated.limit(tokens_a_minute=1_500)
    assert (await ask(simulated, {**GOOD, "max_completion_tokens": 1_000}))[0] == 200
    status, body, headers = await ask(simulated, {**GOOD, "max_completion_tokens": 1_000})
    assert (status, body["error"]["type"]) == (429, "tokens")
    assert 0 < int(headers["x-ratelimit-remaining-tokens"]) < 500
    assert (await simulated.limits())["refused_tokens"] == 1


async def test_each_key_has_a_limit_of_its_own(simulated: Simulated) -> None:
    await simulated.limit(requests_a_minute=1)
    statuses = [(await ask(simulated, GOOD, key))[0] for key in (None, None, simulated.other_key, simulated.other_key)]
    assert statuses == [200, 429, 200, 429]


async def test_what_is_counted_is_when_a_call_arrives_not_when_it_is_answered(simulated: Simulated) -> None:
    await simulated.limit(requests_a_minute=1, latency_ms=300)
    first, second = await asyncio.gather(ask(simulated, GOOD), ask(simulated, GOOD))
    assert sorted([first[0], second[0]]) == [200, 429]


async def test_an_answer_longer_than_allowed_is_cut_off(simulated: Simulated) -> None:
    content = '{"passages": [{"text": "I spent 2 hours.", "amounts": [{"id": 1, "words": "2 hours", "minutes": 120}]}]}'
    body = {**GOOD, "messages": [{"role": "user", "content": f"{content}"}], "response_format": {"type": "json_object"}}
    body["messages"].insert(0, {"role": "system", "content": "JSON"})
    status, answer, _ = await ask(simulated, {**body, "max_completion_tokens": 5})
    assert (status, answer["choices"][0]["finish_reason"]) == (200, "length")


async def test_a_fault_that_there_is_not_is_refused(simulated: Simulated) -> None:
    assert (await simulated.http.post("/_sim/faults", json={"kind": "earthquake"})).status_code == 400
