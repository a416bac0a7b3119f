"""What the attributes of an HTML element say: whether it can be seen, and whether it holds a quote or a signature."""

import re
from dataclasses import dataclass
from typing import TypeAlias

from shared.mail.lines import Mark

Attributes: TypeAlias = dict[str, str | None]

_GONE = re.compile(
    r"display:none|visibility:hidden|mso-hide:all|(?<!-)opacity:0(?:\.0+)?(?![.\d])|max-height:0(?:px|pt|em)?(?![.\d])"
)
_FONT_SIZE = re.compile(r"(?<![\w-])font-size:(\d*\.?\d+)")
_COLOUR = re.compile(r"(?<![\w-])color:([^;!]+)")
_BACKGROUND = re.compile(r"(?<![\w-])background(?:-color)?:([^;!]+)")
_WHITE = frozenset({"white", "#fff", "#ffffff", "rgb(255,255,255)", "rgba(255,255,255,1)"})
_UNPAINTED = _WHITE | {"transparent", "none", "inherit", "initial", "unset", ""}

# What mail programs put around attribution and quote, and around any answers the sender wrote between quoted lines.
_CONTAINERS = frozenset({"gmail_quote", "protonmail_quote", "tutanota_quote", "front-blockquote", "missive_quote"})
# What they put around earlier mail alone.
_WHOLE_QUOTES = frozenset(
    {
        "ydp_yahoo_quoted", "moz-forward-container", "olk_src_body_section", "mail-editor-reference-message-container",
        "messagereplysection", "zmail_extra", "aolreplacedbody",
    }
)  # fmt: skip
_SIGNATURES = frozenset(
    {
        "gmail_signature", "moz-signature", "signature", "ms-outlook-mobile-signature", "applemailsignature",
        "protonmail_signature_block", "ymail_android_signature", "ymail_ios_signature", "composer_signature",
    }
)  # fmt: skip
_REST = frozenset({"divrplyfwdmsg", "appendonsend"})
_OUTLOOK_RULE = re.compile(r"border-top:solid[^;]*;padding:3(?:\.0)?pt0")


@dataclass(frozen=True, slots=True)
class Look:
    """How text is drawn, as far as that can hide it. Children inherit it and may change it."""

    tiny: bool = False
    white: bool = False
    painted: bool = False  # something other than white lies behind it

    @property
    def hidden(self) -> bool:
        """Whether nobody can read it."""
        return self.tiny or (self.white and not self.painted)


@dataclass(frozen=True, slots=True)
class Traits:
    """What an element's attributes say. None: nothing, so that what its parents said goes on.

    `gone`: neither it nor anything in it is drawn. `tight`: a paragraph without room around it, as Outlook's are.
    `mark`: it is a quote or a signature. `container`: it is a quote if no quote stands out in it. `begins_quote`: all
    that follows is an earlier mail. `keeps_spaces`: white space in it counts.
    """

    gone: bool = False
    tiny: bool | None = None
    white: bool | None = None
    painted: bool = False
    keeps_spaces: bool = False
    tight: bool = False
    mark: Mark | None = None
    container: bool = False
    begins_quote: bool = False

    def look(self, inherited: Look) -> Look:
        """How text inside the element is drawn."""
        if self.tiny is None and self.white is None and not self.painted:
            return inherited
        return Look(
            inherited.tiny if self.tiny is None else self.tiny,
            inherited.white if self.white is None else self.white,
            inherited.painted or self.painted,
        )


def traits(tag: str, attributes: Attributes) -> Traits:
    """The traits of an element with these attributes."""
    style = _squeezed(attributes, "style")
    size = _FONT_SIZE.search(style)
    colour = _COLOUR.search(style)
    background = _BACKGROUND.search(style)
    paint = background[1] if background else _squeezed(attributes, "bgcolor")
    ink = colour[1] if colour else _squeezed(attributes, "color")
    names = _names(attributes)
    return Traits(
        gone="hidden" in attributes or bool(_GONE.search(style)),
        tiny=float(size[1]) == 0 if size else None,
        white=ink in _WHITE if ink else None,
        painted=paint not in _UNPAINTED,
        keeps_spaces=tag == "pre" or "white-space:pre" in style,
        tight=(attributes.get("class") or "").startswith("Mso") or "margin:0" in style or "margin-bottom:0" in style,
        mark=_mark(tag, names, attributes, style),
        container=tag != "blockquote" and not names.isdisjoint(_CONTAINERS),
        begins_quote=not names.isdisjoint(_REST) or bool(_OUTLOOK_RULE.search(style)),
    )


def _mark(tag: str, names: frozenset[str], attributes: Attributes, style: str) -> Mark | None:
    if tag == "blockquote":
        return Mark.QUOTED if _cites(attributes, style) else None
    if names & _SIGNATURES or attributes.get("data-smartmail") == "gmail_signature":
        return Mark.SIGNATURE
    return Mark.QUOTED if names & _WHOLE_QUOTES or any(name.startswith("yahoo_quoted") for name in names) else None


def _cites(attributes: Attributes, style: str) -> bool:
    """A blockquote quotes, unless it is drawn as a mere indent, which is what "increase indent" makes."""
    if _squeezed(attributes, "type") == "cite" or "cite" in attributes:
        return True
    if "border-left:" in style and "border-left:none" not in style:
        return True
    return "border:none" not in style and "border:0" not in style and "margin" not in style


def _names(attributes: Attributes) -> frozenset[str]:
    """Class, id and name, lower case; Outlook on the web puts "x_" before those of mail it quotes."""
    given = " ".join(attributes.get(key) or "" for key in ("class", "id", "name") if key in attributes)
    return frozenset(name.removeprefix("x_") for name in given.lower().split())


def _squeezed(attributes: Attributes, key: str) -> str:
    value = attributes.get(key)
    return "".join(value.lower().split()) if value else ""
