"""Labelled mail in its two forms: whole emails with their entries (.jsonl), and marked-up snippets of mail (.txt).

A snippet is what a sender newly wrote, parted from the next by a line `===`; its first lines may be headers. The words
of each amount of the sender's own finished work are marked: `«1.4|drafting»`, `«.5|review|nc»` where it isn't charged;
in whole mails with matter and day, too: `«1.4|drafting|Ortiz|2026-09-02»`, `«1.4|drafting|-|2026-09-02»`; and with the
minutes that may be read, where that is measured: `«2-3 hours|review|Ortiz|2026-09-02|120-180»`.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_MARK = re.compile(
    r"«(?P<words>[^»|]*)\|(?P<type>\w+)"
    r"(?:\|(?P<matter>[^»|]+)\|(?P<day>\d{4}-\d\d-\d\d)(?:\|(?P<low>[\d.]+)(?:-(?P<high>[\d.]+))?)?)?(?P<free>\|nc)?»"
)
_ANY_MINUTES = 1440.0
_HEADER = re.compile(r"(Subject|From|To|Date): ?(.*)")
_HEADERS = {
    "From": "R. Averill <averill@averillprice.example>",
    "To": "Office <office@averillprice.example>",
    "Subject": "",
    "Date": "Thu, 12 Mar 2026 17:10:00 -0500",
}


@dataclass(frozen=True)
class Label:
    """An entry that a reader found: its proof, the minutes that may be read from it, and its facts as far as given.

    `occurrence`: which of the places where the words stand in the text is meant (None: any).
    """

    words: str
    low: float
    high: float
    entry_type: str
    billable: bool = True
    client_matter: str | None = None
    date_performed: str | None = None
    occurrence: int | None = None

    @property
    def is_measured(self) -> bool:
        """Whether the label says which minutes may be read; else any may."""
        return self.high - self.low < _ANY_MINUTES

    def places(self, text: str) -> list[tuple[int, int]]:
        """Where the proof stands in a text, however its lines are wrapped."""
        pattern = r"\s+".join(map(re.escape, self.words.split()))
        found = [match.span() for match in re.finditer(pattern, text)] if pattern else []
        return found if self.occurrence is None else found[self.occurrence : self.occurrence + 1]


@dataclass(frozen=True)
class Labelled:
    """A mail and its labels."""

    id: str
    raw: bytes
    labels: tuple[Label, ...]
    tags: tuple[str, ...] = ()


def load(path: Path) -> Iterator[Labelled]:
    """The labelled mail of a file."""
    return _emails(path) if path.suffix == ".jsonl" else _snippets(path)


def _emails(path: Path) -> Iterator[Labelled]:
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.strip():
            continue
        row = json.loads(line)
        labels = tuple(
            Label(
                each["evidence"],
                low=each["accept"][0],
                high=each["accept"][1],
                entry_type=each["entry_type"],
                billable=each["billable"],
                client_matter=each.get("client_matter"),
                date_performed=each["date_performed"],
            )
            for each in row["gold"]
        )
        yield Labelled(row["id"], row["raw"].encode(), labels, tuple(row.get("tags", ())))


def _snippets(path: Path) -> Iterator[Labelled]:
    for number, snippet in enumerate(path.read_text(encoding="utf-8").split("\n===\n")):
        headers, lines = dict(_HEADERS), snippet.strip("\n").split("\n")
        while lines and (header := _HEADER.fullmatch(lines[0])):
            headers[header[1]] = header[2]
            lines.pop(0)
        body, labels = _unmarked("\n".join(lines))
        headers["Content-Type"] = 'text/plain; charset="utf-8"'
        head = "".join(f"{name}: {value}\n" for name, value in headers.items())
        yield Labelled(f"{path.parent.name}/{path.stem}/{number}", f"{head}\n{body}\n".encode(), labels)


def _unmarked(marked: str) -> tuple[str, tuple[Label, ...]]:
    """The text without its marks, and what they say."""
    body, at, labels = "", 0, []
    for mark in _MARK.finditer(marked):
        body += marked[at : mark.start()]
        pattern = r"\s+".join(map(re.escape, mark["words"].split()))
        occurrence = len(re.findall(pattern, body))
        body += mark["words"]
        label = Label(
            mark["words"],
            low=float(mark["low"] or 0.0),
            high=float(mark["high"] or mark["low"] or _ANY_MINUTES),
            entry_type=mark["type"],
            billable=not mark["free"],
            client_matter=None if mark["matter"] in {None, "-"} else mark["matter"],
            date_performed=mark["day"],
            occurrence=occurrence,
        )
        labels.append(label)
        at = mark.end()
    return body + marked[at:], tuple(labels)
