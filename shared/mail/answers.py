"""Answers that the sender wrote into the mail that is answered, and announced: "see my comments below in red".

Outlook quotes without marking lines, so that nothing tells such answers from what they answer but the colour that was
announced, capitals, or the sender's initials before them ("[AQ: done, 1.8 hours]").
"""

import colorsys
import re
from dataclasses import replace
from typing import Final

from shared.mail.lines import Line, Mark
from shared.mail.look import Colour

_SAYS: Final = r"answer\w*|respon\w*|repl(?:y|ies|ied)|comment\w*|notes?|thoughts|edits"
_WHERE: Final = r"below|inline|in-line|in line|in the (?:body|text|chain|thread)|in (?:\w+ )?brackets"
_OWN: Final = r"(?i:(?<!\w)(?<!['\u2019]s )(?<!\byour )(?<!\bhis )(?<!\bher )(?<!\btheir )(?<!\bthe ))"
"""Before what is announced: not somebody else's, and not "the reply in Blue v. Orr"."""
_TELLS: Final = rf"(?:{_OWN}(?i:{_SAYS})|\b[Ss]ee (?:my )?(?:{_WHERE}))\b[^.\n]{{0,60}}"
_ANNOUNCES: Final = re.compile(rf"{_TELLS}\bin (?:(?:bold|dark|bright|light) )?(red|RED|blue|green|purple|orange)\b")
_POINTS_BELOW: Final = re.compile(rf"{_TELLS}\b(?:{_WHERE})\b|\b[Ss]ee (?:my )?(?:{_WHERE})\b")
_IN_CAPITALS: Final = re.compile(rf"{_TELLS}\b(?:in|IN) (?:(?:all|ALL) )?(?i:cap(?:ital)?s)\b")
_CAPITALS: Final = re.compile(r"(?<!\S)(?=(?:[^\sa-z]+ ){2}[^\sa-z])[^a-z\n]{12,}(?!\S)")
_IN_FULL: Final = re.compile(r"\b[A-Z]{2,}\b")
"""Three words and more without a small letter, two of them of letters."""
_HUES: Final = {"red": (345, 20), "orange": (12, 48), "green": (70, 175), "blue": (175, 262), "purple": (255, 335)}
"""Degrees on the circle of hues."""
_LEAST_COLOUR: Final = 0.3
"""Of saturation and of brightness: less is a grey or a black."""
_BY_THEMSELVES: Final = frozenset(
    {(31, 73, 125), (0, 0, 128), (0, 32, 96), (5, 99, 193), (149, 79, 114), (0, 0, 238), (17, 85, 204)}
)
"""What programs give replies and links without being asked."""
_HEAD: Final = re.compile(r"\s*[*_]?(?:From|Von|De)[*_]?\s?:", re.IGNORECASE)
"""The line with which the headers of a quoted mail begin."""
_MOST_WRAPPED: Final = 6
"""Lines over which one answer may be wrapped."""
_MOST_ABOVE: Final = 3_000
"""Characters above the quote in which answers are announced."""


def announces_colour(text: str) -> bool:
    """Whether the beginning of a text says that there are answers in a colour."""
    return bool(_ANNOUNCES.search(text[:_MOST_ABOVE]))


def mark_answers(lines: list[Line], sender: str) -> None:
    """Mark as NEW what the sender announced above the first quoted line and wrote below it.

    Where a coloured answer ends or begins a quoted line, the line is parted there.
    """
    first = next((number for number, line in enumerate(lines) if line.mark is Mark.QUOTED), None)
    if first is None:
        return
    above = "\n".join(line.text for line in lines[:first] if line.mark is Mark.NEW)[:_MOST_ABOVE]
    answered, older = lines[first:], list[Line]()
    heads = [number for number, line in enumerate(answered) if _HEAD.match(line.text)]
    if len(heads) > 1:  # what was answered in the mail before is no news
        answered, older = answered[: heads[1]], answered[heads[1] :]
    if announced := _ANNOUNCES.search(above):
        answered = [part for line in answered for part in _parted(line, announced[1].lower())]
    if _POINTS_BELOW.search(above) and (tag := _tag(sender)):
        answered = [part for line in _with_whole_brackets(answered, tag) for part in _cut_out(line, tag)]
    if _IN_CAPITALS.search(above):
        answered = [part for line in answered for part in _cut_out(line, _CAPITALS)]
    lines[first:] = answered + older


def _tag(sender: str) -> re.Pattern[str] | None:
    """An answer in brackets that begins with the sender's initials or first name."""
    last, comma, rest = sender.partition(",")
    names = re.findall(r"[^\W\d_]+", f"{rest} {last}" if comma else sender)
    if len(names) < 2:
        return None
    initials = "".join(name[0] for name in names)
    either = "|".join({re.escape(initials), re.escape(initials[0] + initials[-1]), re.escape(names[0])})
    begins = rf"(?:{either})\s?(?::|[-\u2013\u2014]\s)"
    return re.compile(rf"\[{begins}[^\]]*\]?|\({begins}[^)]*\)?", re.IGNORECASE)


def _with_whole_brackets(lines: list[Line], answer: re.Pattern[str]) -> list[Line]:
    """The lines, those joined over which an answer in brackets was wrapped."""
    joined: list[Line] = []
    wrapped = 0
    for line in lines:
        open_ = joined and answer.search(joined[-1].text) and joined[-1].text.count("[") > joined[-1].text.count("]")
        if open_ and line.mark is Mark.QUOTED and line.text and wrapped < _MOST_WRAPPED:
            joined[-1] = Line(f"{joined[-1].text} {line.text}", Mark.QUOTED)
            wrapped += 1
        else:
            joined.append(line)
            wrapped = 0
    return joined


def _cut_out(line: Line, answer: re.Pattern[str]) -> list[Line]:
    """A quoted line as the answers in it, which are NEW, and what stands around them."""
    found = list(answer.finditer(line.text)) if line.mark is Mark.QUOTED else []
    if answer is _CAPITALS:
        found = [each for each in found if len(_IN_FULL.findall(each[0])) > 1]
    if not found:
        return [line]
    parts: list[Line] = []
    at = 0
    for each in found:
        parts += [Line(line.text[at : each.start()], Mark.QUOTED), Line(each[0])]
        at = each.end()
    parts.append(Line(line.text[at:], Mark.QUOTED))
    return [replace(part, text=part.text.strip()) for part in parts if part.text.strip()]


def _parted(line: Line, hue: str) -> list[Line]:
    """A quoted line as the parts of it that are in a colour of this hue, which are NEW, and that aren't."""
    if line.mark is not Mark.QUOTED or not line.inks:
        return [line]
    answer = " ".join("".join(text for text, colour in line.inks if _is(colour, hue)).split())
    if not answer:
        return [line]
    if line.text == answer:
        return [Line(answer)]
    if line.text.endswith(answer):
        return [Line(line.text.removesuffix(answer).rstrip(), Mark.QUOTED), Line(answer)]
    if line.text.startswith(answer):
        return [Line(answer), Line(line.text.removeprefix(answer).lstrip(), Mark.QUOTED)]
    return [line]


def _is(colour: Colour, hue: str) -> bool:
    if colour in _BY_THEMSELVES:
        return False
    red, green, blue = colour
    turn, saturation, value = colorsys.rgb_to_hsv(red / 255, green / 255, blue / 255)
    low, high = _HUES[hue]
    degrees = turn * 360
    within = low <= degrees <= high if low < high else degrees >= low or degrees <= high
    return within and min(saturation, value) >= _LEAST_COLOUR
