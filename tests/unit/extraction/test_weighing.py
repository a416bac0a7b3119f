"""What signs weigh, and where weighing ends."""

import hashlib
import json
import math
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from shared.extraction import weighing
from shared.extraction.confidence import confidence
from shared.extraction.context.among import Standing, among
from shared.extraction.context.lawyerly import lawyerly_signs
from shared.extraction.context.verdict import Verdict
from shared.extraction.durations import Amount, Form
from shared.extraction.encoder.hearing import Heard
from shared.extraction.weighing import (
    Weights,
    free_by,
    keeps_time,
    likeliest_day,
    likeliest_kind,
    likeliest_name,
    total_of_work,
    weighed,
    with_heard,
)
from shared.models import EntryType
from tests.unit.extraction.mails import BOOKKEEPER, found

FILES = Path(weighing.__file__).parent / "weights"
WEIGHTS = Weights(0.0, {"spent": 2.0, "will": -3.0, "today": 0.5})


def test_a_sign_that_no_mail_showed_weighs_nothing() -> None:
    assert WEIGHTS.chance(["never seen"]) == 0.5
    assert WEIGHTS.chance(["spent", "never seen"]) == WEIGHTS.chance(["spent"])


def test_the_signs_that_told_most_are_named() -> None:
    assert WEIGHTS.telling(["will", "today", "spent"], speak_for=True) == ("spent", "today")
    assert WEIGHTS.telling(["will", "today", "spent"], speak_for=False) == ("will",)


def test_odds_without_bounds_are_still_chances() -> None:
    assert 0 < Weights(-1e9, {}).chance([]) < 1e-9
    assert 1 - 1e-9 < Weights(1e9, {}).chance([]) < 1


def test_a_judgement_is_turned_round_where_the_chance_says_so_and_keeps_the_rules_name() -> None:
    refused = Verdict.refusal(0.9, "<plan> <t>", "planned, not done")

    turned = weighed(refused, frozenset(), chance=0.8, enough=0.5)

    assert turned.done
    assert turned.sure == 0.8
    assert turned.marks[-1] == "<plan> <t>"


def test_a_judgement_that_the_chance_shares_keeps_its_reason() -> None:
    refused = Verdict.refusal(0.9, "<plan> <t>", "planned, not done")

    kept = weighed(refused, frozenset(), chance=0.2, enough=0.5)

    assert (kept.rule, kept.reason, kept.sure) == ("<plan> <t>", "planned, not done", 0.8)


def test_more_is_asked_where_enough_is_more() -> None:
    refused = Verdict.refusal(0.9, "<t>", "nothing says that it was work done")

    assert weighed(refused, frozenset(), chance=0.6, enough=0.5).done
    assert not weighed(refused, frozenset(), chance=0.6, enough=0.75).done


@pytest.mark.parametrize(
    ("chances", "keeps"), [([], False), ([0.89], False), ([0.9], True), ([0.7], False), ([0.7, 0.7], True)]
)
def test_a_mail_keeps_time_if_one_amount_is_beyond_doubt_or_two_are_likely(chances: list[float], keeps: bool) -> None:
    assert keeps_time(chances) is keeps


def standing(place: int, minutes: float = 30) -> Standing:
    return Standing(block=0, passage=place, sentence=place, form="bare", minutes=minutes, legal=True)


def test_each_amount_hears_what_the_others_of_its_list_say() -> None:
    lines = [standing(place) for place in range(3)]

    first, unsure, last = among(lines, [4.0, -0.5, 4.0])

    assert "its list: 4 of 5" in unsure
    assert {"before it: none", "after it: hardly", "its list: 3 of 5"} <= first
    assert {"before it: hardly", "after it: none"} <= last


def test_an_amount_by_itself_hears_nothing() -> None:
    (alone,) = among([standing(0)], [3.0])

    assert {"before it: none", "after it: none", "the best other: none", "its list: none", "amounts: 1"} <= alone


def test_what_is_somebody_elses_by_its_initials_says_nothing_of_the_senders_beside_it() -> None:
    own = [standing(0), standing(2)]

    with_others = among([own[0], replace(standing(1), elses=True), own[1]], [4.0, -9.0, 0.5])

    assert [with_others[0], with_others[2]] == among(own, [4.0, 0.5])
    assert with_others[1] == frozenset()


def test_a_line_that_says_little_is_work_among_lines_of_work_and_not_among_others() -> None:
    lines = [standing(place, minutes=10 * place + 6) for place in range(4)]

    with_work, with_plans = (among(lines, [4.0, 4.0, 0.0, 4.0])[2], among(lines, [-4.0, -4.0, 0.0, -4.0])[2])

    assert total_of_work(0.0, with_work) > 0 > total_of_work(0.0, with_plans)


def says(work: float = 0.0, kind: EntryType = EntryType.CALL, free: float = 0.0) -> Heard:
    return Heard(work, {each: 6.0 if each is kind else -6.0 for each in EntryType}, free)


def test_what_is_heard_of_a_mail_settles_what_its_signs_leave_open() -> None:
    signs, others = (lawyerly_signs(tuple("abcdefghijkl"), odds) for odds in (2.0, -2.0))

    assert with_heard(0.4, None, signs) == 0.4
    assert with_heard(0.0, says(work=5.0), signs) > 0 > with_heard(0.0, says(work=-5.0), signs)
    assert with_heard(2.0, says(), signs) > with_heard(-2.0, says(), signs)
    assert with_heard(2.0, says(), signs) > with_heard(2.0, says(), others)


def test_a_decision_that_the_ear_turned_says_so() -> None:
    refused = Verdict.refusal(0.9, "<t>", "nothing says that it was work done")

    for chance in (0.8, 0.2):
        assert weighed(refused, frozenset(), chance=chance, enough=0.5, by_ear=True).marks[0] == (
            "heard in the mail's words"
        )
        assert "heard in the mail's words" not in weighed(refused, frozenset(), chance=chance, enough=0.5).marks


def test_type_and_charge_go_by_what_is_heard_where_no_sign_tells() -> None:
    assert likeliest_kind(frozenset(), says(kind=EntryType.TRAVEL))[0] is EntryType.TRAVEL
    assert likeliest_kind(frozenset(), says(kind=EntryType.RESEARCH))[0] is EntryType.RESEARCH
    assert free_by(frozenset(), says(free=9.0)) is not None
    assert free_by(frozenset(), says(free=-9.0)) is None


def test_the_likeliest_name_is_given_unless_none_is_likely() -> None:
    assert likeliest_name({}) is None
    weights = json.loads((FILES / "name.json").read_text(encoding="utf-8"))["weights"]
    against = frozenset(sorted(weights, key=weights.get)[:9])

    assert likeliest_name({"Nobody": against}) is None
    assert likeliest_name({"Nobody": against, "Ortiz": frozenset(sorted(weights, key=weights.get)[-9:])}) == "Ortiz"


def test_of_days_without_a_sign_the_later_one_is_taken() -> None:
    assert likeliest_day({date(2026, 10, 12): frozenset(), date(2026, 10, 14): frozenset()}) == date(2026, 10, 14)


def test_every_weight_is_a_number_that_can_be_summed() -> None:
    files = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in FILES.glob("*.json")}

    kinds, heard = files.pop("kind"), files.pop("heard")
    assert set(files) == {"work", "among", "name", "day", "free", "lawyer"}
    assert set(kinds) == set(EntryType)
    assert heard.pop("encoder")
    assert set(heard) == {"work", "kind", "free"}
    for each in (*files.values(), *kinds.values(), *heard.values()):
        assert math.isfinite(each["bias"])
        assert all(math.isfinite(weight) and weight for weight in each["weights"].values())


def test_the_encoder_whose_word_was_weighed_is_the_one_that_is_asked() -> None:
    told = json.loads((FILES / "heard.json").read_text(encoding="utf-8"))["encoder"]

    assert hashlib.sha256((FILES / "encoder.onnx").read_bytes()).hexdigest() == told


def test_certainty_falls_with_what_makes_the_minutes_shaky() -> None:
    sure = Verdict.work(0.95, "I spent <t>", "the sender says so")
    exact, vague, endless = (
        Amount(0, 4, low, best, high, (), Form.SPOKEN)
        for low, best, high in ((60, 60, 60), (60, 90, 120), (800, 800, 800))
    )

    assert confidence(sure, exact) > confidence(sure, vague) > confidence(sure, endless)
    assert 0 < confidence(Verdict.work(0.0, "", ""), endless) <= confidence(Verdict.work(1.0, "", ""), exact) < 1


def test_a_line_among_lines_of_work_is_one_of_them() -> None:
    lines = ("call with client 0.4", "draft motion to compel 1.2", "Zylo 0.3", "review discovery responses 2.1")
    body = "\n".join(f"10/12 {line}" for line in lines)

    assert [entry.duration_minutes for entry in found(body, subject="time", to=BOOKKEEPER).entries] == [24, 72, 18, 126]
