"""The body as lines, each with what it is: the form in which quotes and signatures are told from new text."""

from dataclasses import dataclass
from enum import Enum, auto

from shared.mail.look import Colour

LINE_LIMIT = 20_000  # lines of one mail that are read: a book has as many


class Mark(Enum):
    """What a line is. Only NEW lines are the sender's own words in this email."""

    NEW = auto()
    QUOTED = auto()
    SIGNATURE = auto()


@dataclass(slots=True)
class Line:
    """One line of the body, without its line end.

    `inks`: the pieces of it that were given a colour, in order.
    """

    text: str
    mark: Mark = Mark.NEW
    inks: tuple[tuple[str, Colour], ...] = ()
