"""The shapes of an answer: one JSON object, or the chunks of a stream."""

import secrets
import time
from collections.abc import Iterator
from typing import Any, Final

from infra.local.openai.said import Call, Said

PIECE: Final = 4
"""Characters of text or arguments in one chunk."""


def usage(prompt: int, output: int) -> dict[str, int]:
    """The tokens that a call took."""
    return {"prompt_tokens": prompt, "completion_tokens": output, "total_tokens": prompt + output}


def whole(said: Said, model: str, used: dict[str, int]) -> dict[str, Any]:
    """A chat.completion."""
    message: dict[str, Any] = {
        "role": "assistant",
        "content": said.content,
        "refusal": said.refusal,
        "annotations": [],
    }
    if said.calls:
        message["tool_calls"] = [_call(call, call.arguments) for call in said.calls]
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": said.finish}
    return {**_head("chat.completion", model), "choices": [choice], "usage": used}


def chunks(said: Said, model: str, used: dict[str, int] | None) -> Iterator[dict[str, Any]]:
    """The chat.completion.chunks, without what ends the stream. `used`: to be told at the end, if it was asked for."""
    head = _head("chat.completion.chunk", model)
    if used is not None:
        head["usage"] = None
    for delta in _deltas(said):
        yield {**head, "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}]}
    yield {**head, "choices": [{"index": 0, "delta": {}, "logprobs": None, "finish_reason": said.finish}]}
    if used is not None:
        yield {**head, "choices": [], "usage": used}


def _deltas(said: Said) -> Iterator[dict[str, Any]]:
    yield {"role": "assistant", "content": ""}
    for piece in _pieces(said.content):
        yield {"content": piece}
    for piece in _pieces(said.refusal):
        yield {"refusal": piece}
    for index, call in enumerate(said.calls):
        yield {"tool_calls": [{"index": index, **_call(call, "")}]}
        for piece in _pieces(call.arguments):
            yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}


def _call(call: Call, arguments: str) -> dict[str, Any]:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}}


def _pieces(text: str | None) -> Iterator[str]:
    return (text[at : at + PIECE] for at in range(0, len(text), PIECE)) if text else iter(())


def _head(kind: str, model: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{secrets.token_hex(12)}", "object": kind, "created": int(time.time()), "model": model}
