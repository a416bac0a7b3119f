"""Sends an mbox file's sent mail through the whole path, as if it were sent now; streamed, so of any size."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from email.parser import BytesHeaderParser
from email.utils import parseaddr
from itertools import islice
from pathlib import Path
from typing import Final

import httpx

from infra.local.gmail.mbox import BrokenMessage, MboxMessage, stream
from infra.local.mailbox import ConnectedMailbox

# So many are on their way at most: Pub/Sub's emulator and broker hold what waits in memory.
IN_FLIGHT: Final = 400
PEEK: Final = 500


@dataclass
class Fed:
    """Counts so far. `broken`: a line for each message that could not be read from the file, by its place in it."""

    bytes_read: int = 0
    sent: int = 0
    not_sent: int = 0
    broken: list[str] = field(default_factory=list)


def owner(path: Path) -> str | None:
    """Whose mailbox it is: who wrote the mail labelled Sent or, in a file without labels, most of the first mail."""
    senders: Counter[str] = Counter()
    labelled: Counter[str] = Counter()
    for message in islice(stream(path), PEEK):
        if isinstance(message, MboxMessage) and (address := _sender(message.raw)):
            senders[address] += 1
            labelled[address] += bool(message.sent)
    most = (labelled if any(labelled.values()) else senders).most_common(1)
    return most[0][0] if most else None


async def feed(path: Path, mailbox: ConnectedMailbox, processed: Callable[[], Awaitable[int]]) -> AsyncIterator[Fed]:
    """Send each sent message, in the order of the file, and give the counts after each.

    `processed` tells how many have been dealt with: sending waits while too many are on their way.
    """
    fed = Fed()
    done = 0
    for message in stream(path):
        fed.bytes_read = message.offset
        if isinstance(message, BrokenMessage):
            fed.broken.append(f"message {message.ordinal} at byte {message.offset}: {message.reason}")
        elif not _is_sent(message, mailbox.address):
            fed.not_sent += 1
        else:
            while fed.sent - done >= IN_FLIGHT:
                await asyncio.sleep(0.2)
                done = await processed()
            try:
                await mailbox.send(message.raw)
                fed.sent += 1
            except httpx.HTTPStatusError as error:
                fed.broken.append(f"message {message.ordinal}: Gmail answers {error.response.status_code} to it")
        yield fed


def _is_sent(message: MboxMessage, address: str) -> bool:
    """The export's own labels say it; without any, mail from the owner's address is taken as sent."""
    return message.sent if message.sent is not None else _sender(message.raw) == address


def _sender(raw: bytes) -> str:
    head = raw.partition(b"\n\n")[0].partition(b"\r\n\r\n")[0]
    return parseaddr(str(BytesHeaderParser().parsebytes(head).get("From", "")))[1].lower()
