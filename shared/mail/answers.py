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

_SAYS: Final = r"answer\w*|respon\w*|repl(?:y|ies|ied)|comment\w*|notes?|thoughts|edits|time|inline|in-line|below"
_ANNOUNCES: Final = re.compile(
    rf"\b(?:{_SAYS})\b[^.\n]{{0,60}}\bin (?:(?:bold|dark|bright|light) )?(red|blue|green|purple|orange)\b",
    re.IGNORECASE,
)
_POINTS_BELOW: Final = re.compile(
    r"\b(?:below|inline|in-line|in line|in the (?:body|text|chain|thread)|in (?:\w+ )?brackets)\b", re.IGNORECASE
)
_IN_CAPITALS: Final = re.compile(rf"\b(?:{_SAYS})\b[^.\n]{{0,60}}\bin (?:all )?cap(?:ital)?s\b", re.IGNORECASE)
_CAPITALS: Final = re.compile(r"(?<!\S)(?=(?:[^\sa-z]+ ){2}[^\sa-z])(?=[^a-z]{0,200}[A-Z]{2})[^a-z\n]{12,}(?!\S)")
"""Three words and more without a small letter."""
_HUES: Final = {"red": (345, 20), "orange": (12, 48), "green": (70, 175), "blue": (175, 262), "purple": (255, 335)}
"""Degrees on the circle of hues."""
_LEAST_COLOUR: Final = 0.3
"""Of saturation and of brightness: less is a grey or a black."""
_BY_THEMSELVES: Final = frozenset({(31, 73, 125), (5, 99, 193), (149, 79, 114), (0, 0, 238), (17, 85, 204)})
"""What programs give replies and links without being asked."""
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
    if announced := _ANNOUNCES.search(above):
        hue = announced[1].lower()
        lines[first:] = [part for line in lines[first:] for part in _parted(line, hue)]
    if _POINTS_BELOW.search(above) and (tag := _tag(sender)):
        lines[first:] = [part for line in lines[first:] for part in _cut_out(line, tag)]
    if _IN_CAPITALS.search(above):
        lines[first:] = [part for line in lines[first:] for part in _cut_out(line, _CAPITALS)]


def _tag(sender: str) -> re.Pattern[str] | None:
    """An answer in brackets that begins with the sender's initials or first name."""
    names = re.findall(r"[^\W\d_]+", sender)
    if len(names) < 2:
        return None
    initials = "".join(name[0] for name in names)
    either = "|".join({re.escape(initials), re.escape(initials[0] + initials[-1]), re.escape(names[0])})
    begins = rf"(?:{either})\s?(?::|[-\u2013\u2014]\s)"
    return re.compile(rf"\[{begins}[^\]]*\]?|\({begins}[^)]*\)?", re.IGNORECASE)


def _cut_out(line: Line, answer: re.Pattern[str]) -> list[Line]:
    """A quoted line as the answers in it, which are NEW, and what stands around them."""
    if line.mark is not Mark.QUOTED or not (found := list(answer.finditer(line.text))):
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
