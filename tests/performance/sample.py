"""The sample's sent mail, as a mailbox that a scan of the last days finds."""

import base64
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.mime.base import MIMEBase
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import SMTP
from email.utils import format_datetime
from itertools import cycle, islice
from pathlib import Path
from typing import IO

from infra.local.gmail.mbox import MboxMessage, stream

SAMPLE = Path(__file__).parents[2] / "infra" / "local" / "sample.mbox"
_HEADERS = re.compile(rb"\A.*?\r?\n(?=\r?\n)", re.DOTALL)
_DATE = re.compile(rb"^Date:[^\n]*\n(?:[ \t][^\n]*\n)*", re.IGNORECASE | re.MULTILINE)
_PLACE = "where the attachment goes"
_FROM_LINE = re.compile(rb"^(>*From )", re.MULTILINE)


def sent_mail() -> tuple[bytes, ...]:
    """Every email of the sample that was sent, as it went out."""
    return tuple(message.raw for message in stream(SAMPLE) if isinstance(message, MboxMessage) and message.sent)


def some(mail: Sequence[bytes], number: int, start: int = 0) -> list[bytes]:
    """So many of these from the one at `start` on, round and round."""
    return list(islice(cycle(mail), start % len(mail), start % len(mail) + number))


def dated(raw: bytes, moment: datetime) -> bytes:
    """The email as if it had been sent at this moment."""
    date = b"Date: " + format_datetime(moment).encode() + b"\n"
    headers = _HEADERS.match(raw)
    if headers is None:
        return date + raw
    kept = _DATE.sub(b"", headers[0])
    return date + kept + raw[headers.end() :]


def lately(mail: Iterable[bytes], now: datetime | None = None) -> Iterator[bytes]:
    """The same mail sent within the last days, one every three minutes."""
    last = now or datetime.now(UTC)
    for number, raw in enumerate(mail, 1):
        yield dated(raw, last - timedelta(minutes=3 * number))


def with_attachments(mail: Iterable[bytes], megabytes: int) -> Iterator[bytes]:
    """Emails with the texts of these and a PDF of so many MB each, in base64 as they go over the wire."""
    content = base64.encodebytes(bytes(megabytes * 1024 * 1024))
    for raw in mail:
        message = MIMEMultipart(policy=SMTP)
        message["From"] = "Dana Whitfield <dana@whitfieldlaw.example>"
        message["To"] = "Raymond Ortiz <r.ortiz@mailbox.example>"
        message["Subject"] = "Ortiz - the exhibits"
        message["X-Gmail-Labels"] = "Sent"
        text = message_from_bytes(raw, policy=SMTP).get_body(("plain",))
        message.attach(MIMEText(text.get_content() if text else "", policy=SMTP))
        attached = MIMEBase("application", "pdf", policy=SMTP)
        attached["Content-Disposition"] = 'attachment; filename="exhibits.pdf"'
        attached["Content-Transfer-Encoding"] = "base64"
        attached.set_payload(_PLACE)
        message.attach(attached)
        yield message.as_bytes().replace(_PLACE.encode(), content)


def write_mbox(file: IO[bytes], mail: Iterable[bytes]) -> None:
    """The mail as Takeout writes it."""
    for number, raw in enumerate(mail, 1):
        file.write(b"From %d@xxx Mon Sep 07 12:00:00 +0000 2026\n" % number)
        file.write(_FROM_LINE.sub(rb">\1", raw).rstrip(b"\r\n") + b"\n\n")
    file.flush()
