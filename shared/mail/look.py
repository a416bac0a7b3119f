"""How text is drawn, as far as that can hide it: its size, its colour and what lies behind, things that cut it out."""

import re
from dataclasses import dataclass
from typing import Final, TypeAlias

Colour: TypeAlias = tuple[int, int, int]

_WHITE: Final[Colour] = (255, 255, 255)
_NAMED: Final[dict[str, Colour]] = {
    "white": _WHITE, "snow": (255, 250, 250), "ivory": (255, 255, 240), "ghostwhite": (248, 248, 255),
    "whitesmoke": (245, 245, 245), "floralwhite": (255, 250, 240), "mintcream": (245, 255, 250),
    "azure": (240, 255, 255), "black": (0, 0, 0), "windowtext": (0, 0, 0), "window": _WHITE, "red": (255, 0, 0),
    "darkred": (139, 0, 0), "crimson": (220, 20, 60), "firebrick": (178, 34, 34), "maroon": (128, 0, 0),
    "orange": (255, 165, 0), "darkorange": (255, 140, 0), "orangered": (255, 69, 0), "green": (0, 128, 0),
    "darkgreen": (0, 100, 0), "forestgreen": (34, 139, 34), "seagreen": (46, 139, 87), "teal": (0, 128, 128),
    "blue": (0, 0, 255), "navy": (0, 0, 128), "darkblue": (0, 0, 139), "mediumblue": (0, 0, 205),
    "royalblue": (65, 105, 225), "dodgerblue": (30, 144, 255), "steelblue": (70, 130, 180), "purple": (128, 0, 128),
    "indigo": (75, 0, 130), "violet": (238, 130, 238), "magenta": (255, 0, 255), "fuchsia": (255, 0, 255),
}  # fmt: skip
_SAME = 16
"""Steps of each channel: colours that differ by less can't be told apart by eye."""
_FUNCTION = re.compile(r"rgba?\((\d{1,3}),(\d{1,3}),(\d{1,3})(?:,(\d*\.?\d+)(%?))?\)")
_HEX = re.compile(r"#?([0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})")
_NO_PAINT = frozenset({"transparent", "none", "inherit", "initial", "unset", ""})
_FONT_SIZE = re.compile(r"(?<![\w-])font-size:(\d*\.?\d+)(px|pt|em|rem|%)?|(?<![\w-])font:(0)(?!\.)")
_TINIEST = {"px": 1.0, "pt": 1.0, "em": 0.1, "rem": 0.1, "%": 5.0}
"""A size, by unit, that nobody can read, as can none that is smaller."""
_COLOUR = re.compile(r"(?<![\w-])color:([^;!]+)")
_BACKGROUND = re.compile(r"(?<![\w-])background(?:-color)?:([^;!]+)")
_ZERO = r"0(?:\.0\d*)?(?:px|pt|em|%)?(?![.\d])"
_GONE = re.compile(
    rf"display:none|visibility:(?:hidden|collapse)|mso-hide:all|(?<!-)opacity:{_ZERO}|max-(?:height|width):{_ZERO}"
    r"|text-indent:-\d{3}|(?:left|top|right|margin-left|margin-top):-\d{4}"
    r"|clip:rect\([01px,]*\)|clip-path:inset\((?:50|100)%|transform:scale\(0[,)]"
    r"|text-decoration(?:-line)?:[^;]{0,80}line-through|text-line-through:(?!none)"
)
_FLAT = re.compile(rf"(?<![\w-])(?:height|width):{_ZERO}")


@dataclass(frozen=True, slots=True)
class Look:
    """How text is drawn. Children inherit it and may change it.

    `ink` is the colour that was asked for and `paper` the one behind it; None where that can't be told. Text that has
    no colour of its own is never taken for hidden.
    """

    tiny: bool = False
    ink: Colour | None = None
    paper: Colour | None = _WHITE
    clear: bool = False

    @property
    def hidden(self) -> bool:
        """Whether nobody can read it."""
        if self.tiny or self.clear:
            return True
        if self.ink is None or self.paper is None:
            return False
        return all(abs(one - other) < _SAME for one, other in zip(self.ink, self.paper, strict=True))


def gone(style: str) -> bool:
    """Whether a style (lower case, without spaces) takes the element off the page, or strikes it out."""
    return bool(_GONE.search(style)) or ("overflow:hidden" in style and bool(_FLAT.search(style)))


def tiny(style: str) -> bool | None:
    """Whether the style makes text too small to read; None if it says nothing of size."""
    found = _FONT_SIZE.search(style)
    if found is None:
        return None
    size = float(found[1] or 0)
    return size == 0 or size <= _TINIEST.get(found[2] or "", 0.0)


def ink(style: str, attribute: str) -> tuple[Colour | None, bool] | None:
    """The colour of text and whether it is transparent; None if neither the style nor the attribute says so."""
    found = _COLOUR.search(style)
    said = found[1] if found else attribute
    if not said or said in {"inherit", "initial", "unset"}:
        return None
    if said == "transparent" or ((rgba := _FUNCTION.fullmatch(said)) and _is_clear(rgba)):
        return None, True
    return colour(said), False


def paper(style: str, attributes: str) -> tuple[Colour | None] | None:
    """The colour that the element is painted with, in a tuple; None if it isn't painted. Pictures have none to tell."""
    found = _BACKGROUND.search(style)
    said = found[1] if found else attributes
    if said in _NO_PAINT or ((rgba := _FUNCTION.fullmatch(said)) and _is_clear(rgba)):
        return None
    return (colour(said),)


def colour(said: str) -> Colour | None:
    """A colour (lower case, without spaces) as CSS and HTML write it; None if it is none that is known."""
    if said in _NAMED:
        return _NAMED[said]
    if rgb := _FUNCTION.fullmatch(said):
        return min(int(rgb[1]), 255), min(int(rgb[2]), 255), min(int(rgb[3]), 255)
    if digits := _HEX.fullmatch(said):
        code = digits[1] if len(digits[1]) > 4 else "".join(2 * digit for digit in digits[1])
        return int(code[:2], 16), int(code[2:4], 16), int(code[4:6], 16)
    return None


def _is_clear(rgba: re.Match[str]) -> bool:
    return rgba[4] is not None and float(rgba[4]) < (5 if rgba[5] else 0.05)
