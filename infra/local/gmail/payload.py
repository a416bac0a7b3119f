"""MIME: what Gmail keeps about a message, and the tree that `format=full` shows.

Everything here is pure. Headers are never rewritten; what threads, search and the snippet need is decoded beside them.
"""

import html
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesHeaderParser
from email.utils import parsedate_to_datetime
from typing import Any

# Text beyond this isn't searched: Gmail indexes more, but no test of ours looks for a word so far into a message.
SEARCHED_BYTES = 65_536
SNIPPET_CHARS = 200

_WORD = re.compile(r"\w+")
_TAG = re.compile(r"<(?:(?:style|script)\b.*?</(?:style|script)|[^>]*)>", re.IGNORECASE | re.DOTALL)
_REPLY = re.compile(r"^(?:\s*(?:re|fwd?|aw|wg|sv|tr)\s*(?:\[\d+\])?:)+", re.IGNORECASE)
_TAKEOUT_THREAD = re.compile(rb"^X-GM-THRID:[ \t]*(\d{1,19})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_REFERENCE = re.compile(r"<[^<>\s]+>")


@dataclass(frozen=True, slots=True)
class Digest:
    """What is known about a message without reading it again. Texts are in the form that `words` gives."""

    message_id: str
    references: tuple[str, ...]
    subject_key: str
    sender: str
    recipients: str
    subject: str
    text: str
    snippet: str
    has_attachment: bool
    date_ms: int | None


def words(text: str) -> str:
    """`text` as its words, folded, each with a space on both sides, so that a phrase is found as a substring."""
    found = _WORD.findall(text.casefold())
    return f" {' '.join(found)} " if found else ""


def header(message: Message, name: str) -> str:
    """A header's text with its encoded words read; empty when it isn't there."""
    value = message.get(name)
    if value is None:
        return ""
    try:
        return str(make_header(decode_header(str(value))))
    except (LookupError, UnicodeError, MessageError, ValueError):
        return str(value)


def subject_key(subject: str) -> str:
    """The subject that all messages of a thread share."""
    return " ".join(_REPLY.sub("", subject).casefold().split())


def date_ms(message: Message) -> int | None:
    """The Date header in epoch milliseconds; None when there is none that can be read."""
    try:
        return int(parsedate_to_datetime(header(message, "Date")).timestamp() * 1000)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def digest(raw: bytes) -> Digest:
    """Reads what threads, search and the snippet need. Never raises: Gmail takes every message there is."""
    beginning = raw[:SEARCHED_BYTES]
    try:
        return _digest(message_from_bytes(beginning))
    except RecursionError:
        return _digest(_headers_only(beginning))


def takeout_thread(raw: bytes) -> int | None:
    """The thread that Takeout's X-GM-THRID names; None when there is none."""
    found = _TAKEOUT_THREAD.search(raw[:SEARCHED_BYTES])
    return int(found[1]) if found and int(found[1]) < 2**63 else None


def full(raw: bytes) -> dict[str, Any]:
    """The `payload` of format=full: the tree of parts, bodies inline, attachments by id."""
    try:
        return _part(message_from_bytes(raw), "")
    except RecursionError:
        return _part(_headers_only(raw), "")


def metadata(raw: bytes, names: Iterable[str]) -> dict[str, Any]:
    """The `payload` of format=metadata: the type and the headers asked for, or all of them."""
    message = _headers_only(raw)
    wanted = {name.lower() for name in names}
    headers = [entry for entry in _headers(message) if not wanted or entry["name"].lower() in wanted]
    return {"mimeType": message.get_content_type(), "headers": headers}


def attachment(raw: bytes, attachment_id: str) -> bytes | None:
    """The content of the part that `full` named by this id; None when there is no such part."""
    return next(
        (
            _content(part)
            for part_id, part in _walk(message_from_bytes(raw), "")
            if _attachment_id(part_id) == attachment_id
        ),
        None,
    )


def _headers_only(raw: bytes) -> Message:
    """The message as one part, whatever is nested in it, however deeply."""
    return BytesHeaderParser().parsebytes(raw)


def _digest(message: Message) -> Digest:
    subject = header(message, "Subject")
    text = next(_texts(message), "")
    recipients = " ".join(header(message, name) for name in ("To", "Cc", "Bcc"))
    references = _REFERENCE.findall(f"{header(message, 'In-Reply-To')} {header(message, 'References')}")
    return Digest(
        message_id=header(message, "Message-ID").strip(),
        references=tuple(dict.fromkeys(references)),
        subject_key=subject_key(subject),
        sender=words(header(message, "From")),
        recipients=words(recipients),
        subject=words(subject),
        text=words(text),
        snippet=html.escape(" ".join(text[: SNIPPET_CHARS * 4].split()))[:SNIPPET_CHARS].strip(),
        has_attachment=any(part.get_filename() for part in message.walk()),
        date_ms=date_ms(message),
    )


def _texts(message: Message) -> Iterator[str]:
    """The message's texts, plain ones first, so that the first is what a reader would see."""
    parts = [part for part in message.walk() if part.get_content_maintype() == "text" and not part.get_filename()]
    for part in sorted(parts, key=lambda part: part.get_content_type() != "text/plain"):
        text = _decoded(part)
        yield html.unescape(_TAG.sub(" ", text)) if part.get_content_type() == "text/html" else text


def _decoded(part: Message) -> str:
    content = _content(part)
    try:
        return content.decode(part.get_content_charset("utf-8"), "replace")
    except (LookupError, ValueError):
        return content.decode("utf-8", "replace")


def _content(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _headers(message: Message) -> list[dict[str, str]]:
    """Headers as Gmail shows them: encoded words read, folds kept as single spaces."""
    return [{"name": name, "value": " ".join(_read(value).split())} for name, value in message.items()]


def _read(value: Any) -> str:
    try:
        return str(make_header(decode_header(str(value))))
    except (LookupError, UnicodeError, MessageError, ValueError):
        return str(value)


def _walk(message: Message, part_id: str) -> Iterator[tuple[str, Message]]:
    yield part_id, message
    if message.is_multipart():
        for index, child in enumerate(message.get_payload()):
            if isinstance(child, Message):
                yield from _walk(child, f"{part_id}.{index}" if part_id else str(index))


def _attachment_id(part_id: str) -> str:
    return f"ANGjdJ_part_{part_id or 'root'}"


def _part(message: Message, part_id: str) -> dict[str, Any]:
    content = b"" if message.is_multipart() else _content(message)
    filename = message.get_filename() or ""
    body: dict[str, Any] = {"size": len(content)}
    if filename or (content and message.get_content_maintype() not in {"text", "message"}):
        body["attachmentId"] = _attachment_id(part_id)
    elif content:
        body["data"] = urlsafe_b64encode(content).decode()
    shown: dict[str, Any] = {
        "partId": part_id,
        "mimeType": message.get_content_type(),
        "filename": filename,
        "headers": _headers(message),
        "body": body,
    }
    if message.is_multipart():
        children = [child for child in message.get_payload() if isinstance(child, Message)]
        shown["parts"] = [
            _part(child, f"{part_id}.{index}" if part_id else str(index)) for index, child in enumerate(children)
        ]
    return shown
