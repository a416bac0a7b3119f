"""Answers that were written into the mail below: in a colour, or after the sender's initials."""

import pytest

from shared.mail import read

ASKED = "Did you attend on Friday?"
ANSWER = "Yes, 1.8 hours with the surveyor."
HEADERS = (
    "<div style='border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0in 0in 0in'><p><b>From:</b> Otto Prell<br>"
    "<b>Sent:</b> Thursday, September 3, 2026 5:47 PM<br><b>To:</b> Ines<br><b>Subject:</b> x</p></div>"
)


def new(html: str) -> list[str]:
    raw = f"From: Ines Rae Marlowe <i@m.example>\nContent-Type: text/html; charset=utf-8\n\n{html}".encode()
    return [line for line in read(raw).new_text().splitlines() if line]


@pytest.mark.parametrize(
    ("announced", "colour"),
    [
        ("See my answers below in red.", "red"),
        ("My responses are in bold red", "#C00000"),
        ("Comments inline in blue", "rgb(0, 112, 192)"),
        ("I've replied in green below", "#00B050"),
        ("notes in purple", "purple"),
        ("please see the answers below in Red", "red"),
        ("My time is below in red", "red"),
    ],
)
def test_answers_in_the_colour_that_was_announced_are_the_senders(announced: str, colour: str) -> None:
    quoted = f"<p>{ASKED}</p><p><span style='color:{colour}'>{ANSWER}</span></p><p>And 3 hours on Monday?</p>"
    assert new(f"<p>{announced}</p>{HEADERS}{quoted}") == [announced, ANSWER]


def test_an_answer_in_the_line_of_its_question_is_parted_from_it() -> None:
    after = f"<p>{ASKED} <span style='color:#FF0000'>Yes, <b>1.8 hours</b> with the surveyor.</span></p>"
    before = f"<p><font color='red'>{ANSWER}</font> {ASKED}</p>"
    assert new(f"<p>Answers in red.</p>{HEADERS}{after}{before}") == ["Answers in red.", ANSWER, ANSWER]


@pytest.mark.parametrize(
    ("announced", "colour"),
    [
        ("See below.", "red"),
        ("My answers in blue.", "red"),
        ("The house in red is theirs.", "red"),
        ("My answers are below in blue.", "#1F497D"),
        ("My answers are below in red.", "#333333"),
    ],
    ids=["none announced", "another", "of something else", "what programs give replies", "a grey"],
)
def test_other_colours_are_the_quotes_own(announced: str, colour: str) -> None:
    quoted = f"<p>{ASKED}</p><p><span style='color:{colour}'>{ANSWER}</span></p>"
    assert new(f"<p>{announced}</p>{HEADERS}{quoted}") == [announced]


@pytest.mark.parametrize("tag", ["[IRM: ", "[im - ", "(Ines: "])
def test_answers_after_the_senders_initials_are_the_senders_where_she_points_to_them(tag: str) -> None:
    answer = f"{tag}{ANSWER}{')' if tag[0] == '(' else ']'}"
    assert new(f"<p>See inline.</p>{HEADERS}<p>{ASKED}</p><p>{answer}</p><p>[OP: 3 hours]</p>") == [
        "See inline.",
        answer,
    ]
    assert new(f"<p>Thanks.</p>{HEADERS}<p>{ASKED}</p><p>{answer}</p>") == ["Thanks."]


@pytest.mark.parametrize(
    "announced",
    [
        "Carl's comments are below in red.",
        "I read Bob's two comments in red, thanks.",
        "Your answers in red are noted.",
        "I read the reply in Red v. Orr today.",
        "I will send my answers in red later.",
    ],
)
def test_a_colour_that_somebody_else_answered_in_is_the_quotes(announced: str) -> None:
    assert new(f"<p>{announced}</p>{HEADERS}<p style='color:red'>{ANSWER}</p>") == [announced]


def test_what_was_answered_in_the_mail_before_is_no_answer_now() -> None:
    older = f"<p>[IM: {ANSWER}]</p><p style='color:red'>{ANSWER}</p>"
    said = "See my answers below in red."
    assert new(f"<p>{said}</p>{HEADERS}<p>{ASKED}</p>{HEADERS}{older}") == [said]
    assert new(f"<p>Thanks, your summary below is right.</p>{HEADERS}<p>[IM: {ANSWER}]</p>") == [
        "Thanks, your summary below is right."
    ]


def test_an_answer_whose_bracket_is_never_closed_ends_with_its_line() -> None:
    quoted = f"<p>{ASKED} [IM: yes, 1.8 hours</p><p>I was 3 hours on it.</p>"
    assert new(f"<p>See inline.</p>{HEADERS}{quoted}") == ["See inline.", "[IM: yes, 1.8 hours"]


def test_the_line_over_the_headers_and_they_begin_one_mail() -> None:
    raw = (
        "From: Ines Marlowe <i@m.example>\n\nSee inline.\n\n-----Original Message-----\nFrom: Otto Prell\n"
        f"Sent: Thursday\nTo: Ines\nSubject: x\n\n{ASKED} [IM: {ANSWER}]\n"
    )
    assert f"[IM: {ANSWER}]" in read(raw.encode()).new_text()


def test_the_mail_before_begins_with_headers_not_with_a_line_that_says_from() -> None:
    said = "My comments below in capitals."
    answer = "YES, 1.8 HOURS IN COURT"
    line = f"<p>From: 9 to 11 you were in court</p><p>{answer}</p>"
    older = (
        f"<p>a</p><p>b</p><p>c</p><p>-----Original Message-----</p><p>From: Carl</p><p>Sent: Monday</p><p>{answer}</p>"
    )
    assert new(f"<p>{said}</p>{HEADERS}<p>Hi</p>{line}") == [said, answer]
    assert new(f"<p>{said}</p><p>On Thu, 3 Sep 2026, Otto wrote:</p><p>Hi</p>{older}") == [said]


@pytest.mark.parametrize("answer", ["IT TOOK ME 1.3 HOURS ON MONDAY.", "YES, 1.3 HOURS"])
def test_answers_in_capitals_are_the_senders_where_she_says_so(answer: str) -> None:
    said = "My answers are in caps below."
    assert new(f"<p>{said}</p>{HEADERS}<p>{ASKED} {answer}</p><p>{answer}</p>") == [said, answer, answer]
    assert new(f"<p>See below.</p>{HEADERS}<p>{ASKED} {answer}</p>") == ["See below."]


def test_an_answer_in_brackets_may_be_wrapped_and_stand_in_the_line_of_its_question() -> None:
    raw = (
        'From: "Marlowe, Ines" <i@m.example>\n\nSee inline.\n\n'
        "From: Otto Prell\nSent: Thursday\nTo: Ines\nSubject: x\n\n"
        "And their time? [IM: I was there, and it took\nme 1.8 hours in all] Thanks.\n"
    )
    told = [line for line in read(raw.encode()).new_text().splitlines() if line]
    assert told == ["See inline.", "[IM: I was there, and it took me 1.8 hours in all]"]


def test_the_html_is_read_where_plain_text_has_lost_the_colour() -> None:
    plain = (
        f"See my answers below in red.\n\nFrom: Otto Prell\nSent: Thursday\nTo: Ines\nSubject: x\n\n{ASKED}\n{ANSWER}\n"
    )
    rich = f"<p>See my answers below in red.</p>{HEADERS}<p>{ASKED}</p><p style='color:red'>{ANSWER}</p>"
    raw = (
        "From: Ines <i@m.example>\nContent-Type: multipart/alternative; boundary=b\n\n"
        f"--b\nContent-Type: text/plain\n\n{plain}\n--b\nContent-Type: text/html\n\n{rich}\n--b--\n"
    )
    assert ANSWER in read(raw.encode()).new_text()


def test_the_html_is_read_where_plain_text_has_lost_the_rows_of_a_table() -> None:
    rows = [("Matter", "Narrative", "Hours"), ("Abernathy", "Reviewed the lease", "1.2"), ("Koslow", "Call", ".4")]
    cells = "\n".join(cell for row in rows for cell in row)
    table = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    filling = "Please enter these for me before the month closes, and tell me if the numbers look odd. " * 6

    def body(plain: str) -> str:
        raw = (
            "From: Ines <i@m.example>\nContent-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain"
            f"\n\n{filling}\n{plain}\n--b\nContent-Type: text/html\n\n<p>{filling}</p><table>{table}</table>\n--b--\n"
        )
        return read(raw.encode()).body

    assert "Abernathy\tReviewed the lease\t1.2" in body(cells)
    assert "Abernathy Reviewed the lease 1.2" in body("\n".join(map(" ".join, rows)))
