"""The line for the bill: the email's own words for the work, without the amount, the filler and the day."""

import re

_LONGEST = 1000
_SPACE = re.compile(r"\s+")
_LEAD = re.compile(
    r"^(?:[-*•·–—|,;:.)\]\s]+|\d{1,2}[.)]\s+|(?:and|then|but|so|also|plus|that|which)\b[\s,]*)+", re.IGNORECASE
)
_SPENT = re.compile(
    r"^(?:(?:i|we)(?:['’]ve| have| had)?\s+)?(?:(?:then|also|just|already|since|now|another"
    r"|only)\s+)*(?:spent|put in|put|did|devoted|logged|worked)\s*"
    r"(?:(?:another|about|roughly|a further|a)\s+)?(?:(?:on|into|in|for|with|to)\s+(?=\w))?",
    re.IGNORECASE,
)
_TAIL = re.compile(r"[\s,;:(\[–—-]+$")


def narrative(before: str, after: str) -> str:
    """A description from the words around the amount; at most 1000 characters."""
    head, tail = _tidy(before), _tidy(after)
    work = _SPENT.sub("", head) if tail else head
    text = _SPACE.sub(" ", f"{work} {tail}".strip() if work else tail)
    text = _TAIL.sub("", _LEAD.sub("", text))
    text = re.sub(r"^(?:on|into|for|of)\s+", "", text, flags=re.IGNORECASE) if not work else text
    text = re.sub(r"\(\s*\)", "", text).strip(" .")
    return (text[:1].upper() + text[1:])[:_LONGEST]


def _tidy(text: str) -> str:
    return _TAIL.sub("", _LEAD.sub("", _SPACE.sub(" ", text).strip()))
