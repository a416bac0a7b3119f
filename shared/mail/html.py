"""An HTML body as lines of text: one for each block, list item and table row, a tab between cells.

What a reader doesn't see is left out, and lines that the markup itself calls a quote or a signature are marked so.
"""

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from selectolax.lexbor import LexborHTMLParser, LexborNode

from shared.mail.lines import LINE_LIMIT, Line, Mark
from shared.mail.look import Colour, Look
from shared.mail.markup import STRUCK, Attributes, Traits, traits
from shared.mail.styles import hidden_names
from shared.mail.tame import tame

_SKIPPED = frozenset(
    {
        "script", "style", "head", "title", "template", "svg", "math", "iframe", "object", "noframes", "audio", "video",
        "select", "textarea", "dialog", "datalist", "noembed", "canvas",
    }
)  # fmt: skip
_BLOCKS = frozenset(
    {
        "address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details", "div", "dl", "dt",
        "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr",
        "html", "legend", "li", "main", "nav", "ol", "p", "pre", "section", "summary", "table", "tbody", "tfoot",
        "thead", "tr", "ul",
    }
)  # fmt: skip
_SPACED = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "hr"})  # drawn with room above and below
_CELLS = frozenset({"td", "th"})
_TELLING = frozenset({"blockquote", "pre"}) | STRUCK  # say something without any attribute
_SILENT = Traits()
_STYLE = re.compile("(?i)<style")
_STRUCK = re.compile(r"(?i)<(?:s|strike|del)[\s>]|line-through")
_SPACES = re.compile(r"[ \t\n\r\f]{2,}|[\t\n\r\f]")
_DOUBLE = re.compile(r" {2,}")
_NODE_LIMIT = 100_000  # nodes of one mail that are read
_CELL_LINES = 3  # a cell with more lines is a column of a layout, unless it is the only one such in its row
_ROW_LENGTH = 1_500  # characters of a row that is still a row of data
_GREY = 40  # by how much the channels of a grey differ at most
_MOST_COLUMNS = 60  # in which cells keep their places
_WIDEST, _LONGEST = 30, 500  # columns and rows that one cell is believed to reach over


@dataclass(frozen=True, slots=True)
class _State:
    """What an element hands down to those inside it. `hidden`: nobody can read text that looks so."""

    look: Look
    mark: Mark = Mark.NEW
    verbatim: bool = False
    hidden: bool = False

    def inside(self, said: Traits) -> "_State":
        """What an element with these traits hands down, standing in one that hands down this."""
        look = said.look(self.look)
        mark = said.mark if said.mark and self.mark is Mark.NEW else self.mark
        return _State(look, mark, said.keeps_spaces or self.verbatim, look.hidden)


class _Open(NamedTuple):
    """An element that is not closed yet. `first`: the number of lines there were when it opened."""

    tag: str
    state: _State
    breaks: bool = False
    spaced: bool = False
    container: bool = False
    first: int = 0


@dataclass(slots=True)
class _Table:
    """A table that is not closed yet.

    `rows`: for each open row, its cells: where each begins, and how many columns and rows it reaches over. `reaching`:
    for each column into which a cell of a row above reaches, in how many rows from here on.
    """

    rows: list[list[tuple[int, int, int]]] = field(default_factory=list)
    reaching: dict[int, int] = field(default_factory=dict)

    def columns(self, cells: list[tuple[int, int, int]]) -> list[int]:
        """Which column each cell of the next row begins in; takes note of those that reach into the rows below.

        Beyond `_MOST_COLUMNS` cells just follow each other.
        """
        found: list[int] = []
        taken = {column for column, rows in self.reaching.items() if rows}
        self.reaching = {column: rows - 1 for column, rows in self.reaching.items() if rows > 1}
        column = 0
        for _, wide, high in cells:
            while column in taken:
                column += 1
            found.append(column)
            beyond = min(column + wide, _MOST_COLUMNS)
            if high > 1:
                self.reaching |= dict.fromkeys(range(column, beyond), high - 1)
            column = max(column + 1, beyond)
        return found


def lines(source: str) -> list[Line]:
    """The visible text of an HTML document, in reading order. Never raises, in time linear in `source`."""
    root = LexborHTMLParser(tame(source)).root
    if root is None:
        return []
    sheets = "\n".join(sheet.text() for sheet in root.css("style")) if _STYLE.search(source) else ""
    return _Renderer(hidden_names(sheets)).render(root)


def strikes(source: str) -> bool:
    """Whether anything in an HTML document may be struck out."""
    return bool(_STRUCK.search(source))


class _Renderer:
    def __init__(self, hidden: frozenset[str]) -> None:
        self._hidden = hidden
        self._lines: list[Line] = []
        self._pieces: list[str] = []
        self._inks: list[tuple[str, Colour]] = []
        self._mark = Mark.NEW
        self._verbatim = False
        self._rest_quoted = False
        self._tables = [_Table()]  # the open ones, from the outermost; the first for rows without a table
        self._states: dict[tuple[int, int], _State] = {}
        self._traits: dict[tuple[object, ...], Traits] = {}  # a mail repeats the same few attributes all over

    def render(self, root: LexborNode) -> list[Line]:
        stack = [_Open("", _State(Look()))]
        node: LexborNode | None = root
        budget = _NODE_LIMIT
        while node is not None and budget and len(self._lines) < LINE_LIMIT:
            budget -= 1
            inside = self._enter(node, stack)
            following = node.child if inside else None
            if following is None:
                if inside:
                    self._leave(stack.pop())
                while (following := node.next) is None and len(stack) > 1 and node.parent is not None:
                    node = node.parent
                    self._leave(stack.pop())
            node = following
        while len(stack) > 1:
            self._leave(stack.pop())
        self._break()
        return _without_outer_blanks(self._lines)

    def _enter(self, node: LexborNode, stack: list[_Open]) -> bool:
        """Take in a node; whether its children are to be read."""
        tag = node.tag or ""
        state = stack[-1].state
        if tag == "-text":
            if not state.hidden:
                self._text(node.text_content or "", state)
            return False
        if tag == "br":
            self._break(force=True)
            return False
        if tag in _SKIPPED or tag[:1] in "-!":  # no element at all: a comment, a doctype
            return False
        said = self._said(tag, node.attributes)
        if said.gone:
            return False
        breaks = tag in _BLOCKS or tag in _CELLS
        if said is not _SILENT:
            inner = self._inside(state, said)
            breaks = breaks or inner.mark is not state.mark
            state = inner
        spaced = tag in _SPACED and not said.tight
        if breaks:
            self._break()
        if spaced:
            self._blank()
        if tag == "table":
            self._tables.append(_Table())
        elif tag == "tr":
            self._tables[-1].rows.append([])
        elif tag in _CELLS and self._tables[-1].rows:
            wide, high = (_reach(node, name, most) for name, most in (("colspan", _WIDEST), ("rowspan", _LONGEST)))
            self._tables[-1].rows[-1].append((len(self._lines), wide, high))
        self._rest_quoted = self._rest_quoted or said.begins_quote
        stack.append(_Open(tag, state, breaks, spaced, said.container, len(self._lines)))
        return True

    def _said(self, tag: str, attributes: Attributes) -> Traits:
        if not attributes and tag not in _TELLING:
            return _SILENT
        key = (tag, *attributes.items())
        said = self._traits.get(key)
        if said is None:
            said = self._traits[key] = traits(tag, attributes, self._hidden)
        return said

    def _inside(self, state: _State, said: Traits) -> _State:
        key = (id(state), id(said))  # both are kept alive here, so that no other has their id
        found = self._states.get(key)
        if found is None:
            found = state.inside(said)
            self._states[key] = found
        return found

    def _leave(self, element: _Open) -> None:
        if element.breaks:
            self._break()
        if element.tag == "tr" and self._tables[-1].rows:
            self._row(self._tables[-1].rows.pop(), self._tables[-1])
        elif element.tag == "table" and len(self._tables) > 1:
            self._tables.pop()
        if element.spaced:
            self._blank()
        if element.container:
            inner = self._lines[element.first :]
            if all(line.mark is Mark.NEW for line in inner):  # no quote stands out in it: it is one as a whole
                for line in inner:
                    line.mark = Mark.QUOTED

    def _text(self, text: str, state: _State) -> None:
        self._mark = Mark.QUOTED if self._rest_quoted else state.mark
        if not state.verbatim:
            self._pieces.append(_SPACES.sub(" ", text))
            if state.look.ink and _is_coloured(state.look.ink) and text.strip():
                self._inks.append((self._pieces[-1], state.look.ink))
            return
        self._verbatim = True
        first, *others = text.replace("\r", "").split("\n", LINE_LIMIT)
        self._pieces.append(first)
        for other in others:
            self._break(force=True)
            self._verbatim = True
            self._pieces.append(other)

    def _break(self, *, force: bool = False) -> None:
        """End the line. An empty one counts only with `force`."""
        if not self._pieces and not force:
            return
        text = "".join(self._pieces)
        if not self._verbatim and "  " in text:
            text = _DOUBLE.sub(" ", text)
        text = text.rstrip() if self._verbatim else text.strip()
        if text or force:
            self._lines.append(Line(text, self._mark, tuple(self._inks)))
        elif self._pieces and any("\xa0" in piece for piece in self._pieces):
            self._blank()
        self._pieces.clear()
        self._inks.clear()
        self._verbatim = False

    def _blank(self) -> None:
        if self._lines and self._lines[-1].text:
            self._lines.append(Line("", self._lines[-1].mark))

    def _row(self, row: list[tuple[int, int, int]], table: _Table) -> None:
        """Make one line of a row of data; the row of a layout keeps the lines of its cells.

        A cell stands in its column: before it there are as many tabs, also for what reaches down from the rows above.
        """
        columns = table.columns(row)
        starts = [start for start, _, _ in row]
        if len(starts) < 2 or len(self._lines) - starts[0] > _ROW_LENGTH:
            return
        ends = [*starts[1:], len(self._lines)]
        cells = [[line for line in self._lines[a:b] if line.text] for a, b in zip(starts, ends, strict=True)]
        written = [line for cell in cells for line in cell]
        if (
            sum(map(bool, cells)) > 1
            and sum(len(cell) > _CELL_LINES for cell in cells) <= 1
            and sum(len(line.text) for line in written) <= _ROW_LENGTH
            and all(line.mark is written[0].mark for line in written)
        ):
            texts = dict(zip(columns, (" ".join(line.text for line in cell) for cell in cells), strict=True))
            text = "\t".join(texts.get(column, "") for column in range(columns[-1] + 1))
            self._lines[starts[0] :] = [Line(text, written[0].mark)]


def _is_coloured(ink: Colour) -> bool:
    return max(ink) - min(ink) > _GREY


def _reach(cell: LexborNode, name: str, most: int) -> int:
    """Over how many columns or rows a cell says that it reaches: at least one; no number is one."""
    said = (cell.attributes.get(name) or "").strip()
    return max(1, min(int(said), most)) if said.isdecimal() and len(said) < 9 else 1


def _without_outer_blanks(found: list[Line]) -> list[Line]:
    first, last = 0, len(found)
    while first < last and not found[first].text:
        first += 1
    while last > first and not found[last - 1].text:
        last -= 1
    return found[first:last]
