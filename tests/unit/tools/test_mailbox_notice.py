import pytest

from shared.chat.told import failure, told_of_failure
from shared.errors import AccessRevoked
from shared.store.mailboxes import MailboxState
from shared.tools.mailboxes import RECONNECT, notice

CONNECTED, AWAY, GONE = MailboxState.CONNECTED, MailboxState.RECONNECT_NEEDED, MailboxState.DISCONNECTED


@pytest.mark.parametrize("states", [(), (CONNECTED,), (CONNECTED, GONE), (GONE,)])
def test_nothing_is_said_while_all_that_is_connected_is_read(states: tuple[MailboxState, ...]) -> None:
    assert notice(states) is None


@pytest.mark.parametrize(
    ("states", "begins"),
    [
        ((AWAY,), "Email is not being read: the mailbox has to be connected again."),
        ((AWAY, GONE), "Email is not being read: the mailbox has to be connected again."),
        ((CONNECTED, AWAY), "Not all email is being read: 1 of the mailboxes has to be connected again."),
        ((AWAY, AWAY), "Not all email is being read: 2 of the mailboxes have to be connected again."),
    ],
)
def test_a_mailbox_that_is_not_read_is_told_with_what_to_do(states: tuple[MailboxState, ...], begins: str) -> None:
    said = notice(states)
    assert said is not None
    assert said.startswith(begins)
    assert "POST /mailbox/connect" in said


def test_the_chat_is_told_in_the_same_words() -> None:
    code, message = failure(AccessRevoked(RECONNECT))
    assert (code, message) == ("access_revoked", RECONNECT)
    assert "has to be connected again" in told_of_failure(code, message, 1_000)
