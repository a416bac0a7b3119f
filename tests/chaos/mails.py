"""The mail of a run: real-looking mail that is labelled for accuracy, and generated mail where no line comes twice."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Final

from tests.accuracy.labelled import load

TAUGHT: Final = Path(__file__).parents[1] / "accuracy" / "taught"
EXCLUDED: Final = "notes@personal.example"
_FIRST_DAY: Final = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)
_NAMES: Final = (
    *(
        "Castellano",
        "Hollis",
        "Novak",
        "Ortiz",
        "Bergstrom",
        "Achterberg",
        "Delacroix",
        "Pruett",
        "Halvorsen",
        "Stokes",
    ),
    *("Marchetti", "Tarkowski", "Lindqvist", "Okonkwo", "Fairbanks", "Yamada", "Petrosyan", "Quillon", "Rasmussen"),
)
_WORK: Final = (
    "I spent {time} on the phone with the adjuster about {name}, {file}.",
    "Drafting the {name} motion took me {time} ({file}).",
    "Reviewed the {name} production this morning, {file}: {time}.",
    "{name} - tc w/ opposing counsel re {file}, {time}",
    "Spent {time} researching the limitation point in {name}, {file}.",
    "I met with {name} for {time} yesterday to go through {file}.",
    "Two of us were there for {name}, {file}, my share was {time} of drafting the reply.",
)
_NOT_WORK: Final = (
    "I will call {name} about {file} tomorrow, which should take {time} at most.",
    "Could you spend {time} on {file} for {name} next week?",
    "The hearing in {name}, {file}, is in {days} days.",
    "Attached is {file} for {name}, as promised.",
    "The {name} deposition is set for {days} days from now and may last {time}, see {file}.",
)
_QUOTED: Final = "I spent {time} on {name} last week, {file}."


def labelled(randomness: random.Random) -> Iterator[bytes]:
    """The labelled emails, each once, in an order of chance."""
    mails = [each.raw for path in sorted(TAUGHT.glob("*.jsonl")) for each in load(path)]
    randomness.shuffle(mails)
    return iter(mails)


def generated(randomness: random.Random, number: int, *, excluded: bool = False) -> bytes:
    """An email of one to four statements. Its file numbers stand in no other, so that a line tells whose it is."""
    lines = [_line(randomness, _WORK, number, place) for place in range(randomness.choice((0, 1, 1, 1, 2, 3)))]
    lines.append(_line(randomness, _NOT_WORK, number, len(lines)))
    randomness.shuffle(lines)
    name = randomness.choice(_NAMES)
    text = f"{name},\n\n" + "\n\n".join(lines) + "\n\nDana\n"
    if randomness.random() < 0.2:
        quoted = _line(randomness, (_QUOTED,), number, 9)
        text += (
            f"\nOn Mon, Jun 1, 2026 at 9:14 AM {name} <{name.lower()}@mailbox.example> wrote:\n\n> {quoted}\n> Thanks\n"
        )
    message = EmailMessage()
    message["From"] = "Dana Whitfield <dana@whitfieldlaw.example>"
    message["To"] = EXCLUDED if excluded else f"{name} <{name.lower()}@mailbox.example>"
    message["Subject"] = f"{name} - where we are ({_file(number, 0)})"
    message["Date"] = format_datetime(_moment(randomness))
    message["Message-ID"] = f"<chaos-{number}@whitfieldlaw.example>"
    message.set_content(text)
    if randomness.random() < 0.25:
        message.add_alternative("".join(f"<p>{line}</p>" for line in text.split("\n\n")), subtype="html")
        message.set_boundary(f"=_chaos_{number}")  # else a new one each time
    return message.as_bytes()


def _line(randomness: random.Random, forms: tuple[str, ...], number: int, place: int) -> str:
    return randomness.choice(forms).format(
        time=_time(randomness, number, place),
        name=randomness.choice(_NAMES),
        file=_file(number, place),
        days=randomness.randint(3, 40),
    )


def _file(number: int, place: int) -> str:
    return f"our file WF-{number:05d}{'ABCDEFGHIJ'[place]}"


def _time(randomness: random.Random, number: int, place: int) -> str:
    minutes = 6 + (number * 7 + place * 131) % 470
    hours, rest = divmod(minutes, 60)
    forms = [f"{minutes} minutes"]
    if hours:
        forms += [f"{hours}h {rest:02d}m", f"{hours} hours and {rest} minutes"]
    if minutes % 6 == 0:
        forms.append(f"{minutes / 60:.1f} hours")
    return randomness.choice(forms)


def _moment(randomness: random.Random) -> datetime:
    zone = timezone(timedelta(hours=randomness.choice((-8, -5, -4, 0, 1, 9.5))))
    return (_FIRST_DAY + timedelta(minutes=randomness.randrange(60 * 24 * 60))).astimezone(zone)
