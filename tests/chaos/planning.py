"""From a seed to a plan: persons, their mail, what goes wrong, and what the persons do meanwhile."""

import random
from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

from shared.extraction import Context, extract
from shared.extraction.unsure import doubts
from shared.mail import read
from tests.chaos.mails import EXCLUDED, generated, labelled
from tests.chaos.plan import Event, Fate, Mail, Person, Plan, randomness
from tests.chaos.trouble import troubles

LABELLED_SHARE: Final = 0.4
# Of what they send who let a model be asked, so much makes the rules ask it, until that many have been found: by chance
# alone a short run has one or two of them, and what goes wrong with the model meets nobody.
ASKING_SHARE: Final = 0.25
ASKING_MOST: Final = 60
# A person has removed the app's access and connects again so much later; meanwhile some of what is sent is deleted.
REVOKED_SHARE: Final = 0.15
_PERSONS: Final[tuple[tuple[dict[str, Any], int], ...]] = (
    ({"analysis_mode": "rules_only"}, 2),
    ({"analysis_mode": "snippets", "time_zone": "America/New_York"}, 1),
    ({"analysis_mode": "full", "rounding_scope": "matter_day"}, 2),
    ({"analysis_mode": "snippets", "time_zone": "Australia/Adelaide", "rounding_mode": "nearest"}, 1),
    ({"analysis_mode": "rules_only", "time_zone": "Europe/London", "excluded_recipients": [EXCLUDED]}, 1),
)
_MATTERS: Final = (
    {"client": "Ortiz", "matter": "Wage claim", "aliases": ["Ray"]},
    {"client": "Novak Builders", "matter": None, "aliases": ["Novak"], "hourly_rate": 410.0},
    {"client": "Hollis", "matter": "Estate", "domains": ["mailbox.example"]},
)
ACTS: Final = ("edit", "approve", "dismiss", "move")


def make_plan(seed: int, *, emails: int, users: int, seconds: float, aided: bool = True) -> Plan:
    """`emails` are those that are sent and stay; drafts, received and deleted ones come besides."""
    persons = tuple(_person(number) for number in range(users))
    revoked = list(_revocations(randomness(seed, "revoked"), persons, seconds)) if aided else []
    mails = tuple(_mails(seed, persons, revoked, emails, seconds))
    acts = list(_acts(randomness(seed, "acts"), persons, mails, seconds))
    events = [*troubles(randomness(seed, "trouble"), persons, seconds, aided=aided), *revoked, *acts]
    events += _again(randomness(seed, "again"), mails, acts, seconds)
    return Plan(
        seed=seed,
        aided=aided,
        seconds=seconds,
        persons=persons,
        mails=mails,
        events=tuple(sorted(events, key=lambda event: event.at)),
    )


def _person(number: int) -> Person:
    settings, mailboxes = _PERSONS[number % len(_PERSONS)]
    matters = _MATTERS if number % 2 else ()
    return Person(name=f"timekeeper-{number}", settings=settings, matters=matters, mailboxes=mailboxes)


def _mails(seed: int, persons: tuple[Person, ...], revoked: list[Event], emails: int, seconds: float) -> Iterator[Mail]:
    chance, taught = randomness(seed, "mail"), labelled(randomness(seed, "labelled"))
    passed_over = deque[bytes]()
    asking = islice(_asking(taught, passed_over), ASKING_MOST)

    def mail(number: int, fate: Fate, at: float, person: int, mailbox: int, *, plain: bool = False) -> Mail:
        raw = None
        if not plain and not persons[person].rules_only and chance.random() < ASKING_SHARE:
            raw = next(asking, None)
        if raw is None and not plain and chance.random() < LABELLED_SHARE:
            raw = passed_over.popleft() if passed_over else next(taught, None)
        if raw is None:
            excluding = "excluded_recipients" in persons[person].settings
            raw = generated(chance, number, excluded=excluding and chance.random() < 0.1)
        return Mail(
            number=number, at=round(at, 3), person=person, mailbox=mailbox, fate=fate, raw=raw.decode("latin-1")
        )

    def somebody() -> tuple[int, int]:
        person = chance.randrange(len(persons))
        return person, chance.randrange(persons[person].mailboxes)

    for number in range(emails):
        # Half of it comes in bursts, as people send; the last before what goes wrong ends.
        at = chance.uniform(0, seconds) if chance.random() < 0.5 else _burst(chance, seconds)
        yield mail(number, "sent", at, *somebody())
    number = emails
    for event in revoked:
        for _ in range(2):
            at = event.at + event.how["seconds"] * chance.uniform(0.2, 0.8)
            yield mail(number, "deleted", at, event.how["person"], event.how["mailbox"], plain=True)
            number += 1
    fates: tuple[Fate, ...] = ("draft", "received")
    for fate in fates:
        for _ in range(max(2, emails // 40)):
            yield mail(number, fate, chance.uniform(0, seconds), *somebody(), plain=True)
            number += 1


def _asking(mails: Iterator[bytes], passed_over: deque[bytes]) -> Iterator[bytes]:
    """Those that make the rules ask a model; the others on the way to them are kept."""
    for raw in mails:
        if _asks(raw):
            yield raw
        else:
            passed_over.append(raw)


def _burst(chance: random.Random, seconds: float) -> float:
    bursts = max(2, round(seconds / 15))
    return min(seconds, (chance.randrange(bursts) + 0.5 + chance.uniform(0, 0.08)) * seconds / bursts)


def _revocations(chance: random.Random, persons: tuple[Person, ...], seconds: float) -> Iterator[Event]:
    for _ in range(max(1, round(seconds / 180))):
        person = chance.randrange(len(persons))
        mailbox = chance.randrange(persons[person].mailboxes)
        away = min(20.0, seconds * REVOKED_SHARE)
        at = chance.uniform(0.1, 0.5) * seconds
        yield _event(at, "revoke", person=person, mailbox=mailbox, seconds=round(away, 3))


def _acts(
    chance: random.Random, persons: tuple[Person, ...], mails: tuple[Mail, ...], seconds: float
) -> Iterator[Event]:
    """What people do with entries, one in twenty emails' first; and entries that they add by hand."""
    sure = [mail for mail in mails if mail.fate == "sent" and _is_sure(mail)]
    chosen = chance.sample(sure, min(len(sure), max(len(ACTS), len(sure) // 20)))
    for place, mail in enumerate(chosen):
        yield _event(mail.at + 0.5, "act", mail=mail.number, act=ACTS[place % len(ACTS)])
    for person in range(len(persons)):
        yield _event(chance.uniform(0, seconds), "add", person=person, minutes=chance.randrange(6, 300))


def _again(chance: random.Random, mails: tuple[Mail, ...], acts: list[Event], seconds: float) -> Iterator[Event]:
    """Emails that are handed to analysis once more, at once several times: those that people touched, and others."""
    touched = [event.how["mail"] for event in acts if event.what == "act"]
    sent = [mail.number for mail in mails if mail.fate == "sent"]
    for number in (*touched, *chance.sample(sent, max(2, len(sent) // 50))):
        yield _event(min(seconds, mails[number].at + chance.uniform(1, 6)), "redeliver", mail=number, times=3)


def _is_sure(mail: Mail) -> bool:
    """Whether rules alone settle it, so that whoever decides about its entries finds the same ones at any time."""
    email = read(mail.content)
    found = extract(email, Context())
    return bool(found.entries) and not doubts(email, found) and EXCLUDED not in mail.raw


def _asks(raw: bytes) -> bool:
    """Whether the rules leave something for a model to say."""
    email = read(raw)
    return bool(doubts(email, extract(email, Context())))


def _event(at: float, what: str, **how: Any) -> Event:
    return Event(at=round(at, 3), what=what, how=how)
