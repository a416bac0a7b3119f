"""Gmail's search box: `q` to a condition on the message table.

Words match whole words; dates are midnight in Los Angeles, as Gmail reads them. An operator that isn't known is
searched for as text, which is what Gmail does, and so is never an error.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from infra.local.gmail.mailboxes import Mailbox
from infra.local.gmail.payload import words

_PACIFIC = ZoneInfo("America/Los_Angeles")
_TOKEN = re.compile(r'[(){}]|-(?=[\w({"])|(?:[\w]+:)?"[^"]*"?|[^\s(){}"]+')
_AGE = re.compile(r"(\d+)([dmyDMY])")
_AGE_DAYS = {"d": 1, "m": 30, "y": 365}
_SIZE = re.compile(r"(\d+)([kKmM]?)")
_SIZE_BYTES = {"": 1, "k": 1024, "m": 1024 * 1024}
_DATE = re.compile(r"(\d{4})[/-](\d{1,2})[/-](\d{1,2})")

# Names of places and states that aren't the name of their label.
_PLACES = {"drafts": "DRAFT", "chats": "CHAT", "bin": "TRASH"}
_EVERYWHERE = "anywhere"


@dataclass(frozen=True, slots=True)
class Condition:
    """A piece of SQL that is true for the messages sought, and its parameters."""

    sql: str
    parameters: tuple[object, ...] = ()
    # Looked into the bin or into spam by name: then these aren't left out.
    everywhere: bool = False


_TRUE = Condition("1")
_FALSE = Condition("0")


def parse_query(query: str, mailbox: Mailbox) -> Condition:
    """The condition that `query` sets. Any text at all has one."""
    return _Parser(_TOKEN.findall(query), mailbox).everything()


def every(conditions: list[Condition]) -> Condition:
    """All of these at once; no condition at all is met by everything."""
    return _join(conditions, "and")


class _Parser:
    """all := any+ ; any := term ("OR" term)* ; term := "-" term | "(" all ")" | "{" term* "}" | word."""

    def __init__(self, tokens: list[str], mailbox: Mailbox) -> None:
        self._tokens = tokens
        self._at = 0
        self._mailbox = mailbox

    def everything(self) -> Condition:
        conditions = [self._all()]
        while self._peek() is not None:
            # A bracket that closes nothing.
            self._at += 1
            conditions.append(self._all())
        return every(conditions)

    def _peek(self) -> str | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _all(self) -> Condition:
        conditions = []
        while self._peek() not in {None, ")", "}"}:
            conditions.append(self._any())
        return every(conditions)

    def _any(self) -> Condition:
        conditions = [self._term()]
        while self._peek() == "OR":
            self._at += 1
            if self._peek() not in {None, ")", "}"}:
                conditions.append(self._term())
        return _join(conditions, "or")

    def _term(self) -> Condition:
        piece = self._tokens[self._at]
        self._at += 1
        if piece == "-" and self._peek() not in {None, ")", "}"}:
            inner = self._term()
            return Condition(f"not ({inner.sql})", inner.parameters)
        if piece == "(":
            inner = self._all()
            self._close(")")
            return inner
        if piece == "{":
            conditions = []
            while self._peek() not in {None, "}"}:
                conditions.append(self._any() if self._peek() != ")" else self._skip())
            self._close("}")
            return _join(conditions, "or")
        return self._word(piece)

    def _skip(self) -> Condition:
        self._at += 1
        return _FALSE

    def _close(self, bracket: str) -> None:
        if self._peek() == bracket:
            self._at += 1

    def _word(self, token: str) -> Condition:
        operator, colon, value = token.partition(":")
        value = value.strip('"')
        read = _OPERATORS.get(operator.lower()) if colon and not token.startswith('"') else None
        if read and not value and self._peek() == "(":
            # subject:(dinner movie) applies to each word in the brackets.
            self._at += 1
            conditions = []
            while self._peek() not in {None, ")"}:
                conditions.append(read(self._tokens[self._at].strip('"'), self._mailbox) or _TRUE)
                self._at += 1
            self._close(")")
            return every(conditions)
        condition = read(value, self._mailbox) if read and value else None
        return condition or _phrase(token, ("subject", "sender", "recipients", "words"))


def _join(conditions: list[Condition], operator: str) -> Condition:
    if not conditions:
        return _TRUE
    if len(conditions) == 1:
        return conditions[0]
    return Condition(
        f"({f' {operator} '.join(condition.sql for condition in conditions)})",
        tuple(parameter for condition in conditions for parameter in condition.parameters),
        any(condition.everywhere for condition in conditions),
    )


def _phrase(text: str, columns: tuple[str, ...]) -> Condition:
    phrase = words(text)
    if not phrase:
        return _TRUE
    return Condition(f"({' or '.join(f'instr({column}, ?)' for column in columns)})", tuple(phrase for _ in columns))


def _instant(value: str) -> int | None:
    """A date or epoch seconds as epoch milliseconds."""
    date = _DATE.fullmatch(value)
    if date:
        try:
            year, month, day = map(int, date.groups())
            return int(datetime(year, month, day, tzinfo=_PACIFIC).timestamp() * 1000)
        except ValueError:
            return None
    return int(value) * 1000 if value.isascii() and value.isdigit() and len(value) <= 12 else None


def _ago(value: str) -> int | None:
    age = _AGE.fullmatch(value)
    if not age:
        return None
    return int((time.time() - int(age[1]) * _AGE_DAYS[age[2].lower()] * 86_400) * 1000)


def _compare(sql: str, read: Callable[[str], int | None]) -> Callable[[str, Mailbox], Condition | None]:
    def condition(value: str, _mailbox: Mailbox) -> Condition | None:
        bound = read(value)
        return None if bound is None else Condition(sql, (bound,))

    return condition


def _bytes(value: str) -> int | None:
    size = _SIZE.fullmatch(value)
    return int(size[1]) * _SIZE_BYTES[size[2].lower()] if size else None


def _labelled(value: str, mailbox: Mailbox) -> Condition:
    if value.lower() == _EVERYWHERE:
        return Condition("1", everywhere=True)
    name = _PLACES.get(value.lower(), value)
    # Gmail writes label:client-matter for a label called "Client matter" or "Client/matter".
    spellings = (name, name.replace("-", " "), name.replace("-", "/"))
    label = next((known for spelling in spellings if (known := mailbox.label_id(spelling))), None)
    if not label:
        return _FALSE
    return Condition(
        "exists (select 1 from labelled l where l.message = message.id and l.label = ?)",
        (label,),
        everywhere=label in {"TRASH", "SPAM"},
    )


def _state(value: str, mailbox: Mailbox) -> Condition | None:
    if value.lower() == "read":
        return Condition("not exists (select 1 from labelled l where l.message = message.id and l.label = 'UNREAD')")
    return _labelled(value, mailbox) if value.lower() in {"unread", "starred", "important", "sent", "draft"} else None


def _has(value: str, _mailbox: Mailbox) -> Condition | None:
    return Condition("has_attachment") if value.lower() == "attachment" else None


def _message_id(value: str, _mailbox: Mailbox) -> Condition:
    return Condition("message_id = ?", (f"<{value.strip('<>')}>",))


def _in_column(*columns: str) -> Callable[[str, Mailbox], Condition | None]:
    return lambda value, _mailbox: _phrase(value, columns)


def _person(column: str) -> Callable[[str, Mailbox], Condition | None]:
    return lambda value, mailbox: _phrase(mailbox.address if value.lower() == "me" else value, (column,))


_OPERATORS: dict[str, Callable[[str, Mailbox], Condition | None]] = {
    "after": _compare("internal_date >= ?", _instant),
    "newer": _compare("internal_date >= ?", _instant),
    "before": _compare("internal_date < ?", _instant),
    "older": _compare("internal_date < ?", _instant),
    "newer_than": _compare("internal_date >= ?", _ago),
    "older_than": _compare("internal_date < ?", _ago),
    "larger": _compare("size > ?", _bytes),
    "size": _compare("size > ?", _bytes),
    "smaller": _compare("size < ?", _bytes),
    "in": _labelled,
    "label": _labelled,
    "is": _state,
    "has": _has,
    "from": _person("sender"),
    "to": _person("recipients"),
    "cc": _person("recipients"),
    "bcc": _person("recipients"),
    "subject": _in_column("subject"),
    "rfc822msgid": _message_id,
}
