"""Sentences that the rules leave in doubt today: which ones do changes with every weight."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import islice

from shared.extraction import Context, extract
from shared.extraction.unsure import Doubt, doubts
from shared.mail import read
from tests.e2e.conftest import email

LEGAL = "Opposing counsel has the transcript of the deposition."
_SENTENCES = (
    "{matter} was {minutes} minutes in the end.",
    "The {matter} lease turned into {minutes} minutes.",
    "{matter} went on another {minutes} minutes.",
    "The {matter} conference was {minutes} minutes in all.",
    "The {matter} survey was {minutes} minutes in the mud.",
    "{minutes} minutes for {matter}.",
    "{matter} took most of {minutes} minutes, I hear.",
    "{matter} dragged on for {minutes} minutes.",
    "Reading all of {matter} is {minutes} minutes.",
    "{minutes} minutes, {matter} said.",
    "{matter} kept everybody for {minutes} minutes.",
    "The {matter} file ran to {minutes} minutes.",
    "The {matter} hearing lasted {minutes} minutes.",
    "The {matter} hearing took {minutes} minutes.",
    "That was {minutes} minutes of {matter}.",
    "The {matter} deposition was {minutes} minutes of questions.",
    "The whole thing with {matter} was about {minutes} minutes.",
    "{matter}, {minutes} minutes by and large.",
    "{matter}: {minutes} minutes, I think.",
    "It was {minutes} minutes at {matter}.",
    "It came to {minutes} minutes at {matter}.",
    "{matter} came to {minutes} minutes.",
    "{matter} ran {minutes} minutes.",
    "The {matter} call ran {minutes} minutes.",
    "The {matter} meeting went on for {minutes} minutes.",
    "We had {minutes} minutes of {matter}.",
    "{matter} had {minutes} minutes of mine.",
    "{minutes} minutes went on {matter}.",
    "Another {minutes} minutes went into {matter}.",
    "The {matter} session was {minutes} minutes long.",
    "{matter} sat for {minutes} minutes.",
    "{matter} took up {minutes} minutes.",
    "There were {minutes} minutes of {matter} in it.",
    "I gave {matter} {minutes} minutes.",
    "The arbitrator sat on {matter} for {minutes} minutes today.",
    "I heard {matter} out for {minutes} minutes.",
    "I stood {minutes} minutes at {matter}.",
    "The {matter} lease lasted {minutes} minutes.",
    "{matter} wanted {minutes} minutes and got them.",
    "{matter} took its {minutes} minutes, as ever.",
    "At {matter} it was {minutes} minutes this time.",
    "The {matter} walk-through was {minutes} minutes.",
    "The {matter} trial day was {minutes} minutes.",
    "The {matter} papers filled {minutes} minutes.",
)
"""Sentences that don't say, or hardly, whether it was the sender's work."""
_OPENINGS = ("", "All told: ", "By my watch: ", "As I heard it: ", "For the record: ", "Not that it matters: ")
_MOMENTS = [datetime(2026, 11, 2, tzinfo=UTC) + timedelta(hours=17 * place) for place in range(10)]
"""Of every day of a week, and every part of a day: the hour at which a mail is sent is heard, too."""


def doubts_of(raw: bytes) -> tuple[Doubt, ...]:
    """What the rules of today would ask a model about an email."""
    known = read(raw)
    return doubts(known, extract(known, Context()))


def about(matter: str, minutes: int) -> Iterator[str]:
    """Sentences about a matter and so many minutes that may leave a doubt."""
    for opening in _OPENINGS:
        for sentence in _SENTENCES:
            yield opening + sentence.format(matter=matter, minutes=minutes)


def doubtful_mail(matter: str, count: int, made: Callable[[str], bytes]) -> list[bytes]:
    """So many mails, as `made` of a text about a matter, of each of which one thing is in doubt."""
    mails = (made(text) for text in _texts(matter))
    found = list(islice((raw for raw in mails if len(doubts_of(raw)) == 1), count))
    assert len(found) == count, "too few of these sentences are in doubt: think of others"
    return found


def doubtful(matter: str) -> str:
    """A text about a matter in which one thing is in doubt, sent at any hour or shown by itself."""
    return next(text for text in _texts(matter) if _is_doubted(text))


def _texts(matter: str) -> Iterator[str]:
    for minutes in range(20, 110, 2):
        for sentence in about(matter, minutes):
            yield f"{LEGAL} {sentence}"


def _is_doubted(text: str) -> bool:
    dates = [format_datetime(moment) for moment in _MOMENTS]
    sent = [email(text, Date=date) for date in dates]
    pasted = [f"Date: {date}\n\n{text}\n".encode() for date in dates]
    return all(len(doubts_of(raw)) == 1 for raw in (*pasted, *sent))
