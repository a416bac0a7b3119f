"""Amounts of time: a number and its unit, and what people say instead of numbers.

Layers over <n>: rates step aside first ("$425 an hour" is no amount), then hours of the day, then plain amounts become
<t>. What is done to amounts, ranges and hedges, is in hedges.py.
"""

from shared.extraction.durations.naming import named
from shared.extraction.durations.sums import (
    PART_OF,
    WORKING_DAY,
    and_fraction,
    bare_minutes,
    clock_of_day,
    colon,
    days,
    fixed,
    hour_mark,
    hour_mark_of_day,
    hour_of_day,
    hours,
    hours_and_minutes,
    labelled,
    odd_minutes,
    parts,
    rate,
    seconds,
    six_minute_units,
    tens_of_minutes,
    twice,
    unit_total,
    units_and_half,
    worded_minutes,
)
from shared.extraction.durations.units import HOUR, MINUTE, SECOND, UNIT
from shared.extraction.engine import Layer, Words
from shared.extraction.lexicon import WORK_GERUND
from shared.extraction.wordlist import words

_AND = r"( .? ,? and|&? | plus | \+ | : | / )"

_WORDS = Words(
    sets={
        "hour": HOUR,
        "minute": MINUTE,
        "second": SECOND,
        "unit": (*HOUR, *MINUTE),
        "spelt": tuple(word for word in (*HOUR, *MINUTE) if len(word) > 1),
        "more": ("seconds", "secs", "sec", "s"),
        "units": UNIT,
        "not_time": (*words("of building apartment block property complex development house home flats housing"),
                     "in the building", "in the block", ". s", "- turn", "- turns"),
        "paced": words(
            """
            page pages document documents doc docs line lines paragraph paragraphs clause clauses question questions
            exhibit exhibits image images
            """
        ),
        "goes_on": (*words("and & or each apiece long with on of in for ago before after earlier later"), "<n>"),
        "on": ("on", "each", "re", "for the"),
        "part": PART_OF,
        "a": ("a", "an", "one", "another", "one more", "an extra", "an additional", "a further", "the other"),
        "the": ("the", "that", "this", "the last", "the past", "the first", "the final", "that last"),
        "sort": words(
            """
            more full good solid whole entire straight further extra additional billable more long total very_long
            attorney lawyer partner associate short clear clock chargeable other bare mere actual strong healthy even
            productive quick brief hard consecutive uninterrupted of billed unbilled paralegal
            """
        ),
        "after": words(
            """
            , . ; -- ) ! on in into with for to all going reviewing drafting reading working today yesterday
            this at preparing revising talking speaking getting trying writing doing of from here there
            altogether tonight yesterday's last before after door both each more or over about by because while when so
            together well as until spent total flat exactly straight and
            """
        ),
        "counted": words(
            """
            : am pm a.m p.m o'clock page pages pp p exhibit exhibits document documents doc docs people person persons
            times time email emails mail mails letter letters call calls item items % percent mile miles mi km
            day days week weeks month months year years of witness witnesses question questions case cases tabs tab
            draft drafts clause clauses file files folder folders box boxes minute minutes min mins hour hours hr hrs
            unit units x tenths euro euros eur dollars pounds quid bucks late early
            """
        ),
        "working": (*WORK_GERUND, *words("waiting kicking sitting standing hanging arguing being having making")),
        "work": words(
            """
            i we that it on of spent or you on reviewing she he
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


RATES = Layer(
    "<rate>",
    [
        named("<money> an hour", "<money> -? ( k )? ,? an|a|per|/|each|every|for|the? every? {unit}", fixed(0, 0, 0)),
        named("<n> an hour", "<n> an|per|/|p {unit}", rate),
        named("<n> pages an hour", "<n>|a {paced} an|per|each|every {hour} !{goes_on}", fixed(0, 0, 0)),
        named("<n> miles an hour", "miles|km|kilometers|kilometres|knots|times|dollars|pounds|euros an|a|per {hour}",
              fixed(0, 0, 0)),
    ],
    _WORDS,
)  # fmt: skip

POINTS = Layer(
    "<o>",
    [
        named("<hhmm> hours", "<n> hrs", hour_of_day),
        named("<hh>h<mm>", "<n> h <n> !{unit}", hour_mark_of_day),
        named("at <hhmm> hours", "at|by|before|after|since|until|from <n> hours|h", hour_of_day),
        named("<hh>:<mm> hours", "#:# {hour}", clock_of_day),
    ],
    _WORDS,
)

AMOUNTS = Layer(
    "<t>",
    [
        named("<n> hours <n> minutes <n> seconds",
              f"<n> {{hour}} {_AND} <n> {{minute}} {_AND} <n> {{more}}", hours),
        named("<n> hours <n> minutes", f"<n> -? {{hour}} {_AND} <n> -? {{minute}}", hours_and_minutes),
        named("an hour <n> minutes", "{a}|{the}? {sort}? hour ,? and|&|plus? <n> -? {minute}", hours),
        named("<n> minutes <n> seconds", "<n> {minute} ,? and|&? <n> {more}", hours),
        named("<n> hours and a part", "<n> -? {hour} -? and|& -? ( a|an|one )? -? <n>? -? {part}", parts),
        named("an hour and a part", "{a}|{the}? {sort}? hour|hr -? and|& -? ( a|an|one )? -? <n>? -? {part}", parts),
        named("an hour and a <fraction>", "{a}|<n>? hour|hr and|&? a? <n>", and_fraction),
        named("an hour and <n>", "{a}|{the} hour|hr and|&|-? <n> ( @{after}|{working} | $ )", bare_minutes),
        named("hour and <n>", "hour|hr and|& <n> ( @{after}|{working} | $ )", bare_minutes),
        named("hour <n>", "hour|hr <n> ( @{after}|{working} | $ )", worded_minutes),
        named("<n> hours and <n>", "<n> {hour} and|&? <n> ( @{after}|{working} | $ )", bare_minutes),
        named("an hour and <tens>", "{a}|{the} hour|hr and|& <n> !{counted}", tens_of_minutes),
        named("<n> hours and <tens>", "<n> {hour} and|& <n> !{counted}", tens_of_minutes),
        named("an hour <n>", "{a}|{the} hour|hr <n> !{counted}", odd_minutes),
        named("<n> hours <n>", "<n> {hour} <n> !{counted}", odd_minutes),
        named("an hour, <n>", "{a}|<n>? hour , <n> ( @. | $ )", bare_minutes),
        named("<n>h<n>", "<n> h|hr|hrs <n> '? !{unit}", hour_mark),
        named("a minute and a half", "{a} minute and|& a half", fixed(1.5, 1.5, 1.5)),
        named("a quarter to half an hour", "a? quarter to|or half an? hour", fixed(15, 22.5, 30)),
        named("half a minute", "half -? a -? minute", fixed(0.5, 0.5, 0.5)),
        named("hour-long", "( an|one )? hour -? long", fixed(60, 60, 60)),
        named("hour-plus", "an? hour -? plus !<n>|<t>", fixed(60, 65, 75)),
        named("an hourish", "an? hourish", fixed(51, 60, 69)),
        named("<n> (<n>) hours", r"<n> \( <n> \) {unit}", twice),
        named("parts of an hour", "a|an|the|another|about? <n>? -? {part} -? of -? an|one|the? -? {hour}", parts),
        named("<n> tenths", "<n> -? tenths|tenth !of", parts),
        named("a tenth", "a|another tenth !of", fixed(6, 6, 6)),
        named("part hour", "a|an|the|another|that|this|first|last? <n>? -? {sort}? {part} -? an? -? {hour}", parts),
        named("<n> of an hour", "<n> of? an|one {hour}", hours),
        named("<colon> hours", "#:# {hour}", colon),
        named("hours: <colon>", "{label} :|=|- #:# !am|pm", colon),
        named("hours: <n>", "{label} :|=|- <n> !{unit}", labelled),
        named("<n> six-minute units", "<n> x|×? <n> -? {minute} -? {units}", six_minute_units),
        named("<n> units of six minutes", "<n> {units} of <n> {minute}", six_minute_units),
        named("units: <n>", "unit|units :|= <n> !{unit}", unit_total),
        named("<n> units and a half", "{a}|<n> {units} and|& a half !{hour}|an|of|{not_time}", units_and_half),
        named("<n> units", "<n> ( x )? -? {units} !{not_time}", unit_total),
        named("a unit", "a|single+ unit ( @{on} | $ )", fixed(6, 6, 6)),
        named("<n> <sort> hours",
              "<n> ( -? ish )? ( {sort}? {sort}? {unit} | - {sort}? -? {spelt} | man|person -? {hour} )", hours),
        named("<n> seconds", "<n> -? {second}", seconds),
        named("an hour", "{a} -? {sort}? {sort}? {hour}", hours),
        named("the whole hour", "{the} {sort} {hour}", hours),
        named("the hour", "the|that|this hour @{work}", hours),
        named("the last hour", "the last|past|first hour", hours),
        named("half a day", "a|the|another? half -? a|the? -? day", fixed(180, 240, 300)),
        named("half the morning", "half a|the|of? the? {daypart}", fixed(60, 105, 150)),
        named("most of the day", "most|much|bulk|part of the|a|my? day", fixed(270, 360, 480)),
        named("a day and a half", "a day and a half", fixed(600, 720, 840)),
        named("<n> full days", "<n> full|whole|solid|long|entire|straight|working days", days),
        named("all day", "all -? day ( long )?", fixed(360, WORKING_DAY, 600)),
        named("the whole day", "( a|the|my full|whole|entire|solid|long | full|whole|entire ) -? day",
              fixed(360, WORKING_DAY, 600)),
        named("all afternoon", "all|entire|whole afternoon", fixed(150, 240, 270)),
        named("all morning", "all|entire|whole|full morning|evening", fixed(150, 210, 240)),
        named("most of the morning", "most|much|bulk of the|my {daypart}", fixed(120, 180, 240)),
    ],
    _WORDS,
)  # fmt: skip
