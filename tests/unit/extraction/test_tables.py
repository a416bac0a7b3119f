"""Rows of time, however their columns are parted."""

from datetime import UTC, datetime

import pytest

from tests.unit.extraction.mails import BOOKKEEPER, found


def minutes(body: str, subject: str = "time") -> list[float]:
    return [entry.duration_minutes for entry in found(body, subject=subject, to=BOOKKEEPER).entries]


@pytest.mark.parametrize("gap", ["\t", "     ", "\u00a0\u00a0\u00a0", " | "])
def test_a_column_of_hours_is_read_however_it_is_parted(gap: str) -> None:
    rows = [("Date", "Service", "Hrs"), ("10/6", "Arraignment, Courtroom 3", "0.6"), ("10/7", "Draft motion", "2.7")]

    assert minutes("\n".join(gap.join(row) for row in rows)) == [36, 162]


def test_rows_of_a_spreadsheet_are_lines_of_their_own() -> None:
    body = "date,matter,min,text\n2026-10-12,FEN-0024,135,draft claims 1-17\n2026-10-13,BKW-0002,24,call with inventor"

    assert minutes(body) == [135, 24]


def test_a_number_at_the_end_of_one_cell_is_no_part_of_the_next() -> None:
    body = "10/6      Conference, Courtroom 3      0.6\n10/7      Review discovery, bates 1-640      3.9"

    assert minutes(body) == [36, 234]


def test_the_matter_of_a_row_is_the_one_in_its_cell() -> None:
    body = "Harkness Holdings\tEmails to client re HSR question\t.3\nPinnacle Foods\tDraft white paper\t4.9"

    assert [entry.client_matter for entry in found(body, subject="time", to=BOOKKEEPER).entries] == [
        "Harkness Holdings",
        "Pinnacle Foods",
    ]


def rows(*lines: str) -> str:
    return "\n".join(line.replace("|", "\t") for line in lines)


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (("Task|Budget|Actual|To go", "Draft APA|12.0|15.5|0", "Review schedules|10.0|6.2|4.0"), [930, 372]),
        (("Item|Done|Still to do", "Research on liens|1.4|0.5", "Draft opinion|2.6|1.0"), [84, 156]),
        (("Task|Your est.|Actual", "Grievance hearing|4.0|6.3", "Draft statement|3.0|5.7"), [378, 342]),
        (("Workstream|Hours spent|Hours to go", "Draft letter|1.1|0", "Review privilege log|4.2|6.0"), [66, 252]),
        (("C/M No.|Task|Tenths", "40118.0002|Reviewed amendment|14", "40118.0002|Call with lender|5"), [84, 30]),
        (("Date|Task|0.1s", "10/12|Medical chronology|31", "10/13|Call to records dept|4"), [186, 24]),
        (("When|What|Elapsed", "10/12|Revised agreement|2 h 20 m", "10/13|Call w/ Boone|35 m"), [140, 35]),
        (("Task|In|Out|Tot.", "Reviewed documents|8:15|10:45|2.5", "Drafted index|9:00|12:00|3.0"), [150, 180]),
        (("Matter|Work|Hours|Rate|Amount", "Ortiz|Draft motion|1.5|450|675.00"), [90]),
        (("Task|DW|TB", "Draft objection letter|2.2|0.5", "Review survey||1.3", "Call with escrow|0.6|"), [132, 36]),
        (("Date|Work|Time (mins)", "10/12|Draft letter|45", "10/13|Review lease|30"), [45, 30]),
    ],
    ids=lambda each: each[0] if isinstance(each, tuple) else "",
)
def test_of_the_columns_of_time_the_worked_one_is_read(table: tuple[str, ...], expected: list[float]) -> None:
    assert minutes(rows(*table)) == expected


def test_a_column_for_each_day_gives_each_amount_its_day() -> None:
    week = rows(
        "Matter|Mon|Tue|Wed|Total",
        "Kestrel - review title|3.2||1.0|4.2",
        "Dunmore - draft lease||2.8||2.8",
        "Total|3.2|2.8|1.0|7.0",
    )
    entries = found(week, subject="my time", to=BOOKKEEPER).entries

    assert [(e.duration_minutes, e.date_performed.day) for e in entries] == [(192, 12), (60, 14), (168, 13)]
    assert [e.extracted_text.split(" ")[0] for e in entries] == ["Kestrel", "Kestrel", "Dunmore"]


def test_what_a_column_says_is_not_charged_is_not() -> None:
    table = rows(
        "Client|Work|Hours|Chargeable?",
        "Ortiz|Draft motion to compel|1.5|Y",
        "Ortiz|Review file for handover|0.4|N",
        "Vance|Call with adjuster|0.3|yes",
    )
    entries = found(table, subject="time", to=BOOKKEEPER).entries

    assert [(e.duration_minutes, e.billable) for e in entries] == [(90, True), (24, False), (18, True)]


def test_a_column_of_matters_names_them_and_an_empty_cell_means_the_one_above() -> None:
    table = rows(
        "Client / Matter|Work|Hours",
        "Harrow Steel / 20118-0007|Review ruling|2.3",
        "|Draft objections with Bexley's counsel|4.7",
        "Bexley Trust|Telephone conference with co-trustee|.4",
    )
    entries = found(table, subject="Harkness time", to=BOOKKEEPER).entries

    assert [e.client_matter for e in entries] == ["Harrow Steel / 20118-0007"] * 2 + ["Bexley Trust"]


def test_a_line_between_blank_ones_names_the_matter_of_the_rows_below_it() -> None:
    body = "Farrant v. Lisle\n\n0.8\tSettle consent order\t\n\nAldous (probate)\n\nDrive there and back\t\t1h10\n"
    entries = found(body, subject="slips", to=BOOKKEEPER).entries

    assert [e.client_matter for e in entries] == ["Farrant v. Lisle", "Aldous (probate)"]


def test_a_title_or_a_number_is_no_matter() -> None:
    table = rows("Workstream|Hours spent|Remarks", "Draft letter|1.1|4.2", "Review log|4.2|0.3")

    named = {e.client_matter for e in found(table, subject="time", to=BOOKKEEPER).entries}
    assert named.isdisjoint({"Workstream", "Remarks", "4.2", "0.3", "1.1"})


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (("Matter|Who|Work|Units", "Ortiz|Dana|Draft motion to compel|4", "Ortiz|Dana|Review lease|12"), [24, 72]),
        (("Matter|Work|Hrs|Mins", "Ortiz|Drafted motion|1|30", "Pelham|Call with client|2|0"), [90, 120]),
        (("Matter|Task|Hours|Done", "Ortiz|Draft motion|1|Y", "Pelham|Call with client|2|Y"), [60, 120]),
        (("Matter|Task|Hours|Spent", "Ortiz|Draft motion|2|12"), [120]),
        (("Matter|Work|Hours|Minutes", "Ortiz|Drafted lease|1.5|90"), [90]),
        (("Matter|Work|Minutes|Hours", "Ortiz|Drafted lease|30|0.5"), [30]),
        (("Ortiz|Drafted lease|2.5 hours|Done", "Vance|Reviewed deed|1.5 hours|Done"), [150, 90]),
        (("Matter|Work|Hours|Status", "Ortiz|Drafted lease|2.5|Done", "Vance|Reviewed deed|1.5|Open"), [150, 90]),
        (("1|Ortiz|Drafted board minutes|1.5 hours", "2|Vance|Reviewed deed|2.5 hours"), [90, 150]),
        (("Matter|Mon|Tue|Wed", "Ortiz, drafted board minutes|3|2|4"), [180, 120, 240]),
        (("Dana|Ortiz|Draft motion to compel|1.2", "Dana|Vance|Review lease|0.4"), [72, 24]),
        (("Matter|Who|Work|Units", "Ortiz|Dana|Draft motion|", "Vance|Dana|Review the lease|12"), [72]),
        (("Matter|Work|Budget|Actual", "Ortiz|Draft motion|2.5|1.5", "Pelham|Review lease|3.0|"), [90]),
    ],
    ids=[
        "a person's cell",
        "hours and minutes",
        "a tick",
        "money",
        "the same in both units",
        "the same, minutes first",
        "a status",
        "a status under a heading",
        "a number of the row",
        "minutes that are a document",
        "the sender's name in a row",
        "the sender's name in a row without time",
        "none worked",
    ],
)
def test_other_columns_are_not_taken_for_the_one_of_time(table: tuple[str, ...], expected: list[float]) -> None:
    assert minutes(rows(*table)) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("Bob, done, thanks.\nDrafted the reply, 1.5 hours, and called Ortiz, 0.3 hours.", [90, 18]),
        ("Bob - see time; done; filed\nOrtiz draft reply 1.5; Pelham lease 0.4; Vance letter 0.6", [90, 24, 36]),
        ("reviewed pelham lease 1.2\nminutes of board meeting drafted 0.4", [72, 24]),
        ("ortiz call 0.5\nhalf an hour on pelham lease", [30, 30]),
    ],
)
def test_prose_and_lines_of_time_are_no_table_and_no_wrapped_paragraph(body: str, expected: list[float]) -> None:
    assert minutes(body) == expected


def test_an_item_below_a_heading_is_not_joined_to_it() -> None:
    body = "Pelham lease\nto drafting letter 0.5\nto calling client 0.3\n\nOrtiz trust\nto drafting deed 1.5"
    entries = found(body, subject="time", to=BOOKKEEPER).entries

    assert [e.client_matter for e in entries] == ["Pelham lease", "Pelham lease", "Ortiz trust"]


def test_a_weeks_days_are_of_one_week_and_a_matter_is_no_sum() -> None:
    table = rows("Matter|Mon|Tue|Wed", "Ortiz - draft motion|1.5||", "All Saints v Orr - review lease||0.4|0.6")
    entries = found(
        f"Last week:\n\n{table}", subject="my time", to=BOOKKEEPER, sent=datetime(2026, 10, 19, 9, tzinfo=UTC)
    ).entries

    assert [(e.duration_minutes, e.date_performed.day) for e in entries] == [(90, 12), (24, 13), (36, 14)]


@pytest.mark.parametrize(
    ("title", "cell", "billable"),
    [
        ("Billable", "x", True),
        ("Billable?", "N", False),
        ("Charge?", "N", False),
        ("N/C", "x", False),
        ("Non-billable", "n/a", True),
        ("Written off", "0.5", True),
        ("N/C", "1.5", False),
        ("Billed", "0.0", False),
    ],
)
def test_a_row_is_charged_unless_its_cell_says_otherwise(title: str, cell: str, *, billable: bool) -> None:
    table = rows(f"Client|Work|Hours|{title}", f"Ortiz|Draft motion to compel|1.5|{cell}")
    (entry,) = found(table, subject="time", to=BOOKKEEPER).entries

    assert entry.billable is billable


@pytest.mark.parametrize(("cell", "expected"), [('"', "Ortiz"), ("ditto", "Ortiz"), ("", "Ortiz"), ("Vance", "Vance")])
def test_a_cell_that_says_the_same_means_the_matter_above(cell: str, expected: str) -> None:
    table = rows("Client|Work|Hours", "Ortiz|Draft motion|1.5", f"{cell}|Review the lease|0.4")

    assert found(table, subject="time", to=BOOKKEEPER).entries[1].client_matter == expected


def test_a_cell_that_says_none_is_no_matter() -> None:
    table = rows("Client|Work|Hours", "Ortiz|Draft motion|1.5", "--|Review the lease|0.4")

    assert found(table, subject="time", to=BOOKKEEPER).entries[1].client_matter != "--"


def test_a_client_called_like_a_title_keeps_its_name_outside_tables() -> None:
    body = "Target: drafted supply agreement 1.2\nOrtiz: call with client 0.3"

    assert [e.client_matter for e in found(body, subject="time", to=BOOKKEEPER).entries] == ["Target", "Ortiz"]


def test_the_line_for_the_bill_is_the_cell_that_tells_the_work() -> None:
    table = rows("Client|Task|Hours|Done|Rate", "Ortiz|Draft motion to compel|1.5|Y|450")

    assert found(table, subject="time", to=BOOKKEEPER).entries[0].description == "Draft motion to compel"


def test_a_total_of_several_peoples_rows_is_nobodys_time() -> None:
    table = rows(
        "TKPR|Time|Description", "|6.1|Total fees", "DW|1.2|Attend conference by Zoom", "BM|3.4|Research Daubert",
        "DW|0.6|Review memo", "BM|0.9|Emails with vendor",
    )  # fmt: skip

    assert minutes(table) == [72, 36]


@pytest.mark.parametrize(
    ("said", "expected"),
    [("Units in the left column.", [48, 18, 90]), ("Minutes, not tenths!", [8, 3, 15]), ("In tenths.", [48, 18, 90])],
)
def test_whole_numbers_without_a_title_are_of_the_unit_that_the_mail_names(said: str, expected: list[float]) -> None:
    table = rows("8|Drafting notice of opposition", "3|Tel. client re security", "15|Perusal of founding affidavit")

    assert minutes(f"{said}\n\n{table}") == expected


def test_a_whole_number_beside_a_stated_amount_is_not_of_the_unit_that_the_mail_names() -> None:
    table = rows("1|Ortiz|Drafted lease|1.5 hours", "2|Vance|Reviewed deed|2.5 hours")

    assert minutes(f"Our new bills are in units.\n\n{table}") == [90, 150]


def test_whole_numbers_under_a_person_are_of_the_unit_that_the_mail_names() -> None:
    table = rows("Karaka, 6 March|LB|DW", "Drafted application|4|18", "Read the affidavit|0|13")

    assert minutes(f"All in units please.\n\n{table}") == [108, 78]


@pytest.mark.parametrize(
    ("titles", "cells", "days"),
    [
        ("Sun|Mon|Tue|Wed", "1.0|2.0||", [11, 12]),
        ("Mon|Tue|Wed|Thu", "1.0|||2.0", [5, 8]),
        ("Mon|Tue|Wed|Thu", "1.0||2.0|", [12, 14]),
    ],
    ids=["from Sunday", "time under a day to come", "this week"],
)
def test_no_day_of_a_week_is_to_come(titles: str, cells: str, days: list[int]) -> None:
    table = rows(f"Matter|{titles}", f"Ortiz - draft motion|{cells}")

    assert [e.date_performed.day for e in found(table, subject="my time", to=BOOKKEEPER).entries] == days
