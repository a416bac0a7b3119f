"""A user's own search words for sent mail: what may be in them, and what would reach beyond it.

A search is ANDed with the label SENT and a date, in brackets of its own, so that it can only narrow. What names
another place, or breaks out of the brackets, is refused with the reason, not repaired.
"""

import re
from typing import Final

LONGEST: Final = 500

# Source: Gmail help, search operators. All that narrow by people, words, dates, size and attachments.
ALLOWED: Final = frozenset(
    {"from", "to", "cc", "bcc", "subject", "after", "before", "older", "newer", "older_than", "newer_than"}
    | {"has", "filename", "larger", "smaller", "size", "rfc822msgid", "list", "deliveredto"}
)
_OPERATOR: Final = re.compile(r"(?<![\w@.])([A-Za-z][A-Za-z0-9_]*)\s*:")
_BRACKETS: Final = {")": "(", "}": "{"}


class QueryRefused(ValueError):
    """The message says what is wrong, for the one who wrote it."""


def narrowing(query: str) -> str:
    """The search as it may be put beside other conditions, in brackets. Raises QueryRefused."""
    query = " ".join(query.split())
    if not query:
        raise QueryRefused("is empty")
    if len(query) > LONGEST:
        raise QueryRefused(f"is longer than {LONGEST} characters")
    if any(not character.isprintable() for character in query):
        raise QueryRefused("holds characters that can't be printed")
    # Also between quotation marks, where they would be words: nobody needs them there.
    for operator in _OPERATOR.findall(query):
        if operator.lower() not in ALLOWED:
            raise QueryRefused(
                f"{operator}: can't be used here: only your sent mail is searched;"
                f" there are {', '.join(sorted(ALLOWED))}"
            )
    if query.count('"') % 2:
        raise QueryRefused("a quotation mark isn't closed")
    _check_brackets(re.sub(r'"[^"]*"', "", query))
    return f"({query})"


def _check_brackets(query: str) -> None:
    opened: list[str] = []
    for character in query:
        if character in "({":
            opened.append(character)
        elif character in ")}" and (not opened or opened.pop() != _BRACKETS[character]):
            raise QueryRefused("brackets don't match")
    if opened:
        raise QueryRefused("brackets don't match")
