"""Partial responses: the `fields` parameter, as in `fields=messages(id,labelIds),nextPageToken`."""

import re
from typing import Any

from infra.local.gmail.errors import bad_request

_TOKEN = re.compile(r"[\w*-]+|[(),/]")

Mask = dict[str, "Mask"]


def parse_mask(fields: str) -> Mask:
    """The mask as a tree; an empty branch means everything below. Raises GmailError for what isn't a mask."""
    tokens = _TOKEN.findall(fields)
    if "".join(tokens) != fields.replace(" ", ""):
        raise bad_request(f"Invalid field selection {fields}")
    mask, rest = _selections(tokens, fields)
    if rest:
        raise bad_request(f"Invalid field selection {fields}")
    return mask


def apply_mask(content: Any, mask: Mask) -> Any:
    """`content` with only what the mask names; lists are looked through."""
    if not mask or "*" in mask:
        return content
    if isinstance(content, list):
        return [apply_mask(item, mask) for item in content]
    if isinstance(content, dict):
        return {name: apply_mask(value, mask[name]) for name, value in content.items() if name in mask}
    return content


def _selections(tokens: list[str], fields: str) -> tuple[Mask, list[str]]:
    mask: Mask = {}
    while True:
        rest = _selection(tokens, mask, fields)
        if not rest or rest[0] != ",":
            return mask, rest
        tokens = rest[1:]


def _selection(tokens: list[str], mask: Mask, fields: str) -> list[str]:
    """Reads `a`, `a/b` or `a(b,c)` into `mask`; what is left of the tokens."""
    if not tokens or tokens[0] in "(),/":
        raise bad_request(f"Invalid field selection {fields}")
    branch = mask.setdefault(tokens[0], {})
    tokens = tokens[1:]
    if tokens and tokens[0] == "/":
        return _selection(tokens[1:], branch, fields)
    if tokens and tokens[0] == "(":
        inner, tokens = _selections(tokens[1:], fields)
        if not tokens or tokens[0] != ")":
            raise bad_request(f"Invalid field selection {fields}")
        branch |= inner
        return tokens[1:]
    return tokens
