"""bytes -> MIME parts -> text -> lines with marks -> the spans that the sender newly wrote."""

import re
from collections.abc import Iterator
from datetime import datetime

from shared.mail import addresses, dates, flowed, headers, html, mime
from shared.mail.answers import announces_colour, mark_answers
from shared.mail.email import Address, Email, Span, UnreadableEmail
from shared.mail.lines import LINE_LIMIT, Line, Mark
from shared.mail.quoting import mark_quotes
from shared.mail.signature import mark_signatures

_SEVERAL = 2
_NUMBER_ALONE = re.compile(r"(?m)^[ \t]*\d{0,2}[.:,]?\d{1,2}(?: ?[a-z]{1,7}\.?)?[ \t]*\r?$")
_CELL = re.compile(r"(?i)<td")
_SHORT = 400  # characters of plain text that may only stand in for the HTML beside it
_POINTS_TO_HTML = re.compile(
    r"(?i)(?:not|n['\u2019]t) (?:support|display|show|render|accept)\w* html"
    r"|(?:view|see|read|open)\w* [\w -]{0,40}\bin (?:an? )?html|html[- ](?:version|format|capable|enabled|e-?mail)"
    r"|(?:enable|requires?|needs?) html|in (?:your|a) (?:web )?browser"
)
_NOBODY = Address("", "")


def read(raw: bytes, received_at: datetime | None = None) -> Email:
    """One email as sent (RFC 5322 with MIME) to its decoded body and the newly written parts of it.

    `received_at` (aware; Gmail's internalDate) takes the place of a Date header that is missing or absurd. Reads at
    most 2 MB of each text part and 20,000 lines in all, in time linear in the message.

    Raises UnreadableEmail if there are no bytes but white space, and nothing else on any bytes.
    """
    if not raw or raw.isspace():
        raise UnreadableEmail("the message is empty")
    if b"\n" not in raw:
        raw = raw.replace(b"\r", b"\n")
    fields, texts = mime.texts(raw, _stands_in)
    lines = _all_lines(texts)
    sender = next(iter(addresses.parse(fields.first("from"))), _NOBODY)
    mark_quotes(lines)
    mark_signatures(lines, sender.name)
    mark_answers(lines, sender.name)
    return Email(
        message_id=fields.first("message-id").strip(),
        subject=headers.decode_words(fields.first("subject")),
        sender=sender,
        recipients=addresses.parse(fields.joined("to", "cc", "bcc")),
        sent_at=dates.sent_at(fields.first("date"), received_at),
        body="\n".join([line.text for line in lines]),
        new=tuple(_spans(lines)),
    )


def _all_lines(texts: Iterator[mime.Text]) -> list[Line]:
    lines: list[Line] = []
    for text in texts:
        lines += _lines(text)
        if len(lines) >= LINE_LIMIT:
            break
    return lines[:LINE_LIMIT]


def _lines(text: mime.Text) -> list[Line]:
    if text.html:
        return html.lines(text.content)
    content = text.content
    if "\r" in content:
        content = content.replace("\r\n", "\n").replace("\r", "\n")
    if text.flowed:
        content = flowed.unflow(content, delsp=text.delsp)
    return [Line(line) for line in content.removesuffix("\n").split("\n", LINE_LIMIT)[:LINE_LIMIT]]


def _stands_in(plain: mime.Text, rich: mime.Text) -> bool:
    """Whether the HTML is to be read instead: the plain text only points to it, or has lost what it says.

    Plain text has no way to strike words out, so that they would stand as if they were meant; no colour in which to
    answer; and where it has each cell of a table on a line of its own, the rows are gone.
    """
    if html.strikes(rich.content) or announces_colour(plain.content) or _has_lost_rows(plain, rich):
        return True
    if len(plain.content) > _SHORT:
        return False
    if _POINTS_TO_HTML.search(plain.content):
        return True
    words = len(plain.content.split())
    return sum(len(line.text.split()) for line in html.lines(rich.content)) > 4 * words + 10


def _has_lost_rows(plain: mime.Text, rich: mime.Text) -> bool:
    """Whether cells that are side by side in the HTML stand one below the other in the plain text, in several rows."""
    if len(_NUMBER_ALONE.findall(plain.content)) < _SEVERAL or not _CELL.search(rich.content):
        return False
    alone = {line.strip() for line in plain.content.splitlines()}
    rows = [line.text.split("\t") for line in html.lines(rich.content) if "\t" in line.text]
    return sum(alone.issuperset([cell for cell in row if cell][:3]) for row in rows) >= _SEVERAL


def _spans(lines: list[Line]) -> list[Span]:
    """Runs of NEW lines, without the empty lines around them."""
    spans: list[Span] = []
    start = end = -1
    position = 0
    for line in lines:
        if line.mark is not Mark.NEW:
            if start >= 0:
                spans.append(Span(start, end))
            start = -1
        elif line.text.strip():
            start = position if start < 0 else start
            end = position + len(line.text)
        position += len(line.text) + 1
    if start >= 0:
        spans.append(Span(start, end))
    return spans
