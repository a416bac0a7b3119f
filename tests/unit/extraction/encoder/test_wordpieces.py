"""Text in pieces: each known, each where its word stands."""

from hypothesis import given
from hypothesis import strategies as st

from shared.extraction.encoder.wordpieces import Wordpieces

VOCABULARY = [
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[unused1]",
    "review",
    "##ed",
    "##ing",
    "the",
    "resume",
    ".",
    "4",
    "0",
    "£",
    "##h",
    "|",
]
WORDPIECES = Wordpieces(VOCABULARY)


def pieces(text: str) -> list[str]:
    return [VOCABULARY[number] for number in WORDPIECES.cut(text).numbers]


def test_a_word_is_cut_into_its_longest_known_pieces() -> None:
    assert pieces("Reviewed the") == ["review", "##ed", "the"]


def test_digits_and_marks_stand_alone_but_for_what_follows_a_digit_at_once() -> None:
    assert pieces("0.4 4h £4") == ["0", ".", "4", "4", "##h", "£", "4"]


def test_a_word_of_which_a_piece_is_unknown_is_unknown() -> None:
    assert pieces("reviewable") == ["[UNK]"]


def test_accents_and_capitals_make_no_other_word() -> None:
    assert pieces("RÉSUMÉ résumé") == ["resume", "resume"]


def test_the_end_of_a_line_is_a_piece_however_many_lines_are_empty() -> None:
    assert pieces("the\n\n   the") == ["the", "[unused1]", "the"]


def test_the_end_of_a_cell_is_a_piece_also_of_an_empty_one() -> None:
    assert pieces("the\t\t4\n\tthe\n") == ["the", "|", "|", "4", "[unused1]", "|", "the", "[unused1]"]


def test_a_word_longer_than_words_are_is_unknown_and_costs_nothing() -> None:
    assert pieces("a" * 5000) == ["[UNK]"]


@given(st.text())
def test_each_piece_stands_where_its_word_does(text: str) -> None:
    cut = WORDPIECES.cut(text)

    assert len(cut.numbers) == len(cut.starts) == len(cut.ends)
    assert list(cut.starts) == sorted(cut.starts)
    assert all(0 <= start < end <= len(text) for start, end in zip(cut.starts, cut.ends, strict=True))
