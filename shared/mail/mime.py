"""A message's MIME structure, and from it the texts a person reads when they open the mail.

Own walk instead of `email.parser`: that one is quadratic in nesting, recurses as deep as the mail says, and copies
attachments line by line. This one only looks for boundaries, never touches what it doesn't read, and every measure of
effort has a bound, beyond which the rest of a mail is taken as it stands.
"""

import binascii
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import Message

from shared.mail import charset, headers
from shared.mail.headers import Headers

TEXT_LIMIT = 2_000_000  # bytes of one text part that are read, after decoding; the longest brief has a tenth of that
_DEEPEST = 100  # levels of nesting; mail forwarded as attachment ten times has thirty
_DELIMITERS = 1_000  # boundary lines looked at in one message
_MAIL_HEADERS = frozenset(
    {
        "from", "to", "cc", "bcc", "subject", "date", "message-id", "mime-version", "content-type", "received",
        "content-transfer-encoding",
    }
)  # fmt: skip
_PLAIN = frozenset({"text/plain", "text/markdown", "text/x-markdown"})
_HTML = frozenset({"text/html", "application/xhtml+xml"})
_GUESSED_BOUNDARY = re.compile(rb"--([^\s-][^\r\n]{0,69})\r?\n[!-9;-~]+:")
_BASE64_LINE = re.compile(rb"\s*[A-Za-z0-9+/=]+\s*(?:\n|\Z)")


@dataclass(frozen=True, slots=True)
class Text:
    """One readable part: decoded, line ends as they came. `flowed` and `delsp` are what format=flowed asks for."""

    content: str
    html: bool = False
    flowed: bool = False
    delsp: bool = False


@dataclass(frozen=True, slots=True)
class _Part:
    headers: Headers
    kind: str
    parameters: dict[str, str]
    start: int
    end: int
    children: tuple["_Part", ...] = ()


def texts(raw: bytes, stub: Callable[[Text, Text], bool]) -> tuple[Headers, Iterator[Text]]:
    """The message's headers, and its inline texts in the order they are shown, decoded one by one.

    Of alternatives the plain text is taken, unless it is empty or `stub(plain, html)` says that it only stands in for
    the HTML. Attachments and attached messages are left out.
    """
    start = len(raw) - len(raw.lstrip(b"\r\n"))
    root = _Walk(raw).part(start, len(raw), "text/plain", 0)
    if not root.headers.names & _MAIL_HEADERS:  # a text without headers, whose first lines only look like some
        root = _Part(root.headers, "text/plain", {}, start, len(raw))
    return root.headers, _shown(raw, root, stub, top=True)


class _Walk:
    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._delimiters = _DELIMITERS

    def part(self, start: int, end: int, default: str, depth: int) -> _Part:
        fields, body = headers.split(self._raw, start, end)
        kind, parameters = _content_type(fields.first("content-type"), default)
        if not kind.startswith("multipart/") or depth >= _DEEPEST:
            return _Part(fields, kind, parameters, body, end)
        spans = self._split(parameters.get("boundary", ""), body, end)
        if not spans:
            return _Part(fields, "text/plain", parameters, body, end)
        inner = "message/rfc822" if kind == "multipart/digest" else "text/plain"
        children = tuple(self.part(first, last, inner, depth + 1) for first, last in spans)
        return _Part(fields, kind, parameters, body, end, children)

    def _split(self, boundary: str, start: int, end: int) -> list[tuple[int, int]]:
        """Where the parts of a multipart body lie. A boundary that doesn't occur is guessed from the first line."""
        mark = boundary.encode("utf-8", "replace").rstrip()
        spans = self._between(mark, start, end) if mark else []
        if not spans and (guess := _GUESSED_BOUNDARY.match(self._raw, start, end)):
            spans = self._between(guess[1].rstrip(), start, end)
        return spans

    def _between(self, mark: bytes, start: int, end: int) -> list[tuple[int, int]]:
        raw, delimiter = self._raw, b"--" + mark
        spans: list[tuple[int, int]] = []
        opened = -1
        position = raw.find(delimiter, start, end)
        while position >= 0 and self._delimiters > 0:
            self._delimiters -= 1
            newline = raw.find(b"\n", position, end)
            after = end if newline < 0 else newline + 1
            rest = raw[position + len(delimiter) : min(after, position + len(delimiter) + 80)].strip()
            if (position == start or raw[position - 1] == 0x0A) and rest in (b"", b"--"):
                if opened >= 0:
                    spans.append((opened, _without_line_end(raw, opened, position)))
                opened = -1 if rest else after
                if rest:
                    break
            position = raw.find(delimiter, after, end)
        if opened >= 0:  # never closed, or cut off
            spans.append((opened, end))
        return spans


def _without_line_end(raw: bytes, start: int, end: int) -> int:
    """The line end before a boundary belongs to the boundary."""
    if end > start and raw[end - 1] == 0x0A:
        end -= 1
    if end > start and raw[end - 1] == 0x0D:
        end -= 1
    return end


def _content_type(header: str, default: str) -> tuple[str, dict[str, str]]:
    """The lower-case type and its parameters; `default` where the header is missing or no type at all."""
    if not header:
        return default, {}
    kind, parameters = _with_parameters(header)
    if kind.count("/") != 1:
        kind = "text/plain"
    return kind, parameters


def _with_parameters(header: str) -> tuple[str, dict[str, str]]:
    field = Message()
    field["Content-Type"] = header[:2_000]
    pairs = field.get_params(failobj=[], unquote=True)
    first, *others = pairs or [("", "")]
    found: dict[str, str] = {}
    for name, value in others:
        # RFC 2231 gives charset, language and text.
        text = charset.decode(value[2].encode("latin-1", "replace"), value[0]) if isinstance(value, tuple) else value
        found.setdefault(name.lower(), text)
    return first[0].strip().lower(), found


def _shown(raw: bytes, part: _Part, stub: Callable[[Text, Text], bool], *, top: bool = False) -> Iterator[Text]:
    if part.kind == "multipart/alternative":
        yield from _chosen(raw, part, stub)
    elif part.children:
        for number, child in enumerate(part.children):
            # A text file that is shown inline has a name; the words of the mail itself have none, or come first.
            if number == 0 or not _file_name(child):
                yield from _shown(raw, child, stub)
    elif (part.kind in _PLAIN or part.kind in _HTML) and (top or not _attached(part)):
        yield _text(raw, part)


def _chosen(raw: bytes, part: _Part, stub: Callable[[Text, Text], bool]) -> Iterator[Text]:
    """One of several alternatives. What is richer comes later, and may itself hold several texts."""
    versions = [found for child in part.children if (found := list(_shown(raw, child, stub)))]
    plain = next((v for v in versions if not any(text.html for text in v) and _filled(v)), None)
    rich = next((v for v in reversed(versions) if any(text.html for text in v) and _filled(v)), None)
    if plain and rich and len(plain) == len(rich) == 1 and stub(plain[0], rich[0]):
        yield from rich
    else:
        yield from plain or rich or ()


def _filled(version: list[Text]) -> bool:
    return any(text.content and not text.content.isspace() for text in version)


def _attached(part: _Part) -> bool:
    disposition, _ = _with_parameters(part.headers.first("content-disposition"))
    return disposition == "attachment"


def _file_name(part: _Part) -> str:
    _, parameters = _with_parameters(part.headers.first("content-disposition"))
    return parameters.get("filename") or part.parameters.get("name", "")


def _text(raw: bytes, part: _Part) -> Text:
    data = _transfer_decoded(raw, part)[:TEXT_LIMIT]
    content = charset.decode(data, part.parameters.get("charset"))
    html = part.kind in _HTML or content[:200].lstrip().lower().startswith(("<!doctype html", "<html"))
    flowed = part.parameters.get("format", "").lower() == "flowed"
    return Text(content, html, flowed, part.parameters.get("delsp", "").lower() == "yes")


def _transfer_decoded(raw: bytes, part: _Part) -> bytes:
    encoding = part.headers.first("content-transfer-encoding").lower().partition(";")[0].strip()
    if encoding == "base64" and _BASE64_LINE.match(raw, part.start, part.end):
        return headers.from_base64(raw[part.start : min(part.end, part.start + TEXT_LIMIT * 3 // 2)])
    if encoding == "quoted-printable":
        return binascii.a2b_qp(raw[part.start : min(part.end, part.start + TEXT_LIMIT * 3)])
    return raw[part.start : min(part.end, part.start + TEXT_LIMIT)]
