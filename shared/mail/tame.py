"""Keeps the HTML parser's time linear: its tree building is quadratic in nesting and in the attributes of one tag.

Mail stays far below what is cut here, so only hostile documents change: they lose markup, and text past the limits.
"""

import re

HTML_LIMIT = 1_000_000  # characters of one document that are read
_SMALL, _FEW_TAGS = 32_000, 3_000  # a document within both is cheap however it is built
_TOKENS = 120_000  # tags and runs of text of one document that are read
_DEEPEST = 300
_ATTRIBUTES = 200
# Every alternative takes all that it can and gives nothing back; each character is looked at once.
_TOKEN = re.compile(
    r"""
    [^<]++
  | <!--.*?(?:-->|\Z)
  | <(?P<close>/?)(?P<name>[a-zA-Z][^\s/>]*+)(?P<rest>(?:[^>"'=]++|=\s*+(?:"[^"]*+"?|'[^']*+'?)?|["'])*+)>?
  | <
    """,
    re.VERBOSE | re.DOTALL,
)
_UNNESTED = frozenset(
    {
        "area", "base", "body", "br", "col", "colgroup", "dd", "dt", "embed", "head", "hr", "html", "img", "input",
        "li", "link", "meta", "option", "p", "param", "source", "tbody", "td", "tfoot", "th", "thead", "tr",
        "track", "wbr",
    }
)  # fmt: skip


def tame(source: str) -> str:
    """`source` with tags nested too deeply left out and endless lists of attributes dropped."""
    source = source[:HTML_LIMIT]
    if len(source) <= _SMALL and source.count("<") <= _FEW_TAGS:
        return source
    out: list[str] = []
    depth = 0
    tokens = _TOKENS
    opened: dict[str, int] = {}
    for token in _TOKEN.finditer(source):
        tokens -= 1
        if not tokens:
            break
        text = token[0]
        name = (token["name"] or "").lower()
        if not name:
            out.append(text)
            continue
        if name not in _UNNESTED:
            if token["close"]:
                if not opened.get(name):
                    continue
                opened[name] -= 1
                depth -= 1
            else:
                if depth >= _DEEPEST:
                    continue
                opened[name] = opened.get(name, 0) + 1
                depth += 1
        crowded = len(token["rest"]) > _ATTRIBUTES and len(token["rest"].split()) > _ATTRIBUTES
        out.append(f"<{token['close']}{name}>" if crowded else text)
    return "".join(out)
