"""What users are told of mailboxes that can't be read: that it is so, and what they can do."""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from shared.store.mailboxes import MailboxState

_HOW: Final = (
    "The permission to read it was taken back, or it ended. Connect it on the page for mailboxes (POST"
    " /mailbox/connect), and allow reading email at Google; what was sent meanwhile is read then."
)
RECONNECT: Final = f"the mailbox has to be connected again. {_HOW}"
CONNECT: Final = (
    "no mailbox is connected: connect one first, on the page for mailboxes (POST /mailbox/connect), and allow reading"
    " email at Google"
)


class MailboxShown(BaseModel):
    """A mailbox of the user's. One whose state is not connected isn't read."""

    model_config = ConfigDict(frozen=True)

    id: UUID
    state: MailboxState


def notice(states: Iterable[MailboxState]) -> str | None:
    """What there is to be said of the user's mailboxes, in plain words; None: nothing."""
    there = [state for state in states if state is not MailboxState.DISCONNECTED]
    away = there.count(MailboxState.RECONNECT_NEEDED)
    if not away:
        return None
    if len(there) == 1:
        return f"Email is not being read: {RECONNECT}"
    are = "of the mailboxes has" if away == 1 else "of the mailboxes have"
    return f"Not all email is being read: {away} {are} to be connected again. {_HOW}"
