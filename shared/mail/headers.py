"""The header block of a message or part, and the encoded words (RFC 2047) in it."""

import binascii
import re

from shared.mail.charset import decode

_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:")
_ENCODED_WORD = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?]*)\?=")
_VALUE_LIMIT = 65_536  # characters of one header that are read


class Headers:
    """The fields of one header block by lower-case name, unfolded, in the order they came."""

    def __init__(self, fields: dict[str, list[list[bytes]]]) -> None:
        self._fields = fields

    @property
    def names(self) -> frozenset[str]:
        """Which fields there are."""
        return frozenset(self._fields)

    def first(self, name: str) -> str:
        """The first field of that name, or the empty string."""
        values = self._fields.get(name)
        return _unfold(values[0]) if values else ""

    def joined(self, *names: str) -> str:
        """All fields of those names as one comma separated list."""
        return ", ".join(_unfold(value) for name in names for value in self._fields.get(name, ()))


def _unfold(lines: list[bytes]) -> str:
    return decode(b" ".join(lines)[:_VALUE_LIMIT], None)


def split(raw: bytes, start: int, end: int) -> tuple[Headers, int]:
    """The header block that begins at `start`, and where the body after it begins.

    A line that can be no header ends the block, as if the empty line before it were lost.
    """
    fields: dict[str, list[list[bytes]]] = {}
    current: list[bytes] = []
    position = start
    while position < end:
        newline = raw.find(b"\n", position, end)
        after = end if newline < 0 else newline + 1
        line = raw[position:after].rstrip(b"\r\n")
        if not line:
            return Headers(fields), after
        if line[0] in b" \t" and fields:
            current.append(line.strip())
        elif match := _FIELD.match(line):
            current = [line[match.end() :].strip()]
            fields.setdefault(match[1].decode("ascii").lower(), []).append(current)
        elif position != start or not line.startswith((b"From ", b">From ")):  # an mbox separator is no header
            break
        position = after
    return Headers(fields), position


def decode_words(value: str) -> str:
    """A header's text with its encoded words read, and white space runs as one space."""
    if "=?" not in value:
        return " ".join(value.split())
    out: list[str] = []
    pending, charset, last = b"", "", 0
    for match in _ENCODED_WORD.finditer(value):
        between = value[last : match.start()]
        name = match[1].partition("*")[0].lower()  # RFC 2231 adds a language after a star
        if pending and (name != charset or between.strip()):
            out.append(decode(pending, charset))
            pending = b""
        if between.strip() or (last == 0 and between):
            out.append(between)
        # Words of one charset are joined before they are read: some mailers cut in the middle of a character.
        pending, charset, last = pending + _word(match[2], match[3]), name, match.end()
    if pending:
        out.append(decode(pending, charset))
    out.append(value[last:])
    return " ".join("".join(out).split())


def _word(encoding: str, text: str) -> bytes:
    data = text.encode("utf-8", "replace")
    if encoding in "qQ":
        return binascii.a2b_qp(data, header=True)
    return from_base64(data)


_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/=]+")


def from_base64(data: bytes) -> bytes:
    """What can be decoded of `data`, whatever stands between the characters and however it is padded."""
    out = []
    for run in _NOT_BASE64.sub(b"", data).split(b"="):
        whole = run[:-1] if len(run) % 4 == 1 else run
        if whole:
            out.append(binascii.a2b_base64(whole + b"=" * (-len(whole) % 4)))
    return b"".join(out)
