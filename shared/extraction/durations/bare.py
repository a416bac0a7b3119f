"""Numbers alone that stand where time stands: ".4", "0.3 TC w/ client", "(.2)", "rev. depo transcript 1.2", ":25".

Lawyers write tenths of an hour without a unit. Whether such a number is time is for the context to decide; here only
what is plainly something else steps aside: section numbers, versions, measures, shares.
"""

import re

from shared.extraction.durations.numbers import Number
from shared.extraction.durations.reading import Amount, Form, Reading
from shared.extraction.engine import Tokens
from shared.extraction.lexicon import WORK_BASE, WORK_GERUND, WORK_NOUN, WORK_PAST
from shared.extraction.wordlist import words

_NOT_AFTER = frozenset(
    words(
        """
        § section sections sec rule rules version versions ver v exhibit exhibits ex para paragraph paragraphs
        no number item items article articles art clause clauses chapter ch table figure fig step schedule page
        pages p pp part parts appendix annex tab line lines note question q release build module level grade
        score rating average mean ratio python ios windows http tls usb phase $ £ € % # = < > * × x / by than
        subsection regulation reg at around increase decrease decreased increased rose fell dropped price cost
        rate factor
        """
    )
)
_NOT_BEFORE = frozenset(
    words(
        """
        % s sec secs seconds second ms instead percent percentage million billion thousand m mm cm km kg g mb gb
        tb kb miles mile inches inch feet ft foot acres acre x times dollars pounds points point stars degrees
        lbs lb oz tons pages page copies days day weeks week months month years year pm am o'clock units bps
        basis people employees sq square litres liters gallons percentile gpa / ^ * × = < > k bn mn cents shares
        per users gw mw kw mwh kwh gb/s hz ghz and|or fte mg ml
        """
    )
)
_OPENERS = frozenset({"(", "--", ":", ",", "-", "[", "~", "|", ";", "="})
_CLOSERS = frozenset({")", ",", ".", ";", "--", "]", "|", "!", "nc", "n/c", ":", "+", "&", "/"})
_SPENT = frozenset(
    words(
        """
        spent put bill billed log logged add enter record of another about approximately only was is took it to
        for me i had total roughly approx say did worked plus than and by just around nearly charge charged
        docket time entered recorded booked hours
        """
    )
)
_WORK_FOLLOWS = frozenset(
    words(
        """
        on for with w/ to re into reviewing drafting preparing attending revising researching reading writing of
        in and today yesterday this then tc t/c call hrs on
        """
    )
)
_WORK = WORK_BASE | WORK_GERUND | WORK_NOUN | WORK_PAST
_FRACTIONS = frozenset({"<fraction>", "<n> <fraction>", "<n> and <fraction>"})
_DECIMAL = re.compile(r"(?:\d{1,2})?\.\d{1,2}")
_COLON = re.compile(r"\d{0,2}:[0-5]\d")
_CLOCK_AFTER = frozenset(words("at @ by until till from before after around about since to of past between"))
_LONGEST = 16.0
"""Hours: no single piece of work in a day is longer."""


def bare_amounts(tokens: Tokens, text: str) -> list[tuple[int, Amount]]:
    """The tokens that could be hours without a unit, as (token index, amount)."""
    found: list[tuple[int, Amount]] = []
    passed: list[tuple[int, str]] = []
    for index, word in enumerate(tokens.spelled):
        raw = text[tokens.starts[index] : tokens.ends[index]]
        value = tokens.values[index]
        if word == "<n>" and isinstance(value, Number) and value.rule.endswith("point <digit>"):
            raw = f"{value.best:.1f}"
        if word == "<n>" and (prime := _prime(tokens, index, raw, text)):
            found.append((index, prime))
            continue
        if word == "<n>" and isinstance(value, Number) and value.rule in _FRACTIONS and _ends_line(tokens, index):
            found.append((index, _amount(tokens, index, value.best * 60, "<work> <fraction>", Form.BARE)))
            continue
        if word == "<n>" and isinstance(value, Number) and _close_to(tokens, index, value):
            low, best, high = value.best * 51, value.best * 60 - 5, value.best * 60
            reading = Amount(tokens.starts[index], tokens.ends[index], low, best, high, ("close to <n>",), Form.BARE)
            found.append((index, reading))
            continue
        if word == "<n>" and _DECIMAL.fullmatch(raw):
            amount = _decimal(tokens, index, raw)
            if amount is None and raw.partition(".")[2] != "" and len(raw.partition(".")[2]) == 1:
                passed.append((index, raw))
        elif ":" in word and word != ":" and _COLON.fullmatch(word):
            amount = _colon(tokens, index, word)
        else:
            continue
        if amount is not None:
            found.append((index, amount))
    if any(amount.form is Form.BARE for _, amount in found):
        more = [(index, _decimal(tokens, index, raw, among_others=True)) for index, raw in passed]
        found = sorted([*found, *((index, amount) for index, amount in more if amount)])
    return found


def _ends_line(tokens: Tokens, index: int) -> bool:
    """Whether a fraction of an hour ends its line, after words or a dash: "mtg w/ client 1 1/4"."""
    before, after = _around(tokens, index)
    return (
        after in {"", ".", ";"} and (before in {"--", "-", ",", ":"} or before.isalpha()) and before not in _NOT_AFTER
    )


def _close_to(tokens: Tokens, index: int, number: Number) -> bool:
    """As in "close to 3 of the day": a whole number that is hours because it is hedged as hours are."""
    hedge = " ".join(tokens.spelled[max(0, index - 2) : index])
    _, after = _around(tokens, index)
    whole = number.rule in {"<digits>", "<cardinal>"} and number.best == int(number.best) and 1 <= number.best <= 12
    return (
        whole
        and hedge in {"close to", "closer to", "nearer to", "just under", "the best"}
        and after in {"", ".", ",", "on", "of", "for", ")"}
    )


def _prime(tokens: Tokens, index: int, raw: str, text: str) -> Amount | None:
    """As in "45'": minutes by a prime; not the end of a quotation, not feet and inches."""
    _, after = _around(tokens, index)
    end = tokens.ends[index]
    apart = not text[max(0, tokens.starts[index] - 1) : tokens.starts[index]].strip(" (\t\n")
    if (
        not raw.isdigit()
        or after != "'"
        or not apart
        or tokens.starts[index + 1] != end
        or text[end + 1 : end + 2].isalnum()
    ):
        return None
    minutes = float(raw)
    return _amount(tokens, index, minutes, "<n>'", Form.SPOKEN) if 5 <= minutes <= 300 else None


def _around(tokens: Tokens, index: int) -> tuple[str, str]:
    before = tokens.spelled[index - 1] if index else ""
    after = tokens.spelled[index + 1] if index + 1 < len(tokens.spelled) else ""
    return before, after


def _decimal(tokens: Tokens, index: int, raw: str, *, among_others: bool = False) -> Amount | None:
    hours = float(raw)
    before, after = _around(tokens, index)
    gap = tokens.starts[index] - tokens.ends[index - 1] if index else 0
    apart = gap > 1 or (gap == 1 and before == "/")
    if not 0 < hours <= _LONGEST or (before in _NOT_AFTER and not (apart and before != "#")):
        return None
    if after in {"@", "x", "×", "at"} and tokens.spelled[index + 2 : index + 3] in {("<money>",), ("<rate>",)}:
        return _amount(tokens, index, hours * 60, "<hours> @ <rate>", Form.BARE)
    if after in _NOT_BEFORE or (index == 0 and after == ":"):
        return None
    if before == "(" and index > 1 and tokens.spelled[index - 2] == "<t>" and after == ")":
        said = tokens.values[index - 2]
        if isinstance(said, Reading) and abs(said.best - hours * 60) <= 6:
            return None
    if before == "." and index > 1 and tokens.spelled[index - 2] in _NOT_AFTER:
        return None
    alone = not before or before in _OPENERS or before == "."
    closed = not after or after in _CLOSERS
    if raw.startswith("."):
        rule = ".<tenths>"
    elif before == "(" and after == ")":
        rule = "(<hours>)"
    elif alone and (closed or after[0].isalpha()):
        rule = "<hours> <work>"
    elif closed and (before[-1:].isalnum() or before in {")", "'", '"', ".", "/", "<rate>", "<money>", "<t>"}):
        rule = "<work> <hours>"
    elif before == "the" and after in _WORK_FOLLOWS | {"i", "we"}:
        rule = "the <hours> on <work>"
    elif before in _SPENT or after in _WORK_FOLLOWS or after in _WORK or among_others:
        rule = "spent <hours>"
    else:
        return None
    return _amount(tokens, index, hours * 60, rule, Form.BARE)


def _colon(tokens: Tokens, index: int, word: str) -> Amount | None:
    hours, _, minutes = word.partition(":")
    total = int(hours or 0) * 60.0 + int(minutes)
    before, after = _around(tokens, index)
    clock = before in _CLOCK_AFTER or (before == ":" and not word.startswith(("0:", ":")))
    if not 0 < total <= _LONGEST * 60 or clock or after in {"am", "pm", "a", "p", "-", "et", "est", "pt", "pst", "gmt"}:
        return None
    if after and after not in _CLOSERS | {"w/", "re", "with", "("} and not (index == 0 and after[0].isalpha()):
        return None
    return _amount(tokens, index, total, "<h>:<mm>", Form.COLON)


def _amount(tokens: Tokens, index: int, minutes: float, rule: str, form: Form) -> Amount:
    return Amount(tokens.starts[index], tokens.ends[index], minutes, minutes, minutes, (rule,), form)
