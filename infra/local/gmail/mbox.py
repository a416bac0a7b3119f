"""Takeout .mbox files, however large: one message after another, never the whole file.

Nothing is held but the message being read, and nothing of one that is too large.
"""

import csv
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from email.header import decode_header, make_header
from functools import partial
from pathlib import Path
from typing import BinaryIO

# Above what Gmail lets anyone receive (50 MB as attached); what is larger is a file gone wrong.
LARGEST_MESSAGE_BYTES = 60_000_000

# A line longer than this is read in pieces.
_PIECE_BYTES = 1 << 20
_LABELS_WITHIN_BYTES = 1 << 18

# As Takeout writes it, wherever it stands: "From 1784312345678901234@xxx Mon Apr 01 12:00:00 +0000 2024".
_TAKEOUT_SEPARATOR = re.compile(rb"From \d+@\S+ [A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d .*\d{4}\s*$")
# What other programs write, believed only after an empty line.
_SEPARATOR = re.compile(rb"From \S+\s+[A-Z][a-z]{2} [A-Z][a-z]{2}\s+\d{1,2} \d\d:\d\d\b.*\d{4}\b")
_ESCAPED = re.compile(rb">+From ")
_HEADER = re.compile(rb"[!-9;-~]+[ \t]*:")
_LABELS = re.compile(rb"^X-Gmail-Labels:((?:.*\n)(?:[ \t].*\n)*)", re.IGNORECASE | re.MULTILINE)

# Takeout names labels in the language that the account is used in.
SENT_NAMES = frozenset(
    {
        "sent",
        "sent mail",
        "gesendet",
        "envoyés",
        "messages envoyés",
        "enviado",
        "enviados",
        "e-mails enviados",
        "inviati",
        "posta inviata",
        "verzonden",
        "skickat",
        "sendt",
        "lähetetyt",
        "wysłane",
        "odeslaná pošta",
        "отправленные",
        "надіслані",
        "gönderilmiş postalar",
        "送信済みメール",
        "보낸편지함",
        "已发邮件",
        "寄件備份",
    }
)


@dataclass(frozen=True, slots=True)
class MboxMessage:
    """A message as it was sent or received, without what the mbox format puts around it.

    `ordinal` counts from 1, `offset` is the byte its From_ line begins at. `sent` is None when the file doesn't say.
    """

    ordinal: int
    offset: int
    raw: bytes
    labels: tuple[str, ...]
    sent: bool | None


@dataclass(frozen=True, slots=True)
class BrokenMessage:
    """A place in the file that no message could be read from, and why."""

    ordinal: int
    offset: int
    reason: str


def stream(path: Path | str, *, largest_bytes: int = LARGEST_MESSAGE_BYTES) -> Iterator[MboxMessage | BrokenMessage]:
    """Every message in the file, in order; one above `largest_bytes` is reported as broken, without being held.

    Raises OSError when the file can't be read.
    """
    with Path(path).open("rb", buffering=_PIECE_BYTES) as file:
        yield from _messages(file, largest_bytes)


def _messages(file: BinaryIO, largest_bytes: int) -> Iterator[MboxMessage | BrokenMessage]:
    entry = _Entry(0, 0, largest_bytes)
    offset = 0
    after_blank, at_line_start = True, True
    for piece in iter(partial(file.readline, _PIECE_BYTES), b""):
        if at_line_start and piece.startswith(b"From ") and _separates(piece, after_blank=after_blank):
            yield from entry.finished()
            entry = _Entry(entry.ordinal + 1, offset, largest_bytes)
        elif at_line_start and piece.startswith(b">") and _ESCAPED.match(piece):
            entry.add(piece[1:])
        else:
            entry.add(piece)
        if at_line_start:
            after_blank = piece in {b"\n", b"\r\n"}
        offset += len(piece)
        at_line_start = piece.endswith(b"\n")
    yield from entry.finished()


def _separates(line: bytes, *, after_blank: bool) -> bool:
    return bool(_TAKEOUT_SEPARATOR.match(line) or (after_blank and _SEPARATOR.match(line)))


class _Entry:
    """What stands between two From_ lines; number 0 is what stands before the first."""

    def __init__(self, ordinal: int, offset: int, largest_bytes: int) -> None:
        self.ordinal = ordinal
        self._offset = offset
        self._largest_bytes = largest_bytes
        self._size = 0
        self._content = bytearray()

    def add(self, piece: bytes) -> None:
        """Counts every piece and holds them as long as they may become a message."""
        self._size += len(piece)
        if self._size <= self._largest_bytes:
            self._content += piece
        else:
            self._content.clear()

    def finished(self) -> Iterator[MboxMessage | BrokenMessage]:
        """The message, or why there is none. Empty lines before the first From_ line are nothing at all."""
        reason = self._broken()
        if reason:
            yield BrokenMessage(self.ordinal, self._offset, reason)
        elif self.ordinal:
            self._drop_last_line()
            labels = _labels(self._content)
            sent = None if labels is None else any(label.casefold() in SENT_NAMES for label in labels)
            yield MboxMessage(self.ordinal, self._offset, bytes(self._content), labels or (), sent)

    def _broken(self) -> str | None:
        if self._size > self._largest_bytes:
            return f"{self._size} bytes: a message may have {self._largest_bytes}"
        blank = not self._content.strip()
        if not self.ordinal:
            return None if blank else "text before the first From line"
        if blank:
            return "empty"
        return None if _HEADER.match(self._content) else "doesn't begin with a header"

    def _drop_last_line(self) -> None:
        """The empty line before the next From_ line belongs to the format."""
        for ending in (b"\r\n\r\n", b"\n\n"):
            if self._content.endswith(ending):
                del self._content[-len(ending) // 2 :]
                return


def _labels(content: bytearray) -> tuple[str, ...] | None:
    """What X-Gmail-Labels lists; None when there is no such header."""
    headers = bytes(content[:_LABELS_WITHIN_BYTES])
    for blank in (b"\r\n\r\n", b"\n\n"):
        headers = headers.partition(blank)[0]
    found = _LABELS.search(headers + b"\n")
    if not found:
        return None
    text = " ".join(found[1].decode("utf-8", "replace").split())
    # In an encoding that nobody knows, the words are kept as they stand.
    with suppress(LookupError, UnicodeError, ValueError):
        text = str(make_header(decode_header(text)))
    return tuple(label.strip() for row in csv.reader([text]) for label in row if label.strip())
