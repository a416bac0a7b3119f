"""Which client or matter an entry is for."""

from uuid import uuid4

import pytest

from shared.extraction import Context, extract
from shared.extraction.attribution.names import is_everyday
from shared.extraction.attribution.naming import Naming, Places
from shared.mail import Address
from shared.models import Matter
from tests.unit.extraction.mails import BOOKKEEPER, COLLEAGUE, found, mail

EXPERT = Address("Nils Aa", "nils@surveyors.example")


def names(body: str, *, subject: str = "time", to: Address = BOOKKEEPER) -> list[str | None]:
    return [entry.client_matter for entry in found(body, subject=subject, to=to).entries]


def test_a_time_line_is_for_the_matter_it_begins_with() -> None:
    assert names("Ortiz - TC w/ client re offer .4\nHollis - rev. inventory 1.2") == ["Ortiz", "Hollis"]


def test_lines_under_a_heading_are_for_the_matter_it_names() -> None:
    body = (
        "Halvorsen dissolution\n  0.3 t/c opposing counsel\n  1.7 revise stipulation\n\nTollefson\n  1.1 attend hearing"
    )

    assert [(name or "").split()[0] for name in names(body)] == ["Halvorsen", "Halvorsen", "Tollefson"]


def test_prose_to_a_colleague_is_for_the_matter_of_the_subject() -> None:
    assert names(
        "I spent two hours drafting the reply today.", subject="Kestrel - disclosure schedules", to=COLLEAGUE
    ) == ["Kestrel"]


def test_a_question_in_small_letters_names_no_matter() -> None:
    assert names("joanne kept me on the phone 55 minutes.", subject="lunch?", to=COLLEAGUE) != ["lunch?"]


def test_a_directory_of_matters_goes_before_any_guess() -> None:
    matter = Matter(id=uuid4(), client="Kestrel Foods Ltd", matter="Lease", aliases=("disclosure schedules",))
    email = mail("I spent two hours drafting the reply today.", subject="Kestrel - disclosure schedules", to=COLLEAGUE)

    (entry,) = extract(email, Context(matters=(matter,))).entries

    assert (entry.client_matter, entry.matter_id) == ("Kestrel Foods Ltd / Lease", matter.id)


@pytest.mark.parametrize(
    ("word", "everyday"),
    [("Should", True), ("Nineteen", True), ("Debt", True), ("Garside", False), ("Ivey", False), ("Naas", False)],
)
def test_a_word_that_people_write_small_is_no_name_for_its_capital(word: str, everyday: bool) -> None:
    assert is_everyday(word) is everyday


@pytest.mark.parametrize(
    ("subject", "body", "name"),
    [
        (
            "Typing error on the Scott fee sheet",
            "I forgot his wife, so it was an hour and ten minutes on Tuesday.",
            "Scott",
        ),
        ("Fee petition - Pettigrew", "I met with the mother at her church yesterday for two hours.", "Pettigrew"),
        (
            "hours, year to date",
            "Nineteen hours is what I put into the Abubakar brief, finished yesterday.",
            "Abubakar",
        ),
    ],
)
def test_a_capital_that_begins_a_subject_or_a_sentence_names_nobody(subject: str, body: str, name: str) -> None:
    assert names(body, subject=subject, to=COLLEAGUE) == [name]


@pytest.mark.parametrize(
    ("subject", "body", "name"),
    [
        ("hearings", "I was stuck in Dept 6 this morning, 50 minutes of it on Ostrander.", "Ostrander"),
        ("today", "I spent forty minutes on the phone with Dr. Voss about the Gilliam file.", "Gilliam"),
        ("Medicaid", "I spent an hour with the caseworker from Medicaid on the Coombs matter.", "Coombs"),
        ("Thursday", "I spoke to the clerk at Grandview for 20 minutes on Sykes.", "Sykes"),
    ],
)
def test_the_words_beside_a_name_tell_a_matter_from_a_place_a_doctor_and_an_office(
    subject: str, body: str, name: str
) -> None:
    assert names(body, subject=subject, to=COLLEAGUE) == [name]


@pytest.mark.parametrize(
    ("text", "name", "signs"),
    [
        ("I drove to Roanoke.", "Roanoke", {"after 'to'", "before '.'"}),
        ("Heard in Dept 6 today.", "Dept", {"after 'in'", "before '#'"}),
        ("Read the Gilliam file.", "Gilliam", {"after 'the'", "before 'file'"}),
        ("Ostrander's lease", "Ostrander", {'before "\'s"'}),
    ],
)
def test_what_stands_beside_a_name_is_a_sign(text: str, name: str, signs: set[str]) -> None:
    seen = Naming(mail(text)).candidates(Places(text, text, text, None, "", terse=False))[name]

    assert {sign for sign in seen if sign.startswith(("after ", "before ")) and " & " not in sign} == signs


def test_a_case_is_named_whole() -> None:
    body = "On Thursday I read the bank's certificates for an hour and a half."

    assert names(body, subject="Fee petition, In re Estate of Tull", to=COLLEAGUE) == ["In re Estate of Tull"]


@pytest.mark.parametrize("count", [1, 400])
def test_a_mail_full_of_names_still_has_one_for_each_entry(count: int) -> None:
    body = "I spent an hour drafting the letter to " + ", ".join(f"Name{n} Person{n}" for n in range(count)) + "."

    assert len(names(body, to=EXPERT)) == 1
