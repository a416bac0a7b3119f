"""What people write for an amount of time, with its minutes, and what only looks like one."""

READ: tuple[tuple[str, list[float]], ...] = (
    # decimals, as recorded
    ("1.4", [84]), (".4", [24]), ("0.3 TC w/ client", [18]), ("(.2)", [12]), ("1.2 hrs", [72]), ("2.5h", [150]),
    ("1,5h", [90]),
    ("10/14 Smith - rev. depo transcript 1.2", [72]), ("spent 1.4 on the reply brief", [84]), ("1.75 hours", [105]),
    ("hours: 2.3", [138]), ("point four on the Smith call", [24]), ("three point five hours", [210]),
    ("1.8 @ $425", [108]),
    # hours and minutes
    ("1:45 hrs", [105]), ("1h30", [90]), ("1 h 30 min", [90]), ("2h15m", [135]), ("1hr20", [80]),
    ("2 hrs. 10 mins.", [130]),
    ("90 min", [90]), ("45'", [45]), ("60mins", [60]), ("1hr and 45mins", [105]), ("t/c expert :25", [25]),
    ("0:50", [50]),
    ("draft verified complaint 2:45", [165]), ("12-minute call", [12]), ("two (2) hours", [120]), ("3ish hrs", [180]),
    # words
    ("an hour and a half", [90]), ("three quarters of an hour", [45]), ("half an hour", [30]),
    ("a quarter of an hour", [15]),
    ("ninety minutes", [90]), ("a couple of hours", [120]), ("twenty-five minutes", [25]), ("a good half hour", [30]),
    ("an hour and 15 into it", [75]), ("an hour and forty all in", [100]), ("two hours ten", [130]),
    ("an hour and ten about the lease", [70]), ("an hour and ten well spent", [70]), ("an hour and ten letters", [60]),
    ("six tenths of an hour", [36]),
    ("two and three-quarter hours", [165]), ("one and one-half hours", [90]),
    ("one hundred and twenty minutes", [120]),
    ("an hour and ten minutes", [70]), ("another hour", [60]), ("the hour I spent", [60]),
    ("an hour and a quarter's work", [75]),
    # fractions
    ("½ hour", [30]), ("¼ hr", [15]), ("1½ hours", [90]), ("3¼ hours", [195]), ("2 1/2 hrs", [150]),
    ("1-1/2 hours", [90]),
    ("1/2 an hour", [30]), ("mtg w/ client 1 1/4", [75]),
    # ranges and hedges
    ("2-3 hours", [150]), ("between 2 and 3 hours", [150]), ("30 minutes to an hour", [45]), ("an hour or two", [90]),
    ("about 40 minutes", [40]), ("just under two hours", [115]), ("a little over an hour", [65]),
    ("two and a bit hours", [135]),
    ("the better part of an hour", [55]), ("almost 20 minutes", [18]), ("1.5 hours (90 minutes)", [90]),
    ("18 minutes (0.3)", [18]),
    # clock spans
    ("from 2:10 to 3:40 pm", [90]), ("9.15-10.05", [50]), ("1400-1530", [90]), ("between 4 and 4:30", [30]),
    ("2pm-3pm", [60]),
    ("11:30 pm to 1 am", [90]), ("from 10 to noon", [120]), ("9-11:15", [135]), ("10am until 12:30", [150]),
    ("from 9 to 5", [480]),
    ("from eleven until ten past twelve", [70]), ("half past two until quarter to four", [75]),
    ("19.35 - 20.20", [45]),
    ("from half ten to ten past twelve", [100]), ("from 10.30 until 1.05", [155]), ("between 7 and 8.40", [100]),
    ("9.30am to 4.15pm", [405]), ("started at 2:05, done at 3:40", [95]),
    ("Left the office at 8:10 and pulled into the lot at 9:20", [70]),
    # British units, parts of a day
    ("6 units", [36]), ("(2u)", [12]), ("half a day", [240]), ("all morning", [210]), ("the whole day", [480]),
    # several
    ("Monday's was 25 minutes, Tuesday's 55", [25, 55]), ("call .3, memo 1.2", [18, 72]),
    ("9:30-12:30; afternoon 1:45-4:30", [180, 165]), ("an hour on A and ten minutes on B", [60, 10]),
)  # fmt: skip

NOT_READ: tuple[str, ...] = (
    "$425 an hour", "£285 per hour", "450/hr", "425 an hour", "§ 1.4 and Rule 3.2(b)", "version 2.1 of the brief",
    "Exhibit 1.5",
    "8.4 MB", "call me at 3:40", "the hearing is at 10", "1,200 documents", "2.5%", "$1.5 million", "3.5 miles",
    "(315) 555-0142",
    "555-0142", "2019-2020", "October 14, 2026", "14/10/2026", "2026-10-14", "the minutes of the meeting",
    "a minute please",
    "thirty (30) days", "within 14 days", "18 months", "paragraph 9.2", "lines 14 through 19", "pages 2-3", "Q3",
    "w3m", "1.2.3",
    "rush hour", "office hours", "1-2 people", "nine of ten", "the 22nd", "No. 24-1187",
    "https://example.test/1.5/2h",
)  # fmt: skip
