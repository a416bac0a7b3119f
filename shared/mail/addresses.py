"""Address headers (From, To, Cc, Bcc) to names and addresses: one pass, whatever is in them."""

import re

from shared.mail.email import Address
from shared.mail.headers import decode_words

_TOKEN = re.compile(
    r"""
    (?P<quoted>"(?:[^"\\]|\\.)*+"?)
  | (?P<angle><[^>]*+>?)
  | (?P<open>\()
  | (?P<close>\))
  | (?P<end>[,;])
  | (?P<group>:)
  | (?P<text>[^"<(),;:]++)
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def parse(header: str) -> tuple[Address, ...]:
    """Every mailbox the header names, in order; group names are left out, comments serve where a name is missing."""
    if "@" not in header and "=?" in header:  # some mailers encode the address along with the name
        header = decode_words(header)
    found: list[Address] = []
    words: list[str] = []
    comment: list[str] = []
    angle: str | None = None
    depth = 0

    def close() -> None:
        nonlocal angle
        phrase = decode_words(" ".join(words))
        if angle is None and "@" in phrase and " " not in phrase:
            found.append(Address(decode_words(" ".join(comment)), phrase.lower()))
        elif angle is not None or phrase:
            name = phrase or decode_words(" ".join(comment))
            found.append(Address(name.strip("'\" "), "".join((angle or "").split()).lower()))
        words.clear()
        comment.clear()
        angle = None

    for token in _TOKEN.finditer(header):
        text = token[0]
        match token.lastgroup:
            case "open":
                depth += 1
            case "close":
                depth = max(0, depth - 1)
            case _ if depth:
                comment.append(text)
            case "quoted":
                words.append(_ESCAPED.sub(r"\1", text[1:].removesuffix('"')))
            case "angle":
                angle = text[1:].removesuffix(">").removeprefix("mailto:")
            case "end":
                close()
            case "group":
                words.clear()
            case _:
                words.append(text.strip())
    close()
    return tuple(found)
