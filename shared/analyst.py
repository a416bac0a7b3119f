"""How a fetched email becomes an analysis: read it, find what it says, ask a model where the rules are unsure.

One email at a time or many: those that a model is to be asked about share its calls.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from uuid import UUID

import structlog

from shared import metrics
from shared.errors import EncoderMissing, MessageGone, ModelError, TenthsError
from shared.extraction import ANALYSER_VERSION, Context, Found, extract
from shared.extraction.grounding import Judged, ground, unjudged
from shared.extraction.unsure import Question, doubts, question
from shared.extraction.verdicts import Answer
from shared.gmail.client import FetchedEmail
from shared.leave import Leave, LeaveTakenBack
from shared.log import where
from shared.mail import Email, UnreadableEmail, read
from shared.models import AnalysisMode
from shared.store.analyses import Analysis, Outcome, ReadingContext, TimekeeperSettings

if TYPE_CHECKING:  # only those load it who have a model to ask
    from shared.llm.judge import Judge

# Reading more than this is left to a thread, so that others don't wait for it.
LARGE_BYTES: Final = 16_000

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Read:
    """An email as the rules read it, and what there is to ask a model about it; None: nothing, or nobody to ask."""

    email: Email
    found: Found
    question: Question | None


@dataclass(frozen=True, slots=True)
class Reading:
    """Where the analysis of an email stands. `read` None: there is nothing to find in it, and `analysis` says why."""

    analysis: Analysis
    read: Read | None


ModeNow = Callable[[UUID], Awaitable[AnalysisMode]]


class Analyst:
    """Reads emails. `model` None: none is asked.

    `mode_now` tells what a model may see of a user's mail, asked right before it is sent any, after all waits for that:
    who takes the leave back while a scan is under way, or by another process, has it heeded at once.
    """

    def __init__(self, model: "Judge | None" = None, mode_now: ModeNow | None = None) -> None:
        self.model = model
        self._mode_now = mode_now
        # One thread: reading is computing all through, so more of them would only take turns with each other.
        self._apart = ThreadPoolExecutor(max_workers=1, thread_name_prefix="reading")

    def asks(self, settings: TimekeeperSettings) -> bool:
        """Whether a model may be asked about this timekeeper's mail."""
        return self.model is not None and settings.analysis_mode is not AnalysisMode.RULES_ONLY

    async def read(
        self, fetched: FetchedEmail, context: ReadingContext, correlation_id: str, *, apart: bool = False
    ) -> Reading:
        """Read one email; whatever it holds, something comes of it. `apart`: in a thread, as large ones always are."""
        unread = Analysis(fetched.id, Outcome.FAILED, ANALYSER_VERSION, correlation_id, sent_at=fetched.received_at)
        settings = context.timekeeper
        if not fetched.is_sent:
            return Reading(replace(unread, outcome=Outcome.NOT_SENT), None)
        if fetched.label_ids.intersection(settings.excluded_labels):
            return Reading(replace(unread, outcome=Outcome.EXCLUDED), None)
        try:
            email, found = await self._find(fetched, context, apart=apart)
        except UnreadableEmail:
            return Reading(replace(unread, failure="unreadable"), None)
        except EncoderMissing:  # of this process, not of the email: for the next try
            raise
        except Exception as error:  # noqa: BLE001  reading asks nothing outside: another try gives the same, so it is recorded
            log.error("analysis.broken", error=type(error).__name__, where=where(error))  # noqa: TRY400  its message may quote the email
            return Reading(replace(unread, failure="analyser_error"), None)
        if _is_excluded(email, settings):
            return Reading(replace(unread, outcome=Outcome.EXCLUDED), None)
        return Reading(replace(unread, outcome=Outcome.NONE), Read(email, found, self.question(email, found, settings)))

    def question(self, email: Email, found: Found, settings: TimekeeperSettings) -> Question | None:
        """What there is to ask about an email, and may be asked."""
        if self.model is None or not self.asks(settings):
            return None
        full = settings.analysis_mode is AnalysisMode.FULL
        return question(email, doubts(email, found), full=full, limits=self.model.limits)

    async def conclude(self, reading: Reading, context: ReadingContext) -> Analysis:
        """What is recorded of an email, once the model has been asked if there is anything to ask."""
        settings = context.timekeeper
        if reading.read is None:
            return reading.analysis
        return _concluded(reading.analysis, await self.judged(reading.read, context), settings)

    async def judged(self, read: Read, context: ReadingContext) -> Judged:
        """What is found once the model has been asked about this one email."""
        settings = context.timekeeper
        if read.question is None or self.model is None:
            return Judged(read.found)
        try:
            with metrics.stage("model"):
                answer: Answer | ModelError = await self.model.judge(read.question, self._leave(context))
        except LeaveTakenBack:
            return Judged(read.found)
        except ModelError as error:
            answer = error
        except TenthsError:  # it can't be known whether there is leave: for the next try
            raise
        except Exception as error:  # noqa: BLE001  the rules' entries must not be lost to what is there to better them
            answer = _broken(error)
        return _grounded(read, read.question, answer, settings)

    async def conclude_many(
        self, readings: Sequence[Reading], context: ReadingContext
    ) -> tuple[tuple[Analysis, ...], int]:
        """The same for many emails of one user, in as few calls of the model as may be; and how many those were."""
        settings = context.timekeeper
        asking = [each for each in readings if each.read is not None and each.read.question is not None]
        if self.model is None or not asking:
            return tuple(_without_model(each, settings) for each in readings), 0
        from shared.llm.judge import Asked  # noqa: PLC0415  only those load it who have a model to ask

        asked = [Asked(context.user_id, each.read.question) for each in asking if each.read and each.read.question]
        try:
            with metrics.stage("model"):
                answers: Sequence[Answer | TenthsError] = await self.model.judge_many(asked, self._leave(context))
        except Exception as error:  # noqa: BLE001  as above
            answers = [_broken(error)] * len(asked)
        judged: dict[str, Judged] = {}
        shown: list[Asked] = []
        for each, about, answer in zip(asking, asked, answers, strict=True):
            if isinstance(answer, LeaveTakenBack):
                continue
            if isinstance(answer, TenthsError) and not isinstance(answer, ModelError):
                raise answer  # as above
            shown.append(about)
            if each.read:
                judged[each.analysis.email_id] = _grounded(each.read, about.question, answer, settings)
        concluded = tuple(
            _concluded(each.analysis, judged[each.analysis.email_id], settings)
            if each.analysis.email_id in judged
            else _without_model(each, settings)
            for each in readings
        )
        return concluded, self.model.calls_for(shown)

    async def _find(self, fetched: FetchedEmail, context: ReadingContext, *, apart: bool) -> tuple[Email, Found]:
        """The email and what the rules find in it. Raises UnreadableEmail."""
        known = Context(time_zone=context.timekeeper.time_zone, matters=context.matters)

        def work() -> tuple[Email, Found]:
            email = read(fetched.raw, fetched.received_at)
            return email, extract(email, known)

        if apart or len(fetched.raw) > LARGE_BYTES:
            return await asyncio.get_running_loop().run_in_executor(self._apart, work)
        return work()

    def _leave(self, context: ReadingContext) -> Leave | None:
        """Asks whether the user still lets the model see what these emails were read for it to see."""
        mode_now = self._mode_now
        if mode_now is None:
            return None

        async def leave() -> None:
            if await mode_now(context.user_id) is not context.timekeeper.analysis_mode:
                raise LeaveTakenBack

        return leave


def not_fetched(email_id: str, correlation_id: str, error: TenthsError) -> Analysis:
    """What is recorded of an email that can't be fetched, for a reason that another try won't mend."""
    if isinstance(error, MessageGone):
        return Analysis(email_id, Outcome.GONE, ANALYSER_VERSION, correlation_id)
    return Analysis(email_id, Outcome.FAILED, ANALYSER_VERSION, correlation_id, failure=error.code)


def _without_model(reading: Reading, settings: TimekeeperSettings) -> Analysis:
    if reading.read is None:
        return reading.analysis
    return _concluded(reading.analysis, Judged(reading.read.found), settings)


def _concluded(analysis: Analysis, judged: Judged, settings: TimekeeperSettings) -> Analysis:
    kept = tuple(each for each in judged.found.entries if each.confidence_score >= settings.minimum_confidence)
    outcome = Outcome.ENTRIES if kept else Outcome.NONE
    return replace(analysis, outcome=outcome, entries=kept, judged=judged)


def _grounded(read: Read, asked: Question, answer: Answer | ModelError, settings: TimekeeperSettings) -> Judged:
    """What the answer proves; where there is none, what the rules say and a second look to be taken."""
    if isinstance(answer, ModelError):
        metrics.model_fallbacks.add(1, {"code": answer.code})
        log.warning("model.gave_nothing", code=answer.code, reason=str(answer), doubts=len(asked.doubts))
        return unjudged(read.found, asked, answer.code)
    try:
        return ground(read.email, read.found, asked, answer, settings.time_zone)
    except Exception as error:  # noqa: BLE001  the rules' entries must not be lost to what is there to better them
        return unjudged(read.found, asked, _broken(error).code)


def _broken(error: Exception) -> ModelError:
    log.error("model.broken", error=type(error).__name__, where=where(error))
    return ModelError(type(error).__name__)


def _is_excluded(email: Email, settings: TimekeeperSettings) -> bool:
    """Whether every recipient is one the timekeeper excluded, by address or by domain (`@example.org`)."""
    excluded = {recipient.lower() for recipient in settings.excluded_recipients}
    if not excluded or not email.recipients:
        return False
    return all(
        recipient.address in excluded or "@" + recipient.address.rpartition("@")[2] in excluded
        for recipient in email.recipients
    )


def in_question(readings: Iterable[Reading]) -> int:
    """How many amounts of these emails the model is to be asked about."""
    return sum(len(each.read.question.doubts) for each in readings if each.read and each.read.question)
