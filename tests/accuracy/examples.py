"""The labelled mail as the encoder learns from it: stretches in pieces, and what the labels say of each amount."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from shared.extraction.durations.reading import Form
from shared.extraction.encoder.windows import windows
from shared.extraction.encoder.wordpieces import Wordpieces
from shared.mail.email import Span
from shared.models import EntryType
from tests.accuracy.labelled import Labelled, load
from tests.accuracy.told import COUNTS, amounts_of, hand_of

KINDS = tuple(EntryType)


@dataclass(frozen=True)
class Amount:
    """An amount in its window: first and last piece, what its label says, how it is written.

    `counts` is 0 where what the label says is in doubt; `kind` a place in `KINDS`, None without a label.
    """

    first: int
    last: int
    work: bool
    kind: int | None
    free: bool
    counts: float
    text: str
    minutes: float
    form: Form


@dataclass(frozen=True)
class Example:
    """A stretch of a mail and its amounts, in order."""

    pieces: tuple[int, ...]
    amounts: tuple[Amount, ...]


def examples(files: Sequence[Path], wordpieces: Wordpieces) -> dict[str, list[Example]]:
    """What there is to learn of each hand."""
    found: dict[str, list[Example]] = defaultdict(list)
    for path in files:
        for mail in load(path):
            found[hand_of(path)] += _examples_of(mail, COUNTS.get(path.parent.name, 1.0), wordpieces)
    return found


def _examples_of(mail: Labelled, counts: float, wordpieces: Wordpieces) -> Iterator[Example]:
    email, told = amounts_of(mail)
    spans = [Span(each.decided.candidate.amount.start, each.decided.candidate.amount.end) for each in told]
    for window in windows(email, spans, wordpieces):
        amounts = []
        for which, first, last in window.amounts:
            label = told[which].label
            written = told[which].decided.candidate.amount
            amounts.append(
                Amount(
                    first,
                    last,
                    work=label is not None,
                    kind=KINDS.index(EntryType(label.entry_type)) if label else None,
                    free=label is not None and not label.billable,
                    counts=counts if told[which].sure else 0.0,
                    text=email.body[written.start : written.end],
                    minutes=written.best,
                    form=written.form,
                )
            )
        yield Example(window.pieces, tuple(amounts))
