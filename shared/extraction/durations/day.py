"""Points of a day and what lies between them: the arithmetic of clock spans.

Which half of the day is meant follows from what is said and from order: an end before its begin lies in the next half,
and a begin without "am" or "pm" takes the end's, unless that would turn the two round.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from shared.extraction.durations.numbers import Number
from shared.extraction.durations.reading import Form, Reading

_HALF_DAY, _DAY = 720, 1440
NOON = frozenset({"noon", "midday", "midnight"})
_HALVES = {"am": "am", "pm": "pm", "a": "am", "p": "pm", "morning": "am", "afternoon": "pm", "evening": "pm",
           "night": "pm", "tonight": "pm"}  # fmt: skip
_IN_WORDS = frozenset({"<cardinal>", "<tens>-<ones>", "oh <ones>", "five and twenty"})
_BESIDE = frozenset({"bit", "little", "shortly", "touch", "tick", "hair", "well"})
_NOT_YET, _PAST = frozenset({"nearly", "almost", "close", "getting", "coming"}), frozenset({"gone"})
_A_LITTLE, _WELL, _ALLOWED = 5, 15, 10
"""Minutes: what "a bit before one" and "well after one" are from one o'clock, and how far either may be off."""
_BEFORE_HANDS = frozenset({"till", "until", "til", "at", "to", "-", "by", "about", "around"})
_UNTIL = frozenset({"till", "until", "til", "'til", "through", "thru"})
_DOTTED = re.compile(r"\d{1,2}\.[0-5]\d")
_DAYS_WORK = 540
"""Minutes: where only one point has its minutes, a longer span is two numbers that are no times of a day."""
_LONGEST = 960
"""Minutes: nobody works a span longer than 16 hours, and a misread half of the day makes such spans."""


@dataclass(slots=True)
class _Face:
    """A point of the day in words: the clock face, empty if there is none; the half of the day; minutes beside it."""

    face: str
    half: str = ""
    beside: int = 0


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


def span(words: Sequence[str], values: Sequence[Any]) -> Reading | None:
    """The time between the first and the last point of a day that the words name."""
    points = _points(words, values)
    if len(points) < 2 or not all(each.face for each in points):
        return None
    first, last = points[0], points[-1]
    reading = _reading(_point(first.face, first.half), _point(last.face, last.half))
    if reading is None or not (first.beside or last.beside):
        return reading
    best = max(0.0, reading.best - first.beside + last.beside)
    return replace(reading, low=max(0.0, best - _ALLOWED), best=best, high=best + _ALLOWED)


def _points(words: Sequence[str], values: Sequence[Any]) -> list[_Face]:
    """The points of the day among the words; one without a face is no point of a day."""
    numbers = iter(values)
    points: list[_Face] = []
    beside = 0
    past = 0  # minutes to add to the hour that follows: "ten past twelve"
    spoken = ""  # the hour in words that a number after it may complete: "eleven thirty"
    for place, word in enumerate(words):
        following = words[place + 1] if place + 1 < len(words) else ""
        beside = _beside(word, words[place - 1] if place else "") or beside
        if word in {"half", "quarter"}:
            past = -15 if following in {"to", "of"} else 30 if word == "half" else 15
        elif word == "<n>":
            number = next(numbers)
            if following in NOON:
                continue
            if following in {"past", "after", "to", "of"} and not past and _is_minutes(words, place):
                past = int(number.best) * (-1 if following in {"to", "of"} else 1)
                continue
            if words[place - 1] == "h" and points:
                points[-1].face += f":{int(number.best):02d}"
                continue
            if spoken and number.rule in _IN_WORDS and words[place - 1] in {"<n>", "-"} and number.best < 60:
                points[-1].face = f"{spoken}:{int(number.best):02d}"
                spoken = ""
                continue
            points.append(_Face(_face(number, past), beside=beside))
            spoken = points[-1].face if number.rule == "<cardinal>" and not past else ""
            past = beside = 0
        elif re.fullmatch(r"\d{1,2}:\d\d", word) or word in NOON:
            points.append(_Face(_past_noon(word, past) if past else word, beside=beside))
            past = beside = 0
        elif points and not points[-1].half and (half := _HALVES.get(word)) and following not in {"quarter", "bit"}:
            points[-1].half = half
    return points


def _past_noon(word: str, past: int) -> str:
    """The clock face of minutes before or after noon or midnight: "a quarter past noon"."""
    minutes = ((0 if word == "midnight" else _HALF_DAY) + past) % _DAY
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _beside(word: str, before: str) -> int:
    """How many minutes before or after the full time a word puts it: "a bit before one", "gone two"; else 0."""
    if word in _NOT_YET:
        return -_A_LITTLE
    if word in _PAST and before != "just":
        return _A_LITTLE
    if before not in _BESIDE or word not in {"before", "after", "past", "gone"}:
        return 0
    return (-1 if word == "before" else 1) * (_WELL if before == "well" else _A_LITTLE)


def _is_minutes(words: Sequence[str], place: int) -> bool:
    """Whether a number before "past" or "to" is minutes of the hour after it: "till ten to three", not "10 to 3"."""
    if words[place + 1] != "to":
        return True
    if place <= 1 and len(words) > place + 3 and _UNTIL.intersection(words[place + 3 : place + 6]):
        return place == 0 or words[0] in {"from", "between", "at"}
    return place + 2 == len(words) - 1 and place > 0 and words[place - 1] in _BEFORE_HANDS


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


def hours_of_day(words: Sequence[str], values: Sequence[Any]) -> Reading | None:
    """As in "9 to 1": two whole hours of a working day, the second after the first."""
    first, last = (value.best for value in values)
    plausible = 7 <= first <= 12 or 1 <= first <= 5
    return span(words, values) if plausible and 1 <= last <= 12 and (last - first) % 12 <= 8 else None


def hours_from(words: Sequence[str], values: Sequence[Any]) -> Reading | None:
    """As in "from 9 to 5"; no scale "from 1 to 10"."""
    return span(words, values) if [value.best for value in values] != [1, 10] else None


def spoken(words: Sequence[str], values: Sequence[Any]) -> Reading | None:
    """As in "nine to eleven thirty": all in words, for in digits two numbers in a row are no time."""
    return span(words, values) if all(value.rule in _IN_WORDS for value in values) else None


def minutes_beside(words: Sequence[str], values: Sequence[Any]) -> Reading | None:
    """As in "six to twenty to seven", "1.15 till ten to three": the second has minutes as a clock's hands show them."""
    worded = all(value.rule in _IN_WORDS for value in values[1:])
    first = values[0]
    plain = first.rule in _IN_WORDS or words[0] == "from" or not _UNTIL.isdisjoint(words[1:3]) or words[1] in _HALVES
    plain = plain or bool(_DOTTED.fullmatch(first.raw))
    return span(words, values) if worded and plain and values[1].best in {5, 10, 20, 25} else None


def minutes_first(words: Sequence[str], values: Sequence[Any]) -> Reading | None:
    """As in "ten to four until twenty past five": the first point has its minutes before the hour."""
    return span(words, values) if values[0].best in {5, 10, 20, 25} else None


def hands_both(words: Sequence[str], values: Sequence[Any]) -> Reading | None:
    """As in "ten to twelve to twenty to one": both points have their minutes before the hour."""
    minutes = {values[0].best, values[2].best}
    if not minutes <= {5, 10, 20, 25}:
        return None
    at = [place for place, word in enumerate(words) if word == "<n>"][2]
    return _reading(*(_hand(*each) for each in ((words[:at], values[:2]), (words[at:], values[2:]))))


def _hand(words: Sequence[str], values: Sequence[Any]) -> _Point | None:
    """The point of a clock's hands: "twenty to one", "ten past four"."""
    minutes, hour = (int(value.best) for value in values)
    past = -minutes if "to" in words[1:3] else minutes
    return _Point((hour * 60 + past) % _DAY, "") if 1 <= hour <= 12 else None


def dotted_first(words: Sequence[str], values: Sequence[Any]) -> Reading | None:
    """As in "called 12.20 and out by ten to one": the first point with its minutes."""
    reading = span(words, values) if _DOTTED.fullmatch(values[0].raw) else None
    return reading if reading and reading.best <= _DAYS_WORK else None


def past_the_hour(words: Sequence[str], values: Sequence[Any]) -> Reading | None:
    """As in "eight to half past", "from three to twenty past": the end has the hour of the begin, or the next."""
    points = _points(words[: _last(words, {"to", "-", "--", "until", "till", "til", "'til"})], values)
    begin = _point(points[0].face, points[0].half) if len(points) == 1 and points[0].face else None
    minutes = {"half": 30.0, "quarter": 15.0}.get(words[-2]) or values[-1].best
    if begin is None or minutes not in {5, 10, 15, 20, 25, 30}:
        return None
    end = begin.minutes - begin.minutes % 60 + int(minutes)
    return _reading(begin, replace(begin, minutes=(end if end > begin.minutes else end + 60) % _DAY))


def _last(words: Sequence[str], among: Collection[str]) -> int:
    return max(place for place, word in enumerate(words) if word in among)


def not_a_face(words: Sequence[str], values: Sequence[Any]) -> Reading | None:
    """As in "7 to 9 last night": two hours, not one point of the day, as in "ten to nine last night"."""
    first = values[0]
    return None if first.rule in _IN_WORDS and first.best in {5, 10, 20, 25} else span(words, values)


def hour_marks(words: Sequence[str], values: Sequence[Any]) -> Reading | None:
    """As in "14h10-15h40", "16h-17h30": points of the day, unless the hours are as few as hours of work."""
    marked = [value for value, mark in zip(values, _followed(words), strict=True) if mark == "h"]
    padded = len(values) == 4 and re.match(r"0\d", values[0].raw)
    return span(words, values) if padded or all(value.best >= 8 for value in marked) else None


def _followed(words: Sequence[str]) -> list[str]:
    """The word behind each number."""
    return [(*words, "")[place + 1] for place, word in enumerate(words) if word == "<n>"]


def partly_dotted(words: Sequence[str], values: Sequence[Any]) -> Reading | None:
    """As in "9am - 11.30", "9.45 - 1": an hour and a dotted time of a working day, to five minutes."""
    dotted = [bool(re.fullmatch(r"\d{1,2}\.[0-5][05]", value.raw)) for value in values]
    whole = [value.raw.isdigit() and 1 <= value.best <= 19 for value in values]
    if not any(dotted) or not all(map(max, dotted, whole)):
        return None
    reading = span(words, values) if values[0].best >= 7 or values[0].best < values[1].best else None
    return reading if reading and reading.best <= _DAYS_WORK else None


def one_dotted(words: Sequence[str], values: Sequence[Any]) -> Reading | None:
    """As in "between 7 and 8.40": hours of the day, one of them at least with its minutes."""
    if not any(re.fullmatch(r"\d{1,2}\.[0-5]\d", value.raw) for value in values):
        return None
    return span(words, values)


def dotted(_: Sequence[str], values: Sequence[Any]) -> Reading | None:
    """As in "9.15-10.05": hours and minutes with a full stop, two digits of minutes each; prices and ratios decline."""
    texts = [value.raw for value in values]
    if not all(re.fullmatch(r"\d{1,2}\.[0-5]\d", text) for text in texts):
        return None
    early = any(value.best < 7 for value in values)
    if early and not (all(text[-1] in "05" for text in texts) and values[0].best < values[1].best):
        return None
    begin, end = (_point(text.replace(".", ":"), "") for text in texts)
    return _reading(begin, end)


def run_together(words: Sequence[str], values: Sequence[Any]) -> Reading | None:
    """As in "8-1115 pm", "630 to 8 pm": one point at least without a mark between hours and minutes."""
    if all(value.best < 100 for value in values):
        return None
    return span(words, [replace(value, raw=_marked(value.raw)) for value in values])


def _marked(raw: str) -> str:
    """Hours and minutes of three or four digits with a full stop between; others as they are."""
    return f"{raw[:-2]}.{raw[-2:]}" if raw.isdigit() and 3 <= len(raw) <= 4 else raw


def military(_: Sequence[str], values: Sequence[Any]) -> Reading | None:
    """As in "1400-1530"; a pair of years declines."""
    numbers = [int(value.best) for value in values]
    if not all(number >= 100 and number % 100 < 60 and number <= 2400 for number in numbers):
        return None
    if all(1900 <= number < 2100 for number in numbers) or numbers[0] >= numbers[1] or numbers[0] < 500:
        return None
    begin, end = (_Point(number // 100 * 60 + number % 100, "24") for number in numbers)
    return _reading(begin, end)
