"""What the labels say of each amount of the labelled mail that weights are counted and the encoder is trained on.

Only mail in `taught/`, `corpus/` and `voices/` is learned from, never what accuracy is measured on (`unread/`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from shared.extraction.deciding import Decided, Deciding
from shared.extraction.extract import readable
from shared.extraction.found import Context
from shared.extraction.visible import as_seen
from shared.mail import read
from shared.mail.email import Email
from shared.mail.offsets import fold
from tests.accuracy.labelled import Label, Labelled

HERE = Path(__file__).parent
WEIGHTS = HERE.parents[1] / "shared" / "extraction" / "weights"
TAUGHT = (HERE / "corpus", HERE / "voices", HERE / "taught")
COUNTS = {"corpus": 3.0, "voices": 2.0, "statements": 5.0, "mails_none12": 0.3, "mails_none25": 0.3}
"""How much mail of a folder counts: whole mails that many eyes have checked, and the rules' own examples, more; other
people's hours told as lawyers tell theirs, less: a lawyer's mailbox holds few."""
KEPT_OUT = frozenset(
    {
        *(
            "biglaw",
            "mixed",
            "us",
            "mails_amounts2",
            "mails_anz5",
            "mails_biglaw6",
            "mails_clock2",
            "mails_mixed1",
            "mails_none12",
            "mails_none2",
            "mails_none7",
            "mails_pairs4",
        ),
        *("mails_ukau11", "mails_ukau6", "mails_us11", "mails_us4", "snippets12", "snippets18", "snippets23"),
        "snippets7",
    }
)
"""Hands that the encoder doesn't learn from: by their mail is counted how far it is to be believed."""
OTHERS = frozenset(
    f"mails_none{number}" for number in (2, 3, 5, 6, 8, 9, 10, 11, 12, 14, 16, 17, 20, 21, 22, 23, 25, 27)
)
"""Hands that wrote what other people than lawyers write."""
OF_BOTH = frozenset({"mails_none", "mails_none4", "mails_none7", "mails_none15", "mails_short1", "ordinary"})
"""Hands that wrote some of either: nothing is learned from them of whether a mail is a lawyer's."""
_SLACK = 2


@dataclass(frozen=True)
class Told:
    """An amount of a labelled mail, and the label that holds it, if one does.

    `sure`: whether what the labels say of it is beyond doubt: not where it has other minutes than they.
    """

    decided: Decided
    label: Label | None
    sure: bool


def paths(folders: Iterable[Path] = TAUGHT) -> list[Path]:
    """The files of labelled mail in these folders, in order."""
    return sorted(path for folder in folders for path in folder.rglob("*") if path.suffix in {".jsonl", ".txt"})


def hand_of(path: Path) -> str:
    """Who wrote a file's mail: a folder of snippets or mails is one hand's, and so is a file of whole mails."""
    return path.parent.name if path.suffix == ".txt" else path.stem


def amounts_of(mail: Labelled) -> tuple[Email, list[Told]]:
    """A mail as extraction reads it, and its amounts in order."""
    email = as_read(mail.raw)
    told = []
    for each in Deciding(email, Context()).amounts():
        amount = each.candidate.amount
        fits = [label for label in mail.labels if minutes_fit(label, amount.best)]
        holding = [label for label in fits if holds(label, email.body, amount.start, amount.end)]
        misread = any(holds(label, email.body, amount.start, amount.end) for label in mail.labels if label not in fits)
        sure = bool(holding) or (not misread and (not fits or mail.labels[0].occurrence is not None))
        told.append(Told(each, holding[0] if holding else None, sure))
    return email, told


def as_read(raw: bytes) -> Email:
    """A mail as extraction reads it."""
    email = read(raw)
    folded = fold(email.body)
    return readable(as_seen(email, folded) if folded.cuts else email)[0]


def minutes_fit(label: Label, minutes: float) -> bool:
    """Whether a reader who labelled the mail so would accept these minutes."""
    return label.low - 0.5 <= minutes <= label.high + 0.5


def holds(label: Label, text: str, start: int, end: int) -> bool:
    """Whether an amount of a text stands in the words of the label."""
    return any(
        (begin < end and start < finish)
        if label.occurrence is not None
        else begin - _SLACK <= start and end <= finish + _SLACK
        for begin, finish in label.places(text)
    )
