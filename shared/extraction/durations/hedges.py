"""What people do to amounts: repeat them, give two for one, and hedge ("just under", "or so", "give or take")."""

from shared.extraction.durations.naming import named
from shared.extraction.durations.sums import (
    both_ends,
    difference,
    hedged,
    hour_or_two,
    number_and_next,
    same_twice,
    times,
)
from shared.extraction.engine import Layer, Words
from shared.extraction.wordlist import words

_WORDS = Words(
    sets={
        "session": words(
            """
            calls meetings conferences conversations sessions interviews telcons hearings mediations depositions
            visits attendances emails letters chats zooms videoconferences trips discussions reviews blocks slots
            appearances attendances sittings lots stints bouts rounds goes passes
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
    }
)  # fmt: skip


TIMES = Layer(
    "<t>",
    [
        named("<n> x <amount>", r"<n> ( x|× | \* ) <t>", times),
        named("<amount> x <n>", r"<t> x|× <n> ( @.|,|;|) | $ )", times),
        named("<n> <amount> calls", "<n> <t> ..1 {session}", times),
        named("<n> calls of <amount>", "<n> {session} of <t> ( each|apiece )?", times),
    ],
    _WORDS,
)


HEDGES = (
    Layer(
        "<t>",
        [
            named("between <n> and <amount>", "between <n>|<t> and|-|& <t>", both_ends),
            named("from <n> to <amount>", "from|somewhere? <n>|<t> to <t>", both_ends),
            named("<n> to <amount>", "<n>|<t> -|--|to|or|/ ( maybe|even )? <t>", both_ends),
            named("<amount>, maybe <amount>", "<t> ,|-- or? maybe|perhaps|possibly|even <t>", both_ends),
            named("<n>, <amount>", "<n> , <t>", number_and_next),
            named("an hour or two", "<t> or|to <n> ( @,|.|;|on|in|with|of|for|to|and|)|i|we | $ )", hour_or_two),
            named("<amount> (<amount>)", r"<t> \( <t> \)", same_twice),
            named("<amount> / <amount>", "<t> /|= <t>", same_twice),
            named("<amount>, i.e. <amount>", "<t> ,? ( i . e . ,? | ie | or | aka ) <t>", same_twice),
        ],
        _WORDS,
    ),
    Layer(
        "<t>",
        [
            named("under <amount>", "{under} <t>", hedged(0.85, 1.0, -5)),
            named("over <amount>", "{over} <t>", hedged(1.0, 1.25, 5)),
            named("more than <amount>", "over|more than <t>", hedged(1.0, 1.25, 0)),
            named("less than <amount>", "under|less than <t>", hedged(0.75, 1.0, 0)),
            named("about <amount>", "{about}+ <t>", hedged(0.85, 1.15, 0)),
            named("<amount> or so", "<t> -? or so|thereabouts|ish|thereabout", hedged(0.85, 1.15, 0)),
            named("<amount> give or take", "<t> ,? give or take", hedged(0.85, 1.15, 0)),
            named("<amount> plus", r"<t> ( \+ | -? plus !<n>|<t>|a|an|another )", hedged(1.0, 1.25, 5)),
            named("<amount> less <amount>", "<t> ,? less|minus ( the|about|a|my )? <t>", difference),
            named("<amount> and change", "<t> and ( change|some | a bit|little )", hedged(1.0, 1.25, 5)),
        ],
        _WORDS,
    ),
)  # fmt: skip
