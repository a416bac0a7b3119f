"""Signatures and disclaimers go; time that is written in, above or below them stays."""

from textwrap import dedent

import pytest

from shared.mail import read

WROTE = "Closed the Abernathy file, .6 with the registrar."


def new(body: str, sender: str = "Ines Marlowe <ines@marlowe.example>") -> str:
    return read(f"From: {sender}\n\n{dedent(body)}".encode()).new_text()


SIGNATURES = {
    "delimiter": "-- \nInes Marlowe | Marlowe & Koslow LLP\nOffice hours Mon-Fri 8:30-5:30. First 20 minutes free.",
    "delimiter without its space": "--\nInes Marlowe\n24 hour answering service",
    "block under the name": "Ines Marlowe\nMarlowe & Koslow LLP\n40 Pier Road, Suite 9, Duluth\n(218) 555-0199",
    "block with a tag line": "Ines Marlowe\nMarlowe & Koslow LLP\n218-555-0199 | Mon-Fri 8:30 to 5:30\n"
    "24 hour answering service. Consultations 30 min. by appointment.",
    "one line": "Ines Marlowe, Marlowe & Koslow LLP",
    "name with a title": "Ines Marlowe, Esq.\nAttorneys at Law\nT: +1 218 555 0199",
    "name with a middle initial": "Ines T. Marlowe\nPartner\n218.555.0199",
    "without a name": "Marlowe & Koslow LLP\n40 Pier Road, Suite 9\nDuluth, MN 55802\nwww.marlowe.example",
    "under a rule": "________________\nInes Marlowe\nMarlowe & Koslow LLP\n218-555-0199",
    "telephone": "Sent from my iPhone",
    "telephone, another": "Sent from my Verizon, Samsung Galaxy smartphone",
    "outlook on a telephone": "Get Outlook for iOS<https://aka.example/o0ukef>",
    "telephone, german": "Von meinem iPhone gesendet",
    "telephone, french": "Envoyé de mon iPhone",
    "excuse": "Sent via BlackBerry. Please excuse typos.",
    "notice": "CONFIDENTIALITY NOTICE: This message may be privileged. If you received it in error, please delete it "
    "within 24 hours and call us.",
    "wrapped notice": "This e-mail and any attachment may be privileged. If you are not the\nintended "
    "recipient, destroy it\nand notify the sender within 24 hours at (218) 555-0199.",
    "billing note in a notice": "Please note: reading and answering e-mail is billed in increments of 1/10 hour (6 "
    "minutes). This e-mail may be privileged. If you are not the intended recipient, destroy it.",
    "advertising": "Attorney Advertising. Prior results do not guarantee a similar outcome in 24 hours.",
    "three phrases and a time": "This e-mail is intended only for the addressee and may be privileged. Recorded "
    "messages last 10 minutes.",
    "english firm": "Marlowe Koslow is a limited liability partnership registered in England and is authorised and "
    "regulated by the SRA. We do not accept service by e-mail.",
}


@pytest.mark.parametrize("signature", SIGNATURES.values(), ids=SIGNATURES)
def test_a_signature_is_not_what_the_sender_wrote(signature: str) -> None:
    assert new(f"{WROTE}\n\n{signature}\n") == WROTE


@pytest.mark.parametrize("signature", SIGNATURES.values(), ids=SIGNATURES)
def test_a_signature_above_a_quote_goes_too(signature: str) -> None:
    assert new(f"{WROTE}\n\n{signature}\n\n> Was it 3 hours?\n") == WROTE


@pytest.mark.parametrize("signature", SIGNATURES.values(), ids=SIGNATURES)
@pytest.mark.parametrize(
    "after",
    [
        "P.S. I also spent .3 on the Koslow call.",
        "PS - Koslow call .3",
        "I forgot: 20 minutes with the clerk.",
        "Koslow .3 call",
    ],
)
def test_time_written_below_a_signature_stays(signature: str, after: str) -> None:
    assert new(f"{WROTE}\n\n{signature}\n\n{after}\n") == f"{WROTE}\n{after}"


@pytest.mark.parametrize(
    "body",
    [
        "Thanks,\nI\nInes .3 call",
        "Thanks,\nInes\n\nInes Marlowe .3 call with Koslow LLP",
        "Ines Marlowe\n9/2 Koslow TC .4\n9/2 Abernathy LLC rev 1.2",
        "Ines Marlowe\nMarlowe LLP\nKoslow TC .4",
        "Met at Koslow Plumbing LLC, 40 Pier Road, Suite 9: 1.2",
        "Time below.\n--\nKoslow\n  TC w/ client .4\n  rev depo 1.2\nAbernathy\n  draft 2.0",
        "Called (218) 555-0199 twice, .2",
        "Sent with the mail to Karen, .4",
        "Sent from the courthouse at 5:30, took an hour with the mail",
        "I spent 1.2 on whether the memo is privileged and confidential; it was sent to us in error, so delete it.",
        "Please note: .4 for the privileged and confidential memo.",
        "Notice of claim, 2.1\nConfidentiality agreement, .6",
        "Drafted the confidentiality notice, which may be privileged: 1.1",
        "____\nKoslow .4",
        "Ines Marlowe will be in Albany. Koslow LLP pays.",
    ],
)
def test_time_sheets_and_prose_that_resemble_a_signature_stay(body: str) -> None:
    assert new(body) == body


def test_lines_of_dashes_between_entries_lose_no_entry() -> None:
    assert new("Koslow .4\n\n--\n\nAbernathy .6\n\n--\n\nWanda, .2").split("\n") == [
        "Koslow .4",
        "Abernathy .6",
        "Wanda, .2",
    ]


def test_a_line_of_time_in_a_signature_stays_alone() -> None:
    body = f"{WROTE}\n\n-- \nInes Marlowe\n(218) 555-0199\nKoslow call .3\nMarlowe LLP\n"
    assert new(body) == f"{WROTE}\nKoslow call .3"


@pytest.mark.parametrize("sender", ['"Marlowe, Ines" <i@m.example>', "INES MARLOWE <i@m.example>", "Ines Marlowe"])
def test_the_senders_name_is_known_in_other_spellings(sender: str) -> None:
    assert new(f"{WROTE}\n\nInes Marlowe\nDuluth, MN 55802\n", sender) == WROTE


def test_an_answer_below_a_quote_is_read_though_a_signature_stood_above_it() -> None:
    assert new("-- \nInes\n\n> Was it 2 hours?\n\nYes, with the drive\n") == "Yes, with the drive"
