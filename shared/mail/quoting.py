"""Tells quoted and forwarded text from what the sender newly wrote, line by line: marks, attributions, header blocks."""

import re

from shared.mail.lines import Line, Mark

_SEPARATOR = re.compile(
    r"(?i)(?:[-_=*]{2,}\s*|begin\s+)(?:original (?:message|appointment)|(?:inline )?forwarded (?:message|by\b.*)"
    r"|reply message|ursprüngliche nachricht|weitergeleitete nachricht|message d'origine|message transféré"
    r"|mensaje original|mensaje reenviado|messaggio originale|messaggio inoltrato|oorspronkelijk bericht"
    r"|doorgestuurd bericht|mensagem original|mensagem encaminhada)\s*(?::|[-_=*]{2,})?"
)
_RULE = re.compile(r"[-_=*\u2014\u2500]{5,}")
_HEADER_NAME = re.compile(r"[*_\s]{0,3}([^\W\d_][^\W\d_ -]{0,12}(?: [^\W\d_]{1,6})?)[ *_\xa0]{0,3}[:\uff1a](.*)")
_ROLES = {
    role: names.split("|")
    for role, names in {
        "from": "from|von|de|van|da|fra|från|od|lähettäjä|发件人|寄件者|差出人",
        "date": "date|sent|gesendet|datum|envoyé|enviado|fecha|data|inviato|verzonden|enviada em|enviado em|sendt|skickat"
        "|dato|wysłano|lähetetty|发送时间|日期|送信日時",
        "to": "to|an|à|para|a|aan|til|till|do|vastaanottaja|收件人|宛先",
        "cc": "cc|bcc|kopie|copie|reply-to|importance|attachments|kopia",
        "subject": "subject|betreff|objet|asunto|oggetto|onderwerp|assunto|emne|ämne|temat|aihe|主题|主旨|件名",
    }.items()
}
_ROLE_OF = {name: role for role, names in _ROLES.items() for name in names}
_HEADER_LINES = 12  # lines that a header block may have, counting folded recipient lists
_ATTRIBUTION_LINES = 4
_ATTRIBUTION_LENGTH = 400
_VERB = re.compile(
    r"(?i)\b(?:wrote|writes|schrieb|a écrit|escribió|ha scritto|schreef|escreveu|skrev|napisał(?:\(a\))?|kirjoitti)\b"
    r"|写道|のメール"
)
_OPENING = re.compile(r"(?i)(?:on|am|le|el|il|op|em|den|w dniu|dnia|a|il giorno|quoting|ma|pe|ti|ke|to|la|su)\b")
_ADDRESSED = re.compile(r"[<\[(][^<>\s]{1,100}@[^<>\s]{1,100}[>\])]")
_DATED = re.compile(r"\b(?:19|20)\d\d\b|\d[:.h]\d\d\b")


def mark_quotes(lines: list[Line]) -> None:
    """Mark as QUOTED all lines that quote or forward. Lines that the HTML marked already show where a quote follows."""
    _mark_prefixed(lines)
    upcoming = _next_written(lines)
    position = 0
    while position < len(lines):
        line = lines[position]
        if line.mark is Mark.QUOTED or not line.text:
            position += 1
        elif end := _separator(lines, position):
            follows = upcoming[end]
            if follows is None or lines[follows].mark is not Mark.QUOTED:
                _quote_from(lines, position)
                return
            _quote(lines, position, end)
            position = end
        elif _header_block(lines, position):
            _quote_from(lines, position)
            return
        elif (
            line.text.rstrip().endswith((":", "\uff1a"))
            and (start := _attribution(lines, position, upcoming)) is not None
        ):
            follows = upcoming[position + 1]
            if follows is None or lines[follows].mark is not Mark.QUOTED:
                _quote_from(lines, start)
                return
            _quote(lines, start, position + 1)
            position += 1
        else:
            position += 1


def _mark_prefixed(lines: list[Line]) -> None:
    for number, line in enumerate(lines):
        if line.text.lstrip().startswith(">") and not _escaped_from(lines, number):
            line.mark = Mark.QUOTED
    for before, line, after in zip(lines, lines[1:], lines[2:], strict=False):
        if line.mark is Mark.NEW and before.text.startswith(">") and after.text.startswith(">"):
            # The tail of a quoted line that was wrapped once more on its way and so lost its mark.
            broken = len(before.text) >= 65 and before.text.rstrip()[-1] not in ".?!:;"
            if broken and len(line.text) < 40 and line.text[:1].islower():
                line.mark = Mark.QUOTED


def _escaped_from(lines: list[Line], number: int) -> bool:
    """ ">From" alone is no quote: programs that store mail write it for a line that begins with "From"."""
    if not lines[number].text.startswith(">From "):
        return False
    return not any(line.text.startswith(">") for line in lines[max(0, number - 1) : number + 2 : 2])


def _next_written(lines: list[Line]) -> list[int | None]:
    """For each line, and for the end, the first line from there on that is not empty."""
    found: list[int | None] = [None] * (len(lines) + 1)
    for number in range(len(lines) - 1, -1, -1):
        found[number] = number if lines[number].text.strip() else found[number + 1]
    return found


def _separator(lines: list[Line], position: int) -> int | None:
    """Where a line such as "-----Original Message-----" ends, or None."""
    text = lines[position].text.strip()
    return position + 1 if len(text) < 120 and _SEPARATOR.fullmatch(text) else None


def _header_block(lines: list[Line], position: int) -> bool:
    """Whether the headers of an earlier mail begin here, one a line or, flattened, all in this one."""
    role, value = _header(lines[position].text)
    if role not in {"from", "date", "subject"}:
        return False
    roles = {role: value}
    flat = value.partition("Sent: ")[2].partition("To: ")[2].partition("Subject: ")[2]
    if role == "from" and flat:
        return True
    blanks = 0
    for line in lines[position + 1 : position + _HEADER_LINES]:
        if not line.text.strip():
            blanks += 1
            if blanks > 1:
                break
            continue
        role, value = _header(line.text)
        if role:
            roles.setdefault(role, value)
            blanks = 0
    if "from" not in roles:
        return False
    addressed, dated = "@" in roles["from"], bool(_DATED.search(roles.get("date", "")))
    return (len(roles) >= 3 and ("subject" in roles or addressed or dated)) or (addressed and dated)


def _header(text: str) -> tuple[str, str]:
    match = _HEADER_NAME.match(text)
    return (_ROLE_OF.get(match[1].lower(), ""), match[2]) if match else ("", "")


def _attribution(lines: list[Line], last: int, upcoming: list[int | None]) -> int | None:
    """Where the attribution ("On … wrote:") that ends with line `last` begins, or None if that is none."""
    follows = upcoming[last + 1]
    quote_follows = follows is not None and lines[follows].mark is Mark.QUOTED
    text = ""
    for start in range(last, max(-1, last - _ATTRIBUTION_LINES), -1):
        line = lines[start]
        if line.mark is Mark.QUOTED or not line.text.strip():
            break
        text = f"{line.text.strip()} {text}"
        if len(text) > _ATTRIBUTION_LENGTH:
            break
        names_writer = bool(_VERB.search(text[-120:])) or bool(_ADDRESSED.search(text))
        if not names_writer:
            continue
        opens = bool(_OPENING.match(text))
        if opens and (quote_follows or _DATED.search(text) or "@" in text):
            return start
        if _ADDRESSED.search(text) and _DATED.search(text):
            return start
    alone = lines[last].text.strip()
    return last if quote_follows and len(alone) < 150 and (_VERB.search(alone) or _ADDRESSED.search(alone)) else None


def _quote(lines: list[Line], start: int, end: int) -> None:
    for line in lines[start:end]:
        line.mark = Mark.QUOTED


def _quote_from(lines: list[Line], start: int) -> None:
    """Everything from `start` on, with the rule drawn above it."""
    while start and (not lines[start - 1].text.strip() or _RULE.fullmatch(lines[start - 1].text.strip())):
        start -= 1
    _quote(lines, start, len(lines))
