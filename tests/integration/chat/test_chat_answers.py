"""An answer of the chat when all goes well, and when a tool doesn't."""

import asyncio
import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from shared.chat.handler import ChatHandler
from shared.errors import InvalidArguments
from shared.models import AnalysisMode
from tests.integration.chat.chat_tools import DANA, EVIDENCE, Chat, asking, kinds, of_kind, words
from tests.integration.chat.conftest import Talker

TOOL_STEP = ["start-step", "tool-input-start", "tool-input-delta", "tool-input-available"]
WORDS_STEP = ["start-step", "text-start", "text-delta", "text-end", "finish-step"]


async def test_an_answer_in_words_is_streamed_as_it_is_said(chat: Chat, talker: Talker) -> None:
    await talker.turn(say="Good morning, Dana. What shall I look up?")
    parts = await chat.ask("Hello")
    assert kinds(parts) == ["start", *WORDS_STEP, "finish"]
    assert words(parts) == "Good morning, Dana. What shall I look up?"
    assert len(of_kind(parts, "text-delta")) > 1
    assert parts[0]["messageId"].startswith("msg_")
    assert len({part["id"] for part in parts if part["type"].startswith("text-")}) == 1


async def test_a_tool_is_called_and_its_answer_told_to_the_client_whole_and_to_the_model(
    chat: Chat, talker: Talker
) -> None:
    await talker.turn("How many", say="Let me look.", get_hours={"days": 3})
    await talker.turn('"minutes":90', say="90 minutes.")
    parts = await chat.ask("How many hours?")
    output = {"minutes": 90, "days": 3, "extracted_text": EVIDENCE}
    assert kinds(parts) == [
        *("start", "start-step", "text-start", "text-delta", "text-end", *TOOL_STEP[1:]),
        *("tool-output-available", "finish-step", *WORDS_STEP, "finish"),
    ]
    [given] = of_kind(parts, "tool-input-available")
    [got] = of_kind(parts, "tool-output-available")
    assert (given["toolName"], given["input"], got["output"]) == ("get_hours", {"days": 3}, output)
    assert "".join(part["inputTextDelta"] for part in of_kind(parts, "tool-input-delta")) == '{"days":3}'
    assert len({part["toolCallId"] for part in parts if "toolCallId" in part}) == 1
    first, second = await talker.heard()
    assert [message["role"] for message in first] == ["system", "user"]
    assert second[:2] == first
    assert second[2]["content"] == "Let me look."
    assert json.loads(second[3]["content"]) == output
    assert chat.firm.callers == {DANA.user_id}


async def test_what_is_asked_of_the_api_is_what_tools_need(chat: Chat, talker: Talker) -> None:
    await talker.turn(say="Hello.")
    await chat.ask("Hello", output_tokens=700)
    [request] = await talker.simulated.requests()
    assert [tool["function"]["name"] for tool in request["tools"]] == list(chat.firm.toolbox.names)
    assert request["parallel_tool_calls"] is True
    assert request["tool_choice"] == "auto"
    assert request["max_completion_tokens"] == 700


async def test_the_model_is_told_the_day(chat: Chat, talker: Talker) -> None:
    await talker.turn(say="Hello.")
    late = datetime(2026, 11, 5, 21, 30, tzinfo=timezone(timedelta(hours=-5)))
    handler = ChatHandler(chat.firm.toolbox, chat.model, chat.firm.mode_of, clock=lambda: late)
    assert [data async for data in handler.stream(DANA, asking("Hello"))]
    [[system, _]] = await talker.heard()
    assert "Friday, 2026-11-06 (UTC)" in system["content"]


async def test_two_tools_run_at_the_same_time_and_the_faster_is_told_first(chat: Chat, talker: Talker) -> None:
    await talker.turn("both", wait_for_us={}, get_hours={"days": None})
    await talker.turn(say="Both done.")
    parts: list[dict[str, Any]] = []
    async for part in chat.parts("Do both"):
        parts.append(part)
        if part["type"] == "tool-output-available":
            chat.firm.go.set()  # the slower one waits until the client has the faster one's answer
    outputs = of_kind(parts, "tool-output-available")
    assert [part["output"] for part in outputs] == [
        {"minutes": 90, "days": 7, "extracted_text": EVIDENCE},
        {"said": "went on"},
    ]
    [progress] = of_kind(parts, "data-progress")
    slow, fast = [part["toolCallId"] for part in of_kind(parts, "tool-input-available")]
    assert progress["data"] == {"done": 3, "total": 10, "entries": 1, "toolCallId": slow}
    assert progress["transient"] is True
    assert [part["toolCallId"] for part in outputs] == [fast, slow]
    _, second = await talker.heard()
    assert [message.get("tool_call_id") for message in second[-2:]] == [slow, fast]


@pytest.mark.parametrize(
    ("tool", "error", "shown"),
    [
        ("refuse", {"type": "in_conflict", "message": "the mailbox isn't connected"}, "the mailbox isn't connected"),
        ("break", {"type": "tool_failed", "message": "the tool failed"}, "the tool failed"),
        ("give_up", {"type": "tool_failed", "message": "the tool failed"}, "the tool failed"),
    ],
)
async def test_a_tool_that_fails_is_told_as_a_failure_and_the_others_go_on(
    chat: Chat, talker: Talker, capfd: pytest.CaptureFixture[str], tool: str, error: dict[str, str], shown: str
) -> None:
    await talker.turn_of("Go", None, (tool, {}), ("get_hours", {"days": 1}))
    await talker.turn(say="One of them failed.")
    parts = await chat.ask("Go")
    assert [part["errorText"] for part in of_kind(parts, "tool-output-error")] == [shown]
    assert len(of_kind(parts, "tool-output-available")) == 1
    assert words(parts) == "One of them failed."
    _, second = await talker.heard()
    assert json.loads(second[-2]["content"]) == {"error": error}
    assert json.loads(second[-1]["content"])["minutes"] == 90
    assert "Ortiz" not in "".join(capfd.readouterr())


async def test_what_can_not_be_told_to_the_model_is_still_told_to_the_client(chat: Chat, talker: Talker) -> None:
    await talker.turn("Go", hide={})
    await talker.turn("tool_failed", say="I can't say.")
    parts = await chat.ask("Go")
    assert [part["output"] for part in of_kind(parts, "tool-output-available")] == [{"said": "for you alone"}]
    assert words(parts) == "I can't say."


@pytest.mark.parametrize(
    ("name", "arguments", "shown", "problem"),
    [
        ("get_hours", {"days": 90}, {"days": 90}, "days: "),
        ("get_hours", {"weeks": 1}, {"weeks": 1}, "weeks: there is no such argument"),
        ("get_hours", '{"days": 3', '{"days": 3', "body: "),
        ("get_minutes", {}, {}, "there is no tool of this name; there are get_hours, "),
        ("functions.get_hours", {}, {}, "there is no tool of this name"),
    ],
)
async def test_a_wrong_call_is_told_to_the_model_which_mends_it(
    chat: Chat, talker: Talker, name: str, arguments: Any, shown: Any, problem: str
) -> None:
    await talker.turn_of("How many", None, (name, arguments))
    await talker.turn('"error"', get_hours={"days": 3})
    await talker.turn('"minutes":90', say="90 minutes.")
    parts = await chat.ask("How many hours?")
    assert of_kind(parts, "tool-input-available")[0]["input"] == shown
    [failed] = of_kind(parts, "tool-output-error")
    assert problem in failed["errorText"]
    assert words(parts) == "90 minutes."
    assert chat.firm.calls["get_hours"] == 1
    _, second, _ = await talker.heard()
    assert problem in json.loads(second[-1]["content"])["error"]["message"]


async def test_the_last_step_allowed_ends_in_words(chat: Chat, talker: Talker) -> None:
    await talker.turn_of(None, None, ("get_hours", {"days": 1}), times=None)
    parts = await chat.ask("How many hours?", steps=3)
    assert len(of_kind(parts, "tool-output-available")) == 2
    assert words(parts)
    assert [request["tool_choice"] for request in await talker.simulated.requests()] == ["auto", "auto", "none"]


async def test_in_rules_only_the_model_is_told_no_words_of_an_email(chat: Chat, talker: Talker) -> None:
    chat.firm.mode = AnalysisMode.RULES_ONLY
    await talker.turn("How many", get_hours={"days": 3})
    parts = await chat.ask("How many hours?")
    [output] = of_kind(parts, "tool-output-available")
    assert output["output"]["extracted_text"] == EVIDENCE
    assert "Ortiz" not in json.dumps(await talker.heard())
    assert "90" in words(parts)
    # Nor when the client posts the whole conversation again.
    tool = {"type": "tool-get_hours", "toolCallId": "c", "state": "output-available", "input": {}, **output}
    earlier = {"role": "assistant", "parts": [{**tool, "type": "tool-get_hours"}]}
    await chat.ask("And now?", earlier)
    assert "Ortiz" not in json.dumps(await talker.heard())


async def test_what_may_leave_is_asked_again_after_a_tool_has_changed_it(chat: Chat, talker: Talker) -> None:
    await talker.turn("From now on", stop_asking={}, get_hours={"days": 3})
    await chat.ask("From now on rules only")
    _, second = await talker.heard()
    assert "Ortiz" not in json.dumps(second)


async def test_earlier_turns_are_sent_as_the_api_takes_them(chat: Chat, talker: Talker) -> None:
    earlier: list[dict[str, Any]] = [
        {"id": "m1", "role": "user", "parts": [{"type": "text", "text": "How many?"}]},
        {
            "id": "m2",
            "role": "assistant",
            "parts": [
                {"type": "step-start"},
                {"type": "tool-get_hours", "toolCallId": "c1", "state": "output-available", "input": {}, "output": 90},
                {"type": "tool-refuse", "toolCallId": "c2", "state": "input-available", "input": {}},
                {"type": "step-start"},
                {"type": "text", "text": "90 minutes."},
            ],
        },
    ]
    await talker.turn("Thanks", say="You are welcome.")
    assert words(await chat.ask("Thanks", *earlier)) == "You are welcome."
    [heard] = await talker.heard()
    assert [message["role"] for message in heard] == ["system", "user", "assistant", "tool", "assistant", "user"]


async def test_a_question_that_is_too_long_is_refused_before_anything_is_sent(chat: Chat, talker: Talker) -> None:
    stream = chat.handler(history_tokens=1_000).stream(DANA, asking("a" * 5_000))
    with pytest.raises(InvalidArguments):
        await anext(stream)
    assert not await talker.heard()


async def test_a_silent_stream_is_kept_alive(chat: Chat, talker: Talker) -> None:
    await talker.turn("Wait", wait_for_us={})
    await talker.turn(say="Done.")
    sent = []
    async with asyncio.timeout(30):
        async for data in chat.handler(keep_alive_seconds=0.05).stream(DANA, asking("Wait")):
            sent.append(data)
            if data == b": keep-alive\n\n" and chat.firm.begun.is_set():
                chat.firm.go.set()
    assert sent[-1] == b"data: [DONE]\n\n"
    assert chat.firm.go.is_set()
