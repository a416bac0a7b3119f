"""The line for the bill: the email's own words for the work, without the amount, the day, and what is said around it.

A clause is taken apart at its amount. From its head goes what leads up to the work ("Yesterday I also", "Please
enter") and what only governs the amount ("took me another"), from the rest what turns to something else (", which he
won't like"). Nothing is put in that the email doesn't say.
"""

import re
from collections.abc import Collection

from shared.extraction.attribution.date import MONTH, WEEKDAY
from shared.extraction.wordlist import words
from shared.models import DESCRIPTION_LIMIT

_SPACE = re.compile(r"\s+")
_MARKS, _END = " \t\n-*•·–—|,;:.!+)]}&/=>", " \t\n-*•·–—|,;:.!+([{&/=>"
_PART = r"(?:mornings?|afternoon|evening|night|lunchtime|noon|[ap]\.?m\b\.?|week)"
_MONTH = rf"{MONTH}\b\.?"
# "Sat" is a day before a mark or a number, and a verb before anything else.
_WEEKDAY = rf"(?:(?!(?:sat|sun)\b){WEEKDAY}|(?:sat|sun)(?=\s*(?:[,:;.)–—-]|\d|{_PART}|$)))"
_DAY = (
    r"(?:(?:on|late|early|first thing|all|over|of)\s+){0,2}(?:"
    rf"(?:this|that|last|yesterday|tomorrow|{_WEEKDAY}\.?)\s+{_PART}|yesterday|today|tonight|tonite|"
    rf"(?:last|this)\s+{_WEEKDAY}|"
    rf"{_WEEKDAY}\b\.?(?:\s+last\b|,?\s+(?:the\s+)?\d{{1,2}}(?:st|nd|rd|th)?(?:\s+{_MONTH})?)?|"
    rf"\d{{1,2}}(?:st|nd|rd|th)?\s+(?:of\s+)?{_MONTH}(?:,?\s+\d{{4}})?|"
    rf"{_MONTH}\s+\d{{1,2}}(?:st|nd|rd|th)?\b(?:,?\s+\d{{4}})?|"
    r"\d{1,2}[/.-]\d{1,2}(?:[/.-]\d{2,4})?|\d{4}-\d\d-\d\d|the\s+\d{1,2}(?:st|nd|rd|th)"
    r")(?![\w/'’-])"
)
_ADVERBS = r"(?:(?:also|then|just|already|since|now|only|again|finally|actually|really|even)\s+)*"
_BOOKED = r"(?:enter|add|put(?:\s+(?:me\s+)?down)?|record|log|bill|charge|docket|post|book|note|debit|stick)"
_OPENING = re.compile(
    rf"""
    (?:for\s+)?{_DAY}[\s,:;–—-]*
    | for\s+(?:(?:the|your|my|our)\s+)?(?:records?|file|bill|fee\s+note|ledger|log|invoice|time\s?sheet|transparency)\b
      [^:,]*[:,]\s*
    | same\s+(?:matter|file|client)\b[\s,:]*
    | (?:and|then|but|so|also|plus|which|ok|yes|well|still|again|meanwhile|here|of|thereafter|next)\b
      (?!\s+(?:of|that)\b)[\s,]*
    | (?:afterwards?|later|earlier|(?:after|before)\s+(?:that|this|lunch))\b(?=[\s,]+(?:i|we)\b|,)[\s,]*
    | (?:hi|hello|dear|hey)\s+\w+\s*[,–—-]+\s*
    | (?:(?:can|could|would|will)\s+you\s+)?(?:(?:please|pls|kindly)\s+{_BOOKED}|{_BOOKED}(?=\s+(?:me|us|for)\b|$))
      (?:\s+(?:me|us))?(?:\s+(?:down|in))?(?:\s+for\s+(?:me|us))?(?:\s+for)?(?=\s|$)
    | (?:you\s+and\s+)?(?:i|we)\b(?:['’](?:ve|d))?\s+(?:(?:have|had|was|were)\s+(?=\w))?{_ADVERBS}(?:(?:was|were)\s+)?
    | \(?(?:\d{{1,2}}|[a-z])[.)]\s+ | \[[A-Z]{{2,3}}:\s+
    """,
    re.IGNORECASE | re.VERBOSE,
)
_GOVERNING = re.compile(
    r"""(?:^|(?<=[\s,;:(–—-]))(?:
      (?:(?:it|that|this|these|which|all|they)\s+)?(?:(?:then|also|alone|only|has|have|had|did)\s+)*
      (?:took|takes?|taken|taking|ran|runs?|lasted|came|comes|went|filled|ate|eats|required|needed|cost|used|kept
        |swallowed)
      (?:\s+(?:me|us|him|her|them|you|up|on|out|to))*
    | (?:(?:and\s+)?(?:it|that|this)\s+)?(?:was|were|is|are)
    | (?:spent|put(?:\s+in)?|did|done|devoted|logged|worked|had|gave|given|got|billed|recorded|entered)
    | for|in|at|of|from|between|about|around|roughly|nearly|almost|over|under|within|until|till|by|to|and|as|or|but|so
    | an?|the|also|another|further|additional|extra|only|just|some|maybe|perhaps|say|approx\w*\.?|circa|ca?\.
    | good|full|solid|whole|mere|odd|more|less|than|well|close|being|total(?:l?ing)?|worth|somewhere
    | (?:call|make)\s+it|(?:it|that)['’]s
    | (?:won['’]t|no|not|will\s+not|don['’]t|can['’]t|never)\s+(?:be\s+)?charg(?:e|ing)(?:\s+(?:you|them|for))*
    )$""",
    re.IGNORECASE | re.VERBOSE,
)
_TURNING = re.compile(
    r"""(?:^|[,;:.(–—-]\s*
      |\s(?=(?:and|but|because|though|although|which|who|once|while|when|as\ (?:you|he|she|they|it|i))\b))
    (?:@.*
      |(?:which|who|most\ of\ (?:it|which|that|whom)|because|mostly\ because|though|although|but|since|so|if|when|while
      |once|even|as\ (?:you|he|she|they|it|i)|and\ (?:i|we|he|she|they|it|you|that|there|no)|yes|no|ok|ugh|sorry|thanks
      |not|don['’]t|(?:i|we|he|she|they|it|you|that|there)(?:['’]\w+)?|n/?c|please|pls|write|give\ or\ take
      |all\ (?:in|told)|in\ (?:all|total|the\ end)|total|on\ the\ house|at\ (?:no|half|full))\b.*)""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
_BOOKING = re.compile(
    r"\s+(?:(?:should|can|could|may|to)\s+be\s+(?:added|billed|entered|recorded|charged)|each way)\b.*", re.DOTALL
)
_AFTER_AMOUNT = re.compile(
    rf"^(?:(?:of\s+(?:it|that|which|them)|or\s+so|odd|ish|in\s+all|for\s+(?:me|us)|{_DAY}"
    r"|(?:that\s+)?(?:i|we)(?:['’]ve|\s+have|\s+had)?\s+(?:spent|wasted|put\s+in|did|needed|had|took|used)(?:\s+on)?)\b[\s,:;.)–—-]*)+",
    re.IGNORECASE,
)
_LAST_DAY = re.compile(rf"(?:^|[\s,;(–—-]){_DAY}[\s,;:)–—-]*$", re.IGNORECASE)
_ITS_DAY = re.compile(
    r"(?:\b(?:of|dated|sworn|from|to|by|until|till|for|since|before|after|the|and|on or about)|['’]s)$", re.IGNORECASE
)
_MARK_AT_END = re.compile(r"[:,;(\[–—-]\s*$")
_AFTER_NAME = re.compile(rf"\s*(?:[:,|/–—-]+|\s\s|\t|\s(?={_BOOKED}\b))\s*(?=\S)", re.IGNORECASE)
_MOST_LAYERS = 8
_BY_PHONE = re.compile(r"^on\s+(?:the|an?)\s+(?=(?:tele)?phone|call|zoom|teams|line\b|video)", re.IGNORECASE)
_LINKING = re.compile(r"^(?:on|into|for|of|over|to|doing|was|were|is)\s+(?!site\b)", re.IGNORECASE)
_FILLING = frozenset(
    words(
        """
        i we you he she it they me us him her them my our your his its their this that these those which who what
        there here a an the and or but so as if at by for from in into of on to with up out over off about again then
        also just only is are was were be been am being has have had do did does done will would can could should may
        might must not no yes all both each some any more most less much very too went go got get took take taken came
        come ran run spent put same one two first second third another time hours hour minutes today yesterday morning
        afternoon evening night day week way told back don't didn't wasn't i'm it's that's didn wasn
        """
    )
)
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")


def narrative(before: str, after: str, *, told: Collection[str] = (), earlier: str = "") -> str:
    """A description from the words around the amount; at most 1000 characters, empty if they say nothing of the work.

    `told`: names that are told beside it (the matter, who is written to) and left out where they lead; `earlier`: the
    sentence before, which is taken where the clause itself only says how long it took.
    """
    text = _work(before, after, told)
    if not _says(text):
        text = _work(earlier, "", told)
    text = text if _says(text) else ""
    return (text[:1].upper() + text[1:])[:DESCRIPTION_LIMIT]


def _work(before: str, after: str, told: Collection[str]) -> str:
    head, tail = _head(before, told), _tail(after)
    mark = _MARK_AT_END.search(before)
    head = _balanced(_without_day(head.rstrip(_END)) if mark else _governed(head))
    if not head:
        return _BY_PHONE.sub("", tail) if _BY_PHONE.match(tail) else _LINKING.sub("", tail)
    if tail:
        mark = mark or re.match(r"\s*[,–—-]", after)
        said = mark.group() if mark else " "
        head += (": " if ":" in said else " " if said.isspace() or said[0] in "([" else ", ") + tail
    return _BY_PHONE.sub("", head)


def _head(text: str, told: Collection[str]) -> str:
    """The words before the amount from where they tell the work."""
    text = text.lstrip(_MARKS).rstrip(_END)
    for _ in range(_MOST_LAYERS):
        left = text
        for name in told:
            if text.lower().startswith(name.lower()) and (found := _AFTER_NAME.match(text, len(name))):
                text = text[found.end() :]
        if found := _OPENING.match(text):
            text = text[found.end() :]
        text = text.lstrip(_MARKS)
        if text == left:
            break
    return _SPACE.sub(" ", text)


def _governed(head: str) -> str:
    """The head without the words that only govern the amount."""
    for _ in range(_MOST_LAYERS):
        left = head
        head = _without_day(_GOVERNING.sub("", head.rstrip(_END)).rstrip(_END))
        if head == left:
            break
    return head


def _tail(text: str) -> str:
    """The words after the amount as far as they tell the work."""
    text = _SPACE.sub(" ", text).strip().lstrip(_MARKS)
    text = _AFTER_AMOUNT.sub("", text)
    text = _BOOKING.sub("", _TURNING.sub("", text))
    return _balanced(_without_day(_balanced(text.rstrip(_END))))


def _balanced(text: str) -> str:
    """The text without a bracket that only opens or only closes."""
    if text.count("(") > text.count(")"):
        return text[: text.rindex("(")].rstrip(_END)
    return text.replace(")", "", 1) if text.count(")") > text.count("(") else text


def _without_day(text: str) -> str:
    """The text without the day at its end, unless that is of a thing ("the letter of 4 March")."""
    found = _LAST_DAY.search(text)
    if found is None:
        return text
    rest = text[: found.start()].rstrip(_END)
    return text if _ITS_DAY.search(rest) else rest


def _says(text: str) -> bool:
    """Whether a text tells what was done: it has a word that isn't there to join others."""
    return any(len(word) > 1 and word not in _FILLING for word in _WORD.findall(text.lower().replace("’", "'")))
