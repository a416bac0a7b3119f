"""Where a mail holds somebody's words between double quotation marks: a form, a citation, what another said."""

import re
from collections.abc import Iterable

from shared.mail.email import Span

_QUOTED = re.compile(r"(?<![\w\"])[\"\u201c](?=\S)[^\"\u201c\u201d]{1,1500}[\"\u201d]")


class Quotes:
    """The quoted stretches of a text."""

    def __init__(self, text: str, spans: Iterable[Span]) -> None:
        self._runs = [found.span() for span in spans for found in _QUOTED.finditer(text, span.start, span.end)]

    def hold(self, place: int) -> bool:
        """Whether a place lies inside quotation marks."""
        return any(begin < place < end for begin, end in self._runs)
