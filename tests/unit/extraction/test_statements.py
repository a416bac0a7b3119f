import pytest

from shared.extraction.context.repeats import Stated, repeats
from shared.extraction.durations import Form
from tests.unit.extraction.mails import BOOKKEEPER, found
from tests.unit.extraction.statements_data import NO_WORK, WORK


@pytest.mark.parametrize(("text", "minutes"), WORK, ids=[text[:40] for text, _ in WORK])
def test_work_that_the_sender_says_was_done_is_an_entry(text: str, minutes: float) -> None:
    entries = found(text).entries

    assert minutes in [entry.duration_minutes for entry in entries]
    assert all(entry.billable for entry in entries)


@pytest.mark.parametrize(("text", "reason"), NO_WORK, ids=[text[:40] for text, _ in NO_WORK])
def test_what_is_no_work_of_the_senders_is_refused_with_a_reason(text: str, reason: str) -> None:
    result = found(text)

    assert result.entries == ()
    assert any(reason in refusal.reason for refusal in result.refusals), [r.reason for r in result.refusals]


@pytest.mark.parametrize(
    "text",
    [
        "I looked at the county index for about 15 minutes; no charge for that.",
        "I spent 20 minutes on the letter and I'm not charging you for it.",
        "I won't charge for the hour I spent re-reading the file.",
        "I reviewed the lease for an hour, pro bono.",
        "I drafted the reply for two hours. That one is on me.",
    ],
)
def test_work_that_the_sender_does_not_charge_is_an_entry_that_is_not_billable(text: str) -> None:
    (entry,) = found(text).entries

    assert not entry.billable


@pytest.mark.parametrize(
    ("after", "given"),
    [
        ("That one is on me.", True),
        ("This I won't be billing.", True),
        ("The coffee was on me.", False),
        ("That took some doing, and the parking and the coffee were on me.", False),
        ("That was 2 hours on me.", False),
    ],
)
def test_what_a_short_sentence_after_it_gives_away_is_given(after: str, given: bool) -> None:
    entries = found(f"I drafted the reply for two hours. {after}").entries

    assert ("given in the next sentence" in entries[0].rules) is given


@pytest.mark.parametrize(
    "text", ["Debit 1.5 for the particulars of claim.", "Joan, bill the three hours on the lease."]
)
def test_work_that_the_sender_has_entered_is_hers(text: str) -> None:
    (entry,) = found(text).entries

    assert entry.rules[0] == "enter <t>"


def test_a_total_of_itemised_work_is_no_entry_of_its_own() -> None:
    body = "9/8 status conference w/ judge 0.8\n9/9 hearing on motion 1.8\n\nTotal 2.6 hrs"
    result = found(body, subject="Week recap", to=BOOKKEEPER)

    assert [entry.duration_minutes for entry in result.entries] == [48, 108]
    assert result.refusals[-1].minutes == 156


def test_a_total_said_before_its_items_is_no_entry_of_its_own() -> None:
    result = found("I spent 3.5 hours on this: 1.5 hours reviewing the lease and 2 hours drafting the letter.")

    assert [entry.duration_minutes for entry in result.entries] == [90, 120]


def test_each_amount_of_a_sentence_is_an_entry_with_its_own_words() -> None:
    result = found("I spent 40 minutes reviewing the lease, and an hour drafting the letter.")

    assert [entry.duration_minutes for entry in result.entries] == [40, 60]
    assert ["lease" in entry.extracted_text for entry in result.entries] == [True, False]


def test_wording_that_is_offered_for_use_states_nothing() -> None:
    body = "Sam - here is the form the court likes:\n\nOn [date] I spent 3.5 hours preparing the petition."

    assert found(body).entries == ()


def test_words_between_quotation_marks_are_somebody_elses() -> None:
    assert found('The narrative reads "Reviewed the file for 2 hours" and nothing more.').entries == ()


def test_the_lines_of_another_timekeeper_are_left_to_them() -> None:
    body = "DW  motion in limine, first draft  3.2\nPR  cite check & tables  4.0\nDW  reading second report  .9"
    result = found(body, subject="Ferris time", to=BOOKKEEPER)

    assert [entry.duration_minutes for entry in result.entries] == [192, 54]


def test_numbers_that_count_sections_are_no_hours() -> None:
    body = "3.1 review of title\n3.2 draft lease\n3.3 letter to counsel"

    assert found(body, subject="time", to=BOOKKEEPER).entries == ()


def test_an_agenda_is_no_time_sheet() -> None:
    body = "Agenda for the call:\n\n1. Regulatory filings (10 min)\n2. Open points in the brief (25 min)"

    assert found(body, subject="agenda").entries == ()


def test_a_clock_span_that_lies_ahead_of_the_mail_is_not_yet_worked() -> None:
    assert found("Deposition prep 7:00 pm - 9:00 pm", subject="time", to=BOOKKEEPER).entries == ()


def test_a_mail_of_boundless_length_says_what_was_left_unread() -> None:
    result = found("call w/ client .4\n" * 9000, subject="time", to=BOOKKEEPER)

    beyond = [refusal for refusal in result.refusals if refusal.rule == "<text> beyond the bound"]
    assert beyond
    assert len(result.entries) + len(result.refusals) - len(beyond) == 250


@pytest.mark.parametrize(
    ("body", "minutes"),
    [
        ("Ortiz - call with client .3 no wait, .5\nKessler - draft lease 1.2", [30, 72]),
        ("Ortiz - call with client .3, make that .5\nKessler - draft lease 1.2", [30, 72]),
        (
            "Defending the deposition, 7.2, no wait the transcript shows we broke off for lunch, make that 6.4.",
            [384],
        ),
        ("I was on the phone with Mrs Lane and it was eighteen minutes, three units, bill it.", [18]),
        ("I was on the phone with Mrs Lane for 16 minutes, three units. Drafted the lease, 1.2.", [16, 72]),
        ("Annual accounting, put together, 3.25 hrs by my timer so 3.25. Drafted the lease, 1.2.", [195, 72]),
        ("Call with Mr. Ortiz, 18 minutes (0.3). Drafted the lease, 1.2.", [18, 72]),
        ("I spent an hour and a half (i.e. 90 minutes) on the lease and 20 minutes on the phone with him.", [90, 20]),
    ],
)
def test_what_is_put_right_or_said_in_other_words_is_one_entry(body: str, minutes: list[float]) -> None:
    entries = found(body, subject="time", to=BOOKKEEPER).entries

    assert [entry.duration_minutes for entry in entries] == minutes


def test_the_time_of_a_span_is_no_second_entry() -> None:
    body = "Conference with client on the lease.\nStart: 14.30 Finish: 16.15\nTime: 1 hr 45 mins"

    assert [entry.duration_minutes for entry in found(body, subject="Attendance note").entries] == [105]


@pytest.mark.parametrize(
    "body",
    [
        "Ortiz - call with client .3, the answer should be in by then, review of lease 1.2",
        "Ortiz - call with client .3, no waiting at the clerk's, filing of the answer 1.2",
        "Ortiz - drafted the letter .3 and on the lease it's 1.2 of review",
    ],
)
def test_words_that_only_sound_like_a_correction_lose_no_entry(body: str) -> None:
    entries = found(f"{body}\nKessler - call with client .5", subject="time", to=BOOKKEEPER).entries

    assert [entry.duration_minutes for entry in entries] == [18, 72, 30]


@pytest.mark.parametrize(("form", "same"), [(Form.UNITS, True), (Form.BARE, True), (Form.SPOKEN, False)])
def test_the_same_minutes_beside_are_the_same_time_only_in_another_measure(form: Form, *, same: bool) -> None:
    first = Stated(18, "call, 18 minutes", "", frozenset({"call"}), -1, passage=0, start=6, end=16)
    again = Stated(18, "three units", "", frozenset(), -1, passage=0, start=18, end=29, form=form, ends=True, gap=", ")

    assert bool(repeats([first, again])) is same


def test_a_meal_that_only_says_when_makes_nothing_personal() -> None:
    told = found("He had twenty-five minutes of me before lunch, put it down please.")

    assert "personal" not in {refusal.rule for refusal in told.refusals}


def test_what_is_replaced_is_no_second_entry() -> None:
    told = found("8 May, perusing the disclosure list, please put 2.3 hours in place of 1.3.", to=BOOKKEEPER)

    assert 78 not in {entry.duration_minutes for entry in told.entries}


def test_the_same_minutes_of_other_work_are_another_entry() -> None:
    entries = found("Ortiz - call with client 18 minutes, .3 with the adjuster", subject="time", to=BOOKKEEPER).entries

    assert [entry.duration_minutes for entry in entries] == [18, 18]


@pytest.mark.parametrize(
    ("between", "corrected"),
    [
        (" no wait, ", True),
        (", no wait at the clerk's, filing of the answer ", False),
        (", no, ", True),
        (" and ", False),
        (", no wait, we broke off for lunch and for the fire alarm and the judge was late too, so make that ", True),
        (", sorry about the delay, then I drafted the long lease for Kessler with all of its schedules, ", False),
    ],
)
def test_an_amount_is_put_right_by_the_next_only_where_the_words_between_say_so(between: str, corrected: bool) -> None:
    wrong = Stated(18, "call .3", "", frozenset({"call"}), -1, passage=0, start=5, end=7)
    right = Stated(30, "answer .5", "", frozenset({"answer"}), -1, passage=0, start=40, end=42, gap=between)

    assert repeats([wrong, right]) == ({0: ("<t>, no, <t>", "put right by what follows")} if corrected else {})


@pytest.mark.parametrize(("between", "same"), [(" (", True), (" (" + "-" * 90, False)])
def test_the_same_minutes_are_the_same_time_only_right_behind(between: str, *, same: bool) -> None:
    first = Stated(18, "call, 18 minutes", "", frozenset({"call"}), -1, passage=0, start=6, end=16)
    again = Stated(18, "the lien .3", "", frozenset({"lien"}), -1, passage=0, start=200, end=202, gap=between)

    assert bool(repeats([first, again])) is same


def test_what_the_sender_says_is_billed_is_charged_whatever_stands_around_it() -> None:
    (billed,) = found("I'm only billing the 15 minutes that we actually spoke, not the time I waited.").entries
    (free,) = found("I won't bill the 15 minutes that we talked about the deposition.").entries

    assert (billed.billable, free.billable) == (True, False)
