"""The simulated model converses: tools, streams and what can go wrong with them, as OpenAI's own client sees it."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, AsyncStream
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from infra.local.openai.said import Call, Said
from infra.local.openai.simulator import Simulator
from tests.integration.llm.conftest import MODEL, Simulated

NULLABLE = {"anyOf": [{"type": "integer"}, {"type": "null"}]}


def tool(name: str, **properties: Any) -> dict[str, Any]:
    schema = {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
    return {"type": "function", "function": {"name": name, "strict": True, "description": name, "parameters": schema}}


SCAN = tool("scan_billable_time", date_range_days=NULLABLE, query_filter={"type": ["string", "null"]})
SUMMARY = tool("get_time_tracking_summary", date_range_days=NULLABLE)
CONFIGURE = tool("configure_time_tracking", increment=NULLABLE)
TOOLS = [SCAN, CONFIGURE, SUMMARY]


def user(content: str = "Please scan my mail.") -> dict[str, Any]:
    return {"role": "user", "content": content}


def calling(*ids: str, arguments: str = "{}", **more: Any) -> dict[str, Any]:
    calls = [{"id": id_, "type": "function", "function": {"name": "scan", "arguments": arguments}} for id_ in ids]
    return {"role": "assistant", "content": None, "tool_calls": calls, **more}


def result(id_: str, content: str = '{"entries": 3}') -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": id_, "content": content}


class Talk:
    """A client of the simulator, and what a test scripts there."""

    def __init__(self, simulated: Simulated, client: AsyncOpenAI) -> None:
        self.simulated = simulated
        self.client = client

    async def ask(self, *messages: dict[str, Any], **more: Any) -> ChatCompletion:
        """One answer, whole."""
        request: Any = {"model": MODEL, "messages": list(messages or [user()]), **more}
        answer: ChatCompletion = await self.client.chat.completions.create(**request)
        return answer

    async def stream(self, *messages: dict[str, Any], **more: Any) -> AsyncStream[ChatCompletionChunk]:
        """One answer, in pieces."""
        request: Any = {"model": MODEL, "messages": list(messages or [user()]), **more}
        stream: AsyncStream[ChatCompletionChunk] = await self.client.chat.completions.create(**request, stream=True)
        return stream

    async def chunks(self, *messages: dict[str, Any], **more: Any) -> list[ChatCompletionChunk]:
        return [chunk async for chunk in await self.stream(*messages, **more)]

    async def raw(self, *messages: dict[str, Any], **more: Any) -> str:
        """A stream's body as it stands on the wire."""
        body = {"model": MODEL, "messages": list(messages or [user()]), "stream": True, **more}
        headers = {"authorization": f"Bearer {self.simulated.key}"}
        answer = await self.simulated.http.post("/v1/chat/completions", json=body, headers=headers)
        assert answer.headers["content-type"].startswith("text/event-stream")
        return answer.text

    async def script(self, *calls: tuple[str, Any], **turn: Any) -> None:
        scripted = [{"name": name, "arguments": arguments} for name, arguments in calls]
        (await self.simulated.http.post("/_sim/turns", json={"calls": scripted, **turn})).raise_for_status()

    async def unsaid(self) -> list[dict[str, Any]]:
        turns: list[dict[str, Any]] = (await self.simulated.http.get("/_sim/turns")).json()
        return turns

    async def stats(self) -> dict[str, int]:
        stats: dict[str, int] = (await self.simulated.http.get("/_sim/stats")).json()
        return stats

    async def until(self, count: str, is_: int) -> None:
        """Until the simulator has counted so many: each look waits for an answer over the wire."""
        async with asyncio.timeout(10):
            while (await self.stats()).get(count, 0) != is_:
                pass


@pytest.fixture
async def talk(simulated: Simulated) -> AsyncIterator[Talk]:
    async with AsyncOpenAI(api_key=simulated.key, base_url=f"{simulated.url}/v1", max_retries=0, timeout=30) as client:
        yield Talk(simulated, client)
    await simulated.http.delete("/_sim/turns")
    await simulated.limit(jitter_ms=0, chunk_delay_ms=0)


def words(chunks: list[ChatCompletionChunk]) -> str:
    return "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)


def called(chunks: list[ChatCompletionChunk]) -> list[tuple[str, str, str]]:
    """Id, name and arguments of each call, put together as a client does."""
    calls: dict[int, list[str]] = {}
    for delta in (delta for chunk in chunks for choice in chunk.choices for delta in choice.delta.tool_calls or []):
        assert delta.function is not None
        if delta.index not in calls:
            assert delta.id is not None
            assert delta.function.name is not None
            calls[delta.index] = [delta.id, delta.function.name, ""]
        calls[delta.index][2] += delta.function.arguments or ""
    return [(id_, name, arguments) for id_, name, arguments in calls.values()]


def calls_of(answer: ChatCompletion) -> list[tuple[str, str]]:
    calls = answer.choices[0].message.tool_calls or []
    return [(call.function.name, call.function.arguments) for call in calls if call.type == "function"]


def finishes(chunks: list[ChatCompletionChunk]) -> list[str]:
    return [choice.finish_reason for chunk in chunks for choice in chunk.choices if choice.finish_reason]


# what is refused ------------------------------------------------------------------------------------------------------


def without(tool_: dict[str, Any], *path: str) -> dict[str, Any]:
    copied: dict[str, Any] = json.loads(json.dumps(tool_))
    at = copied
    for key in path[:-1]:
        at = at[key]
    del at[path[-1]]
    return copied


def described(tool_: dict[str, Any], **function: Any) -> dict[str, Any]:
    return {**tool_, "function": {**tool_["function"], **function}}


@pytest.mark.parametrize(
    "change",
    [
        {"tools": [{**SCAN, "colour": "blue"}]},
        {"tools": []},
        {"tools": [SCAN, SCAN]},
        {"tools": [described(SCAN, name="scan billable time")]},
        {"tools": [described(SCAN, name="scan.billable")]},
        {"tools": [described(SCAN, name="")]},
        {"tools": [described(SCAN, name="s" * 65)]},
        {"tools": [described(SCAN, strict=False)]},
        {"tools": [described(SCAN, description="x" * 1_025)]},
        {"tools": [without(SCAN, "function", "strict")]},
        {"tools": [without(SCAN, "function", "parameters")]},
        {"tools": [without(SCAN, "function", "parameters", "additionalProperties")]},
        {"tools": [without(SCAN, "function", "parameters", "required")]},
        {"tools": [SCAN, tool("with_default", days={"type": "integer", "default": 7})]},
        {"tools": [tool("of_no_type", days={})]},
        {"tools": [tool("unknown_definition", days={"$ref": "#/$defs/Days"})]},
        {"tool_choice": "auto"},
        {"parallel_tool_calls": True},
        {"tools": TOOLS, "tool_choice": "any"},
        {"stream_options": {"include_usage": True}},
        {"stream": False, "stream_options": {"include_usage": True}},
        {"stream": True, "stream_options": {"include_usage": True, "include_colour": True}},
        {"stream": "yes"},
    ],
)
async def test_a_tool_or_stream_that_the_real_api_refuses_is_refused(talk: Talk, change: dict[str, Any]) -> None:
    body = {"model": MODEL, "messages": [user()], **change}
    headers = {"authorization": f"Bearer {talk.simulated.key}"}
    answer = await talk.simulated.http.post("/v1/chat/completions", json=body, headers=headers)
    error = answer.json()["error"]
    assert (answer.status_code, error["type"], set(error)) == (
        400,
        "invalid_request_error",
        {"message", "type", "param", "code"},
    )
    assert await talk.simulated.requests() == []


@pytest.mark.parametrize(
    "messages",
    [
        [user(), {"role": "function", "name": "scan", "content": "x"}],
        [user(), result("call_1")],
        [user(), calling("call_1"), result("call_2")],
        [user(), calling("call_1"), result("call_1"), result("call_1")],
        [user(), calling("call_1"), result("call_1"), user(), result("call_1")],
        [user(), calling("call_1"), result("call_1"), {"role": "assistant", "content": "x"}, result("call_1")],
        [user(), calling("call_1")],
        [user(), calling("call_1"), user()],
        [user(), calling("call_1", "call_2"), result("call_2")],
        [user(), calling("call_1", "call_2"), result("call_1"), user(), result("call_2")],
        [user(), calling("call_1", "call_2"), result("call_1"), calling("call_3"), result("call_3")],
        [user(), calling("call_1", "call_1"), result("call_1"), result("call_1")],
        [user(), calling("call_1", arguments=""), result("call_1")],
        [user(), calling("call_1", arguments='{"days": '), result("call_1")],
        [user(), calling("call_1", arguments='{"days": NaN}'), result("call_1")],
        [user(), calling("call_1", arguments="[" * 10_000), result("call_1")],
        [user(), calling("call_1", refusal=None), result("call_1")],
        [user(), calling(), user()],
        [user(), {"role": "assistant", "content": None}],
        [user(), calling("call_1"), {**result("call_1"), "name": "scan"}],
        [user(), calling("call_1"), {"role": "tool", "content": "x"}],
        [user(), calling("call_1"), {**result("call_1"), "content": None}],
        [{"role": "user", "content": "x", "tool_call_id": "call_1"}],
        [{"role": "user", "content": None}],
    ],
)
async def test_a_conversation_in_which_calls_and_answers_do_not_match_is_refused(
    talk: Talk, messages: list[dict[str, Any]]
) -> None:
    with pytest.raises(openai.BadRequestError):
        await talk.ask(*messages, tools=TOOLS)
    assert await talk.simulated.requests() == []


async def test_a_refused_stream_is_refused_before_it_begins(talk: Talk) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        await talk.stream(user(), tools=[tool("with_default", days={"type": "integer", "default": 7})])
    assert refused.value.code == "invalid_function_parameters"
    assert refused.value.param == "tools[0].function.parameters"
    assert "streams" not in await talk.stats()


async def test_the_refusal_of_an_unanswered_call_names_it(talk: Talk) -> None:
    with pytest.raises(openai.BadRequestError, match="did not have response messages: call_2"):
        await talk.ask(user(), calling("call_1", "call_2"), result("call_1"), tools=TOOLS)


@pytest.mark.parametrize("choice", ["auto", "none", "required"])
async def test_a_long_conversation_in_order_is_taken(talk: Talk, choice: str) -> None:
    messages = [
        {"role": "system", "content": "Be short."},
        user(),
        calling("call_1", "call_2", arguments='{"days": null}'),
        result("call_2"),
        result("call_1"),
        {"role": "assistant", "content": "Three."},
        user(),
        {**calling("call_1"), "content": "Once more."},
        result("call_1"),
    ]
    stream = await talk.chunks(*messages, tools=TOOLS, tool_choice=choice, parallel_tool_calls=True)
    assert len(finishes(stream)) == 1


# what is said ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("Please scan my mail.", ("scan_billable_time", {"date_range_days": None, "query_filter": None})),
        ("A summary, please", ("get_time_tracking_summary", {"date_range_days": None})),
        ("Summarise the time of last month", ("get_time_tracking_summary", {"date_range_days": None})),
        ("CONFIGURE six minutes", ("configure_time_tracking", {"increment": None})),
    ],
)
async def test_without_a_script_the_tool_is_called_that_the_message_speaks_of(
    talk: Talk, asked: str, expected: tuple[str, dict[str, Any]]
) -> None:
    answer = await talk.ask(user(asked), tools=TOOLS)
    [(name, arguments)] = calls_of(answer)
    assert (name, json.loads(arguments)) == expected
    assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == (None, "tool_calls")


async def test_what_may_not_be_null_gets_the_least_that_is_allowed(talk: Talk) -> None:
    schema = tool(
        "scan",
        days={"type": "integer", "minimum": 1},
        cached={"type": "boolean"},
        kind={"$ref": "#/$defs/Kind"},
        one={"const": 5},
        choice={"anyOf": [{"type": "string"}, {"type": "number"}]},
        names={"type": "array", "items": {"type": "string"}},
        more={"type": "object", "properties": {"x": NULLABLE}, "required": ["x"], "additionalProperties": False},
    )
    schema["function"]["parameters"]["$defs"] = {"Kind": {"type": "string", "enum": ["call", "meeting"]}}
    [(_, arguments)] = calls_of(await talk.ask(tools=[schema]))
    assert json.loads(arguments) == {
        "days": 1,
        "cached": False,
        "kind": "call",
        "one": 5,
        "choice": "",
        "names": [],
        "more": {"x": None},
    }


async def test_a_message_that_speaks_of_no_tool_calls_none_unless_it_must(talk: Talk) -> None:
    assert calls_of(await talk.ask(user("Hello!"), tools=TOOLS)) == []
    assert len(calls_of(await talk.ask(user("Hello!"), tools=TOOLS, tool_choice="required"))) == 1


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ([result("call_1", '{"entries": 3, "id": "5f", "days": [{"minutes": 12.5}]}')], ["3", "12.5"]),
        ([result("call_1", "It took 90 minutes.")], ["90"]),
        ([result("call_1", '{"entries": 3}'), result("call_2", '{"entries": 70}')], ["3", "70"]),
    ],
)
async def test_numbers_that_a_tool_gave_are_told_in_one_sentence(
    talk: Talk, results: list[dict[str, Any]], expected: list[str]
) -> None:
    ids = [each["tool_call_id"] for each in results]
    chunks = await talk.chunks(user(), calling(*ids), *results, tools=TOOLS)
    said = words(chunks)
    assert [word.strip(",.") for word in said.split() if word[0].isdigit()] == expected
    assert (said[-1], finishes(chunks), called(chunks)) == (".", ["stop"], [])


@pytest.mark.parametrize("messages", [[user()], [user(), calling("call_1"), result("call_1")]])
async def test_tool_choice_none_never_calls_and_required_always_does(
    talk: Talk, messages: list[dict[str, Any]]
) -> None:
    await talk.script(("scan_billable_time", {}), times=None)
    never = await talk.chunks(*messages, tools=TOOLS, tool_choice="none")
    assert (called(never), finishes(never)) == ([], ["stop"])
    await talk.simulated.http.delete("/_sim/turns")
    await talk.script(say="I would rather talk.", times=None)
    assert len(called(await talk.chunks(*messages, tools=TOOLS, tool_choice="required"))) == 1


async def test_a_script_answers_once_the_request_that_it_is_for(talk: Talk) -> None:
    await talk.script(when="Ortiz", say="First.")
    await talk.script(when="Ortiz", say="Second.")
    said = [words(await talk.chunks(user(about), tools=TOOLS)) for about in ("Hello", "Ortiz?", "on Ortiz", "Ortiz")]
    assert said == ["Noted.", "First.", "Second.", "Noted."]
    assert await talk.unsaid() == []


@pytest.mark.parametrize(("times", "answered"), [(1, 1), (2, 2), (None, 4)])
async def test_a_script_is_used_as_often_as_it_says(talk: Talk, times: int | None, answered: int) -> None:
    await talk.script(say="Scripted.", times=times)
    said = [words(await talk.chunks(user("Hello"))) for _ in range(4)]
    assert said == ["Scripted."] * answered + ["Noted."] * (4 - answered)


async def test_a_script_looks_at_what_was_last_heard_from_a_person_or_a_tool_only(talk: Talk) -> None:
    await talk.script(when="lien", say="Scripted.", times=None)
    heard = [user("The lien."), calling("call_1"), result("call_1", "12 hours")]
    assert words(await talk.chunks(*heard)) != "Scripted."
    assert words(await talk.chunks(*heard, {"role": "assistant", "content": "The lien took 12."})) != "Scripted."
    assert words(await talk.chunks(user(), calling("call_1"), result("call_1", "the lien"))) == "Scripted."


async def test_scripted_calls_come_as_they_are_written_even_of_tools_that_nobody_offered(talk: Talk) -> None:
    calls = [("no_such_tool", {"days": 7, "client": "Müller"}), ("scan_billable_time", '{"days": seven}')]
    await talk.script(*calls, say="I look.")
    answer = await talk.ask(tools=TOOLS)
    expected = [("no_such_tool", '{"days":7,"client":"Müller"}'), ("scan_billable_time", '{"days": seven}')]
    assert calls_of(answer) == expected
    assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == ("I look.", "tool_calls")
    ids = {call.id for call in answer.choices[0].message.tool_calls or []}
    assert len(ids) == 2


async def test_several_calls_wait_for_a_request_that_allows_them(talk: Talk) -> None:
    await talk.script(("scan", {}), ("scan", {}))
    assert len(calls_of(await talk.ask(tools=TOOLS, parallel_tool_calls=False))) == 1
    assert len(calls_of(await talk.ask(tools=TOOLS))) == 2


async def test_scripts_of_conversations_leave_questions_with_a_schema_alone(talk: Talk) -> None:
    await talk.script(say="Scripted.")
    answer = await talk.ask(user("Answer in JSON."), response_format={"type": "json_object"})
    assert json.loads(answer.choices[0].message.content or "") == {"verdicts": [], "further": []}
    assert len(await talk.unsaid()) == 1


@pytest.mark.parametrize(
    "turn",
    [
        {"say": 5},
        {"when": ""},
        {"times": 0},
        {"calls": [{"name": "scan"}]},
        {"calls": [{"name": "scan", "arguments": 5}]},
        {"colour": "blue"},
    ],
)
async def test_a_script_that_says_nothing_clear_is_refused(talk: Talk, turn: dict[str, Any]) -> None:
    assert (await talk.simulated.http.post("/_sim/turns", json=turn)).status_code == 400
    assert await talk.unsaid() == []


# how it is streamed ---------------------------------------------------------------------------------------------------


async def test_text_comes_in_pieces_then_why_it_ended_then_what_it_took(talk: Talk) -> None:
    await talk.script(say="Zwölf Stunden — 12 h ⏱")
    chunks = await talk.chunks(user("Hello"), stream_options={"include_usage": True})
    first, *pieces, end, usage = chunks
    assert first.choices[0].delta.to_dict() == {"role": "assistant", "content": ""}
    assert len(pieces) > 3
    assert "".join(piece.choices[0].delta.content or "" for piece in pieces) == "Zwölf Stunden — 12 h ⏱"
    assert (end.choices[0].delta.to_dict(), end.choices[0].finish_reason) == ({}, "stop")
    assert usage.choices == []
    assert usage.usage is not None
    assert usage.usage.total_tokens == usage.usage.prompt_tokens + usage.usage.completion_tokens
    assert all(chunk.to_dict()["usage"] is None for chunk in chunks[:-1])
    assert {(chunk.id, chunk.object, chunk.model) for chunk in chunks} == {
        (first.id, "chat.completion.chunk", MODEL),
    }


async def test_usage_is_told_only_where_it_was_asked_for(talk: Talk) -> None:
    for options in ({}, {"stream_options": {"include_usage": False}}):
        chunks = await talk.chunks(user("Hello"), **options)
        assert all("usage" not in chunk.to_dict() and chunk.choices for chunk in chunks)


async def test_calls_come_with_their_head_first_and_then_arguments_by_their_index_alone(talk: Talk) -> None:
    first, second = '{"date_range_days": null}', '{"increment": 6, "mode": "up"}'
    await talk.script(("scan_billable_time", first), ("configure_time_tracking", second), say="Let me see.")
    chunks = await talk.chunks(tools=TOOLS)
    assert words(chunks) == "Let me see."
    [one, two] = called(chunks)
    assert [one[1:], two[1:]] == [("scan_billable_time", first), ("configure_time_tracking", second)]
    assert one[0] != two[0]
    deltas = [call.to_dict() for chunk in chunks for call in chunk.choices[0].delta.tool_calls or []]
    head = {"type": "function", "id": one[0], "function": {"name": "scan_billable_time", "arguments": ""}}
    assert deltas[0] == {"index": 0, **head}
    assert deltas[1] == {"index": 0, "function": {"arguments": first[:4]}}
    indices = [delta["index"] for delta in deltas]
    assert indices == [0] * indices.count(0) + [1] * indices.count(1)
    assert finishes(chunks) == ["tool_calls"]


async def test_on_the_wire_each_event_is_a_line_of_data_and_the_last_says_done(talk: Talk) -> None:
    *events, end = (await talk.raw(user("Hello"))).split("\n\n")
    assert end == ""
    assert events[-1] == "data: [DONE]"
    assert all(json.loads(event.removeprefix("data: "))["object"] == "chat.completion.chunk" for event in events[:-1])


async def test_a_stream_tells_what_is_left_of_the_minute(talk: Talk) -> None:
    await talk.simulated.limit(requests_a_minute=7)
    request: Any = {"model": MODEL, "messages": [user()], "stream": True}
    answer = await talk.client.chat.completions.with_raw_response.create(**request)
    assert answer.headers["x-ratelimit-remaining-requests"] == "6"
    assert [chunk async for chunk in answer.parse()]


@pytest.mark.parametrize("streamed", [False, True])
async def test_an_answer_beyond_what_it_may_take_ends_for_its_length(talk: Talk, streamed: bool) -> None:
    await talk.script(("scan", {"query_filter": "a long filter of many words"}), times=None)
    arguments = '{"query_filter":"a long filter of many words"}'
    if streamed:
        chunks = await talk.chunks(tools=TOOLS, max_completion_tokens=5, stream_options={"include_usage": True})
        assert (finishes(chunks), called(chunks)[0][2]) == (["length"], arguments[:16])
        assert chunks[-1].usage is not None
        assert chunks[-1].usage.completion_tokens == 5
    else:
        answer = await talk.ask(tools=TOOLS, max_completion_tokens=5)
        assert (answer.choices[0].finish_reason, calls_of(answer)) == ("length", [("scan", arguments[:16])])


def test_what_is_cut_for_its_length_keeps_whole_characters_and_drops_calls_that_have_no_room() -> None:
    said = Said("ääää", (Call("scan", "{}"),))
    assert said.within(1) == Said("ää", (), ended="length")
    assert said.within(None) is said
    assert said.within(4) is said
    assert said.within(3).calls[0].arguments == ""


# what goes wrong ------------------------------------------------------------------------------------------------------


async def broken_off(talk: Talk, error: type[Exception], **more: Any) -> list[ChatCompletionChunk]:
    """The chunks that came before the stream failed with this error."""
    seen: list[ChatCompletionChunk] = []
    stream = await talk.stream(user("Hello"), **more)
    with pytest.raises(error):
        await hear(stream, seen)
    return seen


async def hear(stream: AsyncStream[ChatCompletionChunk], seen: list[ChatCompletionChunk]) -> None:
    async for chunk in stream:
        seen.append(chunk)  # noqa: PERF401  what came before an error counts


LONG = "Three entries were found, and they come to two hours and a half in all."


@pytest.mark.parametrize("kind", ["stream_cut", "cut"])
async def test_a_stream_that_is_cut_ends_in_the_middle_of_what_was_said(talk: Talk, kind: str) -> None:
    await talk.script(say=LONG)
    await talk.simulated.fault(kind)
    seen = await broken_off(talk, openai.APIConnectionError)
    assert 0 < len(words(seen)) < len(LONG)
    assert LONG.startswith(words(seen))
    assert finishes(seen) == []


async def test_an_error_in_the_middle_is_an_event_like_others(talk: Talk) -> None:
    await talk.script(say=LONG, times=2)
    await talk.simulated.fault("stream_error", count=2)
    seen = await broken_off(talk, openai.APIError)
    assert 0 < len(words(seen)) < len(LONG)
    *_, last, _ = (await talk.raw(user("Hello"))).split("\n\n")
    assert json.loads(last.removeprefix("data: "))["error"]["type"] == "server_error"


async def test_a_stream_that_hangs_says_nothing_more_until_the_client_leaves(talk: Talk) -> None:
    await talk.script(say=LONG)
    await talk.simulated.fault("stream_hang")
    seen = await broken_off(talk, openai.APITimeoutError, timeout=1)
    assert 0 < len(words(seen)) < len(LONG)
    await talk.until("streams_abandoned", 1)


async def test_a_stream_may_end_without_saying_that_it_does(talk: Talk) -> None:
    await talk.script(say=LONG, times=2)
    await talk.simulated.fault("stream_no_done", count=2)
    chunks = await talk.chunks(user("Hello"), stream_options={"include_usage": True})
    assert (words(chunks), finishes(chunks), chunks[-1].usage) == (LONG, [], None)
    assert "[DONE]" not in await talk.raw(user("Hello"))


async def test_arguments_that_are_no_json_come_in_a_stream_that_is_otherwise_whole(talk: Talk) -> None:
    await talk.script(("scan", {}), ("scan", {"days": 7}), say="I look.")
    await talk.simulated.fault("stream_broken_arguments", count=2)
    scripted, honest = await talk.chunks(tools=TOOLS), await talk.chunks(tools=TOOLS)
    assert words(scripted) == "I look."
    assert len(called(scripted)) == 2
    for chunks in (scripted, honest):
        assert finishes(chunks) == ["tool_calls"]
        for _, _, arguments in called(chunks):
            with pytest.raises(json.JSONDecodeError):
                json.loads(arguments)


async def test_what_only_streams_meet_waits_for_the_next_stream(talk: Talk) -> None:
    await talk.simulated.fault("stream_no_done")
    await talk.simulated.fault("500")
    with pytest.raises(openai.InternalServerError):
        await talk.ask()
    assert (await talk.ask()).choices[0].finish_reason == "stop"
    assert finishes(await talk.chunks()) == []
    assert finishes(await talk.chunks()) == ["stop"]


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("429", openai.RateLimitError),
        ("insufficient_quota", openai.RateLimitError),
        ("500", openai.InternalServerError),
        ("503", openai.InternalServerError),
        ("401", openai.AuthenticationError),
        ("reset", openai.APIConnectionError),
        ("hang", openai.APITimeoutError),
    ],
)
async def test_what_befalls_other_calls_befalls_a_stream_before_its_first_byte(
    talk: Talk, kind: str, error: type[Exception]
) -> None:
    await talk.script(say=LONG)
    await talk.simulated.fault(kind)
    with pytest.raises(error):
        await talk.stream(user("Hello"), timeout=0.5 if kind == "hang" else 30)
    assert "streams" not in await talk.stats()
    assert words(await talk.chunks(user("Hello"))) == LONG, "what nobody heard is said at the next try"


@pytest.mark.parametrize(
    ("kind", "said", "refused", "finish"),
    [
        ("refusal", "", True, ["stop"]),
        ("content_filter", LONG, False, ["content_filter"]),
        ("truncated", LONG[: len(LONG) * 2 // 3], False, ["length"]),
        ("empty", "", False, ["stop"]),
        ("no_choices", "", False, []),
        ("html", "", False, []),
    ],
)
async def test_answers_that_are_no_good_are_streamed_too(
    talk: Talk, kind: str, said: str, refused: bool, finish: list[str]
) -> None:
    await talk.script(say=LONG)
    await talk.simulated.fault(kind)
    chunks = await talk.chunks(user("Hello"))
    refusal = "".join(choice.delta.refusal or "" for chunk in chunks for choice in chunk.choices)
    assert (words(chunks), bool(refusal), finishes(chunks)) == (said, refused, finish)


# what is counted, and how long it takes -------------------------------------------------------------------------------


async def test_streams_and_those_that_were_left_are_counted(talk: Talk) -> None:
    await talk.script(say=LONG, times=None)
    await talk.chunks(user("Hello"))
    await talk.simulated.limit(chunk_delay_ms=60_000)
    stream = await talk.stream(user("Hello"))
    assert (await anext(stream)).choices[0].delta.role == "assistant"
    assert (await talk.stats())["under_way"] == 1
    await stream.close()
    await talk.until("streams_abandoned", 1)
    assert (await talk.stats())["streams"] == 2
    await talk.until("under_way", 0)


async def test_a_stream_that_was_heard_to_its_end_is_not_abandoned(talk: Talk) -> None:
    for _ in range(20):
        await talk.chunks(user("Hello"))
    await talk.until("under_way", 0)
    assert (await talk.stats())["streams"] == 20
    assert "streams_abandoned" not in await talk.stats()


async def test_streams_that_are_still_told_count_as_under_way(talk: Talk) -> None:
    await talk.simulated.limit(chunk_delay_ms=60_000)
    streams = [await talk.stream(user("Hello")) for _ in range(3)]
    assert (await talk.stats())["most_under_way"] == 3
    for stream in streams:
        await stream.close()
    await talk.until("under_way", 0)


async def test_jitter_is_the_same_in_every_run(talk: Talk) -> None:
    waited = []
    for _ in range(2):
        await talk.simulated.http.delete("/_sim/requests")
        await talk.simulated.limit(latency_ms=1, jitter_ms=20)
        for _ in range(5):
            await talk.chunks(user("Hello"))
        waited.append((await talk.stats())["waited_ms"])
    assert waited[0] == waited[1]
    assert 5 < waited[0] < 5 * 21


def test_jitter_is_drawn_between_nothing_and_the_most_on_top_of_the_latency() -> None:
    one, other = (Simulator(("key",), (MODEL,), latency_ms=100, jitter_ms=50) for _ in range(2))
    waits = [one.draw_wait_ms() for _ in range(200)]
    assert waits == [other.draw_wait_ms() for _ in range(200)]
    assert 100 <= min(waits) < 105
    assert 145 < max(waits) <= 150
    assert {Simulator(("key",), (MODEL,), latency_ms=100).draw_wait_ms()} == {100}
