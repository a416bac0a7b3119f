"""Lines of several timekeepers, told apart by their initials or names. The sender is Dana Whitfield."""

from dataclasses import replace

import pytest

from shared.extraction import extract
from shared.extraction.deciding import Deciding
from shared.extraction.found import Context
from shared.extraction.timekeepers import Timekeepers, Whose
from shared.mail import Address
from tests.unit.extraction.mails import BOOKKEEPER, found, mail


def minutes(body: str) -> list[float]:
    return [entry.duration_minutes for entry in found(body, subject="time", to=BOOKKEEPER).entries]


@pytest.mark.parametrize(
    "body",
    [
        "10/12 | DW | 0.6 | call with client\n10/12 | TB | 2.3 | draft motion\n10/13 | DW | 1.1 | review lease",
        "DW  0.6  call with client\nTB  2.3  draft motion to compel\nDW  1.1  review lease",
        "0.6 - DW - call with client\n2.3 - TB - draft motion to compel\n1.1 - DW - review lease",
        "Call with client: DW 0.6, TB 0.6\nDraft motion to compel: TB 2.3\nReview lease: DW 1.1",
        "12 May  TB  2.2  mark-up\n12 May  DMW 0.6  reading the paper\n13 May  DMW 1.1  call with the sponsor",
        "Wed 25: DW 0.6 / TB 2.0 / HT 7.4, read the facility agreement\nThu 26: DW 1.1 / TB 0.8, lender call",
        "        DW    TB    HT\nMon 12   0.6   1.0   5.5   drafted the lease\nTue 13   1.1   -   -   lender call",
        "24/3  Dana  explanatory statement  0.6\n24/3  Ollie  creditor list  2.3\n25/3  Dana  draft order  1.1",
        "Dana: 0.6, call with client\nOllie: 2.3, draft motion\nDana: 1.1, review lease",
        "Me (DW): 0.6, call with client\nOllie: 2.3, draft motion\nMe: 1.1, review lease",
        "Dana W: 0.6 call with client\nOllie M-P: 2.3 draft motion\nDana W: 1.1 review lease",
        (
            "Whitfield, Dana\n  M 12 - 0.6 - call with client\n  T 13 - 1.1 - review lease\n"
            "Marsh, Ollie T. (paralegal)\n  M 12 - 2.3 - draft motion"
        ),
        "Ollie Marsh:\n2.3 draft motion\n\nDana Whitfield:\n0.6 call with client\n1.1 review lease",
        "0.6 - Dana - call with client\n2.3 - Ollie Marsh - draft motion\n1.1 - Dana Whitfield - review lease",
    ],
    ids=[
        "bars",
        "gaps",
        "dashes",
        "inline",
        "uneven gaps",
        "slashes",
        "columns",
        "names, gaps",
        "names, colons",
        "me",
        "names with initials",
        "under names",
        "under names, parted",
        "names, dashes",
    ],
)
def test_only_the_lines_with_the_senders_initials_or_name_are_the_senders(body: str) -> None:
    assert minutes(body) == [36, 66]


def test_capitals_are_no_initials_where_the_senders_stand_nowhere() -> None:
    assert minutes("TC client 0.6\nNDA review 1.1\nTC opposing counsel 0.3") == [36, 66, 18]


def test_a_row_of_capitals_without_the_senders_heads_no_columns_of_timekeepers() -> None:
    body = "        TC     CL\nMon 12   0.6   1.1   drafted the lease\nTue 13   0.3   1.0   call with the lender"

    assert len(minutes(body)) == 4


@pytest.mark.parametrize("between", ["\n", " \n", ""])
def test_the_columns_of_timekeepers_end_with_their_table(between: str) -> None:
    body = (
        f"Hours:\n        DW    TB\nMon 12  0.6   1.0   drafted the lease\n{between}Jones 0.3, lender call 2.0 in all"
    )

    assert minutes(body)[0] == 36
    assert 60 not in minutes(body)
    assert {18, 120} & {*minutes(body)}


@pytest.mark.parametrize(
    "rows",
    [
        "Mon 12  1.0   0.6   drafted 2 letters\nTue 13        1.1   lender call",
        "Mon 12  1.0   0.6   1.6\nTue 13  0.5   1.1   1.6",
        "Mon 12  1.0   0.6   drafted the lease\nTue 13  -     1.1   lender call",
    ],
    ids=["an empty cell", "sums of rows", "a dash"],
)
def test_a_cell_is_the_persons_under_whose_initials_it_stands(rows: str) -> None:
    told = found(f"Hours on the Ortiz lease:\n        TB    DW\n{rows}", subject="time", to=BOOKKEEPER)

    beside = {refusal.minutes: refusal.rule for refusal in told.refusals}
    assert beside[60] == "<other>: <t>"
    assert {36, 66} <= {entry.duration_minutes for entry in told.entries} | beside.keys()
    assert "<other>: <t>" not in {beside.get(36), beside.get(66)}


@pytest.mark.parametrize("line", ["review of the draft; LOI 0.4, SPA 0.7", "review of FY 2025 accounts 1.1"])
def test_capitals_amid_a_line_of_the_senders_are_nobodys_initials(line: str) -> None:
    told = found(f"DW 0.6 call with client\nDW 1.1 {line}", subject="time", to=BOOKKEEPER)

    assert "<other>: <t>" not in {refusal.rule for refusal in told.refusals}


def test_what_stands_under_nobodys_initials_is_nobodys() -> None:
    email = mail("Hours:\n        TB    DW\nMon 12  1.0   0.6            1.6\n", subject="time", to=BOOKKEEPER)
    timekeepers, body = Timekeepers(email), email.body

    whose = [timekeepers.whose(0, len(body), body.index(hours)) for hours in ("1.0", "0.6", "1.6")]

    assert whose == [Whose.ELSES, Whose.SENDERS, None]


def test_where_there_are_as_many_cells_as_persons_their_order_counts() -> None:
    # Mail loses the blanks that it begins with.
    email = mail("TB    DW\nMon 12  1.0   0.6   drafted the lease\n", subject="time", to=BOOKKEEPER)
    timekeepers, body = Timekeepers(email), email.body

    assert [timekeepers.whose(0, len(body), body.index(hours)) for hours in ("1.0", "0.6")] == [
        Whose.ELSES,
        Whose.SENDERS,
    ]


def test_the_senders_own_initials_are_a_sign() -> None:
    amounts = Deciding(
        mail("DW 0.6 call with client\nTB 2.3 draft motion", subject="time", to=BOOKKEEPER), Context()
    ).amounts()

    assert [Whose.SENDERS in each.signs for each in amounts] == [True, False]


def test_a_middle_initial_is_the_senders_too() -> None:
    body = "DMW 0.6 call with client\nTB 2.3 draft motion to compel\nDMW 1.1 review lease"

    assert minutes(body) == [36, 66]


def test_a_line_that_names_the_sender_beside_another_is_the_senders_too() -> None:
    assert minutes("Dana  0.6  draft order\nDana + Ollie  2.3  call with client\nOllie  1.1  review lease") == [36, 138]


def test_a_firm_in_a_line_of_the_senders_own_is_nobody_elses_time() -> None:
    body = "Ortiz - Self - drafted order, 0.6\nSelf - Allianz - called them Friday, 0.3"

    assert minutes(body) == [36, 18]


def test_a_word_for_work_in_the_senders_place_is_nobody() -> None:
    assert minutes("Me: 0.6, call with client\nResearch: 2.3, limitation\nOllie: 1.1, review lease") == [36, 138]


def test_a_clients_name_over_lines_is_no_timekeepers_though_the_senders_stands_below_the_mail() -> None:
    body = "Ollie Marsh\n0.6 call with client\n1.1 review lease\n\nRuth Vance\n0.3 letter\n\nDana Whitfield\nPartner"

    assert minutes(body) == [36, 66, 18]
    signed = body.replace("\nPartner", "\nPS also 0.2 reviewing the lease")
    assert minutes(signed) == [36, 66, 18, 12]


def test_the_senders_initials_over_lines_are_hers_though_they_mean_something_else_too() -> None:
    cole = Address("Tom Cole", "tom@whitfieldlaw.example")
    email = replace(mail("TC\nDrafted the lease 1.0\n\nAB\nReviewed the deed 2.0", subject="time"), sender=cole)

    assert [entry.duration_minutes for entry in extract(email, Context()).entries] == [60]


def test_abbreviations_over_lines_are_nobodys_initials() -> None:
    assert minutes("DW\n0.5 call with client\n\nTC\n0.8 opposing counsel re lease") == [30, 48]
