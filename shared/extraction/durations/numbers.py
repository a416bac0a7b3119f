"""Numbers as people write them in front of a unit: digits, decimals, fractions, words, and mixtures of these.

The first layer: it puts <n> in place of each number. Longer forms stand first, since the first rule that matches wins.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shared.extraction.engine import Layer, Rule, Words

_ONES = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TEENS = ("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_MISSPELT_TENS = {"fourty": 40.0, "fourtey": 40.0, "ninty": 90.0, "fivty": 50.0}
_MISSPELT = {"twelf": 12.0, "fiveteen": 15.0, "fivteen": 15.0} | _MISSPELT_TENS

CARDINALS: dict[str, float] = (
    {word: float(value) for value, word in enumerate(_ONES + _TEENS, start=1)}
    | {word: value * 10.0 for value, word in enumerate(_TENS, start=2)}
    | {tens + ones: t * 10.0 + o for t, tens in enumerate(_TENS, 2) for o, ones in enumerate(_ONES, 1)}
    | _MISSPELT
)
FRACTIONS: dict[str, float] = {
    "½": 1 / 2, "¼": 1 / 4, "¾": 3 / 4, "⅓": 1 / 3, "⅔": 2 / 3, "⅛": 1 / 8, "⅜": 3 / 8, "⅝": 5 / 8, "⅞": 7 / 8,
    "⅕": 1 / 5, "⅖": 2 / 5, "⅗": 3 / 5, "⅘": 4 / 5, "⅙": 1 / 6, "⅚": 5 / 6, "⅒": 1 / 10,
    "1/2": 1 / 2, "1/4": 1 / 4, "3/4": 3 / 4, "1/3": 1 / 3, "2/3": 2 / 3,
}  # fmt: skip
_TENTHS = {f"{count}/10": count / 10 for count in range(1, 10)}
_PARTS = {"half": 0.5, "quarter": 0.25, "quarters": 0.25, "third": 1 / 3, "thirds": 1 / 3, "tenths": 0.1}
_LARGEST = 1e9
"""Larger numbers are no amounts of time; a run of a million digits would be no number at all."""
_COUNTS = {"a": 1.0, "an": 1.0, "one": 1.0, "1": 1.0, "2": 2.0, "3": 3.0} | {
    word: float(value) for value, word in enumerate(_ONES, start=1)
}


@dataclass(frozen=True, slots=True)
class Number:
    """A number as read: the best value and what the words allow ("a few": 3, from 2 to 5)."""

    low: float
    best: float
    high: float
    rule: str
    raw: str = ""


def _value(word: str) -> float:
    if word in _TENTHS:
        return _TENTHS[word]
    if word in CARDINALS:
        return CARDINALS[word]
    if word in FRACTIONS:
        return FRACTIONS[word]
    whole, comma, rest = word.rpartition(",")
    return min(_LARGEST, float(f"{whole}.{rest}") if comma and len(rest) < 3 else float(word.replace(",", "")))


def _sum(words: Sequence[str]) -> float:
    """The numbers among the words, added up: "twenty - five", "2 ½", "one hundred and ten" without its hundred."""
    return sum(_value(word) for word in words if word in CARDINALS or word in FRACTIONS or word[0].isdecimal())


def _hundred_and(words: Sequence[str]) -> float:
    return 100.0 + _sum(words[1:])


def _and_parts(words: Sequence[str]) -> float:
    at = next(place for place, word in enumerate(words) if word in {"and", "&"})
    count = next((_COUNTS[word] for word in words[at + 1 :] if word in _COUNTS), 1.0)
    return _sum(words[:at]) + count * _PARTS[words[-1]]


def _point(words: Sequence[str]) -> float:
    at = words.index("point")
    spoken = [word for word in words[at + 1 :] if word != "-"]
    digits = "".join(word if word.isdigit() else str(int(CARDINALS.get(word, 0))) for word in spoken)
    return _sum(words[:at]) + float(f".{digits}")


def _more(words: Sequence[str]) -> tuple[float, float, float]:
    """A little more than a number: for a small one a quarter more, so that "two and a bit" is 2¼."""
    value = _sum(words)
    more = 0.25 if value < 10 else value * 0.05
    return value, value + more, value + 2 * more


_WORDS = Words(
    sets={
        "cardinal": CARDINALS,
        "tens": (*_TENS, *_MISSPELT_TENS),
        "tenths": _TENTHS,
        "ones": _ONES,
        "fraction": FRACTIONS,
        "part": _PARTS,
        "count": _COUNTS,
        "spoken": _ONES,
        "place": ("of", ":", "above", "below"),
        "digit": (*_ONES, "zero", "oh", "0", "1", "2", "3", "4", "5", "6", "7", "8", "9"),
    }
)
_FORMS: tuple[tuple[str, str, Any], ...] = (
    ("a couple", "a|the|another|last|first|past|these|those? couple of? ( the )?", (2.0, 2.0, 3.0)),
    ("a few", "a|the|another|last|first|past? few", (2.0, 3.0, 5.0)),
    ("several", "several", (3.0, 4.0, 7.0)),
    ("half a dozen", "half a|- dozen", 6.0),
    ("two dozen", "two|2 dozen", 24.0),
    ("a dozen", "a|one dozen", 12.0),
    ("one hundred and <n>", "a|one hundred and? ( {tens} -? {ones} | {cardinal} )", _hundred_and),
    ("one hundred", "a|one hundred", 100.0),
    ("<n> and <parts>", "#|{cardinal} -? and|& -? {count} -? {part}", _and_parts),
    ("<n> and half", "#|{cardinal} and|& -? half !past|after", _and_parts),
    ("<n> and a bit", "#|{cardinal} and|& a bit|little|fraction|smidge", _more),
    ("<n> and <fraction>", r"#|{cardinal} ( -|and|& | \+ ) a? {fraction}", _sum),
    ("<n> point <digit>", "#|{cardinal} -? point -? {digit} {digit}? {digit}?", _point),
    ("point <digit>", "( zero|nought|oh point {digit} | point {spoken} ) {digit}? ( !{place} | @of_an )", _point),
    ("five and twenty", "five -? and -? twenty", 25.0),
    ("oh <ones>", "oh -? {ones}", _sum),
    ("<tens>-<ones>", "{tens} -? {ones}", _sum),
    ("<n> <fraction>", "#|{cardinal} {fraction}", _sum),
    ("<n> odd", "#|{cardinal} ( -? odd | - some|something )", _more),
    ("<n> plus", r"# \+ @hours|hrs|hour|hr|h|minutes|mins|min", _more),
    ("<fraction>", "{fraction}", _sum),
    ("<count>/10", "{tenths} @of|hour|hours|hr|hrs|h", lambda words: _value(words[0])),
    ("<cardinal>", "{cardinal}", _sum),
    ("<digits>", "#", lambda words: _value(words[0])),
)  # fmt: skip


def _rule(name: str, pattern: str, form: Any) -> Rule:
    def produce(words: Sequence[str], _: Sequence[Any]) -> Number:
        value = form(words) if callable(form) else form
        low, best, high = value if isinstance(value, tuple) else (value, value, value)
        return Number(low, best, high, name, words[0] if len(words) == 1 else "")

    return Rule(name, pattern, produce)


NUMBERS = Layer("<n>", [_rule(*form) for form in _FORMS], _WORDS)
