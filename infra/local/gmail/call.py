"""One call as a handler sees it: whose mailbox, which ids, what arguments."""

import binascii
import json
import re
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from infra.local.gmail.errors import GmailError, bad_request
from infra.local.gmail.mailboxes import Mailbox

# What Gmail takes for an upload (maxSize in its discovery document).
LARGEST_MESSAGE_BYTES = 36_700_160

_BASE64URL = re.compile(rb"[A-Za-z0-9_-]*={0,2}")
_BOUNDARY = re.compile(r'boundary="?([^";]+)"?', re.IGNORECASE)
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")


@dataclass(frozen=True, slots=True)
class Call:
    """A call that is let in. `ids` are those in the path, in order; `query` holds every value of each parameter."""

    mailbox: Mailbox
    ids: tuple[str, ...]
    query: Mapping[str, list[str]]
    content_type: str
    body: bytes
    upload: bool

    def one(self, name: str) -> str | None:
        """A parameter's last value; None when it isn't given."""
        values = self.query.get(name)
        return values[-1] if values else None

    def many(self, name: str) -> list[str]:
        """All values of a parameter that may be repeated."""
        return self.query.get(name, [])

    def flag(self, name: str) -> bool:
        """A parameter that is true or false. Raises GmailError."""
        value = (self.one(name) or "false").lower()
        if value not in {"true", "false"}:
            raise bad_request(f"Invalid value at '{name}' (TYPE_BOOL)")
        return value == "true"

    def page_size(self, default: int, largest: int) -> int:
        """maxResults, brought down to the largest page there is. Raises GmailError."""
        value = self.one("maxResults")
        if value is None:
            return default
        if not value.isascii() or not value.isdigit() or int(value) < 1:
            raise bad_request("Invalid value at 'max_results' (TYPE_UINT32)")
        return min(int(value), largest)

    def json(self) -> dict[str, Any]:
        """The body as a JSON object. Raises GmailError."""
        return _json_object(self.body) if self.body.strip() else {}

    def submitted(self) -> tuple[bytes | None, dict[str, Any]]:
        """The message that the call brings and the JSON that came with it.

        Three ways: base64url in `raw` of the JSON, an upload of the message alone, or one of JSON and message as two
        parts.
        Raises GmailError.
        """
        if not self.upload:
            resource = self.json()
            message = resource.get("message", resource)
            raw = message.get("raw") if isinstance(message, dict) else None
            return (None if raw is None else _decoded(raw)), resource
        kind = self.one("uploadType")
        if kind == "media":
            return _checked(self.body), {}
        if kind != "multipart":
            raise bad_request(f"Upload type {kind} isn't one of media, multipart")
        boundary = _BOUNDARY.search(self.content_type)
        if not boundary:
            raise bad_request("Missing multipart boundary")
        parts = _parts(self.body, boundary[1].encode())
        if len(parts) != 2:
            raise bad_request("A multipart upload has two parts: JSON and message")
        return _checked(parts[1]), _json_object(parts[0])


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        content = json.loads(body)
    except ValueError:
        raise bad_request("Invalid JSON payload received.") from None
    if not isinstance(content, dict):
        raise bad_request("Invalid JSON payload received. Root element must be a message.")
    return content


def _decoded(raw: Any) -> bytes:
    if not isinstance(raw, str) or not _BASE64URL.fullmatch(encoded := raw.encode()):
        raise bad_request("Invalid value at 'message.raw' (TYPE_BYTES), Base64 decoding failed")
    try:
        return _checked(urlsafe_b64decode(encoded.rstrip(b"=") + b"=" * (-len(encoded.rstrip(b"=")) % 4)))
    except binascii.Error:
        raise bad_request("Invalid value at 'message.raw' (TYPE_BYTES), Base64 decoding failed") from None


def _checked(raw: bytes) -> bytes:
    if len(raw) > LARGEST_MESSAGE_BYTES:
        raise GmailError(413, "uploadTooLarge", "The request is too large.")
    if not raw.strip():
        raise bad_request("'raw' RFC822 payload message string or uploading message via /upload/* URL required")
    return raw


def _parts(body: bytes, boundary: bytes) -> list[bytes]:
    """The contents between the boundaries, without their headers."""
    delimiter = re.compile(rb"(?:^|\r?\n)--" + re.escape(boundary) + rb"(?:--)?[ \t]*(?:\r?\n|$)")
    contents = []
    for piece in delimiter.split(body)[1:-1]:
        blank = _BLANK_LINE.search(piece)
        contents.append(piece[blank.end() :] if blank else piece)
    return contents
