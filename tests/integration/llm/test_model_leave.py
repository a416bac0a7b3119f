"""Leave to show an email to the model is asked for after every wait, right before anything is sent."""

import asyncio
import math
from uuid import UUID, uuid4

import pytest

from shared.analyst import Analyst, Read, Reading
from shared.errors import ModelOverLimit, StoreUnavailable
from shared.extraction import ANALYSER_VERSION
from shared.extraction.found import Found
from shared.extraction.verdicts import Answer
from shared.leave import LeaveTakenBack
from shared.llm.judge import Asked, Judge
from shared.llm.rate import Rate, RateLimits
from shared.llm.streaming import ChatModel
from shared.models import AnalysisMode
from shared.store.analyses import Analysis, Outcome, ReadingContext, TimekeeperSettings
from tests.integration.chat.chat_tools import Chat, Firm, of_kind, words
from tests.integration.llm.conftest import MakeJudge, Simulated, asks
from tests.unit.extraction.doubted import entry
from tests.unit.extraction.mails import mail

BODY = "We met on the lien again. It took 2 hours."
CHANGED = "What the assistant may see was changed meanwhile. Please ask again."


class Leave:
    """A user's leave, which may be taken back; or that ends once it was given so often."""

    def __init__(self, times: float = math.inf) -> None:
        self.given = True
        self.times = times

    async def __call__(self) -> None:
        self.times -= 1
        if not self.given or self.times < 0:
            raise LeaveTakenBack


def used_up() -> Rate:
    """Lets four calls through at once, and the next one two thirds of a second later."""
    return Rate(RateLimits(10, window_seconds=4, margin_seconds=0))


async def use_up(rate: Rate) -> None:
    ends = asyncio.get_running_loop().time()
    for _ in range(10):
        try:
            with await rate.send(1, "person", until=ends):
                pass
        except ModelOverLimit:
            return


async def begun(task: asyncio.Task[object]) -> None:
    """Until the task waits for its turn: nothing before that takes more than some rounds of the loop."""
    for _ in range(20):
        await asyncio.sleep(0)
    assert not task.done()


@pytest.fixture
async def warm(simulated: Simulated, make_judge: MakeJudge) -> Simulated:
    """The library is loaded, so that a test sees waits for turns alone."""
    await make_judge().judge(asks(BODY, "2 hours"))
    await simulated.clean()
    return simulated


async def test_leave_taken_back_while_a_turn_is_waited_for_sends_nothing(
    warm: Simulated, make_judge: MakeJudge
) -> None:
    rate, leave = used_up(), Leave()
    judge = make_judge(rate=rate)
    await use_up(rate)
    asking = asyncio.create_task(judge.judge(asks(BODY, "2 hours"), leave))
    await begun(asking)
    leave.given = False
    with pytest.raises(LeaveTakenBack):
        await asking
    assert await warm.calls() == 0


async def test_leave_taken_back_while_other_calls_have_the_turns_sends_nothing(
    warm: Simulated, make_judge: MakeJudge
) -> None:
    await warm.limit(latency_ms=300)
    leave, judge = Leave(), make_judge(calls_at_once=1)
    first = asyncio.create_task(judge.judge(asks(BODY, "2 hours")))
    await begun(first)
    second = asyncio.create_task(judge.judge(asks(BODY, "2 hours"), leave))
    await begun(second)
    leave.given = False
    assert isinstance(await first, Answer)
    with pytest.raises(LeaveTakenBack):
        await second
    assert await warm.calls() == 1


@pytest.mark.parametrize("kind", ["429", "500", "reset"])
async def test_leave_taken_back_between_two_tries_sends_no_second_one(
    simulated: Simulated, judge: Judge, kind: str
) -> None:
    await simulated.fault(kind, count=None, retry_after_s=0.05 if kind == "429" else None)
    with pytest.raises(LeaveTakenBack):
        await judge.judge(asks(BODY, "2 hours"), Leave(times=1))
    assert await simulated.calls() == 1


async def test_of_many_calls_those_without_leave_are_not_sent_and_the_others_are_answered(
    simulated: Simulated, make_judge: MakeJudge
) -> None:
    dana, priya = uuid4(), uuid4()
    asked = [Asked(user, asks(BODY, "2 hours")) for user in (dana, priya)]
    answers = await make_judge(calls_at_once=1).judge_many(asked, Leave(times=1))
    assert [type(answer) for answer in answers] == [Answer, LeaveTakenBack]
    assert await simulated.calls() == 1


# what comes of it ----------------------------------------------------------------------------------------------------


class Mode:
    """A user's setting, or why it can't be had."""

    def __init__(self, now: AnalysisMode | Exception) -> None:
        self.now = now

    async def __call__(self, _user_id: UUID) -> AnalysisMode:
        if isinstance(self.now, Exception):
            raise self.now
        return self.now


def reading(analyst: Analyst) -> Reading:
    email, found = mail(BODY), Found((entry(BODY, "2 hours", 0.6, 120.0),))
    settings = TimekeeperSettings()
    analysis = Analysis("m1", Outcome.NONE, ANALYSER_VERSION, "c1")
    return Reading(analysis, Read(email, found, analyst.question(email, found, settings)))


CONTEXT = ReadingContext(user_id=uuid4(), settings=TimekeeperSettings(), matters=())


@pytest.mark.parametrize("many", [False, True], ids=["one email", "a scan"])
async def test_an_email_whose_leave_was_taken_back_in_the_queue_is_settled_by_the_rules(
    warm: Simulated, make_judge: MakeJudge, many: bool
) -> None:
    rate, mode = used_up(), Mode(AnalysisMode.SNIPPETS)
    analyst = Analyst(make_judge(rate=rate), mode)
    read = reading(analyst)
    await use_up(rate)

    async def conclude() -> tuple[Analysis, int]:
        if not many:
            return await analyst.conclude(read, CONTEXT), 0
        [analysis], calls = await analyst.conclude_many([read], CONTEXT)
        return analysis, calls

    concluding = asyncio.create_task(conclude())
    await begun(concluding)
    mode.now = AnalysisMode.RULES_ONLY
    analysis, calls = await concluding
    assert await warm.calls() == calls == 0
    assert [each.confidence_score for each in analysis.entries] == [0.6]
    assert analysis.judged is not None
    assert (analysis.judged.asked, analysis.judged.second_look) == (0, None)


@pytest.mark.parametrize("many", [False, True], ids=["one email", "a scan"])
async def test_where_leave_can_not_be_asked_for_the_email_is_left_to_another_try(
    simulated: Simulated, make_judge: MakeJudge, many: bool
) -> None:
    analyst = Analyst(make_judge(), Mode(StoreUnavailable("away")))
    with pytest.raises(StoreUnavailable):
        await (
            analyst.conclude_many([reading(analyst)], CONTEXT) if many else analyst.conclude(reading(analyst), CONTEXT)
        )
    assert await simulated.calls() == 0


@pytest.mark.parametrize(
    ("before", "after", "sent"),
    [
        (AnalysisMode.SNIPPETS, AnalysisMode.RULES_ONLY, 0),
        (AnalysisMode.FULL, AnalysisMode.SNIPPETS, 0),
        (AnalysisMode.SNIPPETS, AnalysisMode.SNIPPETS, 1),
        (AnalysisMode.SNIPPETS, AnalysisMode.FULL, 1),
        (AnalysisMode.RULES_ONLY, AnalysisMode.SNIPPETS, 1),
    ],
)
async def test_a_chat_that_waited_is_sent_only_if_the_model_may_still_see_as_much(
    warm: Simulated, before: AnalysisMode, after: AnalysisMode, sent: int
) -> None:
    rate = used_up()
    model = ChatModel(warm.api, rate)
    chat = Chat(Firm(mode=before), model)
    assert words(await chat.ask("Hello"))
    await warm.clean()
    await use_up(rate)
    asking = asyncio.create_task(chat.ask("Hello"))
    await begun(asking)
    chat.firm.mode = after
    parts = await asking
    await model.close()
    assert await warm.calls() == sent
    assert [part["errorText"] for part in of_kind(parts, "error")] == ([] if sent else [CHANGED])
