"""Coverage checked against Gmail itself: every email that Gmail lists as sent in a time, and what is on record of it.

`coverage` in the database counts what it knows of. This finds what it doesn't know of: each listed id is looked up.
"""

import base64
import binascii
import math
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import TYPE_CHECKING, Annotated, Final, Self
from uuid import UUID

import structlog
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from shared.errors import (
    AccessRevoked,
    InvalidArguments,
    NotOffered,
    OverQuota,
    StoreRefused,
    StoreUnavailable,
    TenthsError,
    WrongArgument,
)
from shared.gmail.client import PAGE, Gmail, GmailMailbox
from shared.maintenance.tasks import Deadline
from shared.pubsub.messages import SentEmail
from shared.store.analyses import AnalysisStore, OnRecord
from shared.store.mailboxes import MailboxState, MailboxStore
from shared.store.timekeepers import OwnMailbox, Timekeepers

if TYPE_CHECKING:
    from shared.pubsub.publish import Publisher

MOST_NAMED: Final = 100
GMAIL_BEGAN: Final = datetime(2004, 4, 1, tzinfo=UTC)

Count = Annotated[int, Field(ge=0)]

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Period:
    """From `start` on and before `end`."""

    start: datetime
    end: datetime

    @classmethod
    def read(cls, first: str, last: str, zone: tzinfo, now: datetime) -> Self:
        """Of two days, both included, as they begin and end in this zone; or of two moments, the second not included.

        It ends now at the latest. Raises InvalidArguments.
        """
        start, end = _moment("from", first, zone), _moment("to", last, zone, is_last=True)
        if start < GMAIL_BEGAN:
            raise _wrong("from", "is before there was any Gmail")
        if start >= min(end, now):
            raise _wrong("to", "has to be later than from, which can't be in the future")
        return cls(start, min(end, now))

    @property
    def query(self) -> str:
        """As Gmail searches: in whole seconds, `after` takes its second in, `before` doesn't."""
        return f"after:{math.floor(self.start.timestamp())} before:{math.ceil(self.end.timestamp())}"


class _Place(BaseModel):
    """Where a check goes on: after this page of this mailbox, of the same period."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    mailbox_id: UUID
    page_token: Annotated[str, Field(max_length=500)] | None
    start: AwareDatetime
    end: AwareDatetime

    @classmethod
    def read(cls, token: str) -> Self:
        """Raises InvalidArguments."""
        try:
            return cls.model_validate_json(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        except (binascii.Error, ValueError):
            raise _wrong("continue_token", "is none that an answer of this gave") from None

    def written(self) -> str:
        return base64.urlsafe_b64encode(self.model_dump_json().encode()).decode().rstrip("=")


class CheckedMailbox(BaseModel):
    """One of the user's mailboxes. `failure`: a code for why not all of it could be listed."""

    model_config = ConfigDict(frozen=True)

    id: UUID
    state: MailboxState
    sent_in_gmail: Count
    failure: str | None = None


class CheckedCoverage(BaseModel):
    """Numbers of emails that Gmail lists as sent in a time, binned ones too, and what is on record of each.

    `sent_in_gmail` = `accounted_for` + `waiting` + `missing_in_all`; `accounted_for` as in `coverage`. `missing`: ids
    of emails of which nothing is on record, the first hundred; `handed_on`: of these, how many go to analysis now.
    `complete` False: not every mailbox was listed to its end. With `continue_token` the next call goes on there; its
    numbers are to be added to these.
    """

    model_config = ConfigDict(frozen=True)

    start: AwareDatetime
    end: AwareDatetime
    sent_in_gmail: Count
    accounted_for: Count
    with_entries: Count
    without_entries: Count
    excluded: Count
    gone: Count
    not_sent: Count
    failed: dict[str, Count]
    waiting: Count
    missing_in_all: Count
    missing: tuple[str, ...]
    handed_on: Count
    complete: bool
    continue_token: str | None
    mailboxes: tuple[CheckedMailbox, ...]


@dataclass(slots=True)
class _Sums:
    """What was counted so far; `missing`: ids by mailbox."""

    counts: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    missing: dict[UUID, list[str]] = field(default_factory=dict)

    def add(self, found: OnRecord) -> None:
        self.counts.update(found.model_dump(exclude={"failed", "missing"}))
        self.failed.update(found.failed)


@dataclass(frozen=True, slots=True)
class _Run:
    """One call's own."""

    user_id: UUID
    period: Period
    deadline: Deadline
    sums: _Sums = field(default_factory=_Sums)


@dataclass(frozen=True, slots=True)
class CoverageCheck:
    """The parts that it takes; lives with the process. `publisher` None: nothing can be handed on."""

    gmail: Gmail
    mailboxes: MailboxStore
    analyses: AnalysisStore
    timekeepers: Timekeepers
    publisher: "Publisher | None"
    deadline_seconds: float
    closers: Sequence[Callable[[], Awaitable[None]]] = ()
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    async def check(
        self, user_id: UUID, first: str, last: str, *, continue_token: str | None = None, hand_on: bool = False
    ) -> CheckedCoverage:
        """Count the user's sent mail of a time. `first`, `last`: days or moments, see Period.

        Raises InvalidArguments, NotOffered, StoreUnavailable, StoreRefused, and PublishFailed when handing on.
        """
        if hand_on and self.publisher is None:
            raise NotOffered("nothing can be handed on from here")
        self.timekeepers.changed(user_id)  # what is told has to be so now
        user = await self.timekeepers.get(user_id)
        period = Period.read(first, last, user.rules.time_zone or UTC, self.now())
        own = sorted(user.mailboxes, key=lambda mailbox: mailbox.id)
        place: _Place | None = None
        if continue_token is not None:
            place = _Place.read(continue_token)
            if place.start != period.start or place.end > period.end:
                raise _wrong("continue_token", "is of another period")
            # The very period of before, though it ended "now": Gmail's page tokens belong to a search.
            period = Period(place.start, place.end)
            if place.mailbox_id not in {mailbox.id for mailbox in own}:
                raise _wrong("continue_token", "is of a mailbox that you have not connected")
            own = [mailbox for mailbox in own if mailbox.id >= place.mailbox_id]
        run = _Run(user_id, period, Deadline(self.deadline_seconds))
        checked: list[CheckedMailbox] = []
        stopped: _Place | None = None
        for mailbox in own:
            token = place.page_token if place is not None and place.mailbox_id == mailbox.id else None
            done, stopped = await self._mailbox(run, mailbox, token)
            checked.append(done)
            if stopped is not None:
                break
        await self._look_again(user_id, run.sums)
        handed_on = await self._hand_on(run.sums) if hand_on else 0
        return _told(run, checked, stopped, handed_on)

    async def aclose(self) -> None:
        """Let go of all connections."""
        for close in self.closers:
            await close()

    async def _mailbox(self, run: _Run, mailbox: OwnMailbox, token: str | None) -> tuple[CheckedMailbox, _Place | None]:
        """List one mailbox from this page on, newest first; where it had to stop, if time or quota were used up."""
        checked = CheckedMailbox(id=mailbox.id, state=mailbox.state, sent_in_gmail=0, failure=None)
        if mailbox.state is not MailboxState.CONNECTED:
            return checked.model_copy(update={"failure": mailbox.state.value}), None
        inbox = self.gmail.mailbox(mailbox.id, mailbox.refresh_token_encrypted, background=True)
        seen: set[str] = set()
        failure: str | None = None
        is_stopped = False
        try:
            while not (is_stopped := run.deadline.is_over):
                token = await self._page(run, mailbox, inbox, token, seen)
                if token is None:
                    break
        except (StoreUnavailable, StoreRefused):
            raise
        except TenthsError as error:
            log.warning("coverage.not_listed", mailbox_id=str(mailbox.id), code=error.code, reason=str(error))
            if isinstance(error, AccessRevoked):
                await self.mailboxes.mark_access_revoked(mailbox.id, mailbox.refresh_token_encrypted)
            failure = error.code
            is_stopped = isinstance(error, OverQuota)
        place = _Place(mailbox_id=mailbox.id, page_token=token, start=run.period.start, end=run.period.end)
        checked = checked.model_copy(update={"sent_in_gmail": len(seen), "failure": failure})
        return checked, place if is_stopped else None

    async def _page(
        self, run: _Run, mailbox: OwnMailbox, inbox: GmailMailbox, token: str | None, seen: set[str]
    ) -> str | None:
        """Count one page; the token of the next one, if there is one."""
        inbox.patience_seconds = run.deadline.left
        page = await inbox.sent_page(run.period.query, token, PAGE, with_binned=True)
        # An email that is deleted while pages are read moves others; none counts twice.
        fresh = [email_id for email_id in page.ids if email_id not in seen]
        seen.update(fresh)
        if fresh:
            found = await self.analyses.emails_on_record(run.user_id, fresh)
            run.sums.add(found)
            run.sums.missing.setdefault(mailbox.id, []).extend(found.missing)
        return page.next_page_token

    async def _look_again(self, user_id: UUID, sums: _Sums) -> None:
        """What was only just sent when it was listed may be on record by now."""
        for mailbox_id, missing in sums.missing.items():
            left: list[str] = []
            for start in range(0, len(missing), PAGE):
                found = await self.analyses.emails_on_record(user_id, missing[start : start + PAGE])
                sums.add(found)
                left.extend(found.missing)
            sums.missing[mailbox_id] = left

    async def _hand_on(self, sums: _Sums) -> int:
        """Have what is missing analysed: awaited first, so that from then on it is never missing again."""
        if self.publisher is None:
            return 0
        handed_on = 0
        for mailbox_id, missing in sums.missing.items():
            for start in range(0, len(missing), PAGE):
                ids = missing[start : start + PAGE]
                await self.analyses.await_analysis(mailbox_id, ids)
                emails = [SentEmail(mailbox_id=mailbox_id, email_id=email_id) for email_id in ids]
                await self.publisher.publish(emails, f"coverage-{mailbox_id}")
                handed_on += len(emails)
        return handed_on


def _told(run: _Run, checked: Sequence[CheckedMailbox], stopped: _Place | None, handed_on: int) -> CheckedCoverage:
    sums = run.sums
    counts = {name: sums.counts[name] for name in ("with_entries", "without_entries", "excluded", "gone", "not_sent")}
    missing = [email_id for ids in sums.missing.values() for email_id in ids]
    return CheckedCoverage(
        **counts,
        start=run.period.start,
        end=run.period.end,
        sent_in_gmail=sum(mailbox.sent_in_gmail for mailbox in checked),
        accounted_for=sum(counts.values()) + sums.failed.total(),
        failed=dict(sums.failed),
        waiting=sums.counts["waiting"],
        missing_in_all=len(missing),
        missing=tuple(missing[:MOST_NAMED]),
        handed_on=handed_on,
        complete=stopped is None and all(mailbox.failure is None for mailbox in checked),
        continue_token=stopped and stopped.written(),
        mailboxes=tuple(checked),
    )


_MOMENT: Final = TypeAdapter[datetime](AwareDatetime)


def _moment(name: str, text: str, zone: tzinfo, *, is_last: bool = False) -> datetime:
    """A day's beginning in this zone, or its end; or the moment that is named."""
    try:
        if "T" in text.upper():
            # In a query "+" stands for a space.
            return _MOMENT.validate_python(text.strip().replace(" ", "+"))
        day = date.fromisoformat(text.strip())
        return datetime.combine(day + timedelta(days=is_last), time.min, zone)
    except (ValidationError, ValueError, OverflowError):
        raise _wrong(name, "write a day such as 2026-09-01, or date, time and zone") from None


def _wrong(name: str, message: str) -> InvalidArguments:
    return InvalidArguments(WrongArgument(name, message))
