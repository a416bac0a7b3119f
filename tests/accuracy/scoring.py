"""Compares what was extracted from labelled mail with what the labels say.

An extracted entry matches a labelled one of its mail when its minutes lie in the range that the label accepts, widened
by half a minute, or, where the label gives no minutes, when its evidence holds the label's words; matches are one to
one, those that agree on type and day first. Work not charged is no expected entry.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from shared.extraction import Context, Entry, extract
from shared.mail import read
from tests.accuracy.labelled import Label, Labelled

TOLERANCE = 0.5
"""Minutes by which an accepted range is widened."""


@dataclass
class Score:
    """Counts over labelled mails; `wrong` names each mistake, for a person to read.

    `sure` holds, for each extracted entry, how sure it was (0..1) and whether a label matches it.
    """

    mails: int = 0
    matched: int = 0
    extra: int = 0
    missed: int = 0
    types: int = 0
    days: int = 0
    clients: int = 0
    named: int = 0
    wrong: list[str] = field(default_factory=list)
    sure: list[tuple[float, bool]] = field(default_factory=list)

    @property
    def precision(self) -> float:
        """Of what was extracted, the share that is labelled."""
        return _share(self.matched, self.matched + self.extra)

    @property
    def recall(self) -> float:
        """Of what is labelled, the share that was extracted."""
        return _share(self.matched, self.matched + self.missed)

    @property
    def right_type(self) -> float:
        """Of what matched, the share with the labelled type."""
        return _share(self.types, self.matched)

    @property
    def right_day(self) -> float:
        """Of what matched, the share with the labelled day."""
        return _share(self.days, self.matched)

    @property
    def right_client(self) -> float:
        """Of what matched a label that names a client, the share whose name holds the label's or is held by it."""
        return _share(self.clients, self.named)

    def add(self, other: "Score") -> None:
        """Count another score's mails too."""
        for name in ("mails", "matched", "extra", "missed", "types", "days", "clients", "named"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.wrong += other.wrong
        self.sure += other.sure


def score(mails: Iterable[Labelled]) -> Score:
    """Extract from each mail by rules alone, and compare."""
    total = Score()
    for mail in mails:
        total.add(compare(mail.id, extract(read(mail.raw), Context()).entries, mail.labels))
    return total


def compare(mail: str, entries: Sequence[Entry], labels: Sequence[Label]) -> Score:
    """The score of one mail."""
    entries = [entry for entry in entries if entry.billable]
    labels = [label for label in labels if label.billable]
    found = _matches(entries, labels)
    one = Score(mails=1, matched=len(found), extra=len(entries) - len(found), missed=len(labels) - len(found))
    for i, j in found.items():
        one.types += entries[i].entry_type == labels[j].entry_type
        one.days += entries[i].date_performed.isoformat() == labels[j].date_performed
        if wanted := (labels[j].client_matter or "").lower():
            got = (entries[i].client_matter or "").lower()
            one.named += 1
            one.clients += bool(got) and (got in wanted or wanted in got)
    for i, entry in enumerate(entries):
        one.sure.append((entry.confidence_score, i in found))
        if i not in found:
            one.wrong.append(f"{mail} extra {entry.duration_minutes:g} {entry.extracted_text!r}")
    for j, label in enumerate(labels):
        if j not in found.values():
            one.wrong.append(f"{mail} missed {label.low:g}-{label.high:g} {label.words!r}")
    return one


def _matches(entries: Sequence[Entry], labels: Sequence[Label]) -> dict[int, int]:
    pairs = sorted(
        (-_agreement(entry, label), abs(i - j), i, j)
        for i, entry in enumerate(entries)
        for j, label in enumerate(labels)
        if _fits(entry, label)
    )
    found: dict[int, int] = {}
    for _, _, i, j in pairs:
        if i not in found and j not in found.values():
            found[i] = j
    return found


def _fits(entry: Entry, label: Label) -> bool:
    if not label.is_measured:
        return " ".join(label.words.split()) in " ".join(entry.extracted_text.split())
    return bool(label.low - TOLERANCE <= entry.duration_minutes <= label.high + TOLERANCE)


def _agreement(entry: Entry, label: Label) -> int:
    same_type = bool(entry.entry_type == label.entry_type)
    return 2 * same_type + bool(entry.date_performed.isoformat() == label.date_performed)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0
