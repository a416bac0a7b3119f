import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.extraction import ANALYSER_VERSION, Context, Found, extract
from shared.extraction.explain import explain, explain_all
from shared.mail import Span
from tests.unit.extraction.mails import BOOKKEEPER, found, mail
from tests.unit.extraction.statements_data import NO_WORK, WORK

PIECES = st.sampled_from(
    [text for text, _ in (*WORK, *NO_WORK)]
    + [
        "\n",
        "\n\n",
        "\t",
        " - ",
        ": ",
        "(.2)",
        "1.4",
        "Total",
        "9/8",
        "Ortiz - ",
        "no charge",
        "tomorrow",
        "?",
        '"',
        "•",
        "½",
        "‘",
    ]
)
MAILS = st.one_of(st.text(max_size=300), st.lists(PIECES, max_size=12).map("".join))


@given(MAILS)
@settings(max_examples=200, deadline=None)
def test_whatever_the_text_entries_are_grounded_and_within_a_day(text: str) -> None:
    email = mail(text)
    result = extract(email, Context())

    for entry in result.entries:
        evidence = email.body[entry.evidence.start : entry.evidence.end]
        assert entry.extracted_text == evidence
        assert 0 < len(evidence) <= 500
        assert entry.evidence.start <= entry.amount.start < entry.amount.end <= entry.evidence.end
        assert 0 <= entry.low <= entry.duration_minutes <= entry.high <= 1440
        assert 0 <= entry.confidence_score <= 1
        assert 0 < len(entry.description) <= 1000
        assert entry.date_performed <= date(2026, 10, 14)


@given(MAILS)
@settings(max_examples=60, deadline=None)
def test_the_same_mail_gives_the_same_entries(text: str) -> None:
    assert extract(mail(text), Context()) == extract(mail(text), Context())


@given(MAILS, MAILS)
@settings(max_examples=60, deadline=None)
def test_nothing_outside_the_new_text_is_read(new: str, old: str) -> None:
    email = mail(new)
    quoted = type(email)(
        email.message_id,
        email.subject,
        email.sender,
        email.recipients,
        email.sent_at,
        new + "\n\n" + old,
        (Span(0, len(new)),),
    )
    result = extract(quoted, Context())

    assert all(entry.evidence.end <= len(new) for entry in result.entries)
    assert all(refusal.amount.end <= len(new) for refusal in result.refusals)


def test_entries_and_refusals_come_in_the_order_of_the_text() -> None:
    work = "Ortiz - TC w/ client .4\nKessler - draft answer 2.3\n"
    body = work + "I need 3 hours tomorrow.\nWithin 48 hours they must answer."
    result = found(body, subject="time", to=BOOKKEEPER)

    assert [entry.duration_minutes for entry in result.entries] == [24, 138]
    starts = [refusal.amount.start for refusal in result.refusals]
    assert starts == sorted(starts)
    assert len(starts) == 2


def test_an_empty_mail_holds_nothing() -> None:
    assert extract(mail(""), Context()) == Found()


def test_an_explanation_names_the_rules_from_the_decision_down_to_the_number() -> None:
    (entry,) = found("I spent just under two hours on the brief.").entries

    lines = explain(entry).splitlines()
    assert lines[0].startswith("115 minutes (102 to 120), drafting, charged, 2026-10-14, Ortiz")
    assert [line.strip(" ├└─") for line in lines[2:5]] == ["I spent <t>", "I spent", "under <amount>"]


def test_an_explanation_of_a_refusal_gives_its_reason() -> None:
    text = explain_all(found("They must answer within 48 hours."))

    assert '"48 hours", 2880 minutes, is no entry: a deadline, not work done' in text
    assert "within <t>" in text


def test_the_analyser_has_a_version_that_stored_results_can_name() -> None:
    assert isinstance(ANALYSER_VERSION, int)


@pytest.mark.parametrize("name", ["corpus", "voices"])
def test_every_evidence_of_the_labelled_mail_is_verbatim(name: str) -> None:
    from shared.mail import read  # noqa: PLC0415  only these two cases read whole messages

    path = Path(__file__).parents[2] / "accuracy" / name / "emails.jsonl"
    for line in path.read_text(encoding="utf-8").splitlines():
        email = read(json.loads(line)["raw"].encode())
        for entry in extract(email, Context()).entries:
            assert email.body[entry.evidence.start : entry.evidence.end] == entry.extracted_text
            assert any(span.start <= entry.evidence.start and entry.evidence.end <= span.end for span in email.new)


def test_the_day_of_an_entry_never_lies_after_the_mail() -> None:
    early = datetime(2026, 1, 2, 9, tzinfo=UTC)
    (entry,) = found("On Dec. 30 I reviewed the lease for an hour.", sent=early).entries

    assert entry.date_performed == date(2025, 12, 30)


def test_a_number_of_a_million_digits_is_no_amount_of_time() -> None:
    assert found("I spent " + "1" * 1_000_000 + " hours on the motion", subject="time", to=BOOKKEEPER).entries == ()
