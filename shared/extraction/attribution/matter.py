"""Which client or matter: what the line, its heading, the sentence, the subject or the addressee names, in that order.

A directory of matters, where there is one, decides before any guess; else the email's own words are given as written.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from shared.extraction.lexicon import WORK_BASE, WORK_GERUND, WORK_NOUN, WORK_PAST
from shared.mail.email import Address, Email
from shared.models import CLIENT_MATTER_LIMIT, Matter

_PREFIX = re.compile(r"(?P<name>[^\W\d_][\w'’&./ ]{0,60}?)\s*(?:\s[-–—]+\s|:\s*|\s[-–—]|\t|\|)\s*(?=\S)")
_TERSE_PREFIX = re.compile(r"(?P<name>[^\W\d_][\w'’&.]*(?:\s[\w'’&.]+){0,2}?)(?:,\s|\s{2,})(?=\S)")
_FREEMAIL = re.compile(
    r"(?:gmail|yahoo|hotmail|outlook|icloud|aol|proton|mailbox|live|msn|btinternet|bigpond|me|mail)\.", re.I
)
_LEGAL = re.compile(
    r"law|legal|court|chambers|solicitor|attorney|advoca|barrister|esq|llp|justice|gov\b|mediat|arbitra", re.I
)
_REPLY = re.compile(r"^(?:\s*(?:re|fwd?|aw|sv|wg|tr)\s*(?:\[\d+\])?\s*:\s*|\[[^\]]{1,40}\]\s*)+", re.IGNORECASE)
_CAPITALS = r"[A-Z][\w’'&-]*(?:\s+(?:&\s+)?(?:v\.?s?\.?\s+)?[A-Z][\w’'&-]*\.?){0,4}"
_NAMED = re.compile(
    rf"\b(?:bill|charge|put|post|enter|log|add|docket|record)\s+(?:\S+\s+){{0,6}}?(?:to|on|under|against|for)\s+(?:the\s+)?(?P<billed>{_CAPITALS})"
    rf"|\bfor\s+(?:the\s+)?(?P<file>{_CAPITALS})\s+(?:file|matter|case|account)"
    rf"|\b(?:the|this|that|our|your)\s+(?P<the>{_CAPITALS})\s+(?:file|matter|case|account|deal|hearing|call|trial|brief|motion|complaint|agreement|conference|depo\w*|mediation|arbitration|index|pretrial|production|lease|closing|estate|trust)"
    rf"|\((?P<parens>{_CAPITALS})\)|(?:\bon|\bfor|\bre:?|\bin)\s+(?P<on>{_CAPITALS})|^(?P<alone>{_CAPITALS}),\s+please\b"
)
_CASE = re.compile(
    rf"(?P<case>{_CAPITALS}\s+v\.?s?\.?\s+{_CAPITALS})|(?P<estate>(?:Estate|Matter|Guardianship|Marriage)\s+of\s+{_CAPITALS}|In\s+re\s+{_CAPITALS})"
)
_NO_NAMES = frozenset(
    "i the a an my our your we it this that and for to re fwd fw time hours week today yesterday tomorrow monday tuesday wednesday"
    " thursday friday saturday sunday january february march april may june july august september october november december"
    " mon tue tues wed thu thurs fri sat sun jan feb mar apr jun jul aug sep sept oct nov dec morning afternoon evening total"
    " tc tel rev conf judge court hon dr mr mrs ms hearing meeting notes note update status draft invoice bill billing recap"
    " quick question thanks hi hello dear zoom teams deposition trial motion subject missing late entry entries weekly daily"
    " sheet summary report office admin personal pers firm internal client clients matter file memo question follow"
    " new old first second last next also then after before lunch closing ny uk us usa nsw qc kc sc llp llc inc plc ltd"
    " sandwich nc no yes ok okay please all in on off out of at by with from reply brief answer complaint order travel"
    " westlaw lexis pacer ecf edgar google outlook word excel call calls email emails review reviewed spent attended went"
    " eod ooo eta fyi asap ps nb re's activity activities narrative description hrs minutes units work attended am pm".split()
)
_GENERIC = WORK_NOUN | WORK_PAST | WORK_GERUND | WORK_BASE | _NO_NAMES


@dataclass(frozen=True, slots=True)
class Client:
    """A client or matter as the email names it, and the directory's line where one fits."""

    name: str | None
    matter_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Places:
    """Where a matter may be named, nearest first: a line's prefix or heading, the clause, the sentence."""

    heading: str | None
    clause: str
    sentence: str


def line_matter(line: str, *, terse: bool = False) -> str | None:
    """The matter that a time line begins with ("Ortiz - TC w/ client"), as written; None if it begins with none.

    In a `terse` line a comma or the first words do too ("pelham, letter re fees .3", "ferris conf w judge .4").
    """
    found = _PREFIX.match(line) or (_TERSE_PREFIX.match(line) if terse else None)
    if not found:
        return None
    name = found["name"].strip(" ,.-")
    return name if name and _is_name(name) else None


def heading_matter(line: str) -> str | None:
    """The matter that a line of its own names, as a heading over time lines."""
    bare = line.strip().strip("*_#=-–—:. \t")
    return (
        bare
        if bare and len(bare.split()) <= 7 and not re.search(r"\d\d?:\d\d|[.!?,]$", bare) and _is_name(bare)
        else None
    )


def _is_name(name: str) -> bool:
    words = re.findall(r"[^\W\d_]+(?:['’][^\W\d_]+)?", name.lower())
    return (
        bool(words)
        and len(words) <= 7
        and not all(word in _GENERIC for word in words)
        and words[0] not in _GENERIC - {"matter"}
    )


class Matters:
    """Finds the client or matter of each entry of one email."""

    def __init__(self, email: Email, directory: tuple[Matter, ...]) -> None:
        self._email = email
        self._directory = directory
        self._subject = _REPLY.sub("", email.subject).strip()

    def find(self, places: Places) -> Client:
        """The client or matter named nearest to the work; (None, None) if none can be told."""
        for text in (places.heading, places.clause, places.sentence, self._subject):
            if text and (known := self._known(text)):
                return known
        if known := self._by_domain():
            return known
        name = places.heading or self._in_text(places.clause) or self._in_text(places.sentence) or self._default()
        return Client(name[:CLIENT_MATTER_LIMIT] if name else None)

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

    def _in_text(self, text: str) -> str | None:
        for found in _NAMED.finditer(text):
            name = next(each for each in found.groups() if each)
            if _is_name(name) and not self._is_person_written_to(name):
                return name
        return None

    def _is_person_written_to(self, name: str) -> bool:
        return any(name.lower() in each.name.lower() for each in self._email.recipients)

    def _default(self) -> str | None:
        """What the whole mail is about: its subject's name, else the client it goes to."""
        client = self._addressee()
        if found := _CASE.search(self._subject):
            return found.group()
        prefix = re.split(r"\s[-–—|]\s|[:–—|]\s", self._subject, maxsplit=1)[0].strip()
        if client:
            root = client.split()[-1].lower().rstrip("s")
            if root in prefix.lower() and len(prefix.split()) <= 6:
                return self._name_in(prefix) or prefix
            return client
        return self._name_in(self._subject)

    def _name_in(self, subject: str) -> str | None:
        words = subject.split()
        runs: list[list[str]] = [[]]
        for word in words:
            bare = word.strip(".,;:()[]\"'“”")
            generic = bare.lower().removesuffix("'s").removesuffix("’s") in _GENERIC or not bare[:1].isalpha()
            if (bare[:1].isupper() or not _has_capitals(words)) and not generic:
                runs[-1].append(bare.removesuffix("'s").removesuffix("’s"))
            elif bare == "&" and runs[-1]:
                runs[-1].append(bare)
            else:
                runs.append([])
        named = [run for run in runs if run]
        return " ".join(named[0]).strip("& ") if named else None

    def _addressee(self) -> str | None:
        """The client the mail goes to: not a colleague, a court or another lawyer, nor whoever keeps the time."""
        own = self._email.sender.address.rpartition("@")[2]
        for each in self._email.recipients:
            domain = each.address.rpartition("@")[2]
            if not domain or domain == own or _LEGAL.search(domain):
                continue
            if not _FREEMAIL.match(domain):
                named = _organisation(domain, self._email.subject + "\n" + self._email.new_text())
                if named:
                    return named
            if each.name and not _is_timekeeper(self._email):
                surname = each.name.split(",")[0] if "," in each.name else each.name.split()[-1]
                return surname.strip("\"' ") or None
        return None


def _has_capitals(words: Iterable[str]) -> bool:
    return any(word[:1].isupper() for word in words)


def _is_timekeeper(email: Email) -> bool:
    return bool(
        re.search(
            r"ledger|billing|accounts|bookkeep|payroll|timekeep|accounting",
            " ".join(each.address for each in email.recipients),
        )
    )


def _organisation(domain: str, text: str) -> str | None:
    """The capitalised words of the mail that spell a domain: "albrightsteel" and "Albright Steel"."""
    root = re.sub(r"\W", "", domain.split(".")[0].lower())
    best = None
    for found in re.finditer(r"[A-Z][\w’'&-]+(?: [A-Z][\w’'&-]+){0,3}", text):
        words = found.group().removesuffix("'s").removesuffix("’s").split()
        for count in range(len(words), 0, -1):
            squeezed = re.sub(r"\W", "", "".join(words[:count])).lower()
            if (
                len(squeezed) > 3
                and root.startswith(squeezed)
                and (best is None or len(squeezed) > len(best.replace(" ", "")))
            ):
                best = " ".join(words[:count])
    return best


@lru_cache(maxsize=4096)
def _names_of(matter: Matter) -> tuple[str, ...]:
    names = (matter.matter or "", *matter.aliases, matter.client)
    return tuple(name.lower() for name in names if name)


def _client(matter: Matter) -> Client:
    name = f"{matter.client} / {matter.matter}" if matter.matter else matter.client
    return Client(name[:CLIENT_MATTER_LIMIT], matter.id)
