"""The labelled mail's formats, and how extraction is scored against it."""

from datetime import UTC, datetime
from pathlib import Path

from shared.extraction import Context, extract
from shared.mail import read
from tests.accuracy.labelled import Label, load
from tests.accuracy.scoring import compare
from tests.accuracy.told import amounts_of

SNIPPETS = """Subject: time
Spent «1.4|drafting» on the reply; Jo spent 1.4 too.
===
call «.5|call|nc», then «.5|call»
"""


def test_a_marked_snippet_becomes_a_mail_and_its_labels(tmp_path: Path) -> None:
    path = tmp_path / "01.txt"
    path.write_text(SNIPPETS, encoding="utf-8")

    first, second = load(path)

    assert read(first.raw).subject == "time"
    assert "Spent 1.4 on the reply; Jo spent 1.4 too." in read(first.raw).new_text()
    assert [(label.words, label.entry_type, label.billable) for label in second.labels] == [
        (".5", "call", False),
        (".5", "call", True),
    ]


def test_a_mark_may_tell_matter_day_and_minutes(tmp_path: Path) -> None:
    path = tmp_path / "01.txt"
    snippets = (
        "2-3 h «2-3 h|review|Ortiz|2026-09-02|120-180»",
        "«.5|call|-|2026-09-02|30|nc»",
        "«1 h|call|Vu|2026-09-02»",
    )
    path.write_text("\n===\n".join(snippets), encoding="utf-8")

    [[given], [free], [unmeasured]] = (mail.labels for mail in load(path))

    day = "2026-09-02"
    assert given == Label("2-3 h", 120, 180, "review", client_matter="Ortiz", date_performed=day, occurrence=1)
    assert free == Label(".5", 30, 30, "call", billable=False, date_performed=day, occurrence=0)
    assert (unmeasured.low, unmeasured.high, unmeasured.client_matter) == (0, 1440, "Vu")


def test_of_words_that_stand_twice_the_marked_ones_are_meant(tmp_path: Path) -> None:
    path = tmp_path / "01.txt"
    path.write_text(SNIPPETS, encoding="utf-8")
    text = "call .5, then .5"

    labels = list(load(path))[1].labels

    assert [label.places(text) for label in labels] == [[(5, 7)], [(14, 16)]]


def test_proof_is_found_however_its_lines_are_wrapped() -> None:
    assert Label("an hour  and a half", 90, 90, "call").places("it took an hour\nand a half") == [(8, 26)]


def test_matches_are_one_to_one_and_what_is_left_over_is_extra_or_missed() -> None:
    body = "I spent 40 minutes reviewing the lease, and an hour drafting the letter."
    raw = f"From: Dana <dana@whitfieldlaw.example>\nDate: Wed, 14 Oct 2026 18:00:00 +0000\n\n{body}\n".encode()
    entries = extract(read(raw, datetime(2026, 10, 14, tzinfo=UTC)), Context()).entries
    labels = (
        Label("40 minutes", 30, 45, "review", date_performed="2026-10-14"),
        Label("two hours", 120, 120, "call", date_performed="2026-10-14"),
        Label("an hour", 60, 60, "drafting", billable=False, date_performed="2026-10-14"),
    )

    score = compare("m", entries, labels)

    assert (score.matched, score.extra, score.missed, score.types, score.days) == (1, 1, 1, 1, 1)
    assert (score.precision, score.recall) == (0.5, 0.5)


def test_of_a_label_without_minutes_the_words_have_to_be_in_the_evidence(tmp_path: Path) -> None:
    path = tmp_path / "01.txt"
    path.write_text("I spent 40 minutes reviewing the lease. Jo was on it for «two\nhours|review».", encoding="utf-8")
    (mail,) = load(path)
    entries = extract(read(mail.raw), Context()).entries
    assert [entry.duration_minutes for entry in entries] == [40]

    score = compare("m", entries, mail.labels)

    assert (score.matched, score.extra, score.missed) == (0, 1, 1)


def test_an_amount_in_a_labels_words_with_other_minutes_teaches_nothing(tmp_path: Path) -> None:
    path = tmp_path / "01.txt"
    path.write_text(
        "Road time was «55 mins up, 50 mins back|travel|Vu|2026-09-02|105», the call «1.2 hours|call|Vu|2026-09-02|72»"
        " and he billed 3 hours.",
        encoding="utf-8",
    )
    [mail] = load(path)

    email, told = amounts_of(mail)

    read_as = [(email.body[each.decided.candidate.amount.start :][:3], each.label is not None) for each in told]
    assert read_as == [("55 ", False), ("50 ", False), ("1.2", True), ("3 h", False)]
    assert [each.sure for each in told] == [False, False, True, True]
