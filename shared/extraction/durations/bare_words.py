"""The words beside a number alone that make it time, or something else."""

from shared.extraction.lexicon import WORK_BASE, WORK_GERUND, WORK_NOUN, WORK_PAST
from shared.extraction.wordlist import words

NUMBERED = frozenset(
    words(
        """
        § §§ ¶ ¶¶ section sections sec secs s ss subsection subsections rule rules cpr ucpr frcp version versions ver v
        exhibit exhibits ex exs paragraph paragraphs para paras par pars no nos number numbers item items article
        articles art arts clause clauses cl cls chapter chapters ch table tables figure figures fig step schedule
        schedules page pages p pp part parts appendix annex tab tabs line lines note notes footnote footnotes fn
        question q release build module level grade phase regulation regulations reg regs lot suite room flat
        courtroom apt see under cf invoice inv id size os floor unit bates tr dkt ecf python ios windows http tls usb r.
        """
    )
)
"""What is numbered: a number after one of these is its number, and so is one that "and" or "to" joins to it."""
CITED = frozenset({"tr", "tr.", "p", "pp", "page", "pages", "dep"})
"""Where page and line are cited with a colon: "Tr. 12:14-18:20"."""
COMPOUNDED = frozenset({"note", "notes", "schedule", "schedules", "table", "lease", "exhibits"})
"""Documents that have numbers, and are written: "practice note 0.8" at a line's end is time."""
ROOMS = frozenset({"room", "table", "floor", "flat", "line"})
"""Where one works: "the room 2.6", "from the kitchen table 0.8" are time, "Room 2.6" is a room."""
MEASURED = frozenset(
    words(
        """
        score rating average mean ratio factor magnitude gpa bac concentration alcohol price cost rate increase
        decrease value index eps beta ph dscr
        """
    )
)
CURRENCY = frozenset(words("usd eur gbp aud nzd cad chf hkd sgd $ £ €"))
NOT_AFTER = (
    NUMBERED
    | MEASURED
    | CURRENCY
    | frozenset(
        words(
            """
            # % < > * × x / by till until til than at around decreased increased rose fell dropped
            """
        )
    )
)
NOT_BEFORE = CURRENCY | frozenset(
    words(
        """
        % s sec secs seconds second ms instead percent percentage per million billion thousand m mm cm km kg g mb gb
        tb kb miles mile inches inch feet ft foot acres acre x times dollars pounds points point stars degrees
        lbs lb oz tons pages page copies days day weeks week months month years year pm am o'clock units bps
        basis people employees sq square litres liters gallons percentile gpa magnitude ^ * × = < > k bn mn cents shares
        users gw mw kw mwh kwh gb/s hz ghz and|or fte mg ml m/s bac caliber calibre rifle pistol revolver
        magnum acp promille vol volts watts amps
        """
    )
)
JOINS = frozenset(words("and or to & - ,"))
DOCUMENTS = frozenset(
    words(
        """
        agreement lease contract deed order act rules code schedule guidelines policy constitution terms will trust
        statute regulations indenture plan report
        """
    )
)
SET_FOR = frozenset(
    words(
        """
        you set open opens opening arriving arrive arrives lands leaves departs starts start starting begins est edt
        cst cdt mst pst pdt gmt bst aest utc hearing
        """
    )
)
APPOINTMENT = frozenset(
    words(
        """
        works suits or and is would train appointment slot start sharp tomorrow please if should could can flight
        """
    )
)
TOOK = frozenset(words("spent took billed logged recorded docketed entered bill log record docket"))
OPENERS = frozenset({"…", "*", "@", "/", "came", "(", "--", ":", ",", "-", "[", "~", "|", ";", "="})
CLOSERS = frozenset({")", ",", ".", ";", "--", "]", "|", "!", "nc", "n/c", ":", "+", "&", "/"})
LOGGED = frozenset(words("logged log booked recorded record billed entered docketed clocked timed charged"))
"""Verbs after which "at" names an amount: "I've logged the visit at 3.1"."""
SPENT = frozenset(
    words(
        """
        spent put bill billed log logged add enter record of another about approximately only was is took it to
        for me i had total roughly approx say did worked plus than and by just around nearly charge charged
        docket time entered recorded booked hours
        """
    )
)
WORK_FOLLOWS = frozenset(
    words(
        """
        on for with w/ to re into reviewing drafting preparing attending revising researching reading writing of
        in and today yesterday this then tc t/c call hrs on
        """
    )
)
WORK = WORK_BASE | WORK_GERUND | WORK_NOUN | WORK_PAST
