"""`make fit`: counts over labelled mail what each sign weighs, and writes shared/extraction/weights/*.json.

The more a weight rests on few mails, the nearer it is held to nothing (ridge). How far the encoder is believed beside
the signs is counted on the mail of hands that neither has seen.
"""

import hashlib
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression

from shared.extraction.context.among import Standing, among
from shared.extraction.context.lawyerly import READS, lawyerly_signs, short_of_a_lawyers, words_of
from shared.extraction.deciding import BEYOND_DOUBT, Decided, Deciding, in_doubt
from shared.extraction.encoder.hearing import Heard, hearing
from shared.extraction.entries import Entries, nearness
from shared.extraction.found import Context
from shared.extraction.weighing import HEARD, ITSELF, SHORT, SIGNS, SPEAKS_FOR_ITSELF, Weights, total_by
from shared.mail.email import Email, Span
from shared.models import EntryType
from tests.accuracy.labelled import Label, Labelled, load
from tests.accuracy.told import (
    COUNTS,
    KEPT_OUT,
    OF_BOTH,
    OTHERS,
    WEIGHTS,
    Told,
    amounts_of,
    as_read,
    hand_of,
    holds,
    minutes_fit,
    paths,
)

_NAME_CLIENTS = frozenset(
    {"corpus", "voices", "taught", "mails_us", "mails_us2", "mails_ukau", "mails_ukau2", "mails_biglaw"}
)
_LOOSELY_NAMED = 0.2
"""How much the other folders count for matters: their labels take a topic ("the lease") where a client is known."""
_FEWEST_MAILS = 3
_RIDGE, _RIDGE_OF_KINDS, _RIDGE_OF_CHOICES, _RIDGE_OF_CHARGES, _RIDGE_AMONG = 0.2, 0.12, 0.15, 0.25, 0.3
_TURNS = 6
_RIDGE_OF_LAWYERS, _FEWEST_HANDS = 0.1, 4
_OTHERS_COUNT = 0.5
"""How much other people's hours count in how far the encoder is believed: a lawyer's mailbox holds few."""
_LEAST = 0.03
"""A weight nearer to nothing than this is left out: together they moved no decision."""
_WITHIN = re.compile(r"(?<=[a-z,] )[A-Za-z][a-z]{2,}\b")
"""A word within a sentence."""
_OFTEN, _SELDOM = 4, 0.2
_CASE = re.compile(r"\bv\.?s?\.? |^(?:estate|marriage|matter|guardianship) of |^in re |^re ")
_SHORTEST, _HARDLY_MORE = 4, 3.0


@dataclass(frozen=True)
class Seen:
    """An amount of a labelled mail: the signs around it, whether it is work, of which type, charged, and its weight.

    `hand`: who wrote the mail; `sure`: whether what its label says of the amount is beyond doubt; `settled`: whether
    it is no work whatever its signs say; `heard`: what the encoder makes of it, where it hasn't learned from this hand.
    """

    mail: str
    counts: float
    signs: frozenset[str]
    work: bool
    kind_signs: frozenset[str]
    kind: EntryType | None
    charge_signs: frozenset[str]
    free: bool
    standing: Standing
    hand: str
    sure: bool
    settled: bool
    heard: Heard | None = None


def seen(files: Iterable[Path]) -> list[Seen]:
    """Every amount of the mail in these files, in order."""
    found: list[Seen] = []
    for path in files:
        hand = hand_of(path)
        for mail in load(path):
            email, told = amounts_of(mail)
            heard = _heard(email, told) if hand in KEPT_OUT else {}
            for place, each in enumerate(told):
                decided, label = each.decided, each.label
                found.append(
                    Seen(
                        mail=mail.id,
                        counts=COUNTS.get(path.parent.name, 1.0),
                        signs=decided.signs,
                        work=label is not None,
                        kind_signs=decided.nature.kind_signs,
                        kind=EntryType(label.entry_type) if label else None,
                        charge_signs=decided.nature.charge_signs,
                        free=label is not None and not label.billable,
                        standing=decided.standing,
                        hand=hand,
                        sure=each.sure,
                        settled=decided.odds <= BEYOND_DOUBT,
                        heard=heard.get(place),
                    )
                )
    return found


def _heard(email: Email, told: Sequence[Told]) -> dict[int, Heard]:
    amounts = [each.decided.candidate.amount for each in told]
    return hearing().hear(email, [Span(each.start, each.end) for each in amounts], range(len(amounts)))


@dataclass(frozen=True)
class Worded:
    """A whole mail: its words, and who wrote it."""

    mail: str
    hand: str
    words: frozenset[str]


def worded(files: Iterable[Path]) -> list[Worded]:
    """Every whole mail of these files, with its words."""
    return [
        Worded(mail.id, hand_of(path), words_of(as_read(mail.raw)))
        for path in files
        if _writes_whole(hand_of(path))
        for mail in load(path)
    ]


def fit_lawyer(mails: Sequence[Worded]) -> tuple[float, dict[str, float]]:
    """Bias and weights of the words by which a lawyer's mail is known; as many odds for either side to begin with."""
    told = [each for each in mails if each.hand not in OF_BOTH]
    hands: Mapping[str, set[str]] = defaultdict(set)
    for each in mails:
        for word in each.words:
            hands[word].add(each.hand)
    keep = {word for word, where in hands.items() if len(where) >= _FEWEST_HANDS}
    vectors = DictVectorizer()
    matrix = vectors.fit_transform([dict.fromkeys(each.words & keep, 1) for each in told])
    model = LogisticRegression(C=_RIDGE_OF_LAWYERS, max_iter=3000, class_weight="balanced").fit(
        matrix, [each.hand not in OTHERS for each in told]
    )
    return _counted(model, vectors)


def with_lawyerly(rows: Sequence[Seen], mails: Sequence[Worded]) -> list[Seen]:
    """The amounts with signs of whose mail it is by weights that had not seen its hand, instead of any they have.

    Snippets are too short to tell: they are taken for a lawyer's.
    """
    told: dict[tuple[str, str], frozenset[str]] = {}
    hands = sorted({each.hand for each in mails})
    for turn in range(_TURNS):
        left_out = set(hands[turn::_TURNS])
        weights = Weights(*fit_lawyer([each for each in mails if each.hand not in left_out]))
        for each in mails:
            if each.hand in left_out:
                told[each.hand, each.mail] = lawyerly_signs(each.words, weights.total(each.words))
    return [
        replace(
            row,
            signs=frozenset(sign for sign in row.signs if not sign.startswith(READS))
            | told.get((row.hand, row.mail), lawyerly_signs((), 0.0)),
        )
        for row in rows
    ]


def everyday(files: Iterable[Path]) -> list[str]:
    """The words of sentences that people write in small letters, in order: in several mails, and hardly otherwise."""
    small: Counter[str] = Counter()
    capital: Counter[str] = Counter()
    for path in files:
        if _writes_whole(hand_of(path)):
            for mail in load(path):
                found = set(_WITHIN.findall(as_read(mail.raw).new_text()))
                small.update(word for word in found if word.islower())
                capital.update({word.lower() for word in found if not word.islower()})
    return sorted(word for word, mails in small.items() if mails >= _OFTEN and capital[word] <= _SELDOM * mails)


@dataclass(frozen=True)
class Named:
    """A name of a labelled mail that an entry could be for: its signs, and whether it is the one."""

    mail: str
    entry: int
    name: str
    signs: frozenset[str]
    right: bool
    counts: float = 1.0


def named(files: Iterable[Path]) -> list[Named]:
    """Every name that the labelled entries of these files could be for."""
    found: list[Named] = []
    for path, mail, make, told in _entries_of(files):
        named_by = 1.0 if path.parent.name in _NAME_CLIENTS else _LOOSELY_NAMED
        counts = named_by * COUNTS.get(path.parent.name, 1.0)
        for each, label in told:
            wanted, start = label.client_matter or "", each.candidate.amount.start
            found += [
                Named(mail.id, start, name, signs, bool(wanted) and _same(name, wanted), counts)
                for name, signs in make.names(each).items()
            ]
    return found


@dataclass(frozen=True)
class Dated:
    """A day that a labelled entry could be for: its signs, and whether it is the one."""

    mail: str
    entry: int
    day: date
    signs: frozenset[str]
    right: bool
    counts: float = 1.0


def dated(files: Iterable[Path]) -> list[Dated]:
    """Every day that the labelled entries of these files could be for."""
    found: list[Dated] = []
    for path, mail, make, told in _entries_of(files):
        counts = COUNTS.get(path.parent.name, 1.0)
        last: tuple[Decided, date] | None = None
        for each, label in told:
            wanted = date.fromisoformat(label.date_performed or "")
            before = (last[1], nearness(last[0], each)) if last else None
            found += [
                Dated(mail.id, each.candidate.amount.start, day, signs, day == wanted, counts)
                for day, signs in make.days(each, make.evidence(each), before).items()
            ]
            last = (each, wanted)
    return found


def _entries_of(files: Iterable[Path]) -> Iterator[tuple[Path, Labelled, Entries, list[tuple[Decided, Label]]]]:
    """Each mail of these files with its amounts that a label with a day holds, in order."""
    for path in files:
        for mail in load(path):
            email = as_read(mail.raw)
            deciding = Deciding(email, Context())
            decided = deciding.amounts()
            told: list[tuple[Decided, Label]] = []
            for each in decided:
                amount = each.candidate.amount
                holding = (
                    label
                    for label in mail.labels
                    if label.date_performed
                    and minutes_fit(label, amount.best)
                    and holds(label, email.body, amount.start, amount.end)
                )
                if label := next(holding, None):
                    told.append((each, label))
            yield path, mail, Entries(email, Context(), deciding, decided), told


def _same(name: str, wanted: str) -> bool:
    """Whether a name is the labelled one, a part of it or hardly more: "Kestrel", "Kestrel Foods", "Kestrel v Lowe"."""
    one, two = name.lower(), wanted.lower()
    if two in one and _CASE.search(one):
        return True
    return one == two or (one in two and len(one) >= _SHORTEST) or (two in one and len(one) <= _HARDLY_MORE * len(two))


def known(rows: Iterable[tuple[str, frozenset[str]]]) -> set[str]:
    """The signs that enough mails show."""
    mails: Mapping[str, set[str]] = defaultdict(set)
    for mail, signs in rows:
        for sign in signs:
            mails[sign].add(mail)
    return {sign for sign, where in mails.items() if len(where) >= _FEWEST_MAILS}


def _counted(model: LogisticRegression, vectors: DictVectorizer) -> tuple[float, dict[str, float]]:
    """Bias and weights of a fitted model, by name."""
    names = vectors.get_feature_names_out()
    return float(model.intercept_[0]), dict(zip(names, map(float, model.coef_[0]), strict=True))


def fit_work(rows: list[Seen]) -> tuple[float, dict[str, float]]:
    """Bias and weights of the signs of work."""
    rows = [row for row in rows if row.sure]
    keep = known((row.mail, row.signs) for row in rows)
    vectors = DictVectorizer()
    matrix = vectors.fit_transform([dict.fromkeys(row.signs & keep, 1) for row in rows])
    counts = [row.counts for row in rows]
    model = LogisticRegression(C=_RIDGE, max_iter=3000).fit(matrix, [row.work for row in rows], sample_weight=counts)
    return _counted(model, vectors)


def fit_among(rows: list[Seen]) -> tuple[float, dict[str, float]]:
    """Bias and weights of what the amounts of a mail say of each other.

    Counted on whole mails, with odds from weights that had not seen the hand that wrote them.
    """
    hands = sorted({row.hand for row in rows if _writes_whole(row.hand)})
    vectors = DictVectorizer()
    told: list[dict[str, float]] = []
    work: list[bool] = []
    for turn in range(_TURNS):
        left_out = set(hands[turn::_TURNS])
        weights = Weights(*fit_work([row for row in rows if row.hand not in left_out]))
        for row, own, signs in _beside([row for row in rows if row.hand in left_out], weights):
            if row.sure:
                told.append({**dict.fromkeys(signs, 1.0), ITSELF: own, SPEAKS_FOR_ITSELF: max(own, 0.0)})
                work.append(row.work)
    model = LogisticRegression(C=_RIDGE_AMONG, max_iter=3000).fit(vectors.fit_transform(told), work)
    return _counted(model, vectors)


def _beside(rows: Iterable[Seen], weights: Weights) -> Iterator[tuple[Seen, float, frozenset[str]]]:
    """Each amount with its own odds, and the signs that the others of its mail give."""
    mails: dict[tuple[str, str], list[Seen]] = defaultdict(list)
    for row in rows:
        mails[row.hand, row.mail].append(row)
    for each in mails.values():
        odds = [BEYOND_DOUBT if row.settled else weights.total(row.signs) for row in each]
        yield from zip(each, odds, among([row.standing for row in each], odds), strict=True)


def _writes_whole(hand: str) -> bool:
    return not hand.startswith(("snippets", "statements"))


def fit_free(rows: list[Seen]) -> tuple[float, dict[str, float]]:
    """Bias and weights of the signs that work is not charged."""
    rows = [row for row in rows if row.work]
    keep = known((row.mail, row.charge_signs) for row in rows)
    vectors = DictVectorizer()
    matrix = vectors.fit_transform([dict.fromkeys(row.charge_signs & keep, 1) for row in rows])
    counts = [row.counts for row in rows]
    model = LogisticRegression(C=_RIDGE_OF_CHARGES, max_iter=3000).fit(
        matrix, [row.free for row in rows], sample_weight=counts
    )
    return _counted(model, vectors)


def fit_choice(rows: Sequence[Named | Dated]) -> tuple[float, dict[str, float]]:
    """Bias and weights of the signs by which one of several is chosen: a matter's name, a day.

    Counted on pairs, the right one against each other of its entry; then brought to a scale on which the best of an
    entry has the chance of being right.
    """
    keep = known((row.mail, row.signs) for row in rows)
    choices: dict[tuple[str, int], list[Named | Dated]] = defaultdict(list)
    for row in rows:
        choices[row.mail, row.entry].append(row)
    compared = [
        (one.counts, one.signs & keep, other.signs & keep)
        for each in choices.values()
        for one in [row for row in each if row.right][:1]
        for other in each
        if not other.right
    ]
    counts = [each[0] for each in compared]
    pairs = [
        {sign: side for signs, side in ((one - other, 1.0), (other - one, -1.0)) for sign in signs}
        for _, one, other in compared
    ]
    turned = [{sign: -value for sign, value in pair.items()} for pair in pairs]
    vectors = DictVectorizer()
    matrix = vectors.fit_transform([*pairs, *turned])
    better = [True] * len(pairs) + [False] * len(pairs)
    model = LogisticRegression(C=_RIDGE_OF_CHOICES, max_iter=3000, fit_intercept=False).fit(
        matrix, better, sample_weight=[*counts, *counts]
    )
    weights = dict(zip(vectors.get_feature_names_out(), map(float, model.coef_[0]), strict=True))
    best = [
        max((sum(weights.get(sign, 0.0) for sign in row.signs), row.right) for row in each) for each in choices.values()
    ]
    scale = LogisticRegression(C=1.0).fit([[total] for total, _ in best], [right for _, right in best])
    slope = float(scale.coef_[0][0])
    return float(scale.intercept_[0]), {sign: weight * slope for sign, weight in weights.items()}


def fit_kind(rows: list[Seen]) -> dict[str, tuple[float, dict[str, float]]]:
    """Bias and weights of the signs of each type."""
    rows = [row for row in rows if row.kind]
    keep = known((row.mail, row.kind_signs) for row in rows)
    vectors = DictVectorizer()
    matrix = vectors.fit_transform([dict.fromkeys(row.kind_signs & keep, 1) for row in rows])
    model = LogisticRegression(C=_RIDGE_OF_KINDS, max_iter=3000).fit(matrix, [row.kind for row in rows])
    names = vectors.get_feature_names_out()
    return {
        kind: (float(bias), dict(zip(names, map(float, weights), strict=True)))
        for kind, bias, weights in zip(model.classes_, model.intercept_, model.coef_, strict=True)
    }


def fit_heard(rows: Sequence[Seen], others: Weights) -> dict[str, tuple[float, dict[str, float]]]:
    """How far the encoder is believed beside the signs: of work, of types, of charges.

    Counted on the mail of hands that it hasn't learned from, with weights of the signs that haven't seen them either;
    `others` are those of what the amounts of a mail say of each other, too few to know a hand by.
    """
    rest = [row for row in rows if row.hand not in KEPT_OUT]
    kept = [row for row in rows if row.hand in KEPT_OUT]
    work, free = Weights(*fit_work(rest)), Weights(*fit_free(rest))
    kinds = {EntryType(kind): Weights(*weights) for kind, weights in fit_kind(rest).items()}
    signs, heard, short, right, counts = [], [], [], [], []
    for row, own, beside in _beside(kept, work):
        total = total_by(others, own, beside)
        if row.sure and row.heard is not None and in_doubt(total, own, row.signs):
            signs.append(total)
            heard.append(row.heard.work)
            short.append(float(short_of_a_lawyers(row.signs)))
            right.append(row.work)
            counts.append(_OTHERS_COUNT if row.hand in OTHERS else row.counts)
    labelled = [(row, row.heard) for row in kept if row.kind is not None and row.heard is not None]

    def rightly_typed(share: float) -> int:
        return sum(
            max(kinds, key=lambda kind: kinds[kind].total(row.kind_signs) + share * each.kinds[kind]) == row.kind
            for row, each in labelled
        )

    believed = max((step / 10 for step in range(21)), key=rightly_typed)
    bias, told = _together({SIGNS: signs, HEARD: heard, SHORT: short}, right, counts)
    together = [
        bias + told[SIGNS] * one + told[HEARD] * other + told[SHORT] * step
        for one, other, step in zip(signs, heard, short, strict=True)
    ]
    for name, totals in (("signs", signs), ("encoder", heard), ("both", together)):
        print(f"{len(right)} amounts in doubt of hands kept out, by {name}: {_judged(totals, right)}")  # noqa: T201  a command's answer
    types = f"{rightly_typed(0.0) / len(labelled):.3f} by signs, {rightly_typed(believed) / len(labelled):.3f} by both"
    print(f"types of hands kept out: {types}")  # noqa: T201  a command's answer
    return {
        "work": (bias, told),
        "kind": (0.0, {SIGNS: 1.0, HEARD: believed}),
        "free": _together(
            {
                SIGNS: [free.total(row.charge_signs) for row, _ in labelled],
                HEARD: [each.free for _, each in labelled],
            },
            [row.free for row, _ in labelled],
            [row.counts for row, _ in labelled],
        ),
    }


def _judged(totals: Sequence[float], right: Sequence[bool]) -> str:
    found = sum(total > 0 for total in totals)
    matched = sum(total > 0 and each for total, each in zip(totals, right, strict=True))
    return f"precision {matched / found:.3f}, recall {matched / sum(right):.3f}"


def _together(
    figures: Mapping[str, Sequence[float]], right: Sequence[bool], counts: Sequence[float]
) -> tuple[float, dict[str, float]]:
    """How far each of these figures, one of each kind for an amount, is believed beside the others."""
    model = LogisticRegression(C=1.0).fit(list(zip(*figures.values(), strict=True)), right, sample_weight=counts)
    return float(model.intercept_[0]), dict(zip(figures, map(float, model.coef_[0]), strict=True))


def _written(bias: float, weights: dict[str, float]) -> dict[str, object]:
    told = {sign: round(weight, 2) for sign, weight in weights.items() if abs(weight) >= _LEAST}
    return {"bias": round(bias, 3), "weights": dict(sorted(told.items(), key=lambda each: (-abs(each[1]), each[0])))}


def _believed(weights: Mapping[str, tuple[float, dict[str, float]]]) -> dict[str, object]:
    return {name: _written(*each) for name, each in weights.items()}


def digest(path: Path) -> str:
    """A file's SHA-256, in hexadecimal: which encoder it was whose word was weighed."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main() -> None:
    """Count, and write."""
    files = paths()
    (WEIGHTS / "everyday.txt").write_text("\n".join(everyday(files)) + "\n", encoding="utf-8")
    with ProcessPoolExecutor(max_workers=1) as beside:
        names, days = beside.submit(named, files), beside.submit(dated, files)
        mails = worded(files)
        rows = with_lawyerly(seen(files), mails)
    work, others = fit_work(rows), fit_among(rows)
    kinds = {kind: _written(*each) for kind, each in fit_kind(rows).items()}
    WEIGHTS.mkdir(exist_ok=True)
    for name, value in (
        ("lawyer", _written(*fit_lawyer(mails))),
        ("work", _written(*work)),
        ("kind", kinds),
        ("among", _written(*others)),
        ("free", _written(*fit_free(rows))),
        ("heard", {**_believed(fit_heard(rows, Weights(*others))), "encoder": digest(WEIGHTS / "encoder.onnx")}),
        ("name", _written(*fit_choice(names.result()))),
        ("day", _written(*fit_choice(days.result()))),
    ):
        text = json.dumps(value, indent=0, ensure_ascii=False)
        (WEIGHTS / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    print(f"{len(files)} files, {len({row.mail for row in rows})} mails, {Counter(row.work for row in rows)}")  # noqa: T201  a command's answer


if __name__ == "__main__":
    main()
