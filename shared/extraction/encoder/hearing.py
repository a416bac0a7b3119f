"""Asks the encoder: for each amount of a mail, what the words of the mail around it say.

The encoder was trained on the labelled mail (`make fit-encoder`). On machines of one kind the same mail gives the same
answer.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol

from shared.errors import EncoderMissing
from shared.extraction.encoder.windows import Window, windows
from shared.extraction.encoder.wordpieces import Wordpieces
from shared.mail.email import Email, Span
from shared.models import EntryType

_FOLDER = Path(__file__).parents[1] / "weights"
_MOST_WINDOWS = 4
"""Stretches of one mail that are heard; each takes up to 30 ms of one core."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a mail's words say of an amount.

    `work`, `free`: the logarithm of the odds that it is the sender's finished work, and, if so, that it isn't charged;
    `kinds`: a score of each type, comparable with each other.
    """

    work: float
    kinds: Mapping[EntryType, float]
    free: float


class Model(Protocol):
    """What runs a stretch of mail; `kinds` are the types of work in the order in which it tells them."""

    kinds: tuple[EntryType, ...]

    def run(self, window: Window) -> list[list[float]]:
        """For each amount of the stretch what the model says of it: work, each type of work, not charged."""


class Hearing:
    """The encoder with its vocabulary; may be shared between threads."""

    def __init__(self, model: Model, wordpieces: Wordpieces) -> None:
        self._model = model
        self._wordpieces = wordpieces

    def hear(self, email: Email, amounts: Sequence[Span], unsure: Collection[int]) -> dict[int, Heard]:
        """What is heard of the amounts, by their place in `amounts`; only stretches with an unsure one are run."""
        found: dict[int, Heard] = {}
        asked = [
            window
            for window in windows(email, amounts, self._wordpieces)
            if any(which in unsure for which, _, _ in window.amounts)
        ]
        for window in asked[:_MOST_WINDOWS]:
            for (which, _, _), told in zip(window.amounts, self._model.run(window), strict=True):
                work, *kinds, free = told
                found[which] = Heard(work, dict(zip(self._model.kinds, kinds, strict=True)), free)
        return found


@cache
def hearing() -> Hearing:
    """The process's encoder, loaded when it is first needed. Raises EncoderMissing if it can't be."""
    try:
        from shared.extraction.encoder.session import Session  # noqa: PLC0415  the runtime takes a sixth of a second

        vocabulary = (_FOLDER / "vocabulary.txt").read_text(encoding="utf-8").splitlines()
        return Hearing(Session(_FOLDER / "encoder.onnx"), Wordpieces(vocabulary))
    except Exception as error:
        raise EncoderMissing(f"the encoder can't be loaded: {type(error).__name__}") from error
