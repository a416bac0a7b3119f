"""From Gmail's parsed form of a message (format=full) back to an email without its attachments.

An email whose raw form is too large to hold is fetched this way: Gmail leaves attachments out of it. What reads
emails then sees one form only.
"""

import base64
import re
from collections.abc import Iterator
from typing import Any, Final

_TRANSFER_ENCODING: Final = "content-transfer-encoding"
_BOUNDARY: Final = re.compile(r'boundary="?([^";]+)', re.IGNORECASE)
DEEPEST: Final = 100


def to_rfc822(payload: dict[str, Any]) -> bytes:
    """Build the bytes of an email from the `payload` of a message.

    Text parts come out base64-encoded with the charset that their header names; attachments come out empty.
    """
    return b"\r\n".join(_part(payload, 0))


def large_texts(payload: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The bodies of text parts that Gmail kept out because of their size: `attachmentId` leads to each."""
    waiting = [payload]
    while waiting:
        part = waiting.pop()
        waiting.extend(part.get("parts") or ())
        body = part.get("body") or {}
        if str(part.get("mimeType")).startswith("text/") and not part.get("filename") and "attachmentId" in body:
            yield body


def _part(part: dict[str, Any], depth: int) -> Iterator[bytes]:
    headers = [
        (str(header["name"]), str(header["value"]))
        for header in part.get("headers") or ()
        if str(header["name"]).lower() != _TRANSFER_ENCODING
    ]
    inner = part.get("parts") or []
    for name, value in headers:
        yield f"{name}: {value}".replace("\r\n", "\n").replace("\n", "\r\n").encode("utf-8", "surrogateescape")
    boundary = next((_BOUNDARY.search(v) for n, v in headers if n.lower() == "content-type"), None)
    if inner and boundary and depth < DEEPEST:
        yield b""
        for piece in inner:
            yield b"--" + boundary.group(1).encode()
            yield from _part(piece, depth + 1)
        yield b"--" + boundary.group(1).encode() + b"--"
        return
    yield b"Content-Transfer-Encoding: base64"
    yield b""
    data = (part.get("body") or {}).get("data") or ""
    yield base64.encodebytes(base64.urlsafe_b64decode(data + "=" * (-len(data) % 4)))
