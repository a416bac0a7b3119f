"""Whose time a line holds, where a mail lists several timekeepers: "7/8 | RDH | 0.60", "JMC 2.2, RT 2.2", "Ollie: 3.5".

Capitals are initials, and a word with a capital a name, only where the sender's own stand in the same way in other
lines; else "TC" or "LOI" would be a timekeeper. Initials that begin a line or stand after a slash or bar, right before
hours, stand in the same way. In a table whose head is a row of initials, the sender's among them, each column is one
person's; where lines of time stand under names, the sender's among them ("Cho, Robert T."), so are those under each.
"""

import re
from collections.abc import Iterator, Sequence
from enum import StrEnum
from itertools import islice, zip_longest

from shared.extraction.lexicon import WORK_BASE, WORK_GERUND, WORK_NOUN, WORK_PAST
from shared.extraction.wordlist import DAYS, words
from shared.mail.email import Email

_WHO = (
    r"(?:[A-Z]{2,4}|[A-Z][a-z]{1,15}(?:['’-][A-Za-z]{1,15})?(?: (?:[A-Z][a-z'’-]{1,20}|[A-Z](?:-[A-Z])?(?![\w'’])))?)"
)
_PERSONS = re.compile(
    r"(?P<before>^[ \t]{0,40}(?:[-*•]\s{0,9})?|(?:[|\t,;:(]|(?<!w)/)\s{0,9}|\s[-–—]\s{0,9}"
    r"|(?<![ \u00a0])[ \u00a0]{2,80}|\b(?:and|plus)\s)"
    rf"(?P<who>{_WHO}(?:(?: ?[+&/] ?| and ){_WHO}){{0,3}})"
    r"(?P<after>\s{0,9}[|\t;:)/(]|\s[-–—]|[ \u00a0]{2}|\s(?=\.?\d))",
    re.MULTILINE,
)
_HEAD = re.compile(
    r"^[ \t]*(?:[A-Z]?[a-z]{2,8}(?:[ \t]{2,}|\t))?[A-Z]{2,4}(?:(?:[ \t]{2,}|\t)[A-Z]{2,4})+[ \t]*$", re.MULTILINE
)
_NAME = r"[A-Z][\w'’-]{1,20}"
_NAMED = re.compile(
    rf"^[ \t]*[*_]?(?P<name>{_NAME},[ ]{_NAME}(?:[ ][A-Z]\.?)?|{_NAME}(?:[ ][A-Z]\.?)?[ ]{_NAME}|[A-Z]{{2,4}}|Me)[*_]?"
    r"(?P<role>[ ]\([^()\n]{2,40}\))?(?P<mark>:?)[ \t]*$",
    re.MULTILINE,
)
"""A line that is nothing but somebody's name, with what they are: "Cho, Robert T.", "Ann Lowe (partner):"."""
_TIME = re.compile(r"(?<![\w.$£€])(?:\d{0,2}\.\d{1,2}|\d{0,2}:\d\d|\d+ ?(?:h|m|u|hrs?|hours?|mins?|minutes?|units?)\b)")
_CELL = re.compile(r"(?:(?<=[ \t][ \t])|(?<=\t))(?:\d{0,2}[.,:]?\d{1,2}|-|–|nil)(?=[ \t]{2}|\t|[ \t]*$)", re.MULTILINE)
"""A cell of a column of hours; also of a day on which somebody had none."""
_ASIDE = 3
"""Characters that a cell may stand beside the initials of its column."""
_SELF = frozenset({"me", "self", "myself", "mine"})
_NOBODY = (
    WORK_BASE | WORK_GERUND | WORK_NOUN | WORK_PAST
    | frozenset(DAYS)
    | frozenset(
        words(
            """
            total totals subtotal hours time date matter client re subject from sent cc note notes today yesterday
            mon tue tues wed weds thu thur thurs fri sat sun
            january february march april may june july august september october november december
            jan feb mar apr jun jul aug sep sept oct nov dec
            """
        )
    )
)  # fmt: skip
"""Words with a capital that begin a line and are nobody's name."""
ABBREVIATIONS = frozenset({"TC", "NC", "OC", "PC", "CC", "RE", "TCW", "TEL", "REV", "ATT", "CONF", "MTG", "VM", "VC"})
"""Capitals in time lines that are nobody's initials."""
_HOURS = re.compile(r"[ \u00a0]*(?:\d{0,2}[.,:]\d{1,2}|\d{1,2})(?![\w.,:/-]*\d)")
_BEGINS = frozenset({"", "/", "|", ":"})
"""Marks after which initials before hours are a timekeeper's, whichever of them stands before the sender's."""
_MOST_TABLES, _MOST_CELLS = 5, 20
_LONGEST = 400
"""Characters: a longer line is prose, in which nobody is named by initials in a column."""
_MOST = 500
"""Persons that are looked at in one mail: several times what people write."""


class Whose(StrEnum):
    """Whose time an amount is, where it stands beside a person."""

    SENDERS = "beside the sender's own initials or name"
    ELSES = "beside somebody else's"


class Timekeepers:
    """The initials and names that a mail's lines hold in the place where other lines hold the sender's."""

    def __init__(self, email: Email) -> None:
        self._letters = re.sub(r"[^a-z]", "", email.sender.name.lower())
        self._words = re.findall(r"[^\W\d_]+", email.sender.name.lower())
        self._text = email.body
        self._found: list[tuple[int, bool]] = []
        slots = set[str]()
        placed: list[tuple[int, str, set[str]]] = []
        for span in email.new:
            for found in islice(_PERSONS.finditer(email.body, span.start, span.end), _MOST):
                its = set(self._slots(found))
                placed.append((found.start("who"), found["who"], its))
                if self._is_sender(found["who"]):
                    slots |= its
        self._found = [
            (at, self._is_sender(who))
            for at, who, its in placed
            if not slots.isdisjoint(its) and who.lower() not in _NOBODY
        ]
        self._columns = {at: mine for span in email.new for at, mine in self._cells(span.start, span.end)}
        self._sections = [each for span in email.new for each in self._under_names(span.start, span.end)]

    def _slots(self, found: re.Match[str]) -> Iterator[str]:
        """The sorts of place in which a person stands: its marks; of initials right before hours, that too."""
        before, after = found["before"], found["after"]
        yield _kind(before) + (_kind(after) if after.strip() else " ")
        begins = before.strip(" \u00a0\t*•-") in _BEGINS
        if found["who"].isupper() and begins and not after.strip() and _HOURS.match(self._text, found.end()):
            yield "before hours"

    def _under_names(self, start: int, end: int) -> Iterator[tuple[int, int, bool]]:
        """Stretches of lines under a name each, and whether it is the sender's; none unless one of them is.

        A name counts that has a line of time right below it and is written as the sender's is; not one in plain words,
        as clients' are over their lines, and the sender's below her mail. Its lines end with the next name, or with an
        empty one.
        """
        names = [
            each
            for each in islice(_NAMED.finditer(self._text, start, end), _MOST)
            if (each["role"] or each["mark"] or "," in each["name"] or " " not in each["name"])
            and (each["name"] not in ABBREVIATIONS or self._is_named(each["name"]))
            and _TIME.search(self._text, each.end(), self._ends(min(each.end() + 1, end), end))
        ]
        own = {_shape(each) for each in names if self._is_named(each["name"])}
        for each, after in zip_longest(names, names[1:]):
            if _shape(each) not in own:
                continue
            stop = after.start() if after else end
            blank = self._text.find("\n\n", each.end(), stop)
            yield each.end(), stop if blank < 0 else blank, self._is_named(each["name"])

    def _is_named(self, name: str) -> bool:
        """Whether a name is the sender's: with her first and her last name, or her initials."""
        words = re.findall(r"[^\W\d_]+", name.lower())
        return {*self._words[:1], *self._words[-1:]} <= set(words) if len(words) > 1 else self._is_senders(name)

    def _cells(self, start: int, end: int) -> Iterator[tuple[int, bool]]:
        """Where the cells of tables with a row of initials at their head begin, and whether each is the sender's.

        A cell is the person's under whose initials it stands; a table ends with the first line that has none.
        """
        for head in islice(_HEAD.finditer(self._text, start, end), _MOST_TABLES):
            persons = re.finditer(r"[A-Z]{2,4}(?=\s|$)", head[0].expandtabs())
            columns = [(who.start(), who.end(), self._is_sender(who[0])) for who in persons]
            if not any(mine for _, _, mine in columns):
                continue
            at = head.end() + 1
            while at < end and (cells := list(self._under(columns, at, min(self._ends(at, end), at + _LONGEST)))):
                yield from cells
                at = self._ends(at, end) + 1

    def _ends(self, at: int, end: int) -> int:
        """Where the line of `at` ends."""
        stop = self._text.find("\n", at, end)
        return end if stop < 0 else stop

    def _under(self, columns: Sequence[tuple[int, int, bool]], at: int, stop: int) -> Iterator[tuple[int, bool]]:
        """The cells of a line that belong to `columns` (first and last place, whether the sender's).

        By their order where there are as many, else by their places: people leave cells empty, and add up rows.
        """
        cells = list(islice(_CELL.finditer(self._text, at, stop), _MOST_CELLS))
        if len(cells) == len(columns):
            yield from ((cell.start(), mine) for cell, (_, _, mine) in zip(cells, columns, strict=True))
            return
        for cell in cells:
            first = len(self._text[at : cell.start()].expandtabs())
            last = first + len(cell[0])
            apart = [(max(begins - last, first - ends, 0), mine) for begins, ends, mine in columns]
            nearest = min(apart, key=lambda each: each[0])
            if nearest[0] <= _ASIDE:
                yield cell.start(), nearest[1]

    def whose(self, start: int, end: int, at: int) -> Whose | None:
        """Beside whom the amount at `at`, in the passage `start..end`, stands; None if beside nobody."""
        if at in self._columns:
            return Whose.SENDERS if self._columns[at] else Whose.ELSES
        under = next((mine for begins, ends, mine in self._sections if begins <= at < ends), None)
        if under is not None:
            return Whose.SENDERS if under else Whose.ELSES
        if not self._found or end - start > _LONGEST:
            return None
        begin = max(start, self._text.rfind("\n", start, at) + 1)
        stop = self._ends(at, end)
        beside = [(place, mine) for place, mine in self._found if begin <= place < stop]
        before = [each for each in beside if each[0] < at]
        nearest = before[-1] if before else beside[0] if beside else None
        if nearest is None:
            return None
        # "Self - Allianz - rang them": a firm may stand where others stand, too.
        initials = self._text[nearest[0] : nearest[0] + 2].isupper()
        if nearest[1] or (not initials and self._names_sender(self._text[begin:stop])):
            return Whose.SENDERS
        return Whose.ELSES

    def _names_sender(self, line: str) -> bool:
        mine = {each.capitalize() for each in (*self._words, *_SELF)}
        return not mine.isdisjoint(re.findall(r"[^\W\d_]+", line))

    def _is_sender(self, who: str) -> bool:
        """Whether these could be the sender, by name or initials, alone or with others."""
        return any(self._is_senders(each) for each in re.split(r" ?[+&/] ?| and ", who))

    def _is_senders(self, who: str) -> bool:
        low = who.lower()
        if not who.isupper():
            first, _, last = low.partition(" ")
            initials = "".join(each[0] for each in self._words[1:])
            called = last in {"", *self._words} or last.replace("-", "") in {initials, initials[-1:]}
            return low in _SELF or (first in self._words[:1] and called) or low in self._words[1:]
        return self._are_initials(low)

    def _are_initials(self, low: str) -> bool:
        """Whether these could be the sender's initials: of each name, with or without what is between."""
        if len(self._words) < 2 or low[0] != self._words[0][0]:
            return False
        if low[-1] != self._words[-1][0] and low[1] != self._words[-1][0]:
            return False
        at = 0
        for letter in low:
            at = self._letters.find(letter, at) + 1
            if not at:
                return len(low) == 3 and low[0] + low[-1] == self._words[0][0] + self._words[-1][0]
        return True


def _shape(name: re.Match[str]) -> tuple[bool, bool, bool]:
    """How a name is written over lines: with a comma, in capitals, with a colon after it."""
    return "," in name["name"], name["name"].isupper() or name["name"] == "Me", bool(name["mark"])


def _kind(mark: str) -> str:
    """The sort of place: a line's begin or gap, a cell's bar, or whichever mark it is."""
    bare = mark.strip(" \u00a0*•")
    if bare[:1].isalpha() or bare[:1] in set(",;:("):
        return ","
    return bare[:1] or ("^" if not mark.strip() and "\n" not in mark and len(mark) < 2 else " ")
