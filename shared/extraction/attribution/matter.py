"""Which client or matter: of the names a mail holds, the one that most speaks for, near the work or over it.

A directory of matters, where there is one, decides before any guess; else the email's own words are given as written.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from shared.extraction.attribution.names import is_name
from shared.extraction.attribution.naming import Naming, Places
from shared.extraction.weighing import likeliest_name
from shared.mail.email import Email
from shared.models import CLIENT_MATTER_LIMIT, Matter


@dataclass(frozen=True, slots=True)
class Client:
    """A client or matter as the email names it, and the directory's line where one fits."""

    name: str | None
    matter_id: UUID | None = None


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
        self.naming = Naming(email)

    def find(self, places: Places) -> Client:
        """The client or matter named nearest to the work; None where none can be told."""
        if places.told:
            return self._known(places.told) or Client(places.told[:CLIENT_MATTER_LIMIT])
        for text in (
            self.naming.prefix(places.clause, terse=places.terse),
            places.clause,
            places.heading,
            places.sentence,
            self.naming.subject,
        ):
            if text and (known := self._known(text)):
                return known
        if known := self._by_domain():
            return known
        name = likeliest_name(self.naming.candidates(places))
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


@lru_cache(maxsize=4096)
def _names_of(matter: Matter) -> tuple[str, ...]:
    names = (matter.matter or "", *matter.aliases, matter.client)
    return tuple(name.lower() for name in names if name)


def _client(matter: Matter) -> Client:
    name = f"{matter.client} / {matter.matter}" if matter.matter else matter.client
    return Client(name[:CLIENT_MATTER_LIMIT], matter.id)
