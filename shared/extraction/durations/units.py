"""Units of time worked, as spelled after a number, with their minutes.

Days, weeks and months are not here: they measure the calendar. Parts of a working day that people do bill by ("half a
day", "all morning") are rules of their own, in rules.py.
"""

HOUR = ("hour", "hours", "hr", "hrs", "h", "hs", "hour's", "hr's", "houres", "horus", "huors", "hous", "hourse")
MINUTE = ("minute", "minutes", "min", "mins", "m", "mn", "minuets", "mintues", "minues", "minites", "minuts", "min's")
UNIT = ("unit", "units", "u")

MINUTES_OF: dict[str, float] = dict.fromkeys(HOUR, 60.0) | dict.fromkeys(MINUTE, 1.0) | dict.fromkeys(UNIT, 6.0)
"""Minutes of one of each unit. A unit is the six minutes in which British and Australian firms record time."""
