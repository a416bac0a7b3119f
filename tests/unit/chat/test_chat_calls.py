"""Tool calls put together from their pieces, as servers of several makes send them."""

import json
from typing import Any

import pytest

from shared.chat.calls import Call, CallsOfAStep
from shared.chat.stream import UiMessageStream
from shared.errors import ModelUnusable
from shared.llm.streaming import CallPiece


def put_together(*pieces: CallPiece, used: set[str] | None = None) -> tuple[list[Call], list[dict[str, Any]]]:
    sent: list[bytes] = []
    calls = CallsOfAStep(UiMessageStream(sent.append), set() if used is None else used)
    for piece in pieces:
        calls.add(piece)
    complete = calls.complete()
    return complete, [json.loads(event.removeprefix(b"data: ")) for event in sent]


def first(index: int, id_: str | None, name: str | None, arguments: str = "") -> CallPiece:
    return CallPiece(index, id_, name, arguments)


def more(index: int, arguments: str) -> CallPiece:
    return CallPiece(index, None, None, arguments)


TWO = [Call("call_1", "scan", '{"a":1}'), Call("call_2", "sum", '{"b":2}')]


@pytest.mark.parametrize(
    "pieces",
    [
        [first(0, "call_1", "scan"), more(0, '{"a"'), more(0, ":1}"), first(1, "call_2", "sum"), more(1, '{"b":2}')],
        [first(0, "call_1", "scan"), first(1, "call_2", "sum"), more(0, '{"a":'), more(1, '{"b":2}'), more(0, "1}")],
        [first(0, "call_1", "scan", '{"a":1}'), first(0, "call_2", "sum", '{"b":2}')],
        [first(0, "call_1", "scan", '{"a":'), first(0, "call_1", None, "1}"), first(1, "call_2", "sum", '{"b":2}')],
        [first(0, "call_1", None, '{"a":'), first(0, None, "scan", "1}"), first(7, "call_2", "sum", '{"b":2}')],
    ],
    ids=["as OpenAI", "in turns", "whole, all numbered alike", "the id in each piece", "the name late"],
)
def test_pieces_become_the_calls_that_they_are_of(pieces: list[CallPiece]) -> None:
    calls, events = put_together(*pieces)
    assert calls == TWO
    for call in TWO:
        of_call = [event for event in events if event["toolCallId"] == call.id]
        assert of_call[0]["type"] == "tool-input-start"
        assert "".join(event["inputTextDelta"] for event in of_call[1:-1]) == call.arguments
        assert of_call[-1]["type"] == "tool-input-available"
        assert of_call[-1]["input"] == call.input


@pytest.mark.parametrize("given", [None, "", "taken", "x" * 41])
def test_an_id_that_can_not_be_used_is_replaced(given: str | None) -> None:
    [call], _ = put_together(first(0, given, "scan"), used={"taken"})
    assert call.id.startswith("call_")
    assert call.id != given


@pytest.mark.parametrize(
    ("written", "value", "repeated"),
    [
        ('{"a":1}', {"a": 1}, '{"a":1}'),
        ("", {}, "{}"),
        ('{"a":', '{"a":', "{}"),
        ('{"a":NaN}', '{"a":NaN}', "{}"),
        ("[1]", [1], "{}"),
    ],
)
def test_arguments_that_are_no_json_are_shown_as_written_and_never_sent_back(
    written: str, value: Any, repeated: str
) -> None:
    [call], events = put_together(first(0, "call_1", "scan", written))
    assert events[-1]["input"] == value
    assert call.repeatable == repeated


def test_a_name_is_one_that_the_api_takes_back() -> None:
    [call], _ = put_together(first(0, "call_1", "functions.scan " + "x" * 90))
    assert call.name == "functions_scan_" + "x" * 49


def test_a_call_without_a_name_is_no_call() -> None:
    with pytest.raises(ModelUnusable):
        put_together(more(0, "{}"))
    with pytest.raises(ModelUnusable):
        put_together(first(0, "call_1", None), first(0, "call_2", "scan"))
