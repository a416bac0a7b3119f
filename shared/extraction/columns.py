"""What the heading row of a table says of its columns: which holds the time that was worked, which other time, whose.

A title is known by all of its words. Of several columns of time one is read: what was actually worked before what is
merely called hours, and that before a duration or a total; what was planned is never read. A week's table has a column
for each day, and one that several people fill in has a column for each of them, of which the sender's is read.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import chain

AROUND = " *:_#.?"
"""What may stand around a title."""
_DONE = r"actuals?|worked|spent|done|incurred|logged|recorded|used"
_OF_TIME = r"hours|hrs?|h|time|decimal|hh?:mm|tenths|10ths"
_TIME: Sequence[tuple[str, str, str]] = (
    (
        "worked",
        "hours",
        (
            rf"(?:my )?(?:{_DONE}) (?:hours|hrs|time)(?: \((?:{_OF_TIME})\))?"
            rf"|(?:my )?(?:hours|hrs?|time) (?:{_DONE}|to date|taken)(?: \((?:{_OF_TIME})\))?"
        ),
    ),
    (
        "minutes",
        "minutes",
        r"min(?:ute)?s?(?: (?:spent|worked))?|(?:duration|time|length)(?: spent)? \(?min(?:ute)?s?\.?\)?",
    ),
    (
        "units",
        "units",
        (
            r"(?:no\.? of |chargeable |billable )?units?(?: \(?(?:of )?(?:6|six)[ -]?min\w*\)?)?"
            r"|(?:6|six)[ -]?min(?:ute)?s? units?|tenths|10ths|0?\.1s"
        ),
    ),
    (
        "hours",
        "hours",
        (
            r"(?:billable |billed |chargeable |my |net |total )?(?:hours|hrs?|h)"
            rf"(?: ?\(?(?:{_OF_TIME}|spent|worked|billed)\)?)?"
        ),
    ),
    (
        "done",
        "hours",
        rf"(?:my )?(?:{_DONE})(?: by me)?(?: (?:so far|to date))?(?: \((?:{_OF_TIME})\))?|should be|corrected",
    ),
    ("duration", "hours", r"duration|elapsed|how long"),
    ("time", "time", rf"(?:my |total |billable |chargeable )?time(?: ?\((?:{_OF_TIME})\))?"),
    ("quantity", "hours", r"qty|quantity"),
)
"""Columns of time that was worked, the surest first: a name, the unit of a bare number in it, its title."""
_TOTAL = re.compile(r"(?:tot(?:al)?|net)(?: (?:hours|hrs|time))?", re.IGNORECASE)
_TOGETHER = ("hours", "minutes")
"""Two columns that hold one amount."""
_OTHERS = {
    "day": r"date|day|when|date of (?:work|service)|service date|work date",
    "matter": (
        r"clients?(?:[ /&-]+matter)?|matters?(?: name)?|case(?: name)?|file|client/file|project|matter/client|re"
        r"|c/m(?: no)?|matter no|client (?:ref|no)|(?:file|our|matter) ref(?:erence)?"
    ),
    "who": (r"who|tkpr?|tk|timekeeper|atty|attorney|lawyer|initials?|by|fee ?earner|fe|name|person|staff|professional"),
    "work": (
        r"work(?: done| performed)?|tasks?|items?|description(?: of (?:work|services?))?|what|narrative|narration"
        r"|activity|services?|details?|notes?|remarks?|comments?|workstream|phase|step|with|spoke with|about"
    ),
    "planned": (
        r"(?:your |my |our |orig(?:inal)? )?(?:budget(?:ed)?|est(?:imate[ds]?)?|planned|plan|quoted?|target|forecast"
        r"|cap)(?: (?:hours|hrs|time|units))?(?: \(\w{1,5}\))?"
        r"|variance|difference|diff|over ?/ ?\(?under|(?:est(?:imated)?|budgeted|planned) (?:hours|hrs|time|units)"
        r"|expect(?:ed)?|(?:still |hours |hrs |units )?(?:to go|to do|to come|left|needed|remaining|outstanding)"
        r"|allow(?:ed|ance|otted)?|limit|slot|projected|agreed|next week|remaining (?:hours|hrs|units)"
    ),
    "money": r"rate|amount|value|fees?|price|cost|charge|total|\$|£|€|usd|gbp|aud|rate \S{1,5}|amount \S{1,5}",
    "free": r"n/?c|no charge|non-?billable|non-?chargeable|written off|write[ -]?off|w/o",
    "charged": r"chargeable|billable|bill|charge|billed",
    "clock": r"start(?:ed)?|finish(?:ed)?|end(?:ed)?|in|out|from|to|began|time (?:in|out|on|off)",
    "again": r"billed(?: (?:hours|hrs|time))?|pre-?bill(?:ed)?|was|break",
}
_TITLES: Mapping[str, re.Pattern[str]] = {name: re.compile(pattern, re.IGNORECASE) for name, pattern in _OTHERS.items()}
_TIMES = tuple((name, unit, re.compile(pattern, re.IGNORECASE)) for name, unit, pattern in _TIME)
_BROKEN = re.compile(r"(?<=[a-z])-\s+(?=[a-z])")
"""Where a title was broken to fit: "Charge- able?"."""
_PERSON = re.compile(r"(?:[A-Z]{2,4}|[A-Z][a-z'’-]{1,15}(?: [A-Z][a-z'’-]{0,15}\.?)?)(?: \([^()]{1,20}\))?")
_BLANKED = ("planned", "money", "again", "clock")
_KEEPING, _OF_PROSE = "\t|", ",;"
"""Marks that part cells: those that part empty ones too, and those that prose has."""
_SURE = "worked"
"""What a column of time is called beside which there needn't be another of a known sort."""
TOGETHER = "hours and minutes"
"""What two columns are called that hold one amount."""
_NUMBERED = re.compile(r"^[\d.,:]+(?: ?[a-z]{1,5}\.?)?$|\d[.:]\d", re.IGNORECASE)
"""A cell that holds an amount, as only few titles do ("0.1s", "10ths")."""
_WEEK = 3
_MONTH = 31
"""Columns of a day each that make a table of days: at least, at most."""
_NO = re.compile(r"n|no|nc|n/c|non.*|0(?:\.0+)?|nil|none|false", re.IGNORECASE)
_NOT_SAID = re.compile(r"|n|no|n/?a|[$£€]?\d[\d.,:]*|nil|none|false|[-–—]", re.IGNORECASE)
"""What leaves a row charged in a column of what isn't; a number there, unless it is all of its time, is of a part."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a table, by their places.

    `time`: those of time that was worked, with the unit of a bare number ("time": hours, or a clock's face); several
    where each is a day's, which `days` has. `kind`: what they are called. `named`: the others of a known sort. `blank`:
    those whose numbers are no time that was worked: planned, money, others' hours.
    """

    time: Mapping[int, str] = field(default_factory=dict)
    kind: str = ""
    days: Mapping[int, date] = field(default_factory=dict)
    named: Mapping[str, int] = field(default_factory=dict)
    blank: frozenset[int] = frozenset()

    def is_free(self, row: Sequence[str]) -> bool:
        """Whether a row says in a column for it that its time isn't charged."""
        free, charged = self.named.get("free", -1), self.named.get("charged", -1)
        whole = {row[place].strip() for place in self.time if place < len(row)} - {""}
        if 0 <= free < len(row) and (row[free].strip() in whole or not _NOT_SAID.fullmatch(row[free].strip())):
            return True
        return 0 <= charged < len(row) and bool(_NO.fullmatch(row[charged].strip()))


def columns(
    row: Sequence[str],
    days_of: Callable[[Sequence[str]], Mapping[int, date]],
    is_sender: Callable[[str], bool],
    *,
    mark: str,
    inside: bool,
) -> Columns | None:
    """The columns that a heading row names; None unless it is one, with time that was worked.

    `days_of`: the days that titles name, by place; `is_sender`: whether a title is the sender's name or initials.
    `mark`: what parts the cells; a day or a person has a column only where an empty cell keeps its place. `inside`: the
    row stands in a known table, where a name or a day is a cell like others.
    """
    if any(_NUMBERED.search(cell) and not is_title(cell) for cell in row):
        return None
    titles = [_BROKEN.sub("", title).strip(AROUND) for title in row]
    named: dict[str, int] = {}
    for place, title in enumerate(titles):
        for name, pattern in _TITLES.items():
            if name not in named and pattern.fullmatch(title):
                named[name] = place
    kind, time = _time(titles, named)
    known = {place for place, title in enumerate(titles) if is_title(title)}
    others: set[int] = set()
    days: Mapping[int, date] = {}
    if not time and not inside and mark in _KEEPING:
        days = days_of(titles)
        if _WEEK <= len(days) <= _MONTH:
            kind, time = "day", dict.fromkeys(days, "hours")
        elif mine := _own(titles, known, is_sender):
            kind, time = "own", {mine[0]: "hours"}
            others = mine[1]
        known |= set(days) | others | set(time)
    alone = kind == _SURE and mark in _KEEPING and not inside
    least = max(2, len(titles) - 1) if mark in _OF_PROSE else 1 if alone else 2
    if not time or len(known) < least:
        return None
    blank = {place for place, title in enumerate(titles) if any(_TITLES[each].fullmatch(title) for each in _BLANKED)}
    return Columns(time, kind, days if kind == "day" else {}, named, frozenset((blank | others) - set(time)))


def _own(titles: Sequence[str], known: set[int], is_sender: Callable[[str], bool]) -> tuple[int, set[int]] | None:
    """The column that is the sender's, and those of others; None unless titles name several people, her among them."""
    persons = {place for place, title in enumerate(titles) if _PERSON.fullmatch(title) and place not in known}
    mine = [place for place in sorted(persons) if is_sender(titles[place].partition(" (")[0])]
    return (mine[0], persons - {mine[0]}) if len(mine) == 1 and len(persons) > 1 else None


def _time(titles: Sequence[str], named: Mapping[str, int]) -> tuple[str, dict[int, str]]:
    """The surest column of time that was worked, and what it is called; a total only beside a beginning and an end."""
    found: dict[str, dict[int, str]] = {}
    for kind, unit, pattern in _TIMES:
        for place, title in enumerate(titles):
            if pattern.fullmatch(title):
                found.setdefault(kind, {place: unit})
    if found.keys() >= set(_TOGETHER):
        return TOGETHER, found["hours"] | found["minutes"]
    if found:
        return next(iter(found.items()))
    total = next((place for place, title in enumerate(titles) if _TOTAL.fullmatch(title)), None)
    return ("total", {total: "hours"}) if total is not None and "clock" in named else ("", {})


def plans(row: Sequence[str]) -> bool:
    """Whether a row names a column of what was planned."""
    return any(_TITLES["planned"].fullmatch(title.strip(AROUND)) for title in row)


def is_title(text: str) -> bool:
    """Whether the words are the title of a column."""
    bare = text.strip(AROUND)
    patterns = chain(_TITLES.values(), (pattern for _, _, pattern in _TIMES), (_TOTAL,))
    return any(pattern.fullmatch(bare) for pattern in patterns)


def titles_in(text: str) -> frozenset[str]:
    """The cells, in small letters, of the lines of a text that are nothing but titles of columns, or nearly so."""
    found: set[str] = set()
    for line in text.split("\n") if "\t" in text else ():
        cells = [cell.strip() for cell in line.split("\t") if cell.strip()]
        if len(cells) > 1 and sum(map(is_title, cells)) * 2 > len(cells):
            found |= {cell.lower() for cell in cells}
    return frozenset(found)
