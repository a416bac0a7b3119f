"""Answers that the sender wrote into the mail that is answered, and announced: "see my comments below in red".

Outlook quotes without marking lines, so that nothing tells such answers from what they answer but the colour that was
announced, capitals, or the sender's initials before them ("[AQ: done, 1.8 hours]").
"""

import colorsys
import re
from dataclasses import replace
from typing import Final

from shared.mail.earlier import is_attribution_end, is_separator
from shared.mail.lines import Line, Mark
from shared.mail.look import Colour

_SAYS: Final = (
    r"answer\w*|respon\w*|repl(?:y|ies|ied)|comment\w*|notes?|thoughts|edits|time(?= (?:is |are )?(?:below|inline))"
)
_WHERE: Final = r"below|inline|in-line|in line|in the (?:body|text|chain|thread)|in (?:\w+ )?brackets"
_TELLS: Final = rf"(?:(?<!\w)(?:{_SAYS})|\bsee (?:my )?(?:{_WHERE}))\b[^.\n]{{0,60}}"
_COLOURS: Final = "red|blue|green|purple|orange"
_ANNOUNCES: Final = re.compile(rf"{_TELLS}\bin (?:(?:bold|dark|bright|light) )?({_COLOURS})\b(?! v\b)", re.IGNORECASE)
_POINTS_BELOW: Final = re.compile(rf"{_TELLS}\b(?:{_WHERE})\b|\bsee (?:my )?(?:{_WHERE})\b", re.IGNORECASE)
_IN_CAPITALS: Final = re.compile(rf"{_TELLS}\bin (?:all )?cap(?:ital)?s\b", re.IGNORECASE)
_OTHERS: Final = re.compile(r"(?:['\u2019]s|\b(?:your|his|her|their))\s+(?:\w+\s+){0,2}$", re.IGNORECASE)
"""Before what somebody else answered."""
_TO_COME: Final = re.compile(
    r"\b(?:will|shall|later|tomorrow|would|could|can you|please (?:put|send|add))\b|['\u2019]ll\b", re.IGNORECASE
)
_BEFORE: Final = 40
"""Characters in which it is said whose answers they are."""
_CAPITALS: Final = re.compile(r"(?<!\S)(?=(?:[^\sa-z]+ ){2}[^\sa-z])[^a-z\n]{12,}(?!\S)")
"""Three words and more without a small letter; `_IN_FULL` finds those of letters, of which two are wanted."""
_IN_FULL: Final = re.compile(r"\b[A-Z]{2,}\b")
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
_HEADER: Final = re.compile(r"\s*[*_]?(?:Sent|Date|To|Cc|Subject|Gesendet|An|Betreff)[*_]?\s?:", re.IGNORECASE)
_HEADER_LINES: Final = 6
"""Lines that the headers of one mail take, from the line drawn above them."""
_MOST_WRAPPED: Final = 6
"""Lines over which one answer may be wrapped."""
_MOST_ABOVE: Final = 3_000
"""Characters above the quote in which answers are announced."""


def announces_colour(text: str) -> bool:
    """Whether the beginning of a text says that there are answers in a colour."""
    return _announced(_ANNOUNCES, text[:_MOST_ABOVE]) is not None


def _announced(pattern: re.Pattern[str], above: str) -> re.Match[str] | None:
    """Where the sender announces answers of her own that are there."""
    for found in pattern.finditer(above):
        before = above[max(0, found.start() - _BEFORE) : found.start()]
        clause = re.split(r"[.!?\n]", before)[-1] + found[0] + above[found.end() : found.end() + 8]
        if not _OTHERS.search(before) and not _TO_COME.search(clause):
            return found
    return None


def mark_answers(lines: list[Line], sender: str) -> None:
    """Mark as NEW what the sender announced above the first quoted line and wrote below it.

    Where a coloured answer ends or begins a quoted line, the line is parted there.
    """
    first = next((number for number, line in enumerate(lines) if line.mark is Mark.QUOTED), None)
    if first is None:
        return
    above = "\n".join(line.text for line in lines[:first] if line.mark is Mark.NEW)[:_MOST_ABOVE]
    answered, older = lines[first:], list[Line]()
    if before := _mail_before(answered):  # what was answered there is no news
        answered, older = answered[:before], answered[before:]
    if announced := _announced(_ANNOUNCES, above):
        answered = [part for line in answered for part in _parted(line, announced[1].lower())]
    if _announced(_POINTS_BELOW, above) and (tag := _tag(sender)):
        answered = [part for line in _with_whole_brackets(answered, tag) for part in _cut_out(line, tag)]
    if _announced(_IN_CAPITALS, above):
        answered = [part for line in answered for part in _cut_out(line, _CAPITALS)]
    lines[first:] = answered + older


def _mail_before(lines: list[Line]) -> int | None:
    """Where, below the mail that is answered, the one before it begins."""
    last = None
    for number, line in enumerate(lines):
        text = line.text.strip()
        heads = _HEAD.match(text) and any(_HEADER.match(each.text) for each in lines[number + 1 : number + 4])
        if heads or is_separator(text) or (text and is_attribution_end(text)):
            if last is not None and number - last > _HEADER_LINES:
                return number
            last = number if last is None else last
    return None


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
    at = 0
    while at < len(lines):
        line, end = lines[at], at + 1
        if answer.search(line.text) and line.text.count("[") > line.text.count("]"):
            rest = lines[end : end + _MOST_WRAPPED]
            closed = next((number for number, each in enumerate(rest, start=1) if "]" in each.text), 0)
            if all(each.mark is Mark.QUOTED and each.text for each in rest[:closed]):
                end += closed
        joined.append(line if end == at + 1 else Line(" ".join(each.text for each in lines[at:end]), line.mark))
        at = end
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
