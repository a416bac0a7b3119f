"""Examples for the encoder with other amounts in them: labels and the words around stay."""

import random

import pytest

from shared.extraction.durations.read import read_amounts
from shared.extraction.durations.reading import Form
from shared.extraction.encoder.wordpieces import Wordpieces
from tests.accuracy import varied
from tests.accuracy.examples import Amount, Example, examples
from tests.accuracy.told import HERE, WEIGHTS
from tests.accuracy.varied import Varied

WORDPIECES = Wordpieces((WEIGHTS / "vocabulary.txt").read_text(encoding="utf-8").splitlines())


@pytest.fixture(scope="module")
def known() -> list[Example]:
    """The mail of the corpus, in pieces."""
    return examples([HERE / "corpus" / "emails.jsonl"], WORDPIECES)["emails"]


def vary(example: Example, seed: int = 7) -> Example:
    return Varied(WORDPIECES, random.Random(seed))(example)  # noqa: S311  nothing secret


def written(text: str, minutes: float, form: Form, before: str = "spent ") -> Example:
    """An example with one amount in it, which is work."""
    head, amount, rest = (WORDPIECES.cut(part).numbers for part in (before, text, " on the brief"))
    told = Amount(
        len(head),
        len(head) + len(amount) - 1,
        work=True,
        kind=0,
        free=False,
        counts=1.0,
        text=text,
        minutes=minutes,
        form=form,
    )
    return Example((*head, *amount, *rest), (told,))


def test_labels_stay_and_so_do_the_words_around(known: list[Example]) -> None:
    changed = 0
    for number, example in enumerate(known):
        new = vary(example, number)
        changed += new.pieces != example.pieces
        assert [(each.work, each.kind, each.free, each.counts) for each in new.amounts] == [
            (each.work, each.kind, each.free, each.counts) for each in example.amounts
        ]
        assert _around(new) == _around(example)
    assert changed > len(known) // 4


def _around(example: Example) -> list[int]:
    """The pieces that are of no amount, without the words that only amounts have before them."""
    amounts = {at for each in example.amounts for at in range(each.first, each.last + 1)}
    left_out = {WORDPIECES.cut(word).numbers[0] for word in varied._BEFORE}
    return [piece for at, piece in enumerate(example.pieces) if at not in amounts and piece not in left_out]


@pytest.mark.parametrize("minutes", [5, 37, 90, 480])
def test_a_span_of_the_clock_is_as_long_as_the_amount(monkeypatch: pytest.MonkeyPatch, minutes: int) -> None:
    monkeypatch.setattr(varied, "AS_SPANS", 1.0)
    for seed in range(40):
        (amount,) = vary(written(f"{minutes} minutes", minutes, Form.SPOKEN), seed).amounts
        (read,) = read_amounts(f"I spent {amount.text} on the brief")
        assert (read.best, read.form) == (minutes, Form.CLOCK), amount.text


def test_the_word_for_goes_before_a_span(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(varied, "AS_SPANS", 1.0)
    new = vary(written("90 minutes", 90, Form.SPOKEN, before="met her for "))
    assert new.pieces[: new.amounts[0].first] == WORDPIECES.cut("met her ").numbers


@pytest.mark.parametrize(
    ("text", "minutes", "form"),
    [
        ("45 minutes", 45, Form.SPOKEN),
        ("1.5 hrs", 90, Form.SPOKEN),
        (".4", 24, Form.BARE),
        ("2.3", 138, Form.BARE),
        ("0.25", 15, Form.BARE),
    ],
)
def test_another_number_is_written_as_the_first_was(
    monkeypatch: pytest.MonkeyPatch, text: str, minutes: float, form: Form
) -> None:
    monkeypatch.setattr(varied, "AS_SPANS", 0.0)
    monkeypatch.setattr(varied, "RENUMBERED", 1.0)
    texts = {vary(written(text, minutes, form), seed).amounts[0].text for seed in range(40)}
    assert len(texts) > 5
    for new in texts:
        (read,) = read_amounts(f"reply brief {new}")
        assert read.form is form
        assert new.startswith(".") <= text.startswith(".")


@pytest.mark.parametrize("text", ["1 hour", "an hour and a half", "half a day"])
def test_what_cannot_be_numbered_anew_stays(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(varied, "AS_SPANS", 0.0)
    monkeypatch.setattr(varied, "RENUMBERED", 1.0)
    example = written(text, 60, Form.SPOKEN)
    assert vary(example) == example
