"""An answer of the chat when the model, the deadline or the client doesn't hold: the stream ends as streams do."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any

import httpx
import pytest
import structlog

from shared.caller import Caller
from shared.errors import StoreUnavailable
from shared.llm.client import FAILURES_UNTIL_OPEN
from shared.models import AnalysisMode
from tests.integration.chat.chat_tools import DANA, EVIDENCE, Chat, asking, kinds, of_kind, words
from tests.integration.chat.conftest import Talker

LONG = "There is much to say about these hours. " * 5
UNREACHED = "The assistant can't be reached right now. Please try again in a minute."
BROKE_OFF = "The assistant's answer broke off. Please ask again."
MISSET = "The assistant isn't set up right. Please tell whoever runs this service."
BUSY = "The assistant is too busy right now. Please try again in a minute."


@pytest.mark.parametrize(
    ("kind", "sentence", "tries"),
    [
        ("429", BUSY, 3),
        ("500", UNREACHED, 3),
        ("reset", UNREACHED, 3),
        ("401", MISSET, 1),
        ("insufficient_quota", MISSET, 1),
        ("html", BROKE_OFF, 1),
        ("empty", BROKE_OFF, 1),
    ],
)
async def test_a_model_that_gives_no_answer_is_told_in_a_sentence(
    chat: Chat, talker: Talker, kind: str, sentence: str, tries: int
) -> None:
    await talker.simulated.fault(kind, count=None)
    parts = await chat.ask("Hello")
    assert [part["errorText"] for part in of_kind(parts, "error")] == [sentence]
    assert kinds(parts) == ["start", "start-step", "error", "finish-step", "finish"]
    assert await talker.simulated.calls() == tries


async def test_a_pause_that_the_model_asks_for_is_kept_if_it_is_short(chat: Chat, talker: Talker) -> None:
    await talker.turn(say="Hi.")
    await talker.simulated.fault("429", retry_after_s=0.01)
    assert words(await chat.ask("Hello")) == "Hi."
    await talker.simulated.fault("429", retry_after_s=60)
    assert of_kind(await chat.ask("Hello"), "error")[0]["errorText"] == BUSY


@pytest.mark.parametrize("kind", ["429", "500", "reset", "hang"])
async def test_a_model_that_fails_before_the_first_word_is_asked_again(chat: Chat, talker: Talker, kind: str) -> None:
    await talker.turn_of(None, "Hi.", times=None)
    await talker.simulated.fault(kind, count=2)
    parts = await chat.ask("Hello", silence_seconds=0.5)
    assert words(parts) == "Hi."
    assert kinds(parts)[-1] == "finish"
    assert not of_kind(parts, "error")


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("stream_cut", UNREACHED),
        ("stream_error", UNREACHED),
        ("stream_hang", UNREACHED),
        ("stream_no_done", BROKE_OFF),
        ("content_filter", BROKE_OFF),
    ],
)
async def test_an_answer_that_breaks_in_the_middle_keeps_what_was_said_and_says_so(
    chat: Chat, talker: Talker, kind: str, sentence: str
) -> None:
    await talker.turn(say=LONG)
    await talker.simulated.fault(kind)
    parts = await chat.ask("Hello", silence_seconds=0.5)
    assert words(parts)
    assert LONG.startswith(words(parts))
    assert kinds(parts)[2:] == ["text-start", "text-delta", "text-end", "error", "finish-step", "finish"]
    assert of_kind(parts, "error")[0]["errorText"] == sentence
    assert await talker.simulated.calls() == 1


@pytest.mark.parametrize("kind", ["stream_cut", "stream_error", "stream_hang"])
async def test_a_call_that_is_cut_off_is_not_run(chat: Chat, talker: Talker, kind: str) -> None:
    await talker.turn_of(None, None, ("get_hours", '{"days": 3' + " " * 200 + "}"))
    await talker.simulated.fault(kind)
    parts = await chat.ask("How many?", silence_seconds=0.5)
    assert [part["errorText"] for part in of_kind(parts, "tool-output-error")] == ["not finished"]
    assert kinds(parts)[-4:] == ["tool-output-error", "error", "finish-step", "finish"]
    assert not chat.firm.calls


async def test_a_model_that_keeps_failing_is_left_alone_for_a_while(chat: Chat, talker: Talker) -> None:
    await talker.simulated.fault("500", count=None)
    for _ in range(3):
        assert of_kind(await chat.ask("Hello"), "error")[0]["errorText"] == UNREACHED
    assert await talker.simulated.calls() == FAILURES_UNTIL_OPEN


async def test_an_answer_longer_than_the_bound_is_said_to_break_off(chat: Chat, talker: Talker) -> None:
    await talker.turn(say=LONG)
    parts = await chat.ask("Hello", output_tokens=10)
    assert LONG.startswith(words(parts))
    assert of_kind(parts, "error")[0]["errorText"] == BROKE_OFF


async def test_a_model_that_fails_in_a_later_step_leaves_what_the_tools_gave(chat: Chat, talker: Talker) -> None:
    await talker.turn("Wait", wait_for_us={})
    parts: list[dict[str, Any]] = []
    async for part in chat.parts("Wait"):
        parts.append(part)
        if part["type"] == "data-progress":
            await talker.simulated.fault("401")
            chat.firm.go.set()
    assert of_kind(parts, "tool-output-available")[0]["output"] == {"said": "went on"}
    assert kinds(parts)[-5:] == ["finish-step", "start-step", "error", "finish-step", "finish"]


async def test_arguments_that_are_broken_on_the_way_are_mended_by_the_model(chat: Chat, talker: Talker) -> None:
    await talker.turn_of("How many", None, ("get_hours", {"days": 3}))
    await talker.turn_of('"error"', None, ("get_hours", {"days": 3}))
    await talker.simulated.fault("stream_broken_arguments")
    parts = await chat.ask("How many?")
    assert len(of_kind(parts, "tool-output-error")) == 1
    assert of_kind(parts, "tool-output-available")[0]["output"]["minutes"] == 90


async def test_an_answer_that_takes_too_long_is_stopped_and_its_tools_with_it(chat: Chat, talker: Talker) -> None:
    await talker.turn_of("Wait", None, ("wait_for_us", {}), ("get_hours", {"days": 3}))
    parts = await chat.ask("Wait", deadline_seconds=1.0)
    assert chat.firm.cancelled.is_set()
    assert len(of_kind(parts, "tool-output-available")) == 1
    assert [part["errorText"] for part in of_kind(parts, "tool-output-error")] == ["not finished"]
    assert of_kind(parts, "error")[0]["errorText"] == "The answer took too long and was stopped."
    assert kinds(parts)[-2:] == ["finish-step", "finish"]


async def test_a_model_that_talks_past_the_deadline_is_stopped(chat: Chat, talker: Talker) -> None:
    await talker.turn(say=LONG)
    await talker.simulated.limit(chunk_delay_ms=100)
    parts = await chat.ask("Hello", deadline_seconds=1.0)
    assert words(parts)
    assert of_kind(parts, "error")[0]["errorText"] == "The answer took too long and was stopped."
    await abandoned(talker)


async def abandoned(talker: Talker) -> None:
    """Wait until the simulator has noticed that its stream was left."""
    async with asyncio.timeout(20):
        while not (await talker.stats()).get("streams_abandoned"):
            continue


def tasks() -> set[asyncio.Task[Any]]:
    return asyncio.all_tasks()


async def leave_by_closing(stream: AsyncGenerator[bytes, None], until: Callable[[bytes], bool]) -> None:
    async for data in stream:
        if until(data):
            break
    await stream.aclose()


async def leave_by_cancel(stream: AsyncGenerator[bytes, None], until: Callable[[bytes], bool]) -> None:
    reached = asyncio.Event()

    async def read() -> None:
        async for data in stream:
            if until(data):
                reached.set()

    reader = asyncio.create_task(read())
    await reached.wait()
    reader.cancel()
    await asyncio.wait({reader})
    assert reader.cancelled()


LEAVING = pytest.mark.parametrize("leave", [leave_by_closing, leave_by_cancel])


@LEAVING
async def test_a_client_that_goes_away_stops_the_model_at_once(chat: Chat, talker: Talker, leave: Any) -> None:
    await talker.turn(say=LONG)
    await talker.simulated.fault("stream_hang")
    before = tasks()
    async with asyncio.timeout(20):
        with structlog.testing.capture_logs() as events:
            await leave(chat.handler().stream(DANA, asking("Hello")), lambda data: b"text-delta" in data)
        assert tasks() == before
        [hung_up] = [event for event in events if event["event"] == "model.streamed"]
        assert (hung_up["finish"], int(hung_up["remaining_requests"]) > 0) == (None, True)
        await abandoned(talker)


@LEAVING
async def test_a_client_that_goes_away_stops_the_tools_at_once(chat: Chat, talker: Talker, leave: Any) -> None:
    await talker.turn_of("Wait", None, ("wait_for_us", {}), ("wait_for_us", {}))
    before = tasks()
    async with asyncio.timeout(20):
        await leave(chat.handler().stream(DANA, asking("Wait")), lambda data: b"data-progress" in data)
        assert chat.firm.cancelled.is_set()
        assert tasks() == before


async def test_a_client_that_hangs_up_stops_the_tools_at_once(api: str, chat: Chat, talker: Talker) -> None:
    await talker.turn("Wait", wait_for_us={})
    body = asking("Wait").model_dump(mode="json")
    async with asyncio.timeout(20), httpx.AsyncClient() as client:
        async with client.stream("POST", api, json=body) as answer:
            assert answer.headers["x-vercel-ai-ui-message-stream"] == "v1"
            assert answer.headers["content-type"] == "text/event-stream"
            await anext(line async for line in answer.aiter_lines() if "data-progress" in line)
        await chat.firm.cancelled.wait()


async def test_a_turn_that_was_left_is_free_again(chat: Chat, talker: Talker) -> None:
    for _ in range(chat.model.api.calls_at_once + 1):
        await talker.turn(say=LONG)
        await talker.simulated.fault("stream_hang")
        await leave_by_closing(chat.handler().stream(DANA, asking("Hello")), lambda data: b"text-delta" in data)
    await talker.turn(say="Hi.")
    async with asyncio.timeout(20):
        assert words(await chat.ask("Hello")) == "Hi."


async def test_what_breaks_unforeseen_ends_the_stream_and_is_not_told(
    chat: Chat, talker: Talker, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    await talker.turn("How many", get_hours={"days": 3})
    asked = 0

    async def mode_of(_caller: Caller) -> AnalysisMode:
        nonlocal asked
        asked += 1
        if asked > 1:
            raise RuntimeError(EVIDENCE)
        return AnalysisMode.SNIPPETS

    monkeypatch.setattr(chat.firm, "mode_of", mode_of)
    parts = await chat.ask("How many?")
    assert of_kind(parts, "error")[0]["errorText"] == "Something went wrong. Please try again."
    assert kinds(parts)[-2:] == ["finish-step", "finish"]
    assert "Ortiz" not in "".join(capfd.readouterr())


async def test_a_database_that_is_away_is_known_before_anything_is_sent(chat: Chat) -> None:
    async def mode_of(_caller: Caller) -> AnalysisMode:
        raise StoreUnavailable("no answer")

    handler = chat.handler()
    handler._mode_of = mode_of
    with pytest.raises(StoreUnavailable):
        await anext(handler.stream(DANA, asking("Hello")))
