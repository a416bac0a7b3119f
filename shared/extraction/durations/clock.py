"""Clock spans: "from 2:10 to 3:40 pm" is 90 minutes. A table of the ways in which people name two points of a day."""

from collections.abc import Sequence
from typing import Any

from shared.extraction.durations.day import (
    NOON,
    dotted,
    dotted_first,
    hands_both,
    hour_marks,
    hours_from,
    hours_of_day,
    military,
    minutes_beside,
    minutes_first,
    not_a_face,
    one_dotted,
    partly_dotted,
    past_the_hour,
    run_together,
    span,
    spoken,
)
from shared.extraction.durations.reading import Reading
from shared.extraction.durations.units import HOUR, MINUTE
from shared.extraction.engine import Layer, Rule, Tokens, Words
from shared.extraction.wordlist import DAYS, words

_WORDS = Words(
    sets={
        "to": words(
            """
            to - -- ~ > → -_> --_> until till til 'til through thru untill up_to right_up_to right_through_to
            straight_through_to up_until through_to right_through straight_through
            """
        ),
        "until": ("to", "until", "till", "til", "'til", "-", "--", "through", "thru"),
        "half": ("am", "pm", "a", "p"),
        "about": words(
            """
            about around roughly approximately approx ~ circa just_after just_before a_bit_past a_little_past
            a_bit_after a_little_after shortly_after a_bit_before a_little_before shortly_before a_touch_before
            a_touch_after a_tick_before a_tick_after a_hair_before a_hair_after just_past just_gone gone well_after
            well_past nearly almost close_to getting_on_for coming_up_to
            """
        ),
        "noon": NOON,
        "daypart": ("morning", "afternoon", "evening"),
        "begin": words(
            """
            starting beginning start_time sat got reached went came met picked walked logged rang called connected
            dialled board boarded caught there set left started began start begin departed arrived on begun opened
            dialed kicked joined commenced in
            """
        ),
        "end": words(
            """
            ending finishing end_time put_it_down put_it_away put_it_aside rose closed away clear through free wound
            rang logged walked leaving let came
            signed returning cleared arrived finished ended done back off finish end stopped wrapped returned out got
            pulled reached concluded closed hung adjourned broke over excused released home left
            """
        ),
        "unit": (*HOUR, *MINUTE, "%", "percent", "days", "weeks", "months", "years", "people", "million", "units",
                 "day", "points", "pages", "times", "business", "mb", "gb", "miles", "inches", "feet"),
        "over": words(
            """
            off out done over through finished ended wrapped closed concluded adjourned rose broke stopped
            knocked_off pulled_in got_in got_out got_back wound_up locked_up packed_up gone
            """
        ),
        "ran": words("ran went lasted carried_on kept_going kept_at_it didn't_stop did_not_stop"),
        "weekday": (*DAYS, *words("mon tue tues wed thu thurs fri")),
        "month": words("january february march april may june july august september october november december"),
        "place": words("court chambers conf conference session committee hearing meeting mediation there"),
        "after": words(
            """
            , . ; -- ) on with today yesterday this re for w/ and : monday tuesday wednesday thursday friday
            last in at but to reviewing tonight doing solid straight without
            """
        ),
    }
)  # fmt: skip


def _rule(name: str, pattern: str, form: Any = span) -> Rule:
    def produce(words: Sequence[str], values: Sequence[Any]) -> Reading | None:
        reading: Reading | None = form(words, values)
        return reading.under(name) if reading else None

    return Rule(name, pattern, produce)


_POINTS = NOON | {"<n>", "half", "quarter"}


def may_hold_span(tokens: Tokens) -> bool:
    """Whether a passage names two points of a day at least: the table is long, and most passages don't."""
    return sum(word in _POINTS or ":" in word for word in tokens.spelled) > 1


_ZONE = (
    "( {half} ( -? ish )? | in the {daypart} | at night )?"
    " ( yesterday|today|central|eastern|et|est|edt|ct|pt|pst|gmt|bst|aest )?"
)
_TOLD = (
    "half|quarter past|to|after <n>|{noon} | a? quarter of <n>|{noon} | half <n> | a quarter past|to <n>|{noon}"
    " | <n> past|after|of <n>|{noon}"
)
_FACE = f"( #:# ( h | -? ish )? | <n>? {{noon}} | {_TOLD} ) {_ZONE}"
_ANY = (
    f"( #:# ( h | -? ish )? | <n>? {{noon}} | {_TOLD} | <n> ( minutes )? to <n> | <n> ( o'clock | -? ish | -? <n> )? )"
    f" {_ZONE}"
)
_LOGGED = (
    "start|started|begin|began|begun|arrived|commenced|opened|kicked_off|dialled_in|logged_on|in"
    " ( time | {place} | at )? :? <n>"
    " ( hrs|h )? ( ,|;|.|-|--|and )? finish|finished|end|ended|left|out|wrapped|wrapped_up|closed|rose|done|logged_off"
    " ( time|at )? :? <n> ( hrs|h )? !{unit}"
)
CLOCK = Layer(
    "<t>",
    [
        _rule("<h>h<mm> to <h>h<mm>", "<n> h <n>? {to} <n> h <n>? !{unit}", hour_marks),
        _rule("between <h>h<mm> and <h>h<mm>", "between <n> h <n>? and <n> h <n>? !{unit}", hour_marks),
        _rule(
            "<minutes> to <hour> to <minutes> to <hour>",
            "from|between|at? <n> ( minutes )? to <n> to <n> ( minutes )? to|past <n>",
            hands_both,
        ),
        _rule(
            "<minutes> to <hour> until <clock>",
            f"from|between|at? <n> ( minutes )? to <n> {{until}} {{about}}? {_ANY} !{{unit}}|{{month}}",
            minutes_first,
        ),
        _rule("from <clock> to <clock>", f"from|between {{about}}? {_FACE} {{to}}|and {{about}}? {_ANY} !{{unit}}"),
        _rule("from <hour> to <clock>", f"from|between {{about}}? {_ANY} {{to}}|and {{about}}? {_FACE} !{{unit}}"),
        _rule(
            "from <hour> until about <hour>",
            f"from|between? {{about}}? {_ANY} {{until}}|and {{about}} {_ANY} ( @{{after}} | $ )",
        ),
        _rule("from <hour> to <hour> pm", f"from|between {{about}}? {_ANY} {{to}}|and {{about}}? <n> am|pm"),
        _rule("from <hour> am to <hour>", f"from|between {{about}}? <n> am|pm {{to}}|and {{about}}? {_ANY} !{{unit}}"),
        _rule("from <hour> ish to <hour>", "from|between? <n> -? ish {to}|and <n> ( -? ish )? ( @{after} | $ )"),
        _rule("<hour> to <hour> ish", "from? <n> {to} <n> -? ish"),
        _rule(
            "from <words> to <words>", "from|between? <n> ( -? <n> )? {to}|and <n> -? <n> ( {half} )? !{unit}", spoken
        ),
        _rule("from <words> to <clock>", f"from|between? <n> -? <n> {{to}}|and {{about}}? {_FACE} !{{unit}}", spoken),
        _rule(
            "<hour> to <minutes> to <hour>",
            "from|between? <n> {half}? {to}|and {about}? <n> ( minutes )? to|past <n>",
            minutes_beside,
        ),
        _rule(
            "<clock> to <minutes> past",
            f"from|between? {_ANY} {{to}} a? quarter|half|<n> past !<n>|{{noon}}|the",
            past_the_hour,
        ),
        _rule("between <words> and <words>", "between <n> and <n> ( @{after} | $ )", spoken),
        _rule(
            "from <hour> in the morning",
            f"from|between? <n> ( in the {{daypart}} | at night ) {{to}}|and {_ANY} !{{unit}}",
        ),
        _rule(
            "from <hour> this morning",
            f"from|between? {_ANY} ( this|that|yesterday {{daypart}} | last night )"
            f" {{to}} {{about}}? {_ANY} ( tonight | last night )? !{{unit}}",
        ),
        _rule("<words> to <hour>", "from|between? <n> -? <n> {to}|and <n> ( {half} )? !{unit}", spoken),
        _rule("from <hour> to <hour>", "from <n> to|-|until|till <n> ( @{after} | $ )", hours_from),
        _rule(
            "<hour> o'clock to <hour>",
            f"from|between? <n> o'clock ( {{half}} )? {{to}}|and {{about}}? {_ANY} !{{unit}}",
        ),
        _rule("from <h.mm> to <h.mm>", "from|between {about}? <n> {to}|and {about}? <n> !{unit}", one_dotted),
        _rule(
            "at <clock> until <clock>",
            f"at|@|for|by|since|from {{about}}? {_ANY} ..6 till|until|'til|til {{about}}? {_ANY} !{{unit}}",
        ),
        _rule(
            "from <clock> until it ended at <clock>",
            f"from|between? {{about}}? {_ANY} until|till|til|to_closing|to_close !{{weekday}} ..6"
            f" at|@ {{about}}? {_ANY} !{{unit}}",
        ),
        _rule("<hour> to <hour>", "~,|: <n> to|-|until|till <n> ( @.|,|; | $ )", hours_of_day),
        _rule("<hour> to <hour> yesterday", "<n> to|-|until|till|til <n> @yesterday", hours_of_day),
        _rule(
            "<hour> to <hour>, and again",
            "<n> to|-|until|till|til <n> @and_again|,_and_again|then_again|,_then_again",
            hours_of_day,
        ),
        _rule("<hour> to <hour> shift", "<n> to|-|until|till|til <n> @shift|session|sitting", hours_of_day),
        _rule("<hour> until <hour>", "<n> until|till|til|'til <n> ( @{after} | $ )", hours_of_day),
        _rule("nothing but <hour> to <hour>", "^ <n> to <n> $", hours_of_day),
        _rule(
            "<hour> to <hour> in the morning",
            "<n> {to} <n> ( in the {daypart} | at night | @last_night|tonight | @this|that|yesterday {daypart} )",
            not_a_face,
        ),
        _rule("<clock> to <clock>", f"{_FACE} {{to}} {{about}}? {_ANY} !{{unit}}|:_<n>"),
        _rule("<hour> to <clock>", f"<n> sharp? {{half}}? {{to}} {_FACE} !{{unit}}"),
        _rule("<hour> am to <hour>", "<n> am|pm ( -? ish )? {to} <n> ( am|pm )"),
        _rule("<hour>a to <hour>a", "<n> a|p {to} <n> a|p"),
        _rule("<hmm> to <hmm> pm", "<n> {half}? {to} <n> am|pm", run_together),
        _rule("<hour> to <hour> pm", "<n> {half}? {to} <n> am|pm"),
        _rule("<hour>.<minute>-<hour>.<minute>", "<n> {to} <n> !{unit}", dotted),
        _rule("start <h.mm> finish <h.mm>", _LOGGED, dotted),
        _rule("start <hhmm> finish <hhmm>", _LOGGED, military),
        _rule("<hour>.<minute> to <hour>", "<n> ( am|pm )? {to} <n> ( am|pm )? !{unit}", partly_dotted),
        _rule("<hour> am to <hour> unsaid", "<n> am|pm ( -? ish )? {to} <n> ( -? ish )? ( @{after}|! | $ )"),
        _rule("<hhmm>-<hhmm>", "<n> ( hrs|h|hours )? {to} <n> ( hrs|h|hours )?", military),
        _rule(
            "began at <clock>, ended at <clock>",
            (
                f"{{begin}} ..9 at|@|around|about|for {{about}}? {_ANY} ..9 {{end}}|{{ran}}"
                f" ..9 at|@|by|around|until|till|about {{about}}? {_ANY}"
            ),
        ),
        _rule(
            "began <hour> am, ended <hour> pm",
            "{begin} ..2 {about}? <n>|#:# am|pm ,? and? ..4 {end}|signed ..4 {about}? <n>|#:# am|pm",
        ),
        _rule(
            "began just after <hour>, ended at <hour>",
            f"{{begin}} ..3 {{about}} {_ANY} ..3 {{end}} at|@|by|around|until|till {{about}}? {_ANY}",
        ),
        _rule("began <h.mm>, ended at <h.mm>", "{begin} again? <n> , ..9 {over} at|by|around <n> !{unit}", dotted),
        _rule(
            "began <clock>, ended <clock>",
            f"{{begin}} :? {{about}}? {_FACE} !{{to}} ..3 {{end}} :? ..4 {{about}}? {_FACE} !{{to}}",
        ),
        _rule(
            "left <clock>, in <clock>",
            f"left|departed|started|began|resumed ..3 {{about}}? {_FACE} ,? and? {{over}} ..2 {{about}}? {_FACE}",
        ),
        _rule(
            "began <hour>, ended at <clock>",
            f"started|began|begun|commenced {{about}}? <n> ,? and? {{over}} ( at|by|around|about )? {_FACE}",
        ),
        _rule(
            "<clock> and off at <clock>",
            f"{_FACE} ,? and|then? !.|; ..2 {{over}} at|@|by|around|about|just {{about}}? {_ANY} !{{unit}}",
        ),
        _rule(
            "<h.mm> and off at <clock>",
            f"<n> ,? and|then? !.|; ..2 {{over}} at|@|by|around|about|just {{about}}? {_ANY} !{{unit}}",
            dotted_first,
        ),
        _rule("<clock> and ran to <clock>", f"{_FACE} ,? and ..1 {{ran}} {{until}}|to {{about}}? {_ANY} !{{unit}}"),
        _rule("<hour> start, ended <clock>", f"{_ANY} start|kick-off|kickoff ..3 {{end}} ..3 {{about}}? {_ANY}"),
    ],
    _WORDS,
)
