"""Which lines of a plain text mail the sender wrote in this mail."""

from textwrap import dedent

import pytest

from shared.mail import read

WROTE = "Closed the Abernathy file, .6 with the registrar."
THEIRS = "We were at it for 3 hours on our side."


def new(body: str) -> str:
    return read(f"From: Ines Marlowe <ines@marlowe.example>\n\n{dedent(body)}".encode()).new_text()


ATTRIBUTIONS = {
    "gmail": "On Thu, Sep 3, 2026 at 5:47 PM Otto Prell <otto@prell.example> wrote:",
    "gmail wrapped": "On Thu, Sep 3, 2026 at 5:47 PM Otto Prell\n<otto@prell.example>\nwrote:",
    "gmail wrapped twice": "On Thu, Sep 3, 2026 at 5:47\nPM Otto Prell\n<otto@prell.example>\nwrote:",
    "apple": "On Sep 3, 2026, at 5:47 PM, Otto Prell <otto@prell.example> wrote:",
    "apple without address": "On 3 Sep 2026, at 17:47, Otto Prell wrote:",
    "thunderbird": "On 9/3/2026 5:47 PM, Otto Prell wrote:",
    "lotus": "Otto Prell/Prell wrote on 09/03/2026 05:47:12 PM:",
    "german": "Am 03.09.2026 um 17:47 schrieb Otto Prell <otto@prell.example>:",
    "french": "Le jeu. 3 sept. 2026 à 17:47, Otto Prell <otto@prell.example> a écrit :",
    "spanish": "El jue, 3 sept 2026 a las 17:47, Otto Prell (<otto@prell.example>) escribió:",
    "italian": "Il giorno gio 3 set 2026 alle ore 17:47 Otto Prell ha scritto:",
    "dutch": "Op do 3 sep. 2026 om 17:47 schreef Otto Prell <otto@prell.example>:",
    "portuguese": "Em qui., 3 de set. de 2026 às 17:47, Otto Prell escreveu:",
    "swedish": "Den tors 3 sep. 2026 kl 17:47 skrev Otto Prell:",
    "chinese": "Otto Prell <otto@prell.example> 于2026年9月3日周四 17:47写道：",
    "date first": "2026-09-03 17:47 GMT-04:00 Otto Prell <otto@prell.example>:",
}


@pytest.mark.parametrize("attribution", ATTRIBUTIONS.values(), ids=ATTRIBUTIONS)
def test_what_follows_an_attribution_is_not_the_senders(attribution: str) -> None:
    assert new(f"{WROTE}\n\n{attribution}\n> {THEIRS}\n") == WROTE
    assert new(f"{WROTE}\n\n{attribution}\n\n{THEIRS}\n") == WROTE


@pytest.mark.parametrize("attribution", ATTRIBUTIONS.values(), ids=ATTRIBUTIONS)
def test_an_answer_below_a_marked_quote_is_the_senders(attribution: str) -> None:
    assert new(f"{attribution}\n\n> {THEIRS}\n>\n> Otto\n\n{WROTE}\n") == WROTE


HEADERS = {
    "outlook": "From: Otto Prell <otto@prell.example>\nSent: Thursday, September 3, 2026 5:47 PM\nTo: Ines Marlowe\n"
    "Subject: RE: registrar\n",
    "outlook without addresses": "From: Otto Prell\nSent: Thursday, September 3, 2026 5:47 PM\nTo: Ines Marlowe\n"
    "Cc: Wanda Prell\nSubject: RE: registrar\n",
    "outlook in bold": "*From:* Otto Prell <otto@prell.example>\n*Sent:* Thursday, September 3, 2026 5:47 PM\n"
    "*To:* Ines Marlowe\n*Subject:* RE: registrar\n",
    "outlook with a rule": f"{'_' * 32}\nFrom: Otto Prell <otto@prell.example>\n"
    "Sent: Thursday, September 3, 2026 5:47 PM\nTo: Ines Marlowe\nSubject: RE: registrar\n",
    "outlook with folded recipients": "From: Otto Prell <otto@prell.example>\n"
    "Sent: Thursday, September 3, 2026 5:47 PM\n"
    "To: Ines Marlowe <ines@marlowe.example>; Wanda Prell <wanda@prell.example>;\n Hugo Lindt <hugo@lindt.example>\n"
    "Subject: RE: registrar\n",
    "outlook on one line": "From: Otto Prell Sent: Thursday, September 3, 2026 5:47 PM To: Ines Subject: RE: x\n",
    "outlook, plain": "-----Original Message-----\nFrom: Otto Prell\nSent: Thursday, September 3, 2026 5:47 PM\n"
    "To: Ines Marlowe\nSubject: registrar\n",
    "outlook, german": "Von: Otto Prell <otto@prell.example>\nGesendet: Donnerstag, 3. September 2026 17:47\n"
    "An: Ines Marlowe\nBetreff: AW: registrar\n",
    "outlook, french": "De : Otto Prell <otto@prell.example>\nEnvoyé : jeudi 3 septembre 2026 17:47\n"
    "À : Ines Marlowe\nObjet : RE: registrar\n",
    "outlook, spanish": "De: Otto Prell\nEnviado: jueves, 3 de septiembre de 2026 17:47\nPara: Ines Marlowe\n"
    "Asunto: RE: registrar\n",
    "gmail forward": "---------- Forwarded message ---------\nFrom: Otto Prell <otto@prell.example>\n"
    "Date: Thu, Sep 3, 2026 at 5:47 PM\nSubject: registrar\nTo: Ines Marlowe <ines@marlowe.example>\n",
    "apple forward": "Begin forwarded message:\n\nFrom: Otto Prell <otto@prell.example>\nSubject: registrar\n"
    "Date: September 3, 2026 at 5:47:40 PM EDT\nTo: Ines Marlowe <ines@marlowe.example>\n",
    "thunderbird forward": "-------- Forwarded Message --------\nSubject: registrar\n"
    "Date: Thu, 3 Sep 2026 17:47:40 -0400\n"
    "From: Otto Prell <otto@prell.example>\nTo: Ines Marlowe <ines@marlowe.example>\n",
    "lotus": "-----Otto Prell/Prell wrote: -----\nTo: Ines Marlowe\nFrom: Otto Prell/Prell\nDate: 09/03/2026 05:47PM\n"
    "Subject: registrar\n",
    "lotus forward": "----- Forwarded by Ines Marlowe/Marlowe on 09/03/2026 06:10 PM -----\n",
    "lotus columns": '09/03/2026 05:47 PM\nTo\n"Ines Marlowe" <ines@marlowe.example>\ncc\n\nSubject\nRe: registrar\n',
    "forwarded, no more": "-----Forwarded-----\n",
    "original, no more": "------ Original ------\n",
    "zoho": "---- On Thu, 03 Sep 2026 17:47:40 -0400 Otto Prell <otto@prell.example> wrote ----\n",
    "samsung": "-------- Original message --------\nFrom: Otto Prell <otto@prell.example>\n"
    "Date: 9/3/26 5:47 PM (GMT-05:00)\nTo: Ines Marlowe <ines@marlowe.example>\nSubject: registrar\n",
    "outlook without a subject": "From: Otto Prell\nSent: Thursday, September 3, 2026 5:47 PM\nTo: Ines Marlowe\n",
    "headers apart": "From: Otto Prell <otto@prell.example>\n\nSent: Thursday, September 3, 2026 5:47 PM\n\n"
    "To: Ines Marlowe\n\nSubject: RE: registrar\n",
}


@pytest.mark.parametrize("headers", HEADERS.values(), ids=HEADERS)
def test_an_earlier_mail_with_its_headers_is_not_the_senders(headers: str) -> None:
    assert new(f"{WROTE}\n\n{headers}\n{THEIRS}\n\n> On Monday I spent 2 hours.\n\nAnd then 4 hours.\n") == WROTE


def test_answers_between_quoted_lines_are_all_the_senders() -> None:
    assert (
        new(
            """\
        See below.

        On Mon, Sep 21, 2026 at 3:55 PM Wanda Prell <wanda@prell.example> wrote:
        > Was Friday 2 hours?

        No - 1.4, with the photos.
        > And Thursday, 0.5?
        .7 with the note.
        > Thanks
        """
        )
        == "See below.\nNo - 1.4, with the photos.\n.7 with the note."
    )


def test_marks_may_be_nested_or_touch_the_text() -> None:
    assert new(f"{WROTE}\n>> {THEIRS}\n> > {THEIRS}\n>{THEIRS}\n  > {THEIRS}\n") == WROTE


def test_the_end_of_a_quoted_line_that_lost_its_mark_is_still_quoted() -> None:
    body = (
        "> I spent 3 hours going through the production yesterday and still can't find\nthe 2 hours\n> of invoices.\n"
        f"\n{WROTE}\n"
    )
    assert new(body) == WROTE


@pytest.mark.parametrize(
    "quoted",
    [
        "> Was it 2 hours?",
        "> I spent 3 hours going through the production yesterday and still can't find it. Was it 2?",
    ],
)
def test_an_answer_in_lower_case_right_below_the_question_stays(quoted: str) -> None:
    assert new(f"{quoted}\nno, 1.4\n> Thanks\n") == "no, 1.4"


def test_an_attribution_does_not_reach_over_an_empty_line() -> None:
    body = f"On the phone till 2:10, .4.\n\nOtto Prell <otto@prell.example> wrote:\n> {THEIRS}\n"
    assert new(body) == "On the phone till 2:10, .4."


def test_an_attribution_under_a_separator_without_marks_quotes_the_rest() -> None:
    body = f"{WROTE}\n\n-----Original Message-----\nOn Sep 3, 2026, at 17:47, Otto wrote:\n\n{THEIRS}\n> x\n"
    assert new(body) == WROTE


def test_words_with_colons_far_apart_are_no_headers() -> None:
    body = "From: Otto Prell\n\n\nSent: 9/3/2026 5:47 PM\n\n\nSubject: the deed, .4"
    assert new(body) == body


def test_a_proton_attribution_under_its_separator_leaves_answers_readable() -> None:
    body = (
        "------- Original Message -------\n"
        "On Thursday, September 3rd, 2026 at 5:47 PM, Otto Prell <otto@prell.example> wrote:\n"
        f"\n> {THEIRS}\n\n{WROTE}\n"
    )
    assert new(body) == WROTE


def test_a_forward_whose_lines_are_marked_ends_with_the_marks() -> None:
    assert new(f"Begin forwarded message:\n\n> From: Otto Prell\n> {THEIRS}\n\n{WROTE}\n") == WROTE


@pytest.mark.parametrize(
    "body",
    [
        "On Tuesday opposing counsel wrote:\nnothing that matters. Read it all the same, .4.",
        "On the phone with Otto for .4, then:\n- revised the deed .6",
        "From: 2:10\nTo: 3:40\nDate: 9/3/2026\nAbernathy closing",
        "From: Utica\nTo: Albany\nDate: 9/3/2026\nTravel 1.5",
        "Subject: Abernathy\nTime: 1.5",
        "Date: 9/3/2026\nWork: drafted the answer, 2.1",
        "Sent: the deed, the affidavit\nTo: the registrar\n.4",
        "-----\nAbernathy .4\n-----\nKoslow .6",
        "Her original message was 3 pages; read it, .2",
        "Forwarded message to Otto with comments, .3",
        ">From the top: Abernathy .4",
        "Re: Abernathy\nTC w/ registrar: .4",
    ],
)
def test_words_that_only_resemble_a_quote_stay(body: str) -> None:
    assert new(body) == body


def test_a_mail_that_only_quotes_has_nothing_new() -> None:
    email = read(f"From: a@b.example\n\n> {THEIRS}\n".encode())
    assert email.new == ()
    assert email.body == f"> {THEIRS}"
