"""Text as the encoder reads it: words cut into pieces that its vocabulary holds, each with its place in the text.

The scheme is WordPiece: of a word the longest known beginning, then of its rest, and so on, pieces within a word
written "##like". What is no word or number is a piece by itself, and so are the end of a line and of a table's cell.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

_WORD = re.compile(r"[^\W_]+|\n[^\S\t]{0,99}|\t|[^\w\s]|_")
_LONGEST = 40
"""Letters of a word that are read; a longer one is no word."""
_LINE_END, _CELL_END, _UNKNOWN, OPENING, CLOSING = "[unused1]", "|", "[UNK]", "[CLS]", "[SEP]"


@dataclass(frozen=True, slots=True)
class Pieces:
    """A text in pieces: the number of each in the vocabulary, and where its word begins and ends in the text."""

    numbers: tuple[int, ...]
    starts: tuple[int, ...]
    ends: tuple[int, ...]


class Wordpieces:
    """Cuts text by a vocabulary, whose pieces are numbered in their order."""

    def __init__(self, vocabulary: Sequence[str]) -> None:
        self._numbers = {piece: number for number, piece in enumerate(vocabulary)}
        self._line_end, self._cell_end = self._numbers[_LINE_END], self._numbers[_CELL_END]
        self._unknown = self._numbers[_UNKNOWN]
        self.opening, self.closing = self._numbers[OPENING], self._numbers[CLOSING]

    def cut(self, text: str) -> Pieces:
        """The pieces of a text, in order."""
        numbers: list[int] = []
        starts: list[int] = []
        ends: list[int] = []
        known: dict[str, tuple[int, ...]] = {}
        for word in _WORD.finditer(text):
            pieces = known.get(word[0])
            if pieces is None:
                pieces = known[word[0]] = self._cut(word[0])
            numbers += pieces
            starts += [word.start()] * len(pieces)
            ends += [word.end()] * len(pieces)
        return Pieces(tuple(numbers), tuple(starts), tuple(ends))

    def _cut(self, word: str) -> tuple[int, ...]:
        if word[0] == "\n":
            return (self._line_end,)
        if word == "\t":
            return (self._cell_end,)
        plain = _plain(word[: _LONGEST + 1])
        if len(plain) > _LONGEST:
            return (self._unknown,)
        found: list[int] = []
        at = 0
        while at < len(plain):
            for end in range(len(plain), at, -1):
                number = self._numbers.get(("##" if at else "") + plain[at:end])
                if number is not None:
                    break
            else:
                return (self._unknown,)
            found.append(number)
            at = end
        return tuple(found) or (self._unknown,)


def _plain(word: str) -> str:
    """A word in small letters without accents, as the vocabulary has it."""
    small = word.lower()
    if small.isascii():
        return small
    return "".join(each for each in unicodedata.normalize("NFD", small) if unicodedata.category(each) != "Mn")
