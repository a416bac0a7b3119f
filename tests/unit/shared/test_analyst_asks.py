"""Whatever becomes of asking, the rules' entries are not lost to it."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from structlog.testing import capture_logs

from shared.analyst import Analyst, Read
from shared.errors import ModelOverLimit, StoreUnavailable
from shared.extraction.found import Found
from shared.extraction.grounding import UNJUDGED, Judged
from shared.extraction.unsure import Limits, Question
from shared.extraction.verdicts import Answer, Verdict
from shared.leave import Leave
from shared.models import AnalysisMode
from shared.store.analyses import ReadingContext, TimekeeperSettings
from tests.unit.extraction.doubted import entry
from tests.unit.extraction.mails import mail

BODY = "We met on the lien. It took 2 hours."
FOUND = Found((entry(BODY, "2 hours", 0.6, 120.0),))


class Says:
    """A model that says or raises what it is told to."""

    limits = Limits()

    def __init__(self, what: Answer | Exception) -> None:
        self.what = what
        self.asked: list[Question] = []

    async def judge(self, question: Question, leave: Leave | None) -> Answer:
        if leave is not None:
            await leave()
        self.asked.append(question)
        if isinstance(self.what, Exception):
            raise self.what
        return self.what


async def judged_by(model: Any, found: Found, settings: TimekeeperSettings) -> Judged:
    email, analyst = mail(BODY), Analyst(model)
    context = ReadingContext(user_id=uuid4(), settings=settings, matters=())
    return await analyst.judged(Read(email, found, analyst.question(email, found, settings)), context)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ModelOverLimit("busy"), "model_over_limit"),
        (ZeroDivisionError("It took 2 hours"), "model_error"),
        (RecursionError("It took 2 hours"), "model_error"),
    ],
)
async def test_a_model_that_fails_leaves_the_rules_entry_and_a_second_look(error: Exception, code: str) -> None:
    with capture_logs() as logs:
        judged = await judged_by(Says(error), FOUND, TimekeeperSettings())
    assert [each.confidence_score for each in judged.found.entries] == [round(0.6 * UNJUDGED, 3)]
    assert judged.second_look == code
    assert "2 hours" not in str(logs)


@pytest.mark.parametrize(
    ("mode", "full"), [(AnalysisMode.SNIPPETS, False), (AnalysisMode.FULL, True), (AnalysisMode.RULES_ONLY, None)]
)
async def test_the_timekeeper_decides_what_is_shown(mode: AnalysisMode, full: bool | None) -> None:
    model = Says(Answer((Verdict(1, is_work=False),)))
    judged = await judged_by(model, FOUND, TimekeeperSettings(analysis_mode=mode))
    assert [question.full for question in model.asked] == ([] if full is None else [full])
    assert len(judged.found.entries) == (1 if full is None else 0)


async def test_without_a_model_or_a_doubt_nobody_is_asked() -> None:
    alone = await judged_by(None, FOUND, TimekeeperSettings())
    assert (alone.found, alone.second_look) == (FOUND, None)
    model = Says(Answer())
    sure = Found((entry(BODY, "2 hours", 0.9, 120.0),))
    assert (await judged_by(model, sure, TimekeeperSettings())).found == sure
    assert model.asked == []


@pytest.mark.parametrize(("now", "asked"), [(AnalysisMode.SNIPPETS, 1), (AnalysisMode.RULES_ONLY, 0)])
async def test_leave_that_was_taken_back_after_the_email_was_read_counts(now: AnalysisMode, asked: int) -> None:
    model: Any = Says(Answer((Verdict(1, is_work=False),)))

    async def mode_now(_user_id: UUID) -> AnalysisMode:
        return now

    analyst, email, settings = Analyst(model, mode_now), mail(BODY), TimekeeperSettings()
    read = Read(email, FOUND, analyst.question(email, FOUND, settings))
    judged = await analyst.judged(read, ReadingContext(user_id=uuid4(), settings=settings, matters=()))
    assert (len(model.asked), judged.asked) == (asked, asked)


async def test_where_it_can_not_be_known_whether_there_is_leave_the_email_is_left_to_another_try() -> None:
    model: Any = Says(Answer((Verdict(1, is_work=False),)))

    async def mode_now(_user_id: UUID) -> AnalysisMode:
        raise StoreUnavailable("away")

    analyst, email, settings = Analyst(model, mode_now), mail(BODY), TimekeeperSettings()
    read = Read(email, FOUND, analyst.question(email, FOUND, settings))
    with pytest.raises(StoreUnavailable):
        await analyst.judged(read, ReadingContext(user_id=uuid4(), settings=settings, matters=()))
    assert model.asked == []
