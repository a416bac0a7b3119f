"""What a mail could mean by a client or matter: every name it holds, with the signs that speak for it or against.

A name is a run of capitalised words that are no words of the work, no day and nobody the mail is addressed to, or the
words before or after a dash, as people write subjects and time lines. Signs decide nothing; see weighing.py.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from shared.extraction.attribution.names import all_names, is_everyday, is_name, names_in
from shared.extraction.columns import titles_in
from shared.mail.email import Address, Email

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
    rf"{_CAPITALS}\s+v\.?s?\.?\s+{_CAPITALS}|(?:In\s+re\s+(?:the\s+)?)?(?:Estate|Matter|Guardianship"
    rf"|Marriage)\s+of\s+{_CAPITALS}|In\s+re\s+{_CAPITALS}|Project\s+{_CAPITALS}"
)
_NUMBER = re.compile(r"(?<![\w$£€/.-])\d{4,6}[-.]\d{2,5}(?![\w/-])")
"""A client's number with its matter's: "048812-0007"."""
_RE = re.compile(rf"\b[Rr]e:?\s+(?:the\s+)?({_CAPITALS})")
# A client and matter number, and whose it is: "10442 Bonnici", "11820-0004 (Sunstone Solar)".
_NUMBERED = re.compile(rf"(?:No\.? ?)?\d{{3,6}}(?:[-./]\d{{1,5}})? ?(?:\(({_CAPITALS})\)|(?:[-–:] ?)?({_CAPITALS}))")
_BEFORE_TIME = re.compile(
    r"^\s*(?:[-*•·–—]\s+)?(?:\d{1,2}[:.]?\d\d\s?(?:-|–|to)\s?\d{1,2}[:.]?\d\d|\d{0,2}\.\d{1,2}"
    r"|\d+\s?(?:m|h|hrs?|mins?)\b)[\s,:–-]*"
)


_PARTS = re.compile(r"\s+[-–—]+\s+|\s*[:|–—]\s+|,\s+|\s*[()]\s*|\s+/\s+")
_LEADING = re.compile(r"^(?:(?:the|your|our|my|re|for|on|in|about|time|hours|matter)\b\s*)+(?=\S)", re.IGNORECASE)
_COMPANY = re.compile(
    r"\b(?:Ltd|Limited|Inc|LLC|LLP|PLC|plc|Pty|Corp|Co|GmbH|SA|NV|Bank|Trust|Holdings|Group|Partners)\b\.?"
)
# What a matter's name begins with, and no name alone.
_HEADS = frozenset({"estate", "marriage", "guardianship", "conservatorship", "matter", "project", "estate of"})
_TITLES = frozenset({"mr", "mrs", "ms", "miss", "dr", "prof"})
_OFFICES = frozenset(
    {"judge", "justice", "j", "hon", "magistrate", "master", "counsel", "ausa", "ada", "atty", "expert"}
)
_AFTER = re.compile(r"\s*(['’]s\b|[a-z]+|\d|[^\w\s]|$)")
_AMOUNT = re.compile(r"\d+|\d{0,3}[.:]\d{1,2}")
_FAR = 14
"""Characters beside a name in which the word next to it is looked for."""
_MOST_PLACES = 5
_SHORT, _LONG = 3, 60
_MANY = 3


@dataclass(frozen=True, slots=True)
class Places:
    """Where a matter may be named, nearest first: the entry's own clause and its line's prefix or heading.

    `lead`: the sentence that leads its list ("all for the Bohannon estate:"), or nothing; `told`: what its row has in a
    column of matters.
    """

    clause: str
    sentence: str
    paragraph: str
    heading: str | None
    lead: str
    terse: bool
    told: str | None = None


class Naming:
    """The names of one mail."""

    def __init__(self, email: Email) -> None:
        self._email = email
        self.subject = _REPLY.sub("", email.subject).strip()
        self._low_subject = self.subject.lower()
        self._text = email.new_text()
        self._low = self._text.lower()
        self._titles = titles_in(self._text)
        self._lines = [line.lstrip(" \t-*•·–—") for line in self._low.split("\n")]
        people = [
            name.strip("\"'(),.")
            for each in (email.sender, *email.recipients)
            for name in re.split(r"[\s,]+", each.name)
        ]
        self._people = {name.lower() for name in people if name}
        parts = re.findall(r"[^\W\d_]+", email.sender.name)
        letters = "".join(part[0] for part in parts).upper()
        self._initials = {letters, letters[:1] + letters[-1:]}
        self._firsts = {_first_name(each) for each in (email.sender, *email.recipients)}
        self._own = email.sender.address.rpartition("@")[2]
        self._client = self._addressee()
        self._reader = self._read_by()
        self._known: dict[str, tuple[str, ...]] = {}
        self._of_mail = list(self._in_mail())

    def candidates(self, places: Places) -> dict[str, frozenset[str]]:
        """Every name that the work in `places` could be for, as written, with its signs."""
        found: dict[str, set[str]] = defaultdict(set)
        for name, source in (*self._in_places(places), *self._of_mail):
            tidy = " ".join(name.split()).strip(" .,;:-–—'\"")
            if _SHORT <= len(tidy) <= _LONG and tidy not in self._initials and not self._is_no_name(tidy):
                found[tidy].add(source)
        return {name: frozenset(self._signs(name, sources, places)) for name, sources in found.items()}

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

    def _is_no_name(self, text: str) -> bool:
        """Whether words that stand where a matter would are none: an amount, a question, a title of its table."""
        asked = text.endswith("?") and text.islower()  # "lunch?"
        return asked or bool(_AMOUNT.fullmatch(text)) or text.lower() in _HEADS or text.lower() in self._titles

    def _is_matter(self, name: str) -> bool:
        words = {word.lower().removesuffix("'s").removesuffix("’s") for word in name.split()}
        writes = self._client is None and words <= self._people
        return is_name(name) and not writes and not (len(words) == 1 and name.lower() in self._firsts)

    def _in_places(self, places: Places) -> Iterator[tuple[str, str]]:
        if name := self.prefix(places.clause, terse=places.terse):
            yield name, "begins the line"
        if places.terse and (name := self._first_words(places.clause)):
            yield name, "first words"
        if places.heading:
            yield places.heading, "heading"
            yield from ((name, "in heading") for name, _ in names_in(places.heading))
        if begun := re.match(_CAPITALS, places.paragraph.lstrip(" \t-*•·–—")):
            yield begun.group(), "begins the paragraph"
        if numbered := _NUMBERED.match(places.clause.lstrip(" \t-*•·–—")):
            yield next(each for each in numbered.groups() if each), "after its number"
        for found in _NUMBER.finditer(places.clause):
            yield found.group(), "number in clause"
        for where, text in (
            ("clause", places.clause),
            ("sentence", places.sentence),
            ("paragraph", places.paragraph),
            ("lead", places.lead),
        ):
            for name, company in names_in(text):
                yield name, f"in {where}{', with' if company else ''}"
            for found in _BILLED_TO.finditer(text):
                yield next(each for each in found.groups() if each), f"billed in {where}"
            for found in _CASE.finditer(text):
                yield found.group(), f"case in {where}"
            for found in _RE.finditer(text):
                yield found[1], f"re in {where}"
        if places.terse:
            parts = [part for part in re.split(r"[|\t]|\s{3,}|,(?=\S)", places.clause) if part.strip()]
            if len(parts) > 2:
                for number, part in enumerate(parts[:4]):
                    yield part, f"cell {number}"

    def _in_mail(self) -> Iterator[tuple[str, str]]:
        if self._client:
            yield self._client, "addressee"
        for found in _CASE.finditer(self.subject):
            yield found.group(), "case in subject"
        for name, _ in names_in(self.subject):
            yield name, "in subject"
        parts = [part for part in _PARTS.split(self.subject) if part and part.strip()]
        for number, part in enumerate(parts):
            yield _LEADING.sub("", part), f"part {number + 1} of {min(len(parts), 4)} of subject"
        begin = self._text[:600]
        for found in re.finditer(r"(?mi)^\s*re\s*:\s*(.{3,60})$", begin):
            yield found[1], "re: line"
        for name, company in names_in(self._text[:2000]):
            yield name, f"in mail{', with' if company else ''}"

    def _signs(self, name: str, sources: set[str], places: Places) -> Iterator[str]:
        how = "line" if places.terse else "prose"
        low = name.lower()
        begun = self.prefix(places.clause, terse=places.terse)
        beside = (
            f"{'under a heading' if places.heading else 'no heading'}, {'line begun' if begun else 'no name before'}"
        )
        held = [*self._facts(name)]
        held += ["in the clause"] * (low in places.clause.lower())
        held += ["in the heading"] * (low in (places.heading or "").lower())
        yield "name"
        yield from held
        for source in sources:
            yield source
            yield f"{source}, {how}"
            yield f"{source}, to {self._reader}"
            yield f"{source}, {how}, to {self._reader}"
            yield f"{source}, {beside}"
            yield from (f"{source} & {fact}" for fact in held)

    def _facts(self, name: str) -> tuple[str, ...]:
        """What is so of a name wherever it stands in the mail."""
        if name not in self._known:
            self._known[name] = tuple(fact for fact, holds in self._of(name) if holds)
        return self._known[name]

    def _of(self, name: str) -> Iterator[tuple[str, bool]]:
        low, words = name.lower(), name.split()
        before, after = self._words_around(low)
        client = (self._client or "").lower()
        yield "a matter's", self._is_matter(name)
        yield "all names", all_names(name)
        yield "begins with an everyday word", is_everyday(words[0])
        yield "everyday words", all(map(is_everyday, words))
        yield "many words" if len(words) > _MANY else f"{len(words)} words", True
        yield "capitals", name.isupper()
        yield "small letters", name.islower()
        yield "case", bool(_CASE.search(name))
        yield "company", bool(_COMPANY.search(name))
        yield "number in it", any(letter.isdigit() for letter in name)
        yield "in the subject", low in self._low_subject
        yield "is the subject", low == self._low_subject
        yield "told often", self._low.count(low) >= _MANY
        yield "not in the text", low not in self._low
        yield "addressee", low == client
        yield "in addressee", bool(client) and low in client
        yield "first name of somebody here", low in self._firsts
        yield "somebody here", {word.lower() for word in words} <= self._people
        yield "title", not _TITLES.isdisjoint(before)
        yield "judge or counsel", not _OFFICES.isdisjoint(before)
        yield "begins lines", self._beginnings(low) > 1
        yield "possessive", f"{low}'s" in self._low or f"{low}\u2019s" in self._low
        yield from ((f"after {word!r}", True) for word in before if is_everyday(word))
        yield from ((f"before {word!r}", True) for word in after if not word.isalpha() or is_everyday(word))

    def _words_around(self, low: str) -> tuple[set[str], set[str]]:
        """The words right before a name and what comes right after it (a word, a mark, "#" for a number), wherever."""
        before, after = set[str](), set[str]()
        at = self._low.find(low)
        for _ in range(_MOST_PLACES):
            if at < 0:
                break
            before.add(self._low[max(0, at - _FAR) : at].rstrip(" .").rpartition(" ")[2].rpartition("\n")[2])
            end = at + len(low)
            if found := _AFTER.match(self._low, end, end + _FAR):
                after.add("#" if found[1].isdigit() else found[1])
            at = self._low.find(low, end)
        return before, after

    def _beginnings(self, low: str) -> int:
        """How many lines a name begins."""
        return sum(line.startswith(low) for line in self._lines)

    def _read_by(self) -> str:
        """Who reads the mail: whoever keeps the time, a colleague, another lawyer or court, a client."""
        for each in self._email.recipients:
            if _KEEPS_TIME.search(each.address):
                return "keeper"
        for each in self._email.recipients:
            if each.address.rpartition("@")[2] == self._own:
                return "colleague"
        return "client" if self._client else "lawyer"

    def _addressee(self) -> str | None:
        """The client the mail goes to: not a colleague, a court or another lawyer, nor whoever keeps the time."""
        for each in self._email.recipients:
            domain = each.address.rpartition("@")[2]
            if not domain or domain == self._own or _LEGAL.search(each.address) or _KEEPS_TIME.search(each.address):
                continue
            if not _FREEMAIL.match(domain) and (
                named := _organisation(domain, f"{each.name}\n{self._email.subject}\n{self._text[:8000]}")
            ):
                return named
            if each.name:
                surname = each.name.split(",")[0] if "," in each.name else each.name.split()[-1]
                return surname.strip("\"'() ") or None
        return None


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
