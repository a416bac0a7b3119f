"""`make hostile`: looks for text that reading and extraction are slow on, by chance; the slowest, one a line.

What is slow is text in which half a match is begun again and again, so fragments of the grammar's own words and marks
are repeated in a few frames. A text found slow belongs, once its cause is known, to `HOSTILE` in texts.py.
"""

import argparse
import random
import sys
import time
from collections.abc import Iterator
from typing import Final, NamedTuple

from shared.extraction.wordlist import words
from tests.performance.texts import cpu_seconds, mail

_SIZE: Final = 100_000
"""Characters: more than are read of a mail."""
_WORDS: Final = (
    *words(
        """
        on the a for I we spent took me it was is - -- , ; : . ( ) [ ] = so i.e. or say about and not no wait sorry but
        & / | * " ' Sat mon 1/2 9 10:30 .5 1.5 two half to from until till past Re: v. Estate of In re Smith Jones A.B.
        $ % > call will would if he she by half-hour hours minutes h m 14h30 nine quarter an hour DW TB unit page make
        """
    ),
    *("\t", "\n"),
)
_FRAMES: Final = (
    "Call {} with client 0.3\n",
    "Call with client 0.3, {} yes\n",
    "I spent an hour {} and another {} 20 minutes.\n",
    "{}",
    "Smith - {} .4 letter\n",
    "On Tuesday I {} for 2 hours {}. ",
    "DW {} 0.3\n",
)
_REPEATS: Final = (1, 12, 60, 150, 400)


class Slow(NamedTuple):
    """A text by what it is made of, and the seconds of CPU that it takes."""

    seconds: float
    fragment: str
    frame: str
    repeats: int


def texts(chance: random.Random) -> Iterator[tuple[str, Slow]]:
    """Texts without end, with what each is made of."""
    while True:
        fragment = " ".join(chance.choices(_WORDS, k=chance.randint(1, 4))) + chance.choice((" ", ""))
        frame, repeats = chance.choice(_FRAMES), chance.choice(_REPEATS)
        text = frame.replace("{}", fragment * repeats)
        yield (text * (_SIZE // len(text) + 1))[:_SIZE], Slow(0.0, fragment, frame, repeats)


def main() -> None:
    """Search for as long as is said, and tell the slowest."""
    parser = argparse.ArgumentParser(prog="make hostile", description=__doc__)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=120.0)
    asked = parser.parse_args()
    cpu_seconds([mail("I spent 2 hours on the call with Ray.")])  # loads what is loaded once
    ends, found = time.monotonic() + asked.seconds, list[Slow]()
    for text, made_of in texts(random.Random(asked.seed)):  # noqa: S311  nothing secret
        if time.monotonic() > ends:
            break
        found.append(made_of._replace(seconds=cpu_seconds([mail(text)])))
    sys.stdout.write(f"{len(found)} texts of {_SIZE} characters; the slowest, in seconds of CPU:\n")
    for each in sorted(found, reverse=True)[:10]:
        sys.stdout.write(f"{each.seconds:6.2f}  {each.fragment!r} x {each.repeats} in {each.frame!r}\n")


if __name__ == "__main__":
    main()
