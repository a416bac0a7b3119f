"""Every way in which a model's API can behave, met on the wire."""

import asyncio
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr

from shared.errors import ModelError, ModelMisconfigured, ModelOverLimit, ModelUnavailable, ModelUnusable
from shared.extraction.found import Found
from shared.extraction.unsure import Question, doubts, question
from shared.extraction.verdicts import Answer
from shared.llm.budget import Budget, tokens
from shared.llm.client import FAILURES_UNTIL_OPEN
from shared.llm.judge import Asked, Judge
from tests.integration.llm.conftest import MakeJudge, Simulated, asks
from tests.unit.extraction.doubted import entry
from tests.unit.extraction.mails import mail

BODY = "We met on the lien again. It took 2 hours."
DANA, PRIYA = uuid4(), uuid4()


def one() -> Question:
    return asks(BODY, "2 hours")


async def test_a_question_is_answered_in_one_call(simulated: Simulated, judge: Judge) -> None:
    body = "I spent 2 hours on the brief. Will the hearing take 90 minutes?"
    answer = await judge.judge(asks(body, "2 hours", "90 minutes"))
    assert [(verdict.number, verdict.is_work) for verdict in answer.verdicts] == [(1, True), (2, False)]
    assert answer.verdicts[0].minutes == 120
    assert await simulated.calls() == 1


@pytest.mark.parametrize("structured", ["json_schema", "json_object"])
@pytest.mark.parametrize("full", [False, True])
async def test_what_is_sent_is_what_the_real_api_takes(
    simulated: Simulated, make_judge: MakeJudge, structured: str, full: bool
) -> None:
    await simulated.says(BODY[:10], words="", quote="It took 2 hours.", minutes=120, entry_type="call", billable=True)
    answer = await make_judge(structured=structured).judge(asks(BODY, "2 hours", full=full))
    assert len(answer.verdicts) == 1
    assert len(answer.further) == int(full)
    [request] = await simulated.requests()
    assert request["response_format"]["type"] == structured
    assert request["max_completion_tokens"] > 0


async def test_only_the_words_that_decide_are_on_the_wire(simulated: Simulated, judge: Judge) -> None:
    await judge.judge(asks("The bank sells on Friday. That stays secret.\n\nWe met. It took 2 hours.", "2 hours"))
    assert await simulated.shown() == [["It took 2 hours."]]


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("broken_json", ModelUnusable),
        ("truncated", ModelUnusable),
        ("refusal", ModelUnusable),
        ("content_filter", ModelUnusable),
        ("empty", ModelUnusable),
        ("no_choices", ModelUnusable),
        ("html", ModelUnusable),
        ("401", ModelMisconfigured),
        ("insufficient_quota", ModelMisconfigured),
    ],
)
async def test_what_another_try_would_not_mend_is_not_tried_again(
    simulated: Simulated, judge: Judge, kind: str, error: type[ModelError]
) -> None:
    await simulated.fault(kind, count=None)
    with pytest.raises(error):
        await judge.judge(one())
    assert await simulated.calls() == 1


@pytest.mark.parametrize("kind", ["500", "502", "503", "reset", "cut", "429"])
async def test_a_passing_failure_costs_a_try_and_no_answer(simulated: Simulated, judge: Judge, kind: str) -> None:
    await simulated.fault(kind, count=2)
    assert len((await judge.judge(one())).verdicts) == 1
    assert await simulated.calls() == 3


async def until_asked(simulated: Simulated, count: int) -> None:
    async with asyncio.timeout(10):
        while await simulated.calls() < count:  # noqa: ASYNC110  the simulator tells it only who asks
            await asyncio.sleep(0.01)


async def test_a_wrong_key_and_an_unknown_model_are_our_fault(simulated: Simulated, make_judge: MakeJudge) -> None:
    for wrong in ({"api_key": SecretStr("sk-wrong")}, {"model": "gpt-none"}):
        with pytest.raises(ModelMisconfigured):
            await make_judge(**wrong).judge(one())
    assert await simulated.requests() == []


async def test_nobody_there_is_unavailable(make_judge: MakeJudge) -> None:
    with pytest.raises(ModelUnavailable):
        await make_judge(base_url="http://127.0.0.1:9/v1").judge(one())


@pytest.mark.parametrize("kind", ["hang", "drip"])
async def test_a_server_that_hangs_is_left_after_the_time_for_one_try(
    simulated: Simulated, make_judge: MakeJudge, kind: str
) -> None:
    await make_judge().judge(one())  # the library is loaded
    await simulated.http.delete("/_sim/requests")
    await simulated.fault(kind, count=1)
    answer = await make_judge(timeout_seconds=0.3).judge(one())
    assert len(answer.verdicts) == 1
    assert await simulated.calls() == 2


async def test_all_tries_and_waits_end_with_the_deadline(simulated: Simulated, make_judge: MakeJudge) -> None:
    await simulated.fault("hang", count=None)
    with pytest.raises(ModelUnavailable):
        await make_judge(timeout_seconds=30, deadline_seconds=0.5).judge(one())


async def test_a_wait_that_the_server_asks_for_is_kept(simulated: Simulated, judge: Judge) -> None:
    await simulated.fault("429", retry_after_s=0.05)
    assert len((await judge.judge(one())).verdicts) == 1


async def test_a_wait_beyond_the_deadline_is_not_begun(simulated: Simulated, judge: Judge) -> None:
    await simulated.fault("429", retry_after_s=3600)
    with pytest.raises(ModelOverLimit) as limit:
        await judge.judge(one())
    assert limit.value.retry_after == 3600
    assert await simulated.calls() == 1


async def test_the_limit_of_a_minute_is_over_limit(simulated: Simulated, judge: Judge) -> None:
    await simulated.limit(requests_a_minute=1)
    await judge.judge(one())
    with pytest.raises(ModelOverLimit):
        await judge.judge(one())


async def test_an_api_that_keeps_failing_is_left_alone_for_a_while(simulated: Simulated, judge: Judge) -> None:
    await simulated.fault("500", count=None)
    for _ in range(FAILURES_UNTIL_OPEN + 5):
        with pytest.raises(ModelUnavailable):
            await judge.judge(one())
    assert await simulated.calls() == FAILURES_UNTIL_OPEN


async def test_an_api_that_was_left_alone_is_asked_again_after_its_rest(
    simulated: Simulated, make_judge: MakeJudge
) -> None:
    resting = make_judge(rest_seconds=0.3)
    await simulated.fault("401", count=None)
    for _ in range(FAILURES_UNTIL_OPEN):
        with pytest.raises(ModelMisconfigured):
            await resting.judge(one())
    await simulated.http.delete("/_sim/faults")
    assert len((await resting.judge(one())).verdicts) == 1, "a rest shorter than the deadline is waited for"


@pytest.mark.parametrize("kind", ["429", "refusal", "broken_json"])
async def test_a_busy_api_and_bad_answers_do_not_open_the_breaker(
    simulated: Simulated, judge: Judge, kind: str
) -> None:
    await simulated.fault(kind, count=None, retry_after_s=0.01)
    for _ in range(FAILURES_UNTIL_OPEN + 2):
        with pytest.raises(ModelError):
            await judge.judge(one())
    await simulated.http.delete("/_sim/faults")
    assert len((await judge.judge(one())).verdicts) == 1


async def test_callers_who_go_away_do_not_open_the_breaker(simulated: Simulated, make_judge: MakeJudge) -> None:
    patient = make_judge(timeout_seconds=30, deadline_seconds=30)
    await patient.judge(one())  # the library is loaded
    await simulated.http.delete("/_sim/requests")
    await simulated.fault("hang", count=None)
    waiting = [asyncio.create_task(patient.judge(one())) for _ in range(FAILURES_UNTIL_OPEN + 2)]
    await until_asked(simulated, len(waiting))
    for each in waiting:
        each.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    await simulated.http.delete("/_sim/faults")
    assert len((await patient.judge(one())).verdicts) == 1


async def test_tries_that_the_deadline_cuts_off_open_the_breaker(simulated: Simulated, make_judge: MakeJudge) -> None:
    hurried = make_judge(timeout_seconds=30, deadline_seconds=1)
    await hurried.judge(one())  # the library is loaded
    await simulated.http.delete("/_sim/requests")
    await simulated.fault("hang", count=None)
    waiting = [asyncio.create_task(hurried.judge(one())) for _ in range(FAILURES_UNTIL_OPEN)]
    await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(each.exception(), ModelUnavailable) for each in waiting)
    with pytest.raises(ModelUnavailable, match="left alone"):
        await hurried.judge(one())
    assert await simulated.calls() == FAILURES_UNTIL_OPEN


async def test_no_more_calls_are_under_way_than_allowed(simulated: Simulated, make_judge: MakeJudge) -> None:
    await simulated.limit(latency_ms=50)
    narrow = make_judge(calls_at_once=2)
    await asyncio.gather(*(narrow.judge(one()) for _ in range(6)))
    stats = (await simulated.http.get("/_sim/stats")).json()
    assert (stats["requests"], stats["most_under_way"]) == (6, 2)


async def test_who_waits_for_a_turn_waits_no_longer_than_the_deadline(
    simulated: Simulated, make_judge: MakeJudge
) -> None:
    await simulated.fault("hang", count=None)
    narrow = make_judge(calls_at_once=1, timeout_seconds=30, deadline_seconds=0.5)
    answers = await asyncio.gather(*(narrow.judge(one()) for _ in range(3)), return_exceptions=True)
    assert all(isinstance(answer, ModelUnavailable) for answer in answers)


@pytest.mark.parametrize(
    "kind",
    ["invented_quote", "changed_minutes", "huge_minutes", "unknown_ids", "twice", "quote_of_nothing", "always_yes"],
)
async def test_a_lie_of_the_right_form_comes_through_for_the_grounding_to_judge(
    simulated: Simulated, judge: Judge, kind: str
) -> None:
    await simulated.fault(kind)
    assert (await judge.judge(one())).verdicts


async def test_verdicts_of_a_wrong_form_are_counted(simulated: Simulated, judge: Judge) -> None:
    await simulated.fault("wrong_types")
    assert await judge.judge(one()) == Answer(malformed=1)


async def test_silence_is_an_answer_without_verdicts(simulated: Simulated, judge: Judge) -> None:
    await simulated.fault("silence")
    assert await judge.judge(one()) == Answer()


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize(
    "words", ["I wrote {n} hours on it. ", "電話で {n} hours 話しました. ", "🕑🕑🕑 {n} hours \n\n"]
)
async def test_one_emails_prompt_stays_within_its_budget_in_any_script(
    simulated: Simulated, make_judge: MakeJudge, words: str, full: bool
) -> None:
    judge = make_judge(Budget(prompt=4_000))
    body = "".join(words.format(n=n) for n in range(100, 999))
    email = mail(body)
    found = Found(tuple(entry(body, f"{n} hours") for n in range(100, 999)))
    question_ = question(email, doubts(email, found), full=full, limits=judge.limits)
    assert question_ is not None
    await judge.judge(question_)
    [request] = await simulated.requests()
    assert 1_000 < sum(tokens(message["content"]) for message in request["messages"]) <= 4_000


# several emails a call ------------------------------------------------------------------------------------------------


def of(user: UUID, number: int, *, full: bool = False) -> Asked:
    """An email of this user, that can be told from the others by its matter."""
    return Asked(user, asks(f"I spent 2 hours on matter {number:03}.", "2 hours", full=full))


async def test_emails_of_one_user_share_a_call_and_each_gets_its_own_answer(simulated: Simulated, judge: Judge) -> None:
    await simulated.says("matter 002", is_work=False)
    answers = await judge.judge_many([of(DANA, number) for number in range(5)])
    verdicts = [answer.verdicts[0] for answer in answers if isinstance(answer, Answer)]
    assert [verdict.number for verdict in verdicts] == [1] * 5
    assert [verdict.is_work for verdict in verdicts] == [True, True, False, True, True]
    assert [verdict.quote for verdict in verdicts if verdict.is_work][3] == "I spent 2 hours on matter 004."
    assert await simulated.calls() == 1


async def test_no_call_ever_holds_the_mail_of_two_users(simulated: Simulated, judge: Judge) -> None:
    await judge.judge_many([of(user, number) for number in range(4) for user in (DANA, PRIYA)])
    shown = await simulated.shown()
    assert len(shown) == 2
    assert [len(texts) for texts in shown] == [4, 4]
    # the same four matters in each: no text twice within a call
    assert all(len(set(texts)) == 4 for texts in shown)


async def test_shared_calls_stay_within_the_budget(simulated: Simulated, make_judge: MakeJudge) -> None:
    budget = Budget(prompt=2_000, doubts=100)  # so small that sixty emails take several calls
    answers = await make_judge(budget).judge_many([of(DANA, number) for number in range(60)])
    assert all(isinstance(answer, Answer) and len(answer.verdicts) == 1 for answer in answers)
    requests = await simulated.requests()
    assert 1 < len(requests) < 60
    for request in requests:
        assert sum(tokens(message["content"]) for message in request["messages"]) <= 2_000


async def test_an_email_shown_in_full_shares_no_call(simulated: Simulated, judge: Judge) -> None:
    await judge.judge_many([of(DANA, 1, full=True), of(DANA, 2), of(DANA, 3)])
    assert sorted(len(texts) for texts in await simulated.shown()) == [1, 2]


async def test_a_call_that_fails_fails_for_its_own_emails_alone(simulated: Simulated, judge: Judge) -> None:
    await simulated.fault("refusal")
    answers = await judge.judge_many([of(DANA, 1), of(PRIYA, 2)])
    assert sorted(type(answer).__name__ for answer in answers) == ["Answer", "ModelUnusable"]


async def test_numbers_of_nobody_are_given_to_one_email_to_account_for(simulated: Simulated, judge: Judge) -> None:
    await simulated.fault("unknown_ids")
    answers = await judge.judge_many([of(DANA, 1), of(DANA, 2)])
    assert [[verdict.number for verdict in answer.verdicts] for answer in answers if isinstance(answer, Answer)] == [
        [None, None],
        [],
    ]


async def test_nothing_asked_is_nothing_sent(simulated: Simulated, judge: Judge) -> None:
    assert await judge.judge_many([]) == []
    assert await simulated.calls() == 0
