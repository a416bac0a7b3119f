"""How mail programs announce an earlier mail, in the languages they do it in: tables, and the looks built from them."""

import re

_SEPARATOR = re.compile(
    r"(?i)(?:[-_=*]{2,}\s*|begin\s+)(?:original (?:message|appointment)|(?:inline )?forwarded (?:message|by\b.{0,80}?)"
    r"|reply message|ursprüngliche nachricht|weitergeleitete nachricht|message d['’]origine|message transféré"
    r"|mensaje original|mensaje reenviado|messaggio originale|messaggio inoltrato|oorspronkelijk bericht"
    r"|doorgestuurd bericht|mensagem original|mensagem encaminhada)\s*(?::|[-_=*]{2,})?"
    r"|-{2,}\s*(?:forwarded|original)\s*-{2,}|-{2,}\s*on\b.{5,200}\bwrote\s*-{2,}|-{3,}.{1,100}\bwrote:\s*-{3,}"
)
_SEPARATOR_LENGTH = 240

_HEADER = re.compile(r"[*_\s]{0,3}([^\W\d_][^\W\d_-]{0,12}(?:[ -][^\W\d_]{1,6})?)[ *_\xa0]{0,3}[:\uff1a](.*)")
_NAMES = {
    "from": "from|von|de|van|da|fra|från|od|lähettäjä|发件人|寄件者|差出人",
    "date": "date|sent|gesendet|datum|envoyé|enviado|fecha|data|inviato|verzonden|enviada em|enviado em|sendt|skickat"
    "|dato|wysłano|lähetetty|发送时间|日期|送信日時",
    "to": "to|an|à|para|a|aan|til|till|do|vastaanottaja|收件人|宛先",
    "cc": "cc|bcc|kopie|copie|reply-to|importance|attachments|kopia",
    "subject": "subject|betreff|objet|asunto|oggetto|onderwerp|assunto|emne|ämne|temat|aihe|主题|主旨|件名",
}
_ROLES = {name: role for role, names in _NAMES.items() for name in names.split("|")}
_FIRST = frozenset({"from", "date", "subject"})
_CLOCK = re.compile(r"\d[:.h]\d\d(?!\d)")

_LOTUS_DATE = re.compile(r"(?i)\d{1,4}[/.-]\d{1,2}[/.-]\d{2,4},? \d{1,2}:\d\d(?::\d\d)?(?: [ap]m)?")
_LOTUS_WROTE = re.compile(r"\bwrote on \d[\d/.-]{5,12},? \d")

_VERB = re.compile(
    r"(?i)\b(?:wrote|writes|schrieb|a écrit|escribió|ha scritto|schreef|escreveu|skrev|napisał(?:\(a\))?|kirjoitti)\b"
    r"|写道|のメール"
)
_OPENING = re.compile(r"(?i)(?:on|am|le|el|il|op|em|den|w dniu|dnia|il giorno|quoting)\b")
_ADDRESS = re.compile(r"[<\[(][^<>\s]{1,100}@[^<>\s]{1,100}[>\])]")
_RUN_ON = 300  # characters within which an attribution ends that shares its line with the quote
_DATED = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)|\d[:.h]\d\d(?!\d)")


def is_separator(line: str) -> bool:
    """Whether the line is one such as "-----Original Message-----" or "Begin forwarded message:"."""
    return line[:1] in "-_=*bB" and len(line) <= _SEPARATOR_LENGTH and bool(_SEPARATOR.fullmatch(line))


def may_start_headers(line: str) -> bool:
    """Whether it is worth asking `starts_headers` about this line and those after it."""
    return _header(line)[0] in _FIRST or bool(_LOTUS_DATE.fullmatch(line))


def starts_headers(lines: list[str]) -> bool:
    """Whether the headers of an earlier mail begin with the first of `lines`: one a line or, flattened, all in it."""
    role, value = _header(lines[0])
    if role not in _FIRST:
        return _is_lotus(lines)
    if role == "from" and value.partition("Sent: ")[2].partition("To: ")[2].partition("Subject: ")[1]:
        return True
    roles = {role: value}
    blank = False
    for line in lines[1:]:
        if not line.strip():
            if blank:
                break
            blank = True
            continue
        role, value = _header(line)
        if role:
            roles.setdefault(role, value)
            blank = False
    writer, date = roles.get("from", "").strip(" *\t"), roles.get("date", "")
    if not writer or writer[0].isdigit():  # "From: 2:10", "To: 3:40" is a time sheet
        return False
    sure = "@" in writer or bool(_CLOCK.search(date))
    return ("subject" in roles and len(roles) >= 3) or (sure and len(roles) >= 3) or ("@" in writer and bool(date))


def _is_lotus(lines: list[str]) -> bool:
    """Lotus Notes puts the time on a line of its own, then "To", "cc" and "Subject" without colons."""
    alone = [text for line in lines[1:] if (text := line.strip().casefold())]
    return bool(_LOTUS_DATE.fullmatch(lines[0].strip())) and alone[:1] == ["to"] and "subject" in alone


def _header(line: str) -> tuple[str, str]:
    match = _HEADER.match(line)
    return (_ROLES.get(match[1].lower(), ""), match[2]) if match else ("", "")


def begins_attributed(line: str) -> bool:
    """Whether a line is an attribution with the quote running on behind it: "On … wrote: We were three hours."."""
    if not _OPENING.match(line):
        return False
    verb = _VERB.search(line, 0, _RUN_ON)
    lead = line[: verb.end()] if verb else ""
    return line[len(lead) : len(lead) + 1] == ":" and bool(_DATED.search(lead)) and bool(_ADDRESS.search(lead))


def is_attribution_end(line: str) -> bool:
    """Whether an attribution may end with this line."""
    return line.endswith((":", "\uff1a")) and len(line) < 400


def attributed(text: str, *, quote_follows: bool) -> bool:
    """Whether the whole text is an attribution: who wrote and when, in the words that mail programs use."""
    address = bool(_ADDRESS.search(text))
    if not address and not _VERB.search(text[-120:]):
        return False
    dated = bool(_DATED.search(text))
    if _OPENING.match(text):
        return quote_follows or dated or "@" in text
    return dated and (address or bool(_LOTUS_WROTE.search(text)))


def is_written_by(line: str) -> bool:
    """Whether the line alone names a writer, which suffices where marked lines follow."""
    return len(line) < 150 and bool(_VERB.search(line) or _ADDRESS.search(line))
