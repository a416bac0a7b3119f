"""Text to tokens: what a person reads as one mark is one token, lower-cased, with its place in the text.

Numbers come apart from the letters that touch them ("2h15m" is four tokens), dashes and quotes in one spelling, spaced
hyphens as "--", the gap between a table's cells as "|"; what only looks like an amount (money, phone numbers,
addresses, ordinals) is one opaque token.
"""

import re
from collections.abc import Iterator

from shared.extraction.engine import Tokens

_TOKEN = re.compile(
    r"""
    (?P<gap>(?<=[^\s])(?:[ \u00a0\u2000-\u200a\u3000]*\t[ \t\u00a0]*|[ \u00a0\u2000-\u200a\u3000]{3,40})(?=\S))
  | (?P<link>https?://\S+|www\.\S+|[^\s<>()\[\],;:"@]{1,64}@[^\s<>()\[\],;:"@]{1,99})
  | (?P<money>(?:US|A|AU|NZ|C)?[$£€]\s?\d[\d,]*(?:\.\d+)?(?:[kKmM]\b)?)
  | (?P<phone>(?:\(\d{3}\)\s?|\b\d{3}[-.\s])\d{3}[-.]\d{4}\b|\+\d[\d\s()-]{7,18}\d
      |\b(?![5-9][0-5][05]-[12]\d[0-5][05]\b)\d{3}-\d{4}\b(?!-))
  | (?P<date>\b\d{4}-\d{2}-\d{2}\b|\b(?!\d\d/\d\d[\s-]?min)\d{1,2}/\d{1,2}(?:\b|(?=hr?s?\b))(?!/)
      |(?<![^\n])(?:0[1-9]|[12]\d|3[01])\.(?:0[1-9]|1[0-2])\.(?=[ \t])
      |\b\d{1,2}(?P<separator>[./-])\d{1,2}(?P=separator)(?:\d{4}|\d{2})\b)
  | (?P<clock>\b\d{1,2}:\d{2}(?::\d{2})?(?![\d:])|(?<![\w:]):\d{2}(?![\d:])|\b\d{1,2}\.\d{2}(?=\s?[ap]\.?m\b))
  | (?P<ordinal>\b\d+(?:st|nd|rd|th)\b)
  | (?P<serial>(?<![\w.])\d+(?:\.\d+){2,}|(?!\d{1,2}-[1-3]/[2-4]\b)\b[A-Za-z]{0,4}\d+(?:[-/]\d+){2,}\b)
  | (?P<period>\bP(?:\d+D)?T(?=\d)(?:\d+(?:\.\d+)?[HMS]){1,3}\b)
  | (?P<code>\b[A-Za-z]{1,12}\d\w{0,20})
  | (?P<number>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+,\d{1,2}(?=\s?h)|(?<![\w.,/])\d{1,2},\d{1,2}(?![\w.,/-])
      |(?<![\w.])\.\d+|\d+\.\d+|\d+)
  | (?P<meridiem>\b[apAP]\.[mM]\b\.?)
  | (?P<slashed>\b[A-Za-z]{1,3}/(?:[A-Za-z]{1,2}(?![A-Za-z]))?)
  | (?P<vulgar>[½¼¾⅐-⅞])
  | (?P<word>[^\W\d_]+(?:['\u2019\u02bc][^\W\d_]+)*)
  | (?P<leader>\.{3,40})
  | (?P<spaced>(?<=\s)[-\u2013\u2212](?=\s)|\u2014|---?)
  | (?P<mark>\S)
    """,
    re.VERBOSE,
)
_OPAQUE = {
    "gap": "|",
    "leader": "…",
    "link": "<link>",
    "money": "<money>",
    "phone": "<phone>",
    "ordinal": "<ordinal>",
    "serial": "<serial>",
}
_MARKS = str.maketrans(
    {"–": "-", "−": "-", "‐": "-", "‑": "-", "“": '"', "”": '"', "’": "'", "‘": "'", "′": "'", "ʼ": "'"}
)
_DAYS = {"Sat": "saturday", "Sun": "sunday", "SAT": "saturday", "SUN": "sunday"}
_DAY_FOLLOWS = re.compile(r"[ .,(]{0,3}\d|\s*[:,)\t-]|\s*$", re.MULTILINE)
_SPELLINGS = {
    "tc/": "tc",
    "c/w": "with",
    "hrs'": "hrs",
    "hour's": "hours",
    "hours'": "hours",
    "minutes'": "minutes",
    "quarter's": "quarter",
}


def tokenise(text: str, start: int = 0, end: int | None = None) -> Tokens:
    """The tokens of `text[start:end]`, with offsets into `text`."""
    spelled: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for token, begin, finish in _scan(text, start, len(text) if end is None else end):
        spelled.append(token)
        starts.append(begin)
        ends.append(finish)
    return Tokens(tuple(spelled), tuple(starts), tuple(ends), (None,) * len(spelled))


def _scan(text: str, start: int, end: int) -> Iterator[tuple[str, int, int]]:
    for found in _TOKEN.finditer(text, start, end):
        kind = found.lastgroup if found.lastgroup != "separator" else "date"
        raw = found.group()
        if kind in _OPAQUE:
            spelling = _OPAQUE[kind]
        elif kind == "spaced":
            spelling = "--"
        elif kind == "meridiem":
            spelling = raw[0].lower() + "m"
        elif kind == "mark":
            spelling = raw.translate(_MARKS)
        elif raw in _DAYS and _DAY_FOLLOWS.match(text, found.end()):
            spelling = _DAYS[raw]
        elif kind == "clock":
            spelling = raw.replace(".", ":")
        else:
            spelling = raw.lower().translate(_MARKS)
            spelling = _SPELLINGS.get(spelling, spelling)
        yield spelling, found.start(), found.end()
