"""Amounts of time: a number and its unit, and what people say instead of numbers.

Layers over <n>: rates step aside first ("$425 an hour" is no amount), then plain amounts become <t>, then ranges and
hedges wrap what they hedge. Arithmetic stands once, in the small functions at the top.
"""

from collections.abc import Sequence
from typing import Any

from shared.extraction.durations.numbers import Number
from shared.extraction.durations.reading import Form, Reading
from shared.extraction.durations.units import HOUR, MINUTE, MINUTES_OF, UNIT
from shared.extraction.engine import Layer, Rule, Words
from shared.extraction.wordlist import words

WORKING_DAY = 480.0
"""Minutes in a full day of work, for "all day" and its parts."""

_PART = {"half": 0.5, "quarter": 0.25, "quarters": 0.25, "third": 1 / 3, "thirds": 1 / 3, "fifth": 0.2, "tenth": 0.1,
         "tenths": 0.1, "sixth": 1 / 6, "eighth": 0.125}  # fmt: skip
_COUNT = {"a": 1.0, "an": 1.0, "the": 1.0, "one": 1.0, "another": 1.0}
_WORDS = Words(
    sets={
        "hour": HOUR,
        "minute": MINUTE,
        "unit": (*HOUR, *MINUTE),
        "spelt": tuple(word for word in (*HOUR, *MINUTE) if len(word) > 1),
        "units": UNIT,
        "part": _PART,
        "a": ("a", "an", "one", "another", "one more", "an extra", "an additional", "a further", "the other"),
        "the": ("the", "that", "this", "the last", "the past", "the first", "the final", "that last"),
        "sort": words(
            """
            full good solid whole entire straight further extra additional billable more long total very_long
            attorney lawyer partner associate short clear clock chargeable other bare mere actual strong healthy
            productive quick brief hard consecutive uninterrupted of billed unbilled paralegal
            """
        ),
        "after": words(
            """
            , . ; -- ) ! on in into with for to all going reviewing drafting reading working today yesterday
            this at preparing revising talking speaking getting trying writing doing
            """
        ),
        "work": words(
            """
            i we that it on of spent or you on reviewing she he
            """
        ),
        "about": words(
            """
            about around roughly approximately approx_. approx circa ca_. c_. ~ some maybe perhaps probably say
            in_the_region_of in_the_order_of something_like somewhere_around somewhere_near on_the_order_of
            a_good a_solid abt appx appx_. just_about or_so best_guess
            """
        ),
        "under": words(
            """
            just_under nearly almost close_to just_shy_of a_little_under a_bit_under slightly_under not_quite
            a_little_less_than just_less_than slightly_less_than nigh_on getting_on_for a_shade_under
            pretty_much shy_of a_touch_under near_enough the_better_part_of the_best_part_of better_part_of
            best_part_of most_of the_bulk_of a_bit_less_than a_hair_under closer_to
            """
        ),
        "over": words(
            """
            just_over a_little_over a_bit_over slightly_over a_little_more_than a_bit_more_than
            slightly_more_than just_more_than upwards_of north_of well_over somewhat_over a_shade_over
            a_touch_over in_excess_of a_hair_over better_than
            """
        ),
        "daypart": ("morning", "afternoon", "evening"),
        "label": words(
            """
            hours hrs hrs_. time time_spent duration total_time billable_time hours_spent my_time hours_billed
            time_billed billable_hours total_hours
            """
        ),
    }
)  # fmt: skip


def _hours(words: Sequence[str], values: Sequence[Any]) -> Reading:
    """Each number times the unit that follows it, added up; an article before an hour counts as one."""
    low = best = high = unit = 0.0
    numbers = iter(values)
    pending: Number | None = None
    for word in words:
        if word == "<n>":
            pending = next(numbers)
        elif word in MINUTES_OF:
            unit = MINUTES_OF[word]
            number = pending or Number(1, 1, 1, "a")
            low, best, high = low + number.low * unit, best + number.best * unit, high + number.high * unit
            pending = None
    if pending:
        low, best, high = low + pending.low, best + pending.best, high + pending.high
    return Reading(low, best, high, (), unit=unit)


def _bare_minutes(words: Sequence[str], values: Sequence[Any]) -> Reading | None:
    """As in "An hour and forty": the number after the hour is minutes, if it could be."""
    minutes = values[-1].best
    return _hours(words, values) if minutes % 5 == 0 and 5 <= minutes <= 55 else None


def _hour_mark(words: Sequence[str], values: Sequence[Any]) -> Reading | None:
    return _hours(words, values) if values[-1].best < 60 else None


def _parts(words: Sequence[str], values: Sequence[Any]) -> Reading:
    """As in "<two> and a half", "three quarters of an hour", "half hour": parts of an hour, beside whole ones."""
    at = max(place for place, word in enumerate(words) if word in _PART)
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
    minutes = (whole + count * _PART[words[at]]) * 60
    return Reading(minutes, minutes, minutes, ())


def _unit_total(_: Sequence[str], values: Sequence[Any]) -> Reading | None:
    number = values[-1]
    if number.best != int(number.best) or not 1 <= number.best <= 240:
        return None
    return Reading(number.low * 6, number.best * 6, number.high * 6, (), form=Form.UNITS, unit=6.0)


def _colon(words: Sequence[str], _: Sequence[Any]) -> Reading | None:
    hours, minutes = next(word for word in words if ":" in word and word != ":").split(":")
    total = int(hours or 0) * 60.0 + int(minutes)
    return Reading(total, total, total, ()) if int(minutes) < 60 and total else None


def _twice(words: Sequence[str], values: Sequence[Any]) -> Reading | None:
    """As in "Two (2) hours", as contracts and careful people write."""
    return _hours(("<n>", words[-1]), values[:1]) if values[0].best == values[1].best else None


def _labelled(_: Sequence[str], values: Sequence[Any]) -> Reading | None:
    hours = values[0].best
    return Reading(hours * 60, hours * 60, hours * 60, ()) if 0 < hours <= 24 else None


def _fixed(low: float, best: float, high: float) -> Any:
    return lambda _words, _values: Reading(low, best, high, ())


def _rate(_: Sequence[str], values: Sequence[Any]) -> Reading | None:
    """As in "425 an hour" is a rate, "1/2 an hour" is an amount."""
    return Reading(0, 0, 0, ()) if values[0].rule != "<fraction>" else None


def _days(_: Sequence[str], values: Sequence[Any]) -> Reading:
    best = values[0].best * WORKING_DAY
    return Reading(best * 0.75, best, best * 1.25, ())


def _named(name: str, pattern: str, form: Any) -> Rule:
    def produce(words: Sequence[str], values: Sequence[Any]) -> Reading | None:
        reading: Reading | None = form(words, values)
        if reading is None:
            return None
        numbers = tuple(value.rule for value in values if isinstance(value, Number))
        return reading.under(name) if not numbers else Reading(
            reading.low, reading.best, reading.high, (name, *reading.rules, *numbers),
            reading.form, reading.unit, reading.clock,
        )  # fmt: skip

    return Rule(name, pattern, produce)


RATES = Layer(
    "<rate>",
    [
        _named("<money> an hour", "<money> -? ( k )? ,? an|a|per|/|each|every|for|the? every? {unit}", _fixed(0, 0, 0)),
        _named("<n> an hour", "<n> an|per|/|p {unit}", _rate),
        _named("<n> miles an hour", "miles|km|kilometers|kilometres|knots|times|dollars|pounds|euros an|a|per {hour}",
               _fixed(0, 0, 0)),
    ],
    _WORDS,
)  # fmt: skip

AMOUNTS = Layer(
    "<t>",
    [
        _named("<n> hours <n> minutes", "<n> -? {hour} .|,? and|&|plus? <n> -? {minute}", _hours),
        _named("an hour <n> minutes", "{a}|{the}? {sort}? hour ,? and|&? <n> -? {minute}", _hours),
        _named("<n> hours and a part", "<n> {hour} and|& ( a|an|one )? <n>? -? {part}", _parts),
        _named("an hour and a part", "{a}|{the}? {sort}? hour and|& ( a|an|one )? <n>? -? {part}", _parts),
        _named("an hour and <n>", "{a}|{the}? hour and|& <n> ( @{after} | $ )", _bare_minutes),
        _named("<n> hours and <n>", "<n> {hour} and|& <n> ( @{after} | $ )", _bare_minutes),
        _named("<n> hours <n>", "<n> {hour} <n> ( @{after} | $ )", _bare_minutes),
        _named("<n>h<n>", "<n> h|hr|hrs <n> '? !{unit}", _hour_mark),
        _named("<n> (<n>) hours", r"<n> \( <n> \) {unit}", _twice),
        _named("parts of an hour", "a|an|the|another|about? <n>? -? {part} of an|one|the? {hour}", _parts),
        _named("part hour", "a|an|the|another|that|this|first|last? <n>? -? {sort}? {part} -? an? -? {hour}", _parts),
        _named("<n> of an hour", "<n> of? an|one {hour}", _hours),
        _named("<colon> hours", "#:# {hour}", _colon),
        _named("hours: <colon>", "{label} :|=|- #:# !am|pm", _colon),
        _named("hours: <n>", "{label} :|=|- <n> !{unit}", _labelled),
        _named("<n> units", "<n> ( x )? -? {units} !of", _unit_total),
        _named("<n> <sort> hours", "<n> ( -? ish )? ( {sort}? {sort}? {unit} | - {sort}? -? {spelt} )", _hours),
        _named("an hour", "{a} -? {sort}? {sort}? {hour}", _hours),
        _named("the whole hour", "{the} {sort} {hour}", _hours),
        _named("the hour", "the|that|this hour @{work}", _hours),
        _named("the last hour", "the last|past|first hour", _hours),
        _named("half a day", "a|the|another? half -? a|the? -? day", _fixed(180, 240, 300)),
        _named("half the morning", "half a|the|of? the? {daypart}", _fixed(60, 105, 150)),
        _named("most of the day", "most|much|bulk|part of the|a|my? day", _fixed(270, 360, 480)),
        _named("a day and a half", "a day and a half", _fixed(600, 720, 840)),
        _named("<n> full days", "<n> full|whole|solid|long|entire|straight|working days", _days),
        _named("all day", "all day ( long )?", _fixed(360, WORKING_DAY, 600)),
        _named("the whole day", "a|the|my full|whole|entire|solid|long day", _fixed(360, WORKING_DAY, 600)),
        _named("all afternoon", "all|entire|whole afternoon", _fixed(150, 240, 270)),
        _named("all morning", "all|entire|whole|full morning|evening", _fixed(150, 210, 240)),
        _named("most of the morning", "most|much|bulk of the|my {daypart}", _fixed(120, 180, 240)),
    ],
    _WORDS,
)  # fmt: skip


def _share(low: Number, high: Reading) -> tuple[float, float]:
    return low.low * high.unit, low.best * high.unit


def _range(_: Sequence[str], values: Sequence[Any]) -> Reading | None:
    """As in "2 or 3 hours": the middle, and both ends; the first number shares the second's unit."""
    first, last = values[0], values[1]
    low = first.low if isinstance(first, Reading) else _share(first, last)[0]
    best = first.best if isinstance(first, Reading) else _share(first, last)[1]
    if not low < last.high or best > last.best:
        return None
    whole: Reading = last
    return whole.under("", low, (best + whole.best) / 2, whole.high)


def _hour_or_two(_: Sequence[str], values: Sequence[Any]) -> Reading | None:
    first, more = values
    last = more.best * first.unit
    return first.under("", first.low, (first.best + last) / 2, last) if last > first.best else None


def _same_twice(_: Sequence[str], values: Sequence[Any]) -> Reading | None:
    first, second = values
    return first if abs(first.best - second.best) < 1 else None


def _hedged(share_low: float, share_high: float, step: float) -> Any:
    """Bounds as shares of the amount; the best reading a step (minutes) from it, a smaller one for small amounts."""

    def form(_: Sequence[str], values: Sequence[Any]) -> Reading:
        base: Reading = values[-1]
        moved = base.best + (step if base.best >= 50 else step * 0.4)
        return base.under("", base.low * share_low, max(moved, base.best * 0.8), base.high * share_high)

    return form


HEDGES = (
    Layer(
        "<t>",
        [
            _named("between <n> and <amount>", "between <n>|<t> and|-|& <t>", _range),
            _named("from <n> to <amount>", "from|somewhere? <n>|<t> to <t>", _range),
            _named("<n> to <amount>", "<n>|<t> -|--|to|or|/|-- ( maybe|even )? <t>", _range),
            _named("an hour or two", "<t> or|to <n> ( @,|.|;|on|in|with|of|for|to|and|)|i|we | $ )", _hour_or_two),
            _named("<amount> (<amount>)", r"<t> \( <t> \)", _same_twice),
            _named("<amount> / <amount>", "<t> /|= <t>", _same_twice),
        ],
        _WORDS,
    ),
    Layer(
        "<t>",
        [
            _named("under <amount>", "{under} <t>", _hedged(0.85, 1.0, -5)),
            _named("over <amount>", "{over} <t>", _hedged(1.0, 1.25, 5)),
            _named("more than <amount>", "over|more than <t>", _hedged(1.0, 1.25, 0)),
            _named("less than <amount>", "under|less than <t>", _hedged(0.75, 1.0, 0)),
            _named("about <amount>", "{about}+ <t>", _hedged(0.85, 1.15, 0)),
            _named("<amount> or so", "<t> -? or so|thereabouts|ish|thereabout", _hedged(0.85, 1.15, 0)),
            _named("<amount> give or take", "<t> ,? give or take", _hedged(0.85, 1.15, 0)),
            _named("<amount> plus", r"<t> \+", _hedged(1.0, 1.25, 5)),
            _named("<amount> and change", "<t> and change|some", _hedged(1.0, 1.25, 5)),
        ],
        _WORDS,
    ),
)  # fmt: skip
