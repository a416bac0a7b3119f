"""Which client or matter: what the line, its heading, the clause, the subject or the addressee names, in that order.

A directory of matters, where there is one, decides before any guess; else the email's own words are given as written.
A name is a run of capitalised words that are no words of the work, no day and nobody the mail is addressed to.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from shared.extraction.attribution.names import all_names, is_name, names_in
from shared.mail.email import Address, Email
from shared.models import CLIENT_MATTER_LIMIT, Matter

_PREFIX = re.compile(
    r"(?P<name>\d{4,6}[-./]\d{3,5}(?=\s)|[^\W\d_][\w'’&./]*(?:\s+[\w'’&./]+){0,6}?)"
    r"(?:\s+[-–—]+\s|\s*:\s|\t|\s{2,}|,\s|\s+(?=\()|\s+(?=\.\d|\d))"
)
_FREEMAIL = re.compile(
    r"(?:gmail|yahoo|hotmail|outlook|icloud|aol|proton|mailbox|live|msn|btinternet|bigpond|me|mail)\b", re.IGNORECASE
)
_LEGAL = re.compile(
    r"law|legal|court|chambers|solicitor|attorney|advoca|barrister|esq|llp|justice|\bgov\b|mediat|arbitra",
    re.IGNORECASE,
)
_KEEPS_TIME = re.compile(r"ledger|billing|accounts|bookkeep|payroll|timekeep|accounting|finance|costs", re.IGNORECASE)
_REPLY = re.compile(r"^(?:\s*(?:re|fwd?|aw|sv|wg)\s*(?:\[\d+\])?\s*:\s*|\[[^\]]{1,40}\]\s*)+", re.IGNORECASE)
_CAPITALS = r"[A-Z][\w’'&-]*(?:\s+(?:&\s+)?[A-Z][\w’'&-]*\.?){0,4}"
_BILLED_TO = re.compile(
    rf"\b(?:bill|charge|put|post|enter|log|add|docket|record|goes?)\b(?:\s+\S+){{0,6}}?\s+(?:to|on"
    rf"|under|against|for)\s+(?:the\s+)?(?P<to>{_CAPITALS})"
    rf"|\bfor\s+(?:the\s+)?(?P<file>{_CAPITALS})\s+(?:file|matter|case|account)|\bmatter\s+is\s+(?P<matter>{_CAPITALS})"
    rf"|\((?:[^()]{{0,20}},\s*)?(?P<parens>{_CAPITALS}(?:/{_CAPITALS})?)\)|(?:^"
    rf"|\.\s+)(?P<alone>{_CAPITALS}),\s+(?:please|pls)\b"
)
_CASE = re.compile(
    rf"{_CAPITALS}\s+v\.?s?\.?\s+{_CAPITALS}|(?:Estate|Matter|Guardianship"
    rf"|Marriage)\s+of\s+{_CAPITALS}|In\s+re\s+{_CAPITALS}|Project\s+{_CAPITALS}"
)
_BEFORE_TIME = re.compile(
    r"^\s*(?:[-*•·–—]\s+)?(?:\d{1,2}[:.]?\d\d\s?(?:-|–|to)\s?\d{1,2}[:.]?\d\d|\d{0,2}\.\d{1,2}"
    r"|\d+\s?(?:m|h|hrs?|mins?)\b)[\s,:–-]*"
)


@dataclass(frozen=True, slots=True)
class Client:
    """A client or matter as the email names it, and the directory's line where one fits."""

    name: str | None
    matter_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Places:
    """Where a matter may be named, nearest first: the entry's own clause and its line's prefix or heading."""

    clause: str
    sentence: str
    paragraph: str
    heading: str | None
    terse: bool


def heading_matter(line: str) -> str | None:
    """The matter that a line of its own names, as a heading over time lines."""
    bare = line.strip().strip("*_#=-–—:. \t")
    return (
        bare
        if bare and len(bare.split()) <= 7 and not re.search(r"\d\d?:\d\d|[.!?,]$", bare) and is_name(bare)
        else None
    )


class Matters:
    """Finds the client or matter of each entry of one email."""

    def __init__(self, email: Email, directory: tuple[Matter, ...]) -> None:
        self._email = email
        self._directory = directory
        self._subject = _REPLY.sub("", email.subject).strip()
        people = [
            name.strip("\"'(),.")
            for each in (email.sender, *email.recipients)
            for name in re.split(r"[\s,]+", each.name)
        ]
        self._people = {name.lower() for name in people if name}
        self._own = email.sender.address.rpartition("@")[2]
        self._client = self._addressee()
        self._of_subject = self._subject_matter()
        self._default = self._of_the_mail()

    def find(self, places: Places) -> Client:
        """The client or matter named nearest to the work; None where none can be told."""
        for text in (
            self.prefix(places.clause, terse=places.terse),
            places.clause,
            places.heading,
            places.sentence,
            self._subject,
        ):
            if text and (known := self._known(text)):
                return known
        if known := self._by_domain():
            return known
        name = (
            self.prefix(places.clause, terse=places.terse)
            or self._billed_to(places.clause)
            or self._billed_to(places.sentence)
            or places.heading
            or (self._first_words(places.clause) if places.terse else None)
            or self._mentioned(places.clause, in_subject=True)
            or self._of_subject
            or self._mentioned(places.clause, alone=True)
            or (None if self._client else self._default)
            or self._mentioned(places.clause)
            or self._mentioned(places.sentence)
            or (None if self._client else self._mentioned(places.paragraph))
            or self._default
        )
        return Client(name[:CLIENT_MATTER_LIMIT] if name else None)

    def prefix(self, line: str, *, terse: bool) -> str | None:
        """The matter that a time line begins with ("Ortiz - TC w/ client", "pelham, letter .3"), as written.

        Only a `terse` line may part it by a comma, or by nothing but the work ("ferris conf w judge .4").
        """
        rest = _BEFORE_TIME.sub("", line.strip().lstrip("-*•·–— "), count=1)
        found = _PREFIX.match(rest)
        if found:
            name = found["name"].strip(" ,.-")
            mark = rest[found.end("name") : found.end()].strip()
            plain = all_names(name) or " " not in name
            counts = not mark and plain and rest[found.end() : found.end() + 1] in set(".0123456789")
            if self._is_matter(name) and ((terse and (mark or plain)) or counts or mark in {":", "-", "–", "—", "--"}):
                return name
        return None

    def _first_words(self, line: str) -> str | None:
        """The words before the work in shorthand: capitalised ones, or the first of a line without capitals."""
        line = _BEFORE_TIME.sub("", line.strip().lstrip("-*•·–— "), count=1)
        run = re.match(_CAPITALS, line)
        if run:
            words = run.group().split()
            while words and not self._is_matter(" ".join(words)):
                words.pop()
            return " ".join(words) or None
        first = re.match(r"[a-z]{4,}(?=\s)", line)
        return first.group() if first and self._is_matter(first.group()) else None

    def _is_matter(self, name: str) -> bool:
        words = {word.lower().removesuffix("'s").removesuffix("’s") for word in name.split()}
        writes = self._client is None and words <= self._people
        return (
            is_name(name)
            and not writes
            and not (words <= self._people and len(words) == 1 and self._is_first_name(name))
        )

    def _is_first_name(self, name: str) -> bool:
        """Whether it is how somebody on the mail is called: no client's name, however the line begins with it."""
        return any(name.lower() == _first_name(each) for each in (self._email.sender, *self._email.recipients))

    def _billed_to(self, text: str) -> str | None:
        for found in _BILLED_TO.finditer(text):
            name = next(each for each in found.groups() if each)
            if self._is_matter(name):
                return name
        return None

    def _mentioned(self, text: str, *, in_subject: bool = False, alone: bool = False) -> str | None:
        """A name in the clause: any, if the mail goes to whoever keeps the time, else one that the subject has too."""
        for name, company in names_in(text):
            if not self._is_matter(name):
                continue
            if name.lower() in self._subject.lower():
                return name
            if self._client is None and not company and not in_subject:
                return name
        if self._client is None and not in_subject and not alone:
            return next((name for name, _ in names_in(text) if self._is_matter(name)), None)
        return None

    def _of_the_mail(self) -> str | None:
        """What the mail is about where nothing says so outright: the client it goes to, or a name in its subject."""
        if self._client:
            return self._client
        for name, _ in names_in(self._subject):
            if self._is_matter(name):
                return name
        return None

    def _subject_matter(self) -> str | None:
        """The matter that the subject names outright: a case, or names before or after a dash or a colon."""
        if found := _CASE.search(self._subject):
            return found.group()
        parts = [part.strip() for part in re.split(r"\s[-–—|]\s|[:–—|]\s", self._subject, maxsplit=1)]
        if len(parts) == 2:
            for part in parts:
                if self._is_matter(part) and all_names(part):
                    return part
        if self._client is None and re.fullmatch(r"[a-z]{4,}", self._subject) and self._is_matter(self._subject):
            return self._subject
        return None

    def _addressee(self) -> str | None:
        """The client the mail goes to: not a colleague, a court or another lawyer, nor whoever keeps the time."""
        for each in self._email.recipients:
            domain = each.address.rpartition("@")[2]
            if not domain or domain == self._own or _LEGAL.search(each.address) or _KEEPS_TIME.search(each.address):
                continue
            if not _FREEMAIL.match(domain) and (
                named := _organisation(domain, f"{each.name}\n{self._email.subject}\n{self._email.new_text()[:8000]}")
            ):
                return named
            if each.name:
                surname = each.name.split(",")[0] if "," in each.name else each.name.split()[-1]
                return surname.strip("\"'() ") or None
        return None

    def _known(self, text: str) -> Client | None:
        low = text.lower()
        for matter in self._directory:
            for name in _names_of(matter):
                if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", low):
                    return _client(matter)
        return None

    def _by_domain(self) -> Client | None:
        domains = {each.address.rpartition("@")[2] for each in self._email.recipients}
        fits = [matter for matter in self._directory if domains & {domain.lower() for domain in matter.domains}]
        return _client(fits[0]) if len({matter.client for matter in fits}) == 1 else None


def _first_name(person: Address) -> str:
    words = person.name.lower().replace('"', "").split(",")
    return (words[1] if len(words) > 1 else words[0]).strip().split(" ")[0]


def _organisation(domain: str, text: str) -> str | None:
    """The capitalised words of the mail that spell a domain: "albrightsteel" and "Albright Steel"."""
    root = re.sub(r"\W", "", domain.split(".", maxsplit=1)[0].lower())
    best, longest = None, 3
    for found in re.finditer(r"[A-Z][\w’'&-]{1,30}(?: [A-Z][\w’'&-]{1,30}){0,3}", text):
        words = re.sub(r"['’]s?\b", "", found.group()).split()
        for count in range(len(words), 0, -1):
            squeezed = re.sub(r"\W", "", "".join(words[:count])).lower()
            if len(squeezed) > longest and root.startswith(squeezed):
                best, longest = " ".join(words[:count]), len(squeezed)
    return best


@lru_cache(maxsize=4096)
def _names_of(matter: Matter) -> tuple[str, ...]:
    names = (matter.matter or "", *matter.aliases, matter.client)
    return tuple(name.lower() for name in names if name)


def _client(matter: Matter) -> Client:
    name = f"{matter.client} / {matter.matter}" if matter.matter else matter.client
    return Client(name[:CLIENT_MATTER_LIMIT], matter.id)
