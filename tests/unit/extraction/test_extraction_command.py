import json
import subprocess
import sys
from email.message import EmailMessage
from typing import Any


def message(body: str, subject: str = "where we are") -> str:
    email = EmailMessage()
    email["From"] = "Dana Whitfield <dana@whitfieldlaw.example>"
    email["To"] = "Raymond Ortiz <r.ortiz@mailbox.example>"
    email["Subject"] = subject
    email["Date"] = "Wed, 14 Oct 2026 18:00:00 -0400"
    email.set_content(body)
    return email.as_string()


def run(*lines: str) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "shared.extraction"], input="\n".join(lines), capture_output=True, text=True, check=True
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_each_line_is_answered_in_order_with_the_fields_of_the_contract() -> None:
    first, second = run(
        json.dumps({"id": "a", "raw": message("I spent 1.4 hours on the reply brief.")}),
        json.dumps({"id": "b", "raw": message("See you at the hearing.")}),
    )

    assert first == {
        "id": "a",
        "entries": [
            {
                "duration_minutes": 84.0,
                "entry_type": "drafting",
                "date_performed": "2026-10-14",
                "client_matter": "Ortiz",
                "billable": True,
                "confidence_score": first["entries"][0]["confidence_score"],
                "extracted_text": "I spent 1.4 hours on the reply brief.",
                "description": "The reply brief",
            }
        ],
    }
    assert second == {"id": "b", "entries": []}


def test_a_broken_line_is_answered_with_an_error_and_the_next_one_as_ever() -> None:
    answers = run(
        "{", json.dumps({"id": "x"}), json.dumps({"id": "y", "raw": 3}), json.dumps({"id": "z", "raw": message("Hi")})
    )

    assert [answer["entries"] for answer in answers] == [[], [], [], []]
    assert ["error" in answer for answer in answers] == [True, True, True, False]
    assert [answer["id"] for answer in answers] == [None, "x", "y", "z"]


def test_work_that_is_not_charged_comes_out_as_not_billable() -> None:
    (answer,) = run(json.dumps({"id": "a", "raw": message("I spent an hour on the lease, no charge.")}))

    assert [entry["billable"] for entry in answer["entries"]] == [False]


def test_an_answer_comes_as_soon_as_its_line_is_in() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "shared.extraction"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(json.dumps({"id": "a", "raw": message("Hello")}) + "\n")
        process.stdin.flush()

        assert json.loads(process.stdout.readline())["id"] == "a"
        process.stdin.close()
