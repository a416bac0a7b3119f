"""What the lines of a mail say of themselves.

The day and matter they begin with or stand under, whose line it is, and which cell holds the hours.

Time sheets in mail are lists under headings: a day or a matter named once holds for the lines below it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from itertools import zip_longest

from shared.extraction.attribution.date import Calendar
from shared.extraction.attribution.matter import heading_matter
from shared.extraction.columns import Columns, columns, plans
from shared.extraction.context.setting import Setting, heading_of
from shared.extraction.passages import Passage, passages
from shared.extraction.table import Cell, cells, separator
from shared.extraction.timekeepers import ABBREVIATIONS
from shared.mail.email import Email

_BULLET = re.compile(r"^\s*(?:[-*•·–—◦▪]\s+|\(?(?:\d{1,2}|[a-z]|[ivx]{2,4})[.)]\s+)")
_TIME_HERE = re.compile(
    r"(?<![\w.$£€])\d{0,2}\.\d{1,2}(?![%.\d])|\d{3,4}\s?[-–]\s?\d{3,4}|\d{0,2}:\d\d"
    r"|\d\s?h\s?\d|[\d½¼¾]\s?(?:h|m|hrs?|hours?|mins?|minutes?|u|units?)\b|\b(?:hours?|half|minutes)\b",
    re.IGNORECASE,
)
_WHO = re.compile(
    r"\s*(?:(?P<initials>[A-Z]{2,3})(?=\t|\s{2,}|\s*[:–—-]\s|\s-)|(?P<name>[A-Z]\.\s?[A-Z][a-z]+):"
    r"|(?P<first>[A-Z][a-z]+)(?=:|\s[-–—]\s))"
)
_ROLE = re.compile(
    (
        r"\s*(?:my |the |our )?(?:paralegal|trainee|junior|associate|secretary|assistant|intern|law"
        r" clerk|pupil|articled clerk|para)\b\s*(?:[:–—-]|\(|\t|\w+\s*[:–—-])"
    ),
    re.IGNORECASE,
)
_WORDING = r"language|wording|template|script|specimen|samples?|examples?|boilerplate"
_OFFERS = re.compile(
    rf"\b(?:{_WORDING})\b[^:\n]{{0,60}}:\s*$|\b(?:form|format)\b[^:\n]{{0,40}}\b(?:likes?|wants?"
    rf"|uses?|prefers?|for you)\b.{{0,20}}:\s*$"
    rf"|\b(?:{_WORDING}|draft|statement|paragraphs?)\b.{{0,60}}\b(?:below|follows|following|like"
    rf" this|like so|looks? like)\b"
    r"|\b(?:could|should|would|might) (?:say|read|look like)\b[^:\n]{0,40}:?\s*$",
    re.IGNORECASE,
)
"""Offers wording for use: what follows states nothing itself."""
_TIME_KEPT = (
    r"(?:time|hours|entries|timesheets?|fee (?:application|petition|request|affidavit|claim)"
    r"|billing records?|bill of costs)"
)
_NO_PERSON = (
    r"(?:(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun|To|Yester)day|This|Last|Week|January|February|March|April|May|June|July"
    r"|August|September|October|November|December)"
)
_THEIRS = re.compile(
    rf"\b(?:your|his|her|their)\s+(?:\w+\s+)?{_TIME_KEPT}\b"
    rf"|\b(?!{_NO_PERSON})(?:[A-Z]\w+|counsel|plaintiff|defendant|associate|paralegal)['\u2019]s\s+(?:\w+\s+){{0,2}}"
    rf"(?:{_TIME_KEPT}|bills?|invoices?|costs schedule)\b"
)
_PLANNED_COLUMN = re.compile(
    (
        r"\b(?:deadline|due|est(?:imated?)?|required|credits?|budget(?:ed)?|target|limit|notice"
        r"|assigned|owner|planned|allowance|projected)\b"
    ),
    re.IGNORECASE,
)
_LETTERS = {"m": "Mon", "t": "Tue", "tu": "Tue", "w": "Wed", "th": "Thu", "f": "Fri", "sa": "Sat", "su": "Sun"}
"""How the columns of a week are called."""
_SUMS = re.compile(
    r"\s*(?:(?:sub-?|grand |day |daily |week |weekly )?totals?(?: (?:hours|hrs|time|fees|for (?:the )?(?:day|week)))?"
    r"|sum)[\s:]*",
    re.IGNORECASE,
)
"""What a row is called that adds up those of a week, or of several people."""
_AS_ABOVE = re.compile(r"|[\"'“”\u2033〃,]{1,3}|ditto|do\.?|same|as above|idem|id\.|\.\.\.|…", re.IGNORECASE)
_NONE = re.compile(r"[-–—]+|n/?a|none|nil", re.IGNORECASE)
"""What a cell of a column of matters says of the one above it, and of there being none."""
_WHOLE = re.compile(r"\s*\d{1,3}\s*")
_AMOUNT = re.compile(
    r"\d{0,2}\.\d{1,2}(?: ?h(?:rs?|ours?)?)?\.?|\d{1,3} ?(?:h|hrs?|hours?|m|mins?|minutes?)\.?", re.IGNORECASE
)
_UNIT = re.compile(
    r"\b(?:in|are|all) (?P<are>units|tenths|minutes|mins)\b(?! of\b)"
    r"|(?:^|[.!?:]\s+)(?P<begins>units|tenths|minutes|mins)(?= in\b| as\b| on\b|\s*[,/(])",
    re.IGNORECASE | re.MULTILINE,
)
"""How a mail names the unit of its numbers: "in units", "Minutes, not tenths"."""
_LAST_WEEK = re.compile(r"\b(?:last|previous|prior) week\b", re.IGNORECASE)
_FILLED = re.compile(r"\s*\d{0,2}[.:,]?\d{1,2} ?h?\s*")
_ROWS = 3_000
"""Characters below a heading row in which its rows are looked at beforehand."""
_SUNDAY = 6
_MIDWEEK = 2
"""The first day of the week, from Monday, on which a whole week's table is of the week that isn't over."""
_MINE = re.compile(r"\b(?:my|mine|I|we|our)\b")
_SHORT, _PROSE, _LINE = 60, 110, 160
"""Characters: a heading is shorter than the first, a list's line than the third; prose that ends a list is longer
than the second."""


@dataclass(frozen=True, slots=True)
class Line:
    """What stands around a passage.

    Its day and matter (its own or its heading's), and whether it is another timekeeper's. Of a table's row, `times`:
    the cells that hold its time, each with the unit of a bare number in it and, where its column is a day's, the day;
    `work`: the cell that tells the work; `blank`: cells whose numbers are no time that was worked; `column`: what the
    column of time is called; `free`: whether a column says that it isn't charged.
    """

    day: date | None
    matter: str | None
    times: tuple[tuple[Cell, str, date | None], ...] = ()
    work: Cell | None = None
    blank: tuple[Cell, ...] = ()
    column: str = ""
    free: bool = False
    other: bool = False
    drafted: bool = False
    heading: bool = False
    """Whether it is a table's heading row, which states nothing."""
    rest: int = 0
    """Where the line goes on after its bullet and its day: an offset into the body."""
    dated: bool = False
    """Whether the line begins with a day of its own."""
    told: bool = False
    """Whether a column of matters names the line's."""

    def day_of_column(self, place: int) -> date | None:
        """The day of the column in which an amount stands that begins at this offset; None if it is no day's."""
        return next((day for cell, _, day in self.times if cell.start <= place < cell.end), None)

    def day_at(self, place: int) -> date | None:
        """The day of an amount that begins at this offset: its column's, else the line's."""
        return self.day_of_column(place) or self.day


class Lines:
    """Reads the lines of one email in order, and notes what its headings say of the mail."""

    def __init__(self, email: Email, calendar: Calendar, setting: Setting) -> None:
        self._email = email
        self._text = email.body
        self._calendar = calendar
        self._sent = calendar.sent
        self._setting = setting
        self._day: date | None = None
        self._matter: str | None = None
        self._columns = Columns()
        self._table = -1
        self._mark = "\t"
        self._told = ""
        names = re.findall(r"[^\W\d_]+", email.sender.name)
        self._sender = [name.lower() for name in names]
        self._readers = {word.lower() for each in email.recipients for word in re.findall(r"[^\W\d_]+", each.name)}
        initials = "".join(name[0] for name in names).upper()
        self._draft = -1
        self._greeted = False
        self._theirs = -9
        self._signs_lines = bool(initials) and bool(re.search(rf"(?m)^[ \t*•-]{{0,8}}{initials}\b", email.new_text()))

    def read(self) -> Iterator[tuple[Passage, Line]]:
        """Each passage of the new text with what its line says."""
        for span in self._email.new:
            every = list(passages(self._text, span.start, span.end))
            for passage, after in zip_longest(every, every[1:]):
                yield passage, self._line(passage, after)

    def _line(self, passage: Passage, after: Passage | None) -> Line:
        text = self._text[passage.start : passage.end]
        greets, self._greeted = not self._greeted, True
        if row := self._row(passage):
            return row
        rest = _BULLET.sub("", text)
        own = self._calendar.leading(rest[:200])
        if own:
            rest = rest[own[1] :].lstrip(" \t-–—:,.|*")
        over = not greets and after is not None and self._stands_over(passage, after)
        self._take_heading(passage, text, rest, own[0] if own else None, over=over)
        if passage.block_lines > 1 and len(text) < _LINE and _TIME_HERE.search(text):
            self._setting.lines[passage.block] = self._setting.lines.get(passage.block, 0) + 1
        return Line(
            day=own[0] if own else self._day,
            matter=self._matter,
            other=self._is_others(rest, greets=greets)
            or self._is_under_theirs(passage, text, over_rows=after is not None and after.cells),
            drafted=self._is_drafted(passage, text),
            rest=passage.end - len(rest),
            dated=own is not None,
            blank=self._row_number(passage, text),
        )

    def _row_number(self, passage: Passage, text: str) -> tuple[Cell, ...]:
        """The cell with which a row without a heading row begins, if it counts the rows: its time stands in another."""
        if "\t" not in text or not _WHOLE.fullmatch(text.partition("\t")[0]):
            return ()
        first, *others = cells(self._text, passage.start, passage.end)
        stated = any(_AMOUNT.fullmatch(self._text, cell.start, cell.end) for cell in others)
        return (first,) if stated else ()

    def _stands_over(self, passage: Passage, after: Passage) -> bool:
        """Whether a line between blank ones has rows or items of time below it, and is no reader's name."""
        if passage.block_lines > 1 or not (after.cells or after.item):
            return False
        words = {word.lower() for word in re.findall(r"[^\W\d_]+", self._text[passage.start : passage.end])}
        return not words <= self._readers and bool(
            _TIME_HERE.search(self._text, after.start, min(after.end, after.start + _LINE))
        )

    def _take_heading(self, passage: Passage, text: str, rest: str, day: date | None, *, over: bool) -> None:
        """A line of its own that names a day or a matter holds for what follows; a paragraph of prose ends that."""
        has_time = bool(re.search(r"\d|\bhours?\b|\bhalf\b", rest))
        heads = len(text) < _SHORT and not has_time
        if day and not rest.strip(" :,-–—*."):
            self._day = day
        elif heads and (name := heading_matter(rest)):
            if text.strip().isupper() or text.rstrip().endswith(":") or day or passage.block_lines > 1 or over:
                self._matter = name
        elif len(text) > _PROSE and not has_time:
            self._day = self._matter = None
        head = text if heads or len(text) < _PROSE else text.split(":", maxsplit=1)[0] if ":" in text[:_PROSE] else ""
        reports, plans = heading_of(head)
        if reports:
            self._setting.reports.add(passage.block)
        if plans and (heads or text.rstrip().endswith(":")):
            self._setting.plans |= {passage.block, passage.block + 1}

    def _is_under_theirs(self, passage: Passage, text: str, *, over_rows: bool) -> bool:
        """Whether the passage stands under words that announce another's time ("Your September entries:").

        `over_rows`: a table comes next, which no colon need announce.
        """
        announces = len(text) < 250 and (over_rows or text.rstrip().endswith(":"))
        if announces:
            self._theirs = passage.block if _THEIRS.search(text) and not _MINE.search(text) else -9
            return False
        return self._theirs <= passage.block <= self._theirs + 1

    def _is_drafted(self, passage: Passage, text: str) -> bool:
        """Whether the passage is wording offered for use ("the affidavit could say:"), which states nothing itself."""
        if self._draft < 0 and len(text) < 250 and not _TIME_HERE.search(text) and _OFFERS.search(text):
            self._draft = passage.block
            return False
        return self._draft >= 0

    def _row(self, passage: Passage) -> Line | None:
        """What a table's row says by its columns; None for a line that is none, or of no known table."""
        text = self._text[passage.start : passage.end]
        mark = self._mark if passage.block == self._table else separator(text)
        if not mark:
            return None
        places = cells(self._text, passage.start, passage.end, mark)
        row = [self._text[cell.start : cell.end] for cell in places]
        inside = passage.block == self._table
        if titles := columns(row, self._days_of, self._is_sender, mark=mark, inside=inside):
            self._table, self._mark, self._told = passage.block, mark, ""
            self._columns = self._not_to_come(titles, passage.end + 1)
            return Line(None, None, heading=True)
        if (_PLANNED_COLUMN.search(text) or plans(row)) and not re.search(r"\d", text):
            self._setting.plans.add(passage.block)
        return self._row_of(self._columns, places, row) if inside else self._untitled(places, row, mark)

    def _untitled(self, places: list[Cell], row: list[str], mark: str) -> Line | None:
        """A row without a heading row whose only whole number is of the unit that the mail names ("in units")."""
        numbers = [place for place, cell in zip(places, row, strict=True) if _WHOLE.fullmatch(cell)]
        stated = any(map(_TIME_HERE.search, row))
        if mark != "\t" or len(numbers) != 1 or stated or self._unit is None:
            return None
        own = next((found for cell in row if (found := self._calendar.leading(f"{cell}:"))), None)
        self._day = own[0] if own else self._day
        return Line(self._day, self._matter, times=((numbers[0], self._unit, None),), column=self._unit)

    def _row_of(self, known: Columns, places: list[Cell], row: list[str]) -> Line | None:
        """A row under a heading row; None if it is no row."""
        if len(row) < 2:
            return None
        times = tuple(
            (places[place], self._unit_of(row[place], unit, known.kind), known.days.get(place))
            for place, unit in known.time.items()
            if place < len(row)
        )

        def told(name: str) -> str:
            place = known.named.get(name, len(row))
            return row[place] if place < len(row) else ""

        own = self._calendar.leading(told("day")) if told("day") else None
        self._day = own[0] if own else self._day
        matter = told("matter")
        self._told = "" if _NONE.fullmatch(matter) else self._told if _AS_ABOVE.fullmatch(matter) else matter
        blank = [place for place in known.blank if place < len(row)]
        of_all = "who" in known.named and not told("who") and any(map(_SUMS.fullmatch, row))
        if of_all or (known.days and _SUMS.fullmatch(next((cell for cell in row if cell), ""))):
            blank, times = [*range(len(row))], ()
        return Line(
            day=self._day,
            matter=self._told or self._matter,
            times=times,
            work=places[known.named["work"]] if told("work") else None,
            blank=tuple(places[place] for place in blank),
            column=known.kind,
            free=known.is_free(row),
            other=bool(told("who")) and not self._is_sender(told("who")),
            told=bool(self._told),
            dated=own is not None or bool(known.days),
        )

    @cached_property
    def _unit(self) -> str | None:
        """The unit that the mail says its whole numbers are of; None if it doesn't."""
        said = _UNIT.search(self._email.new_text())
        if said is None:
            return None
        return "minutes" if (said["are"] or said["begins"]).lower().startswith("min") else "units"

    @cached_property
    def _of_last_week(self) -> bool:
        return bool(_LAST_WEEK.search(self._email.new_text()))

    def _unit_of(self, cell: str, unit: str, kind: str) -> str:
        """The unit of a cell: under a day or a person a whole number is of the unit that the mail names."""
        return self._unit if self._unit and kind in {"day", "own"} and _WHOLE.fullmatch(cell) else unit

    def _days_of(self, titles: Sequence[str]) -> dict[int, date]:
        """The days that titles name, by place: those of one week where they only name its days."""
        found: dict[int, date] = {}
        for place, title in enumerate(titles):
            read = self._calendar.leading(f"{_LETTERS.get(title.lower(), title)}:")
            if read and read[1] >= len(title):
                found[place] = read[0]
        if any(any(letter.isdigit() for letter in titles[place]) for place in found):
            return found
        if not found:
            return found
        monday = self._sent - timedelta(days=self._sent.weekday())
        ahead = any(day.weekday() > self._sent.weekday() for day in found.values())
        if self._of_last_week or (ahead and self._sent.weekday() < _MIDWEEK):
            monday -= timedelta(days=7)
        week = {place: monday + timedelta(days=day.weekday()) for place, day in found.items()}
        first = min(week)
        if len(week) > 1 and week[first].weekday() == _SUNDAY:
            week[first] -= timedelta(days=7)  # a week that begins with it
        return week

    def _not_to_come(self, known: Columns, start: int) -> Columns:
        """The columns of a week, of the one before if a row from `start` on has time under a day that was to come."""
        ahead = [place for place, day in known.days.items() if day > self._sent]
        for line in self._text[start : start + _ROWS].split("\n") if ahead else ():
            row = line.split(self._mark)
            if any(place < len(row) and _FILLED.fullmatch(row[place]) for place in ahead):
                return replace(known, days={place: day - timedelta(days=7) for place, day in known.days.items()})
            if not line.strip():
                break
        return known

    def _is_sender(self, who: str) -> bool:
        """Whether a name or initials are the sender's."""
        who = who.lower().replace(".", "").strip()
        initials = "".join(name[0] for name in self._sender)
        return who in {initials, initials[:1] + initials[-1:], "me", "i", "self"} or any(
            name in who.split() for name in self._sender if len(name) > 2
        )

    def _is_others(self, line: str, *, greets: bool) -> bool:
        """Whether a line begins with another timekeeper: their initials, or the name of a colleague who reads along.

        `greets`: it is the mail's first line, where such a name is the reader's, who is addressed.
        """
        if _ROLE.match(line):
            return True
        found = _WHO.match(line)
        if not found or self._is_sender(found["initials"] or found["name"] or found["first"]):
            return False
        if found["initials"]:
            return found["initials"] not in ABBREVIATIONS and (
                self._signs_lines or found["initials"] in self._reader_initials()
            )
        if found["first"] and greets:
            return False
        if found["first"]:
            own = self._email.sender.address.rpartition("@")[2]
            first = found["first"].lower()
            return any(
                each.name.lower().split(" ")[0] == first and each.address.endswith("@" + own)
                for each in self._email.recipients
            )
        return True

    def _reader_initials(self) -> set[str]:
        names = (re.findall(r"[^\W\d_]+", each.name) for each in self._email.recipients)
        return {"".join(part[0] for part in name).upper() for name in names}
