"""What the attributes of an HTML element say: whether it can be seen, and whether it holds a quote or a signature."""

import re
from dataclasses import dataclass, replace
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
_SIGNATURE_NAMES = frozenset(
    {
        "gmail_signature", "moz-signature", "signature", "ms-outlook-mobile-signature", "applemailsignature",
        "protonmail_signature_block", "ymail_android_signature", "ymail_ios_signature", "composer_signature",
    }
)  # fmt: skip
_REST_NAMES = frozenset({"divrplyfwdmsg", "appendonsend"})
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


def seen(attributes: Attributes, inherited: Look) -> Look | None:
    """How the text inside an element is drawn; None where the element and all in it are not."""
    if "hidden" in attributes:
        return None
    look = inherited
    if "bgcolor" in attributes:
        look = replace(look, painted=look.painted or _squeezed(attributes, "bgcolor") not in _UNPAINTED)
    if "color" in attributes:
        look = replace(look, white=_squeezed(attributes, "color") in _WHITE)
    if "style" not in attributes:
        return look
    style = _squeezed(attributes, "style")
    if _GONE.search(style):
        return None
    if size := _FONT_SIZE.search(style):
        look = replace(look, tiny=float(size[1]) == 0)
    if colour := _COLOUR.search(style):
        look = replace(look, white=colour[1] in _WHITE)
    if background := _BACKGROUND.search(style):
        look = replace(look, painted=look.painted or background[1] not in _UNPAINTED)
    return look


def role(tag: str, attributes: Attributes) -> Mark | None:
    """QUOTED or SIGNATURE where the element says so of itself, else None."""
    names = _names(attributes)
    if tag == "blockquote":
        return Mark.QUOTED if _cites(names, attributes) else None
    if names & _SIGNATURE_NAMES or attributes.get("data-smartmail") == "gmail_signature":
        return Mark.SIGNATURE
    return Mark.QUOTED if names & _WHOLE_QUOTES or any(name.startswith("yahoo_quoted") for name in names) else None


def is_container(attributes: Attributes) -> bool:
    """Whether the element is what a mail program puts around attribution, quote and any answers in between."""
    return bool(_names(attributes) & _CONTAINERS)


def begins_quote(attributes: Attributes) -> bool:
    """Whether everything from this element on is an earlier mail: Outlook's header block."""
    return bool(_names(attributes) & _REST_NAMES) or (
        "style" in attributes and bool(_OUTLOOK_RULE.search(_squeezed(attributes, "style")))
    )


def keeps_spaces(attributes: Attributes) -> bool:
    """Whether white space in it counts."""
    return "style" in attributes and "white-space:pre" in _squeezed(attributes, "style")


def tight(attributes: Attributes) -> bool:
    """Whether a paragraph is drawn without room around it, as Outlook's are."""
    style = _squeezed(attributes, "style") if "style" in attributes else ""
    return (attributes.get("class") or "").startswith("Mso") or "margin:0" in style or "margin-bottom:0" in style


def _cites(names: frozenset[str], attributes: Attributes) -> bool:
    """A blockquote quotes, unless it is drawn as a mere indent, which is what "increase indent" makes."""
    if _squeezed(attributes, "type") == "cite" or "cite" in attributes:
        return True
    style = _squeezed(attributes, "style")
    if "border-left:" in style and "border-left:none" not in style:
        return True
    indent = "border:none" in style or "border:0" in style
    return not indent and (bool(names & _CONTAINERS) or "margin" not in style)


def _names(attributes: Attributes) -> frozenset[str]:
    """Class, id and name, lower case; Outlook on the web puts "x_" before those of mail it quotes."""
    given = " ".join(attributes.get(key) or "" for key in ("class", "id", "name") if key in attributes)
    return frozenset(name.removeprefix("x_") for name in given.lower().split()) if given else frozenset()


def _squeezed(attributes: Attributes, key: str) -> str:
    return "".join((attributes.get(key) or "").lower().split())
