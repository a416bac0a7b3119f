"""One sent email becomes time entries: fetch, read, extract, ask a model if unsure, record."""

from dataclasses import dataclass

from shared import metrics
from shared.analyst import Analyst, not_fetched
from shared.errors import AccessRevoked, PermanentError, UnknownMailbox
from shared.extraction import ANALYSER_VERSION
from shared.extraction.grounding import Judged
from shared.gmail.client import Gmail
from shared.pubsub.messages import SentEmail
from shared.store.analyses import Analysis, AnalysisContext, AnalysisStore, Outcome
from shared.store.mailboxes import MailboxState, MailboxStore


@dataclass(frozen=True, slots=True)
class Analyzed:
    """What became of an email. `outcome` None: nothing was to be done, `note` says why.

    `judged`: how it went with the model, where it was asked.
    """

    outcome: Outcome | None
    entries: int = 0
    is_new: bool = False
    note: str | None = None
    judged: Judged | None = None


@dataclass(frozen=True, slots=True)
class AnalyzeEmailHandler:
    """The parts that analysing an email takes."""

    gmail: Gmail
    mailboxes: MailboxStore
    analyses: AnalysisStore
    analyst: Analyst

    async def handle(self, message: SentEmail, correlation_id: str) -> Analyzed:
        """Analyse one email and record what became of it, whatever that is.

        Raises UnknownMailbox, and the transient errors of its parts: then nothing was recorded and another try is
        due. A failure that another try can't mend is recorded as such.
        """
        context = await self.analyses.context(message.mailbox_id, message.email_id)
        if context is None or context.state is MailboxState.DISCONNECTED:
            raise UnknownMailbox("the message names a mailbox that is not connected")
        if context.is_settled(ANALYSER_VERSION):
            return Analyzed(outcome=None, note="known")
        if not context.timekeeper.auto_analysis:
            return Analyzed(outcome=None, note="auto_analysis_off")
        analysis = await self._analysis(message.email_id, correlation_id, context)
        [recorded] = await self.analyses.record(context, [analysis])
        if context.processed is None and analysis.sent_at is not None:
            metrics.arrived(analysis.sent_at)
        return Analyzed(analysis.outcome, recorded.entry_count, recorded.is_new, analysis.failure, analysis.judged)

    async def _analysis(self, email_id: str, correlation_id: str, context: AnalysisContext) -> Analysis:
        try:
            with metrics.stage("fetch"):
                fetched = await self.gmail.mailbox(context.mailbox_id, context.refresh_token_encrypted).fetch(email_id)
        except PermanentError as error:
            if isinstance(error, AccessRevoked):
                await self.mailboxes.mark_access_revoked(context.mailbox_id, context.refresh_token_encrypted)
            return not_fetched(email_id, correlation_id, error)
        with metrics.stage("read"):
            reading = await self.analyst.read(fetched, context, correlation_id)
        return await self.analyst.conclude(reading, context)
