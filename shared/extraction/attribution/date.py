"""Every day that a mail names, resolved against the day it was sent.

People who report work name days that lie behind them: "Tuesday" is the last one, "10/14" the nearest before. A day that
would lie ahead belongs to something else and is none here. Which day an entry is for is decided in day_signs.py.
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_OLDEST, _OLDEST_WITH_YEAR, _USUAL = 200, 1100, 75
"""Days: a day further back isn't when work reported now was done; nearly all lies within the last of them."""
_MOST_MENTIONS = 80
"""Days that are read of one mail: several times what people write."""

WEEKDAY = r"(?:mon(?:day)?|tues?(?:day)?|wed(?:s|nesday)?|thu(?:rs?(?:day)?)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?)"
MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_NUMERIC = (
    r"(?P<iso>\d{4}-\d{2}-\d{2})|(?P<numeric>(?:\d{1,2}/\d{1,2}(?:/(?:\d{4}|\d{2}))?"
    r"|\d{1,2}\.\d{1,2}\.(?:\d{4}|\d{2})|\d{2}\.\d{2})(?![\d/]|\s?[-–]\s?\d{1,2}[/-]|\.\d)"
    r"|\d{1,2}-\d{1,2}-(?:\d{4}|\d{2}))(?!\w)"
)
_NAMED = (
    rf"(?P<named>{MONTH}\.?\s+\d{{1,2}}(?:st|nd|rd|th)?(?:,?\s+\d{{4}})?(?!\w|:\d)"
    rf"|\d{{1,2}}(?:st|nd|rd|th)?(?:\s+day)?\s+(?:of\s+)?{MONTH}\b\.?(?:,?\s+\d{{4}})?)"
)
_ORDINAL = r"(?P<ordinal>\d{1,2}(?:st|nd|rd|th))\b(?:\s+inst\b)?"
_DATE = rf"(?:(?P<weekday>{WEEKDAY})\b\.?,?\s+)?(?:the\s+)?(?:{_NUMERIC}|{_NAMED}|{_ORDINAL})"
_NUMBERED = rf"(?P<its>{WEEKDAY})\.?\s+(?:the\s+)?(?P<number>\d{{1,2}})(?=\s*(?:$|[-:–—,]))"
_ALONE = rf"(?P<alone>{WEEKDAY})\b(?P<last>\s+(?:of\s+)?last(?:\s+week)?\b)?(?P<owns>['’]s\s+[\w-]+)?"
_RELATIVE = (
    r"(?P<before>(?:the\s+)?(?:day|night) before (?:yesterday|last))"
    r"|(?P<yesterday>yesterday|yday|last (?:night|nite|evening))"
    r"|(?P<today>today|tonight|tonite|this (?:morning|afternoon|arvo|evening)|just now|just got|earlier today)"
    r"|(?P<ago>\d|one|two|three|four|five|six|ten) (?P<unit>day|week)s? ago"
    r"|(?P<week>a week ago(?: today)?|this day last week)"
    r"|(?P<weekend>(?:over|at|during|on|this|last|all) (?:the |this |last )?(?:past )?weekend)"
    r"|(?P<next>(?:the )?(?:next|following) (?:day|morning|afternoon)|the (?:day|morning) after)"
)
_MENTION = re.compile(
    rf"(?<![\w/.$£€#-])(?:{_NUMBERED}|{_DATE}|{_ALONE}|(?:{_RELATIVE})\b)", re.IGNORECASE | re.MULTILINE
)
_MARKS_DAY = re.compile(r"\s*(?:[-–—:,|&/(\t]|\d|and\b|morning|afternoon|evening|night|am\b|pm\b|arvo|last\b|$)")
_WORD_BEFORE = re.compile(r"([a-z']+|[,;:(])\s*(?:the\s+|this\s+)?$", re.IGNORECASE)
_LAST_BEFORE = frozenset({"last", "past"})
_AHEAD_BEFORE = frozenset({"next", "coming"})
_OTHER_THING = re.compile(r"deadline|cut-?off|paper|news|letter|email|morning meeting", re.IGNORECASE)
_COUNTED = re.compile(
    r"\s+(?:cir(?:cuit)?\b|floor|defendant|party|parties|draft\b|respondent|plaintiff|claimant|amend|schedule|set\b|round"
    r"|version|instal|edition|time\b|pages?\b|para|item|district|ave\b|street|st\b|witness|attempt|anniversary|birthday"
    r"|century)",
    re.IGNORECASE,
)
_BEFORE_ORDINAL = frozenset({"on", "and", "&", "from", "of", "to", "the"})
_NO_NOUN = re.compile(r"\s*(?:[^\w\s]|$)")
_CLOCK_FOLLOWS = re.compile(r"\s*(?:(?:[-–]|to|till|until)\s*\d|[ap]\.?m\b)", re.IGNORECASE)
_COUNTS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "ten": 10}
_BULLET = re.compile(r"\s*(?:[-*•·–—]\s+|\d{1,2}[.)]\s+)?[\[(]?")
_ENDS_LEAD = re.compile(r"(?:\s+(?:morning|afternoon|evening))?[\])]?(?=\s*[-:–—,.|\t ]|$)")


@dataclass(frozen=True, slots=True)
class Mention:
    """A day that the text names at `start..end`: which it is, how it is named, and the word or mark before it."""

    start: int
    end: int
    day: date
    kind: str
    after: str


class Calendar:
    """Resolves what a mail says of days. `sent` is its own day, where its sender was."""

    def __init__(self, text: str, sent: date, *, east: bool | None) -> None:
        """`east`: whether its clock is ahead of Greenwich's, where people write 14/10, not 10/14; None: no telling."""
        self.sent = sent
        self.day_first = _counts_days_first(text, sent, east=east)

    def mentions(self, text: str, start: int = 0, end: int | None = None) -> list[Mention]:
        """The days that `text[start:end]` names, in order."""
        found: list[Mention] = []
        for match in _MENTION.finditer(text, start, len(text) if end is None else end):
            if mention := self._mention(match, text, found[-1].day if found else None):
                found.append(mention)
                if len(found) >= _MOST_MENTIONS:
                    break
        return found

    def leading(self, line: str) -> tuple[date, int] | None:
        """The day that a line begins with, and where the rest of the line begins; None if it begins with none."""
        begin = _BULLET.match(line)
        found = _MENTION.match(line, begin.end() if begin else 0)
        ends = _ENDS_LEAD.match(line, found.end()) if found else None
        mention = self._mention(found, line, None) if found and ends else None
        if mention is None or ends is None or mention.kind == "next day":
            return None
        said = mention.kind in {"today", "relative", "weekend"}
        if said and not re.match(r"\s*[-:–—,]", line[ends.end() :]):
            return None
        return mention.day, ends.end()

    def _mention(self, found: re.Match[str], text: str, before: date | None) -> Mention | None:
        word = _WORD_BEFORE.search(text, max(0, found.start() - 24), found.start())
        after = word[1].lower() if word else ""
        read = self._read(found, after, before, text)
        return (
            Mention(found.start(), found.end("alone") if found["alone"] else found.end(), *read, after)
            if read
            else None
        )

    def _read(self, found: re.Match[str], after: str, before: date | None, text: str) -> tuple[date, str] | None:
        if found["alone"]:
            return self._weekday(found, after, text)
        if found["number"]:
            day = _day_of_month(int(found["number"]), self.sent)
            return (day, "date") if day and day.weekday() == _weekday(found["its"]) else None
        if found["ordinal"]:
            if _COUNTED.match(text, found.end()) or not self._is_day(found, after, text):
                return None
            day = _day_of_month(int(re.sub(r"\D", "", found["ordinal"])), self.sent)
            return (day, "ordinal") if day else None
        if found["iso"] or found["numeric"] or found["named"]:
            day = self._dated(found, text)
            return (day, "date") if day else None
        return self._relative(found, before)

    def _is_day(self, found: re.Match[str], after: str, text: str) -> bool:
        """Whether an ordinal counts days: it follows "the", "on" or a weekday, or has no noun behind ("1st Natl")."""
        told = found["weekday"] or found.group().lower().startswith("the") or after in _BEFORE_ORDINAL
        return bool(told) or bool(_NO_NOUN.match(text, found.end()))

    def _dated(self, found: re.Match[str], text: str) -> date | None:
        if found["iso"]:
            return _checked(*map(int, found["iso"].split("-")), sent=self.sent, oldest=_OLDEST_WITH_YEAR)
        if found["named"]:
            low = found["named"].lower()
            month = next(place for place, name in enumerate(_MONTHS, 1) if name in low)
            numbers = [int(number) for number in re.findall(r"\d+", low)]
            return _nearest(month, numbers[0], numbers[1] if len(numbers) > 1 else None, self.sent)
        if re.fullmatch(r"\d\d\.\d\d", found["numeric"]):
            begin = text.rfind("\n", 0, found.start()) + 1
            if text[begin : found.start()].strip(" -*•") or _CLOCK_FOLLOWS.match(text, found.end()):
                return None  # a time of the day
        one, two, *rest = (int(part) for part in re.split(r"[/.-]", found["numeric"]))
        year = (rest[0] + 2000 if rest[0] < 100 else rest[0]) if rest else None
        orders = ((two, one), (one, two)) if self.day_first else ((one, two), (two, one))
        return next((day for order in orders if (day := _nearest(*order, year, self.sent))), None)

    def _weekday(self, found: re.Match[str], after: str, text: str) -> tuple[date, str] | None:
        name = found["alone"]
        if len(name) == len("sat") and name.lower() in {"sat", "sun", "wed", "mon"}:
            begins = not text[text.rfind("\n", 0, found.start()) + 1 : found.start()].strip(" -*•")
            told = after in {"on", "last", "over", "this", "and"} or _MARKS_DAY.match(text, found.end("alone"))
            if not told or not (begins or name[0].isupper()):
                return None
        if after in _AHEAD_BEFORE or (found["owns"] and _OTHER_THING.search(found["owns"])):
            return None
        back = (self.sent.weekday() - _weekday(name)) % 7
        last = (found["last"] or "").lower()
        if "week" in last:
            back = self.sent.weekday() + 7 - _weekday(name)
        elif (last or after in _LAST_BEFORE) and not back:
            back = 7
        return self.sent - timedelta(days=back), "weekday"

    def _relative(self, found: re.Match[str], before: date | None) -> tuple[date, str] | None:
        if found["today"]:
            return self.sent, "today"
        if found["weekend"]:
            back = self.sent.weekday() + 1 if self.sent.weekday() < 5 else 0
            return self.sent - timedelta(days=back), "weekend"
        if found["next"]:
            following = before + timedelta(days=1) if before else None
            return (following, "next day") if following and following <= self.sent else None
        if found["ago"]:
            count = _COUNTS.get(found["ago"].lower()) or int(found["ago"])
            return self.sent - timedelta(days=count * (7 if found["unit"].lower() == "week" else 1)), "relative"
        return self.sent - timedelta(days=7 if found["week"] else 2 if found["before"] else 1), "relative"


def _weekday(name: str) -> int:
    return _DAYS.index(name[:3].lower())


def _nearest(month: int, day: int, year: int | None, sent: date) -> date | None:
    if year is not None:
        return _checked(year, month, day, sent=sent, oldest=_OLDEST_WITH_YEAR)
    this, last = (_checked(each, month, day, sent=sent, oldest=_OLDEST) for each in (sent.year, sent.year - 1))
    return this or last


def _checked(year: int, month: int, day: int, *, sent: date, oldest: int) -> date | None:
    try:
        found = date(year, month, day)
    except ValueError:
        return None
    return found if timedelta(0) <= sent - found <= timedelta(days=oldest) else None


def _day_of_month(day: int, sent: date) -> date | None:
    for back in range(31):
        candidate = sent - timedelta(days=back)
        if candidate.day == day:
            return candidate
    return None


_PAIR = re.compile(r"(?<![\d/])(\d{1,2})/(\d{1,2})(?:/(?:\d{4}|\d{2}))?(?![\d/])")


def _counts_days_first(text: str, sent: date, *, east: bool | None) -> bool:
    """Whether a mail writes 14/10 for the 14th of October.

    So it is if a date in it can't be read otherwise, or if only so they all lie in the weeks behind it; where both
    could be, it is as people write where its clock is.
    """
    pairs = [(int(found[1]), int(found[2])) for found in islice(_PAIR.finditer(text), _MOST_MENTIONS)]
    if any(two > 12 for _, two in pairs):
        return False
    if any(one > 12 >= two for one, two in pairs):
        return True
    days_first = [_behind(month, day, sent) for day, month in pairs]
    months_first = [_behind(month, day, sent) for month, day in pairs]
    usual = [sum(each <= _USUAL for each in order) for order in (days_first, months_first)]
    if usual[0] != usual[1]:
        return usual[0] > usual[1]
    return sum(days_first) < sum(months_first) if east is None else east


def _behind(month: int, day: int, sent: date) -> int:
    """How many days such a date lies behind; more than any usual one if it doesn't."""
    found = _nearest(month, day, None, sent)
    return (sent - found).days if found else _OLDEST
