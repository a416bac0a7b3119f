"""What the model is told of a tool's answer: JSON within a bound, and no words that are meant for a machine."""

from collections.abc import Callable
from typing import Any, Final

from pydantic_core import to_json

from shared.errors import AccessRevoked, RequestRefused, TenthsError
from shared.extraction.orders import gives_orders
from shared.llm.budget import tokens

NOTE: Final = "answer_was_cut"
_SAID: Final = "It is too long to show in full: lists end with how many more there are, texts with how much is missing."
_WITHHELD: Final = "(left out: words meant for a machine)"
_TEXT_LENGTHS: Final = (2_000, 500, 120, 30)
"""How long a text may be, from one try to the next, where shorter lists alone don't help."""
FAILED: Final = "the tool failed"
NOT_NOW: Final = "the tool is not available for now"


def told(value: Any, most_tokens: int) -> str:
    """JSON values as JSON text of at most `most_tokens`, with what was cut said in it."""
    value = _without_orders(value)
    whole = _json(value)
    if tokens(whole) <= most_tokens:
        return whole
    longest = _longest_list(value)
    for text_length in _TEXT_LENGTHS:

        def cut(most_items: int, text_length: int = text_length) -> str:
            return _json(_marked(_shortened(value, most_items, text_length)))

        if tokens(cut(0)) <= most_tokens:
            return cut(_largest(longest, lambda most_items: tokens(cut(most_items)) <= most_tokens))
    return _json({NOTE: _SAID})  # an object with more fields than there is room for


def told_of_failure(code: str, message: str, most_tokens: int) -> str:
    """That a call failed, so that the model can mend it or say so. `code`: the kind of error."""
    return told({"error": {"type": code, "message": message}}, most_tokens)


def failure(error: Exception) -> tuple[str, str]:
    """An error's kind and what may be said of it.

    What a user can mend is told; the rest is for operators, or might quote an email.
    """
    if isinstance(error, RequestRefused | AccessRevoked):
        return error.code, str(error)
    return (error.code, NOT_NOW) if isinstance(error, TenthsError) else ("tool_failed", FAILED)


def _json(value: Any) -> str:
    return to_json(value, inf_nan_mode="null").decode()


def _without_orders(value: Any) -> Any:
    match value:
        case str():
            return _WITHHELD if gives_orders(value) else value
        case dict():
            return {name: _without_orders(each) for name, each in value.items()}
        case list() | tuple():
            return [_without_orders(each) for each in value]
    return value


def _shortened(value: Any, most_items: int, text_length: int) -> Any:
    match value:
        case str() if len(value) > text_length:
            return f"{value[:text_length]}… ({len(value) - text_length} more characters)"
        case dict():
            return {name: _shortened(each, most_items, text_length) for name, each in value.items()}
        case list() if len(value) > most_items:
            kept = [_shortened(each, most_items, text_length) for each in value[:most_items]]
            return [*kept, {"more_left_out": len(value) - most_items}]
        case list():
            return [_shortened(each, most_items, text_length) for each in value]
    return value


def _marked(value: Any) -> dict[str, Any]:
    return {NOTE: _SAID, **(value if isinstance(value, dict) else {"answer": value})}


def _longest_list(value: Any) -> int:
    match value:
        case dict():
            return max(map(_longest_list, value.values()), default=0)
        case list():
            return max(len(value), max(map(_longest_list, value), default=0))
    return 0


def _largest(most: int, fits: Callable[[int], bool]) -> int:
    """The largest number up to `most` that fits, where 0 does: more takes more room."""
    least = 0
    while least < most:
        middle = (least + most + 1) // 2
        if fits(middle):
            least = middle
        else:
            most = middle - 1
    return least
