"""The arithmetic of amounts: from the words and numbers that a rule has matched to minutes. It stands here once."""

from collections.abc import Sequence
from typing import Any

from shared.extraction.durations.numbers import Number
from shared.extraction.durations.reading import Form, Reading
from shared.extraction.durations.units import HOUR, MINUTES_OF

WORKING_DAY = 480.0
"""Minutes in a full day of work, for "all day" and its parts."""

PART_OF = {"half": 0.5, "quarter": 0.25, "quarters": 0.25, "third": 1 / 3, "thirds": 1 / 3, "fifth": 0.2, "tenth": 0.1,
         "tenths": 0.1, "sixth": 1 / 6, "eighth": 0.125}  # fmt: skip
_COUNT = {"a": 1.0, "an": 1.0, "the": 1.0, "one": 1.0, "another": 1.0}


def hours(words: Sequence[str], values: Sequence[Any]) -> Reading | None:
    """Each number times the unit that follows it, added up; an article before an hour counts as one."""
    low = best = high = unit = 0.0
    numbers = iter(values)
    pending: Number | None = None
    for word in words:
        if word == "<n>":
            pending = next(numbers)
        elif word in MINUTES_OF:
            if word == "m" and pending and pending.best != int(pending.best):
                return None  # "1.4m" is metres or millions
            unit = MINUTES_OF[word]
            number = pending or Number(1, 1, 1, "a")
            low, best, high = low + number.low * unit, best + number.best * unit, high + number.high * unit
            pending = None
    if pending:
        low, best, high = low + pending.low, best + pending.best, high + pending.high
    return Reading(low, best, high, (), unit=unit)


def bare_minutes(words: Sequence[str], values: Sequence[Any]) -> Reading | None:
    """As in "An hour and forty", "an hour and forty-odd": the number after the hour is minutes, if it could be."""
    last = values[-1]
    return hours(words, values) if (last.low % 5 == 0 or last.rule == "<n> odd") and 5 <= last.low <= 55 else None


def worded_minutes(words: Sequence[str], values: Sequence[Any]) -> Reading | None:
    """As in "hour twenty on the phone"; in digits it is a number of the hour ("no later than hour 5")."""
    return bare_minutes(words, values) if values[-1].rule != "<digits>" else None


def tens_of_minutes(words: Sequence[str], values: Sequence[Any]) -> Reading | None:
    """As in "an hour and ten across the desk": round minutes of ten and more, unless things are counted."""
    return bare_minutes(words, values) if values[-1].best >= 10 and values[0].best % 1 == 0 else None


def odd_minutes(words: Sequence[str], values: Sequence[Any]) -> Reading | None:
    """As in "2 hours 36": whatever follows, for nothing else is counted right behind hours."""
    last = values[-1]
    whole = last.best == int(last.best) and last.rule in {"<digits>", "<cardinal>", "<tens>-<ones>"}
    return hours(words, values) if whole and 5 <= last.best <= 59 and values[0].best % 1 == 0 else None


def and_fraction(_: Sequence[str], values: Sequence[Any]) -> Reading | None:
    """As in "an hour and a 1/2", "1 hr and ½": a fraction of the hour before it."""
    if values[-1].rule != "<fraction>":
        return None
    minutes = (sum(value.best for value in values) + (len(values) == 1)) * 60
    return Reading(minutes, minutes, minutes, ())


def hours_and_minutes(words: Sequence[str], values: Sequence[Any]) -> Reading | None:
    """Not where the minutes are the hours again ("1.5h / 90min") or a part of them ("2½ hours, 40 minutes of it")."""
    halves = values[0].best % 1
    return hours(words, values) if values[-1].best < 60 and not halves else None


def hour_mark(words: Sequence[str], values: Sequence[Any]) -> Reading | None:
    """As in "1h30": what follows the mark is minutes of the hour."""
    return hours(words, values) if values[-1].best < 60 else None


def parts(words: Sequence[str], values: Sequence[Any]) -> Reading:
    """As in "<two> and a half", "three quarters of an hour", "half hour": parts of an hour, beside whole ones."""
    at = max(place for place, word in enumerate(words) if word in PART_OF)
    before = words[:at]
    tail = before[-2:] if before and before[-1] == "-" else before[-1:]
    count = 1.0
    whole = 0.0
    numbers = [value.best for value in values]
    if tail and tail[0] == "<n>":
        count = numbers.pop()
    if any(word in HOUR for word in before):
        whole = numbers[0] if numbers else 1.0
    elif numbers:
        whole = numbers[0]
    minutes = (whole + count * PART_OF[words[at]]) * 60
    return Reading(minutes, minutes, minutes, ())


def unit_total(_: Sequence[str], values: Sequence[Any]) -> Reading | None:
    """Units of six minutes, whole ones or halves."""
    number = values[-1]
    if number.best * 2 != int(number.best * 2) or not 0.5 <= number.best <= 240:
        return None
    return Reading(number.low * 6, number.best * 6, number.high * 6, (), form=Form.UNITS, unit=6.0)


def units_and_half(_: Sequence[str], values: Sequence[Any]) -> Reading:
    """As in "a unit and a half", "two units and a half": where no number is read, it is one."""
    minutes = 6 * (values[0].best if values else 1) + 3.0
    return Reading(minutes, minutes, minutes, (), form=Form.UNITS, unit=6.0)


def six_minute_units(_: Sequence[str], values: Sequence[Any]) -> Reading | None:
    """As in "three six-minute units"; other units are none of time."""
    units, minutes = values
    return unit_total((), [units]) if minutes.best == MINUTES_OF["unit"] else None


def seconds(words: Sequence[str], values: Sequence[Any]) -> Reading | None:
    """No wait ("one second"), no count of things ("two second drafts")."""
    single = words[-1] in {"second", "sec"} and values[0].rule != "<digits>"
    return hours(words, values) if values[0].best >= 2 and not single else None


def colon(words: Sequence[str], _: Sequence[Any]) -> Reading | None:
    """As in "1:45 hrs"."""
    hours, minutes = next(word for word in words if ":" in word and word != ":").split(":")
    total = int(hours or 0) * 60.0 + int(minutes)
    return Reading(total, total, total, ()) if int(minutes) < 60 and total else None


def clock_of_day(words: Sequence[str], _: Sequence[Any]) -> Reading | None:
    """As in "09:00 hrs": two digits, and more hours than are padded with a zero for work."""
    hours = words[0].partition(":")[0]
    padded = len(hours) == 2 and (hours[0] == "0" or int(hours) > 12)
    return Reading(0, 0, 0, ()) if padded and int(hours) > 5 else None


def hour_mark_of_day(_: Sequence[str], values: Sequence[Any]) -> Reading | None:
    """As in "09h50": hours padded with a zero, and more of them than are padded for work."""
    raw = values[0].raw
    return Reading(0, 0, 0, ()) if len(raw) == 2 and raw[0] == "0" and values[0].best > 5 else None


def hour_of_day(_: Sequence[str], values: Sequence[Any]) -> Reading | None:
    """As in "0900 hrs": four digits, hours and minutes, in front of a word for hours."""
    raw = values[0].raw
    clock = len(raw) == 4 and raw.isdigit() and int(raw[:2]) < 25 and int(raw[2:]) < 60
    return Reading(0, 0, 0, ()) if clock and raw[2:] in {"00", "15", "30", "45"} and raw[:2] != "00" else None


def twice(words: Sequence[str], values: Sequence[Any]) -> Reading | None:
    """As in "Two (2) hours", as contracts and careful people write."""
    return hours(("<n>", words[-1]), values[:1]) if values[0].best == values[1].best else None


def labelled(_: Sequence[str], values: Sequence[Any]) -> Reading | None:
    """As in "hours: 2.3"."""
    hours = values[0].best
    return Reading(hours * 60, hours * 60, hours * 60, ()) if 0 < hours <= 24 else None


def fixed(low: float, best: float, high: float) -> Any:
    """A production that always gives the same minutes: the least, the best guess, the most."""
    return lambda _words, _values: Reading(low, best, high, ())


def rate(_: Sequence[str], values: Sequence[Any]) -> Reading | None:
    """As in "425 an hour" is a rate, "1/2 an hour" is an amount."""
    return Reading(0, 0, 0, ()) if values[0].rule != "<fraction>" else None


def days(_: Sequence[str], values: Sequence[Any]) -> Reading:
    """Full days of work, a quarter more or less."""
    best = values[0].best * WORKING_DAY
    return Reading(best * 0.75, best, best * 1.25, ())


def times(_: Sequence[str], values: Sequence[Any]) -> Reading | None:
    """As in "2 x 45 min", "three 20 minute calls": an amount that was worked more than once."""
    count: Number
    each: Reading
    count, each = values if isinstance(values[0], Number) else reversed(values)
    if count.best not in range(2, 21) or each.best * count.best > WORKING_DAY * 2:
        return None
    return each.under("", each.low * count.best, each.best * count.best, each.high * count.best)


_COMPOUND = ("<n> hours <n>", "<n>h<n>")


def _share(low: Number, high: Reading) -> tuple[float, float]:
    """The first number in the second's unit; beside "2h 30" it is hours."""
    unit = 60.0 if high.rules and high.rules[0].startswith(_COMPOUND) else high.unit
    return low.low * unit, low.best * unit


def both_ends(_: Sequence[str], values: Sequence[Any]) -> Reading | None:
    """As in "2 or 3 hours": the middle, and both ends; the first number shares the second's unit."""
    first, last = values[0], values[1]
    low = first.low if isinstance(first, Reading) else _share(first, last)[0]
    best = first.best if isinstance(first, Reading) else _share(first, last)[1]
    if not low < last.high or best > last.best:
        return None
    whole: Reading = last
    return whole.under("", low, (best + whole.best) / 2, whole.high)


def number_and_next(words: Sequence[str], values: Sequence[Any]) -> Reading | None:
    """As in "ten, fifteen minutes": two numbers in words, the second somewhat larger."""
    first, last = values
    near = first.best * last.unit < last.best <= 2 * first.best * last.unit
    return both_ends(words, values) if first.rule in {"<cardinal>", "<tens>-<ones>"} and near else None


def hour_or_two(_: Sequence[str], values: Sequence[Any]) -> Reading | None:
    """As in "an hour or two": the number takes the unit before it."""
    first, more = values
    last = more.best * first.unit
    return first.under("", first.low, (first.best + last) / 2, last) if last > first.best else None


def difference(_: Sequence[str], values: Sequence[Any]) -> Reading | None:
    """As in "two hours less ten minutes", "10 to 4 less an hour for lunch": what is left, if it is the larger part."""
    first, second = values
    left = first.best - second.best
    if second.form is not Form.SPOKEN or left < second.best:
        return None
    whole: Reading = first
    return whole.under("", first.low - second.high, left, first.high - second.low)


def same_twice(_: Sequence[str], values: Sequence[Any]) -> Reading | None:
    """As in "90 minutes (1.5 hours)": one amount, said in two ways."""
    first, second = values
    return first if abs(first.best - second.best) < 1 else None


def hedged(share_low: float, share_high: float, step: float) -> Any:
    """Bounds as shares of the amount; the best reading a step (minutes) from it, a smaller one for small amounts."""

    def form(_: Sequence[str], values: Sequence[Any]) -> Reading:
        base: Reading = values[-1]
        moved = base.best + (step if base.best >= 50 else step * 0.4)
        return base.under("", base.low * share_low, max(moved, base.best * 0.8), base.high * share_high)

    return form
