"""`make accuracy`: how much of what was written is found, and how much of what is found was written.

Measured on mail that no rule and no weight was made from (`unread/`), by rules alone and as a cascade: where the rules
are unsure, a model is asked, and believed as far as the mail proves it. With OPENAI_API_KEY the model is the real one;
without, one that answers as the labels do, which shows what the cascade could reach at most. Ends with status 1 while a
figure is missed.
"""

import asyncio
import os
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from shared.errors import ModelError
from shared.extraction import Context, extract
from shared.extraction.found import Found
from shared.extraction.grounding import ground, unjudged
from shared.extraction.unsure import Limits, Question, doubts, question
from shared.extraction.verdicts import Answer, Verdict
from shared.llm.judge import Judge
from shared.mail import read
from shared.mail.email import Email
from shared.settings import ModelSettings
from shared.wiring import judge
from tests.accuracy.labelled import Label, Labelled, load
from tests.accuracy.scoring import TOLERANCE, Score, compare

HERE = Path(__file__).parent
PRECISION, RECALL, FALSE_IN_A_THOUSAND, NEEDING_NONE = 0.97, 0.95, 1.0, 0.8
_ORDINARY = "ordinary"
_TAGGED = 6
"""Labels or mails that a tag needs for a row of its own."""


async def main() -> int:
    """Measure and print; 1 if a figure is missed."""
    console = Console(width=110)
    model = _model()
    sets = {path.stem: _mails(path) for path in sorted((HERE / "unread").iterdir())}
    rules, cascade, ordinary, tags = Score(), Score(), Score(), defaultdict[str, Score](Score)
    table = _table("set", "mails")
    asked = mails = 0
    for name, members in sets.items():
        of_rules, of_cascade = Score(), Score()
        for mail in members:
            email = read(mail.raw)
            found = extract(email, Context())
            alone = compare(mail.id, found.entries, mail.labels)
            of_rules.add(alone)
            for tag in mail.tags:
                tags[tag].add(alone)
            about = question(email, doubts(email, found), full=False, limits=Limits())
            asked += about is not None
            judged = found if about is None else await _judged(model, email, found, about, mail)
            of_cascade.add(compare(mail.id, judged.entries, mail.labels))
        mails += len(members)
        _row(table, name, of_rules)
        _row(table, f"{name}, cascade", of_cascade)
        if name.startswith(_ORDINARY):
            ordinary.add(of_rules)
        else:
            rules.add(of_rules)
            cascade.add(of_cascade)
    _row(table, "all lawyers' mail", rules)
    _row(table, "all lawyers' mail, cascade", cascade)
    console.print(table)
    console.print(_tags(tags))
    console.print(_reliability(rules))
    for line in rules.wrong if "-v" in sys.argv else ():
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    false = ordinary.extra * 1000 / ordinary.mails
    needing_none = 1 - asked / mails
    console.print(
        f"model: {'real' if model else 'answers as the labels do'}; emails that need none: {needing_none:.3f}"
    )
    return _verdict(
        console,
        [
            ("precision, rules alone", rules.precision, PRECISION, rules.precision >= PRECISION),
            ("recall, rules alone", rules.recall, RECALL, rules.recall >= RECALL),
            ("false entries in 1,000 ordinary mails", false, FALSE_IN_A_THOUSAND, false <= FALSE_IN_A_THOUSAND),
            ("share of emails that need no model", needing_none, NEEDING_NONE, needing_none >= NEEDING_NONE),
        ],
    )


def _mails(path: Path) -> list[Labelled]:
    """A set: a file, or a folder of them."""
    return [mail for each in (sorted(path.iterdir()) if path.is_dir() else [path]) for mail in load(each)]


def _model() -> Judge | None:
    return judge(ModelSettings.from_environ(os.environ)) if os.environ.get("OPENAI_API_KEY") else None


async def _judged(model: Judge | None, email: Email, found: Found, about: Question, mail: Labelled) -> Found:
    try:
        answer = await model.judge(about) if model else _as_labelled(email, about, mail.labels)
    except ModelError as error:
        return unjudged(found, about, error.code).found
    return ground(email, found, about, answer, None).found


def _as_labelled(email: Email, about: Question, labels: Sequence[Label]) -> Answer:
    """What a reader who knows the labels would answer."""
    verdicts = []
    for doubt in about.doubts:
        entry = doubt.entry
        told = [
            label
            for label in labels
            if label.low - TOLERANCE <= entry.duration_minutes <= label.high + TOLERANCE
            and any(s <= entry.amount.start and entry.amount.end <= e for s, e in label.places(email.body))
        ]
        verdicts.append(
            Verdict(
                doubt.number,
                is_work=bool(told),
                quote=doubt.near,
                minutes=entry.duration_minutes,
                entry_type=entry.entry_type,
                billable=told[0].billable if told else None,
            )
        )
    return Answer(tuple(verdicts))


def _table(*first: str) -> Table:
    table = Table(*first, box=None, pad_edge=False)
    for column in ("labels", "found", "precision", "recall", "type", "day", "client"):
        table.add_column(column, justify="right")
    return table


def _row(table: Table, name: str, each: Score) -> None:
    shares = (each.precision, each.recall, each.right_type, each.right_day, each.right_client)
    counts = (each.matched + each.missed, each.matched + each.extra)
    table.add_row(name, f"{each.mails}", *map(str, counts), *(f"{share:.3f}" for share in shares))


def _tags(tags: dict[str, Score]) -> Table:
    table = _table("tag, rules alone", "mails")
    for tag, each in sorted(tags.items(), key=lambda item: -item[1].mails):
        if each.mails >= _TAGGED:
            _row(table, tag, each)
    return table


def _reliability(each: Score) -> Table:
    """Of entries given a certainty, how many were right."""
    table = Table("certainty, rules alone", "entries", "right", box=None, pad_edge=False)
    for low in (0.5, 0.6, 0.7, 0.8, 0.9):
        right = [matched for sure, matched in each.sure if low <= sure < low + 0.1 or (low == 0.9 and sure >= low)]
        share = f"{sum(right) / len(right):.2f}" if right else "-"
        table.add_row(f"{low:.1f} to {low + 0.1:.1f}", str(len(right)), share)
    return table


def _verdict(console: Console, figures: Iterable[tuple[str, float, float, bool]]) -> int:
    missed = 0
    for name, figure, bar, reached in figures:
        console.print(f"{'reached' if reached else 'MISSED '}  {name}: {figure:.3f} (to reach: {bar:g})")
        missed += not reached
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
