"""Clock spans: "from 2:10 to 3:40 pm" is 90 minutes. Two points of a day, and what lies between them.

Which half of the day is meant follows from what is said and from order: an end before its begin lies in the next half,
and a begin without "am" or "pm" takes the end's, unless that would turn the two round.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shared.extraction.durations.numbers import Number
from shared.extraction.durations.reading import Form, Reading
from shared.extraction.durations.units import HOUR, MINUTE
from shared.extraction.engine import Layer, Rule, Words
from shared.extraction.wordlist import words

_HALF_DAY, _DAY = 720, 1440
_LONGEST = 960
"""Minutes: nobody works a span longer than 16 hours, and a misread half of the day makes such spans."""

_WORDS = Words(
    sets={
        "to": words(
            """
            to - -- until till til 'til through thru untill
            """
        ),
        "until": ("to", "until", "till", "til", "'til", "-", "--", "through", "thru"),
        "half": ("am", "pm", "a", "p"),
        "about": words(
            """
            about around roughly approximately approx ~ circa just_after just_before a_bit_past a_little_past
            a_bit_after a_little_after shortly_after a_bit_before
            """
        ),
        "noon": ("noon", "midday", "midnight"),
        "begin": words(
            """
            got reached went came met picked walked logged rang called connected dialled board boarded caught there set
            left started began start begin departed arrived on begun opened dialed kicked joined commenced in
            sat
            """
        ),
        "end": words(
            """
            rose closed away clear through free wound rang logged walked leaving let came signed returning cleared
            arrived finished ended done back off finish end stopped wrapped returned out got pulled reached
            concluded closed hung adjourned broke over excused released home left
            """
        ),
        "unit": (*HOUR, *MINUTE, "%", "percent", "days", "weeks", "months", "years", "people", "million", "units",
                 "day", "points", "pages", "times", "business", "mb", "gb", "miles", "inches", "feet"),
        "after": words(
            """
            , . ; -- ) on with today yesterday this re for w/ and : monday tuesday wednesday thursday friday
            last in at but to reviewing
            """
        ),
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Point:
    """A point of the day as written: minutes after midnight or noon if `half` is unsaid and `hour` at most 12."""

    minutes: int
    half: str


def _point(word: str, half: str) -> _Point | None:
    if word in {"noon", "midday"}:
        return _Point(_HALF_DAY, "24")
    if word == "midnight":
        return _Point(0, "24")
    hour, _, minute = word.partition(":")
    if not hour or int(hour) > 24 or int(minute or 0) > 59:
        return None
    minutes = int(hour) * 60 + int(minute or 0)
    if half:
        if not 1 <= int(hour) <= 12:
            return None
        return _Point(minutes % _HALF_DAY + (_HALF_DAY if half[0] == "p" else 0), "24")
    return _Point(minutes, "24" if int(hour) > 12 or (len(hour) == 2 and hour[0] == "0") else "")


def between(begin: _Point, end: _Point) -> tuple[int, int] | None:
    """Begin and end in minutes of the day, end after begin, in the likeliest half of the day; None if none fits."""
    starts = [begin.minutes] if begin.half else [begin.minutes % _HALF_DAY, begin.minutes % _HALF_DAY + _HALF_DAY]
    ends = [end.minutes] if end.half else [end.minutes % _HALF_DAY, end.minutes % _HALF_DAY + _HALF_DAY]
    spans = [
        (finish - start if finish > start else finish - start + _DAY, start) for start in starts for finish in ends
    ]
    length, start = min(spans, key=lambda span: (span[0], _strange(span[1])))
    return (start, start + length) if 0 < length <= _LONGEST else None


def _strange(start: int) -> bool:
    """Work that begins between 7 pm and 7 am is the less likely reading."""
    return not 420 <= start < 1140


def _span(words: Sequence[str], values: Sequence[Any]) -> Reading | None:
    numbers = iter(values)
    points: list[list[str]] = []
    past = 0  # minutes to add to the hour that follows: "ten past twelve"
    for place, word in enumerate(words):
        following = words[place + 1] if place + 1 < len(words) else ""
        if word in {"half", "quarter"}:
            past = -15 if following == "to" else 30 if word == "half" else 15
        elif word == "<n>":
            number = next(numbers)
            if following in {"past", "after", "to"} and not past and _is_minutes(words, place):
                past = int(number.best) * (-1 if following == "to" else 1)
                continue
            points.append([_face(number, past), ""])
            past = 0
        elif re.fullmatch(r"\d{1,2}:\d\d", word) or word in {"noon", "midday", "midnight"}:
            points.append([word, ""])
        elif word in {"am", "pm", "a", "p"} and points and not points[-1][1] and following not in {"quarter", "bit"}:
            points[-1][1] = word
    if len(points) < 2 or not all(word for word, _ in points):
        return None
    return _reading(_point(*points[0]), _point(*points[-1]))


def _is_minutes(words: Sequence[str], place: int) -> bool:
    """Whether a number before "past" or "to" is minutes of the hour after it: "till ten to three", not "10 to 3"."""
    if words[place + 1] != "to":
        return True
    return place + 2 == len(words) - 1 and place > 0 and words[place - 1] in {"till", "until", "til", "at"}


def _face(number: Number, past: int) -> str:
    """The clock face of an hour and the minutes past it, or of a dotted time ("8.40"); empty if there is none."""
    if re.fullmatch(r"\d{1,2}\.[0-5]\d", number.raw) and not past:
        return number.raw.replace(".", ":")
    if number.best != int(number.best) or not 0 <= number.best <= 24:
        return ""
    minutes = (int(number.best) * 60 + past) % 1440
    return f"{minutes // 60}:{minutes % 60:02d}" if past else str(int(number.best))


def _reading(begin: _Point | None, end: _Point | None) -> Reading | None:
    span = between(begin, end) if begin and end else None
    if span is None:
        return None
    minutes = float(span[1] - span[0])
    return Reading(minutes, minutes, minutes, (), form=Form.CLOCK, clock=(span[0], span[1] % _DAY))


def _hours_of_day(words: Sequence[str], values: Sequence[Any]) -> Reading | None:
    """As in "9 to 1": two whole hours of a working day, the second after the first."""
    first, last = (value.best for value in values)
    plausible = 7 <= first <= 12 or 1 <= first <= 5
    return _span(words, values) if plausible and 1 <= last <= 12 and (last - first) % 12 <= 8 else None


def _one_dotted(words: Sequence[str], values: Sequence[Any]) -> Reading | None:
    """As in "between 7 and 8.40": hours of the day, one of them at least with its minutes."""
    if not any(re.fullmatch(r"\d{1,2}\.[0-5]\d", value.raw) for value in values):
        return None
    return _span(words, values)


def _dotted(_: Sequence[str], values: Sequence[Any]) -> Reading | None:
    """As in "9.15-10.05": hours and minutes with a full stop, two digits of minutes each; prices and ratios decline."""
    texts = [value.raw for value in values]
    if not all(re.fullmatch(r"\d{1,2}\.[0-5]\d", text) for text in texts):
        return None
    early = any(value.best < 7 for value in values)
    if early and not (all(text[-1] in "05" for text in texts) and values[0].best < values[1].best):
        return None
    begin, end = (_point(text.replace(".", ":"), "") for text in texts)
    return _reading(begin, end)


def _military(_: Sequence[str], values: Sequence[Any]) -> Reading | None:
    """As in "1400-1530"; a pair of years declines."""
    numbers = [int(value.best) for value in values]
    if not all(number >= 100 and number % 100 < 60 and number <= 2400 for number in numbers):
        return None
    if all(1900 <= number < 2100 for number in numbers) or numbers[0] >= numbers[1] or numbers[0] < 500:
        return None
    begin, end = (_Point(number // 100 * 60 + number % 100, "24") for number in numbers)
    return _reading(begin, end)


def _rule(name: str, pattern: str, form: Any = _span) -> Rule:
    def produce(words: Sequence[str], values: Sequence[Any]) -> Reading | None:
        reading: Reading | None = form(words, values)
        return reading.under(name) if reading else None

    return Rule(name, pattern, produce)


_ZONE = "( {half} )? ( yesterday|today|central|eastern|et|est|edt|ct|pt|pst|gmt|bst|aest )?"
_FACE = (
    f"( #:#|{{noon}} | half|quarter past|to|after <n> | half <n> | a quarter past|to <n> | <n> past|after <n> ) {_ZONE}"
)
_ANY = (
    "( #:#|{noon} | half|quarter past|to|after <n> | half <n> | a quarter past|to <n> | <n> past|after <n>"
    f" | <n> ( minutes )? to <n> | <n> ( o'clock )? ) {_ZONE}"
)
CLOCK = Layer(
    "<t>",
    [
        _rule("from <clock> to <clock>", f"from|between {{about}}? {_FACE} {{to}}|and {{about}}? {_ANY} !{{unit}}"),
        _rule("from <hour> to <clock>", f"from|between {{about}}? {_ANY} {{to}}|and {{about}}? {_FACE} !{{unit}}"),
        _rule("from <hour> to <hour> pm", f"from|between {{about}}? {_ANY} {{to}}|and {{about}}? <n> am|pm"),
        _rule("from <hour> am to <hour>", f"from|between {{about}}? <n> am|pm {{to}}|and {{about}}? {_ANY} !{{unit}}"),
        _rule("from <hour> to <hour>", "from <n> to|-|until|till <n> ( @{after} | $ )"),
        _rule("from <h.mm> to <h.mm>", "from|between {about}? <n> {to}|and {about}? <n> !{unit}", _one_dotted),
        _rule(
            "at <clock> until <clock>",
            f"at|@|for|by|since|from {{about}}? {_ANY} ..6 till|until|'til|til {{about}}? {_ANY} !{{unit}}",
        ),
        _rule("<hour> to <hour>", "~,|: <n> to|-|until|till <n> ( @.|,|; | $ )", _hours_of_day),
        _rule("<clock> to <clock>", f"{_FACE} {{to}} {{about}}? {_ANY} !{{unit}}"),
        _rule("<hour> to <clock>", f"<n> {{half}}? {{to}} {_FACE} !{{unit}}"),
        _rule("<hour> am to <hour>", "<n> am|pm {to} <n> am|pm"),
        _rule("<hour> to <hour> pm", "<n> {half}? {to} <n> am|pm"),
        _rule("<hour>.<minute>-<hour>.<minute>", "<n> -|--|to|until|till <n> !{unit}", _dotted),
        _rule("<hhmm>-<hhmm>", "<n> ( hrs|h|hours )? -|--|to|until|till <n> ( hrs|h|hours )?", _military),
        _rule(
            "began at <clock>, ended at <clock>",
            (
                f"{{begin}} ..9 at|@|around|about|for {{about}}? {_ANY} ..9 {{end}}"
                f" ..9 at|@|by|around|until|till|about {{about}}? {_ANY}"
            ),
        ),
        _rule("began <clock>, ended <clock>", f"{{begin}} {{about}}? {_FACE} ..3 {{end}} ..4 {{about}}? {_FACE}"),
    ],
    _WORDS,
)
