"""Compares what was extracted from labelled mail with what the labels say.

An extracted entry matches a labelled one of its mail when its minutes lie in the label's `accept` range, widened by
half a minute; matches are one to one, those that agree on type and day first. Work not charged is no expected entry.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shared.extraction import Context, Entry, extract
from shared.mail import read

TOLERANCE = 0.5
"""Minutes by which an accepted range is widened."""


@dataclass
class Score:
    """Counts over a set of mails; `wrong` names each mistake, for a person to read."""

    matched: int = 0
    extra: int = 0
    missed: int = 0
    types: int = 0
    days: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def precision(self) -> float:
        """Of what was extracted, the share that is labelled."""
        return self.matched / (self.matched + self.extra)

    @property
    def recall(self) -> float:
        """Of what is labelled, the share that was extracted."""
        return self.matched / (self.matched + self.missed)

    @property
    def right_type(self) -> float:
        """Of what matched, the share with the labelled type."""
        return self.types / self.matched

    @property
    def right_day(self) -> float:
        """Of what matched, the share with the labelled day."""
        return self.days / self.matched


def load(path: Path) -> list[dict[str, Any]]:
    """Labelled mail: one JSON object a line."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def score(rows: list[dict[str, Any]]) -> Score:
    """Extract from each mail and compare."""
    total = Score()
    for row in rows:
        entries = [entry for entry in extract(read(row["raw"].encode()), Context()).entries if entry.billable]
        labels = [label for label in row["gold"] if label["billable"]]
        _compare(row["id"], entries, labels, total)
    return total


def _compare(mail: str, entries: list[Entry], labels: list[dict[str, Any]], total: Score) -> None:
    pairs = sorted(
        (
            (-_agreement(entry, label), abs(i - j), i, j)
            for i, entry in enumerate(entries)
            for j, label in enumerate(labels)
            if _fits(entry, label)
        )
    )
    found: dict[int, int] = {}
    for _, _, i, j in pairs:
        if i not in found and j not in found.values():
            found[i] = j
    for i, j in found.items():
        total.matched += 1
        total.types += entries[i].entry_type == labels[j]["entry_type"]
        total.days += entries[i].date_performed.isoformat() == labels[j]["date_performed"]
    for i, entry in enumerate(entries):
        if i not in found:
            total.extra += 1
            total.wrong.append(f"{mail} extra {entry.duration_minutes:g} {entry.extracted_text!r}")
    for j, label in enumerate(labels):
        if j not in found.values():
            total.missed += 1
            total.wrong.append(f"{mail} missed {label['duration_minutes']:g} {label['evidence']!r}")


def _fits(entry: Entry, label: dict[str, Any]) -> bool:
    low, high = label["accept"]
    return bool(low - TOLERANCE <= entry.duration_minutes <= high + TOLERANCE)


def _agreement(entry: Entry, label: dict[str, Any]) -> int:
    same_type = bool(entry.entry_type == label["entry_type"])
    same_day = bool(entry.date_performed.isoformat() == label["date_performed"])
    return 2 * same_type + same_day
