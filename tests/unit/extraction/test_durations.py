import json
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.extraction.durations import Form, read_amounts
from shared.extraction.durations.read import MOST_TEXT
from tests.unit.extraction.amounts_data import NOT_READ, READ


@pytest.mark.parametrize(("text", "minutes"), READ, ids=[text for text, _ in READ])
def test_an_amount_is_read_as_a_lawyer_means_it(text: str, minutes: list[float]) -> None:
    assert [round(amount.best, 2) for amount in read_amounts(text)] == minutes


@pytest.mark.parametrize("text", NOT_READ)
def test_what_only_looks_like_an_amount_is_left_alone(text: str) -> None:
    assert [text[amount.start : amount.end] for amount in read_amounts(text)] == []


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("2-3 hours", 120, 180),
        ("half a day", 180, 300),
        ("just under two hours", 102, 120),
        ("a little over forty minutes", 40, 50),
        ("about an hour", 51, 69),
        ("an hour", 60, 60),
        ("a few hours", 120, 300),
    ],
)
def test_a_hedge_says_how_far_the_amount_may_be_off(text: str, low: float, high: float) -> None:
    (amount,) = read_amounts(text)

    assert (round(amount.low), round(amount.high)) == (low, high)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("90 minutes", Form.SPOKEN),
        ("rev. lease 1.2", Form.BARE),
        ("from 9 to 10:30", Form.CLOCK),
        ("call 0:25", Form.COLON),
        ("4 units", Form.UNITS),
    ],
)
def test_an_amount_keeps_how_it_was_written(text: str, form: Form) -> None:
    (amount,) = read_amounts(text)

    assert amount.form is form


@pytest.mark.parametrize(
    ("text", "clock"),
    [
        ("from a quarter past midnight until 2", (15, 120)),
        ("from a quarter past noon until 2", (735, 840)),
        ("noon till twenty of one", (720, 760)),
    ],
)
def test_a_span_of_the_clock_lies_in_its_half_of_the_day(text: str, clock: tuple[int, int]) -> None:
    (amount,) = read_amounts(text)

    assert amount.clock == clock


def test_an_amount_names_the_rules_that_read_it_outermost_first() -> None:
    (amount,) = read_amounts("just under two and a half hours")

    assert amount.rules[0] == "under <amount>"
    assert amount.rules[-1] == "<n> and <parts>"


def test_a_wrapped_line_is_read_as_one() -> None:
    text = "I have now spent the whole of this morning on the reply, which is two\nhours and ten minutes so far."

    assert 130 in [amount.best for amount in read_amounts(text)]


@given(st.text(max_size=400))
@settings(max_examples=150, deadline=None)
def test_amounts_lie_in_the_text_in_order_and_are_positive(text: str) -> None:
    amounts = read_amounts(text)

    assert all(0 <= amount.start < amount.end <= len(text) for amount in amounts)
    assert [amount.start for amount in amounts] == sorted(amount.start for amount in amounts)
    assert all(amount.best > 0 and amount.low <= amount.best <= amount.high for amount in amounts)


def test_the_command_answers_line_by_line_and_says_what_it_left_unread() -> None:
    lines = [
        json.dumps({"text": "from 2:10 to 3:40 pm, then .4"}),
        "not json",
        json.dumps({"text": "call " * (MOST_TEXT // 5) + "overlong"}),
    ]
    done = subprocess.run(
        [sys.executable, "-m", "shared.extraction.durations"],
        input="\n".join(lines),
        capture_output=True,
        text=True,
        check=True,
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]

    assert answers[0] == {"minutes": [90.0, 24.0]}
    assert answers[1]["minutes"] == []
    assert "error" in answers[1]
    assert answers[2] == {"minutes": [], "unread": 8}


def test_an_hour_of_the_day_that_was_nearly_reached_allows_some_minutes_either_way() -> None:
    (amount,) = read_amounts("from eight until nearly eleven")

    assert (amount.low, amount.best, amount.high) == (165.0, 175.0, 185.0)
