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


class Coverage(BaseModel):
    """What the database's `coverage` answers for a period: numbers of emails.

    `sent` = `accounted_for` + `waiting`; `accounted_for` = `with_entries` + `without_entries` + `excluded` + `gone` +
    `not_sent` + all that `failed`, by code. `second_look_due` are among those with or without entries.
    `history_read_at`: all that was sent until then is counted, in every connected mailbox; None: none is connected.
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
    second_look_due: Count
    history_read_at: AwareDatetime | None
    mailboxes: tuple[CoveredMailbox, ...]
