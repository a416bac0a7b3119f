from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from shared.extraction import Context, extract
from shared.mail import Address, Email, Span
from shared.mail.offsets import fold

UNSEEN = "\u00ad\u200b\ufeff"


def email(body: str) -> Email:
    me = Address("Dana Whitfield", "dana@whitfieldlaw.example")
    sent_at = datetime(2026, 9, 2, 18, tzinfo=UTC)
    return Email("<1@x>", "Ortiz", me, (), sent_at, body, (Span(0, len(body)),))


def test_a_soft_hyphen_within_a_word_does_not_hide_an_hour_and_stays_in_the_evidence() -> None:
    body = "Ray,\n\nI spent two ho\u00adurs on the ph\u200bone with the adjuster.\n"
    [entry] = extract(email(body), Context()).entries
    assert entry.duration_minutes == 120
    assert entry.extracted_text == body[entry.evidence.start : entry.evidence.end]
    assert "ho\u00adurs on the ph\u200bone" in entry.extracted_text
    assert body[entry.amount.start : entry.amount.end] == "two ho\u00adurs"


@given(st.text(alphabet="ab " + UNSEEN, max_size=40), st.data())
def test_a_place_in_the_body_stands_where_the_text_before_it_ends(body: str, data: st.DataObject) -> None:
    offsets = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=6)))
    assert fold(body).places(offsets) == [len(fold(body[:offset]).text) for offset in offsets]
