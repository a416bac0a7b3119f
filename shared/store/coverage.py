"""Coverage: of the emails sent in a period, what became of each, so that nobody has to believe that none is missing."""

from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shared.store.mailboxes import MailboxState

Count = Annotated[int, Field(ge=0)]


class CoveredMailbox(BaseModel):
    """One of the user's mailboxes, and whether it is being read."""

    model_config = ConfigDict(frozen=True)

    id: UUID
    state: MailboxState


class NotListed(BaseModel):
    """A time of which sent mail was never listed: a rescan makes it good.

    No mailbox was connected then, or Gmail no longer had its history. None: it has no beginning, or no end.
    """

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    start: Annotated[AwareDatetime | None, Field(alias="from")]
    end: Annotated[AwareDatetime | None, Field(alias="to")]


class Coverage(BaseModel):
    """What the database's `coverage` answers for a period: numbers of emails.

    `sent` = `accounted_for` + `waiting`; `accounted_for` = `with_entries` + `without_entries` + `excluded` + `gone` +
    `not_sent` + all that `failed`, by code. `second_look_due` are among those with or without entries.
    `history_read_at`: all that was sent until then is counted, in every connected mailbox, but for what was
    `not_listed`; None: none is connected. `perhaps_waiting`: handed on after the period and not read yet, so that
    nobody knows yet whether they were sent in it; not among `sent`.
    """

    model_config = ConfigDict(frozen=True)

    sent: Count
    accounted_for: Count
    with_entries: Count
    without_entries: Count
    excluded: Count
    gone: Count
    not_sent: Count
    failed: dict[str, Count]
    waiting: Count
    perhaps_waiting: Count
    second_look_due: Count
    history_read_at: AwareDatetime | None
    not_listed: tuple[NotListed, ...]
    mailboxes: tuple[CoveredMailbox, ...]
