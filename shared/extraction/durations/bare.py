"""Numbers alone that stand where time stands: ".4", "0.3 TC w/ client", "(.2)", "rev. depo transcript 1.2", ":25".

Lawyers write tenths of an hour without a unit. Whether such a number is time is for the context to decide; here only
what is plainly something else steps aside: section numbers, versions, measures, shares.
"""

import re

from shared.extraction.durations.bare_words import (
    APPOINTMENT,
    CITED,
    CLOSERS,
    COMPOUNDED,
    DOCUMENTS,
    JOINS,
    LOGGED,
    MEASURED,
    NOT_AFTER,
    NOT_BEFORE,
    NUMBERED,
    OPENERS,
    ROOMS,
    SET_FOR,
    SPENT,
    TOOK,
    WORK,
    WORK_FOLLOWS,
)
from shared.extraction.durations.numbers import Number
from shared.extraction.durations.reading import Amount, Form, Reading
from shared.extraction.engine import Tokens
from shared.extraction.wordlist import words

_NOT_TENTHS_AFTER = NOT_AFTER - NUMBERED
_FRACTIONS = frozenset({"<fraction>", "<n> <fraction>", "<n> and <fraction>"})
_DECIMAL = re.compile(r"(?:\d{1,2})?\.\d{1,2}")
_LETTER = re.compile(r"[a-z]|i{2,3}|iv|vi{0,3}")
_DATE = re.compile(r"\d{1,2}[/.-]\d{1,2}(?:[/.-]\d{2,4})?|\d{4}-\d\d-\d\d")
_COLON = re.compile(r"\d{0,2}:[0-5]\d")
_CLOCK_AFTER = frozenset(words("at @ by until till from before after around about since to of past between"))
_OFF_TIME = frozenset({"late", "early", "behind", "ahead", "overdue"})
_LONGEST = 16.0
"""Hours: no single piece of work in a day is longer."""
_CLAUSE = 8
_HALF_DAY, _LIKELY_CLOCK = 720, 420
"""Minutes: so many hours with a colon are a time of the day; after "for", these are."""


def bare_amounts(tokens: Tokens, text: str) -> list[tuple[int, Amount]]:
    """The tokens that could be hours without a unit, as (token index, amount)."""
    found: list[tuple[int, Amount]] = []
    passed: list[tuple[int, str]] = []
    numbered: set[int] = set()
    for index, word in enumerate(tokens.spelled):
        raw = text[tokens.starts[index] : tokens.ends[index]]
        value = tokens.values[index]
        if word == "<n>" and isinstance(value, Number) and value.rule.endswith("point <digit>"):
            if tokens.spelled[index - 1 : index] in {("the",), ("this",), ("that",), ("my",), ("your",)}:
                continue
            raw = f"{value.best:.2f}".removesuffix("0")
        if word == "<n>" and _is_numbered(tokens, index, raw, numbered):
            numbered.add(index)
            continue
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
            if amount is None:
                passed.append((index, word))
        else:
            continue
        if amount is not None:
            found.append((index, amount))
    forms = {amount.form for _, amount in found}
    more = [
        (index, _colon(tokens, index, raw, among_others=True))
        if ":" in raw
        else (index, _decimal(tokens, index, raw, among_others=True))
        for index, raw in passed
        if (Form.COLON if ":" in raw else Form.BARE) in forms
    ]
    return sorted([*found, *((index, amount) for index, amount in more if amount)]) if more else found


def is_cited(tokens: Tokens, index: int, text: str) -> bool:
    """Whether a span of the clock is of pages, sections or lines; with a colon in it, of a transcript's pages."""
    before, further = _before(tokens, index)
    if ":" not in text[tokens.starts[index] : tokens.starts[index] + 3]:
        return is_reference(tokens, index)
    return before in CITED or (before == "." and further in CITED)


def is_reference(tokens: Tokens, index: int) -> bool:
    """Whether a span of numbers is of lines, pages or sections: "sections 9.15 - 10", "Tr. 12:14-18"."""
    before, further = _before(tokens, index)
    if is_room(before, further):
        return False
    return before in NUMBERED or (before == "." and further in NUMBERED)


def is_room(before: str, further: str) -> bool:
    """Whether a word is a place to work at, not one that is numbered: "in the room 2.6" is time, "Room 2.6" isn't."""
    return before in ROOMS and further.isalpha() and further not in NUMBERED


def _is_numbered(tokens: Tokens, index: int, raw: str, numbered: set[int]) -> bool:
    """As in "sections 2.1 and 2.2", "a ratio of 1.5": the number of something, or its measure."""
    before, further = _before(tokens, index)
    if before == "." and further[-1:].isdigit() and tokens.starts[index] - tokens.ends[index - 2] == 1:
        return True
    if _ends_with_document(tokens, index):
        return False
    if is_reference(tokens, index) and not raw.startswith("."):
        return tokens.starts[index] - tokens.ends[index - 1] <= 1
    if before in {"of", "is", "was", "at", "to", ":"} and further in MEASURED:
        return True
    return before in JOINS and index - 2 in numbered and (before != "," or index - 4 in numbered)


def is_clause(tokens: Tokens, index: int) -> bool:
    """Whether a number is a clause's, as in "the deed, 2.4(c)": a letter or Roman number in brackets that touch."""
    following = tokens.spelled[index + 1 : index + 4]
    if len(following) < 3 or following[0] != "(" or following[2] != ")":
        return False
    return tokens.starts[index + 1] == tokens.ends[index] and bool(_LETTER.fullmatch(following[1]))


def _ends_with_document(tokens: Tokens, index: int) -> bool:
    """As in "practice note 0.8" at the end of a line: time for a document that was written or read."""
    before, further = _before(tokens, index)
    return before in COMPOUNDED and further.isalpha() and further not in NUMBERED and _around(tokens, index)[1] == ""


def _before(tokens: Tokens, index: int) -> tuple[str, str]:
    """The token before, and the one before that; empty where the text begins."""
    return tokens.spelled[index - 1] if index else "", tokens.spelled[index - 2] if index > 1 else ""


def _ends_line(tokens: Tokens, index: int) -> bool:
    """Whether a fraction of an hour ends its line, after words or a dash: "mtg w/ client 1 1/4"."""
    before, after = _around(tokens, index)
    begins = before in {"--", "-", ",", ":", "."} or before.isalpha()
    return after in {"", ".", ";"} and begins and before not in NOT_AFTER


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
    feet = tokens.spelled[index + 2 : index + 4] == ("<n>", '"')
    if (
        not raw.isdigit()
        or feet
        or after != "'"
        or not apart
        or tokens.starts[index + 1] != end
        or text[end + 1 : end + 2].isalnum()
    ):
        return None
    minutes = float(raw)
    return _amount(tokens, index, minutes, "<n>'", Form.SPOKEN) if 5 <= minutes <= 300 else None


def _around(tokens: Tokens, index: int) -> tuple[str, str]:
    """The tokens before and after; where both are quotes, as in a file of comma-separated values, those beyond."""
    here = ("", "", *tokens.spelled[max(0, index - 2) : index])[-2:]
    there = (*tokens.spelled[index + 1 : index + 3], "", "")
    return (here[0], there[1]) if here[1] == there[0] == '"' else (here[1], there[0])


def _stands_after_other_things(tokens: Tokens, index: int, before: str, raw: str) -> bool:
    """Whether what comes before makes the number no time; a wide gap parts them, and ".4" is no section's number."""
    unfit = _NOT_TENTHS_AFTER if raw.startswith(".") else NOT_AFTER
    gap = tokens.starts[index] - tokens.ends[index - 1] if index else 0
    apart = gap > 1 or (gap == 1 and before == "/") or (before == "*" and index == 1)
    if before in unfit and not (_ends_with_document(tokens, index) or is_room(*_before(tokens, index))):
        return not apart or before == "#"
    return before == "." and index > 1 and tokens.spelled[index - 2] in unfit


def _stands_before_other_things(tokens: Tokens, index: int, after: str) -> bool:
    """If what follows makes the number no time: a measure, a ratio ("1.4 to 1"), a clause ("1.4 of the lease")."""
    beyond = tokens.spelled[index + 2 : index + 5]
    if after == "/":
        return tokens.starts[index + 1] == tokens.ends[index] or beyond[:1] == ("<n>",)
    if after == "of":
        return not DOCUMENTS.isdisjoint(beyond)
    if after == "to" and beyond[:1] == ("<n>",):
        return bool(tokens.values[index + 2].raw.isdigit())
    if index == 0 and after == ":":
        return bool(beyond) and beyond[0] not in WORK  # the number of a heading
    if after in {"am", "pm"} and tokens.values[index].raw.startswith("."):
        return False  # the half of a day in which there was a call: no hour is written ".6"
    return after in NOT_BEFORE or (after == "out" and beyond[:2] == ("of", "<n>"))


def _says_again(tokens: Tokens, index: int, before: str, after: str, hours: float) -> bool:
    """Whether the number says again what was said: "18 minutes (0.3)", "45 = .8"."""
    if index < 2:
        return False
    word, said = tokens.spelled[index - 2], tokens.values[index - 2]
    if before == "=":
        return word in {"<t>", "<n>"}
    again = isinstance(said, Reading) and abs(said.best - hours * 60) <= 6
    return word == "<t>" and before == "(" and after == ")" and again


def _holds_a_note(tokens: Tokens, index: int) -> bool:
    """Whether a bracket that opens before `index` holds words: no letter of a clause, number, or amount by itself."""
    inside, following = (*tokens.spelled[index : index + 2], "", "")[:2]
    if inside == "<n>":
        return following not in {")", "]", ""}
    return inside[:1].isalpha() and not _LETTER.fullmatch(inside)


def _decimal(tokens: Tokens, index: int, raw: str, *, among_others: bool = False) -> Amount | None:
    hours = float(raw)
    before, after = _around(tokens, index)
    came_out = _before(tokens, index)[1] in {"out", "in"}
    if before == "at" and (came_out or not LOGGED.isdisjoint(_clause(tokens, index))):
        before = "came"
    if not 0 < hours <= _LONGEST or _stands_after_other_things(tokens, index, before, raw):
        return None
    if after in {"@", "x", "×", "at"} and tokens.spelled[index + 2 : index + 3] in {("<money>",), ("<rate>",)}:
        return _amount(tokens, index, hours * 60, "<hours> @ <rate>", Form.BARE)
    if _stands_before_other_things(tokens, index, after) or _says_again(tokens, index, before, after, hours):
        return None
    named = after in {"(", "["} and _holds_a_note(tokens, index + 2)
    alone = not before or before in OPENERS or before == "." or bool(_DATE.fullmatch(before))
    noted = named and tokens.starts[index + 1] > tokens.ends[index]
    closed = not after or after in CLOSERS or after in {"<money>", "<rate>"} or noted
    if raw.startswith("."):
        rule = ".<tenths>"
    elif before == "(" and after == ")":
        rule = "(<hours>)"
    elif alone and (closed or named or after[0].isalpha() or _is_worded(tokens, index + 1)):
        rule = "<hours> <work>"
    elif closed and (before[-1:].isalnum() or before in {")", "'", '"', ".", "/", "<rate>", "<money>", "<t>"}):
        rule = "<work> <hours>"
    elif before == "the" and after in WORK_FOLLOWS | {"i", "we"}:
        rule = "the <hours> on <work>"
    elif before in SPENT or after in WORK_FOLLOWS or after in WORK or among_others:
        rule = "spent <hours>"
    else:
        return None
    return _amount(tokens, index, hours * 60, rule, Form.BARE)


def _clause(tokens: Tokens, index: int) -> tuple[str, ...]:
    """The few words before a number, back to where its clause begins."""
    words = tokens.spelled[max(0, index - _CLAUSE) : index]
    begins = max((place + 1 for place, word in enumerate(words) if word in {".", ";", "|", "<n>", "<t>"}), default=0)
    return words[begins:]


def _is_worded(tokens: Tokens, index: int) -> bool:
    """Whether a number is written as a word, as people count things: "1.2 two calls with the bank"."""
    return tokens.spelled[index : index + 1] == ("<n>",) and tokens.values[index].raw.isalpha()


def _colon(tokens: Tokens, index: int, word: str, *, among_others: bool = False) -> Amount | None:
    hours, _, minutes = word.partition(":")
    total = int(hours or 0) * 60.0 + int(minutes)
    before, after = _around(tokens, index)
    rounded = not word.startswith(("0:", ":")) and int(minutes) % 5 == 0
    clock = before in _CLOCK_AFTER or (before == ":" and rounded and not among_others)
    if not 0 < total < _HALF_DAY or clock or after in {"am", "pm", "a", "p", "-", "et", "est", "pt", "pst", "gmt"}:
        return None
    if after in APPOINTMENT | _OFF_TIME or before in SET_FOR or (before == "for" and total >= _LIKELY_CLOCK):
        return None
    alphabetic = after[:1].isalpha()
    opens = index == 0 or hours == "0" or (before == ":" and not hours)
    took_me = before in {"me", "us"} and index > 1 and tokens.spelled[index - 2] in TOOK
    said = before in TOOK or took_me or (alphabetic and (opens or among_others))
    if after and after not in CLOSERS | {"w/", "re", "with", "("} and not said:
        return None
    return _amount(tokens, index, total, "<h>:<mm>", Form.COLON)


def _amount(tokens: Tokens, index: int, minutes: float, rule: str, form: Form) -> Amount:
    return Amount(tokens.starts[index], tokens.ends[index], minutes, minutes, minutes, (rule,), form)
