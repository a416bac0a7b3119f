"""What users ask about their mailboxes: connect one, see them, disconnect one.

Connecting takes three steps, and the last is what keeps others' mailboxes out of one's account:

    POST /mailbox/connect   with the user's token   an attempt is stored, and the person is sent to Google
    GET /mailbox/callback   by whoever's browser    checks the state, and hands code and state to the application
    POST /mailbox/finish    with the user's token   uses the attempt up, redeems the code, connects the mailbox

Anyone can be made to open a link. Were a mailbox connected by the callback itself, a stranger could begin, send the
link of Google's consent screen to a lawyer, and have the lawyer's mailbox in the stranger's account. So the callback
only passes on, to where the browser's own user is signed in: it is this user who finishes, or it is refused. A cookie
set at the beginning would do as well, but only where browsers send it across sites. The code is of no use to others: it
takes our secret, the verifier that lies encrypted in the database, and the token of the user who began. It doesn't
matter where a process dies: until the mailbox is stored, in one statement, there is but an attempt that expires.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final
from uuid import UUID, uuid4

from pydantic import AwareDatetime, BaseModel, Field, StringConstraints

from shared.auth import UserTokens
from shared.caller import Caller
from shared.connecting.authorization import Authorization, new_verifier
from shared.connecting.connections import Connections, Disconnected
from shared.connecting.delegating import Delegating
from shared.connecting.opening import Opened, Opening
from shared.connecting.return_to import allowed
from shared.connecting.state import State, States
from shared.connecting.store import ConnectionStore, OwnMailboxes, OwnMailboxRow
from shared.errors import InConflict, NotFound
from shared.store.mailboxes import MailboxAccess, MailboxState
from shared.tokens import TokenVault
from shared.tools.registry import Arguments

ATTEMPT_LASTS: Final = timedelta(minutes=10)
_START_AGAIN: Final = (
    "this was not begun by you, it was finished before, or it took too long: nothing was connected; start again"
)
_RECONNECT: Final = {
    MailboxAccess.OAUTH: "Connect it again: POST /mailbox/connect, and allow reading email on Google's page.",
    MailboxAccess.DELEGATED: "Ask your domain's administrator to let this service in, then connect it again:"
    " POST /mailbox/delegate.",
}
_UNRELEASED: Final = "Nothing. Google could not be told yet that it is disconnected; that is tried again until it is."
_UNWATCHED: Final = "Nothing. Gmail does not push its mail yet; until then it is read now and then."


class ConnectRequest(Arguments):
    """`login_hint`: the address that Google is to suggest. `return_to`: where the browser goes from the callback."""

    login_hint: Annotated[str, StringConstraints(max_length=320, pattern=r"^[^@\s]+@[^@\s]+$")] | None = None
    return_to: Annotated[str, Field(max_length=1_000)] | None = None


class FinishRequest(Arguments):
    """What the callback handed on."""

    state: Annotated[str, Field(min_length=1, max_length=3_000)]
    code: Annotated[str, Field(min_length=1, max_length=2_000)]


class Begun(BaseModel):
    """Where the person is to be sent, and until when they may finish."""

    authorization_url: str
    expires_at: AwareDatetime


class OwnMailbox(OwnMailboxRow):
    """A mailbox, and what its user is to do about it; None: all is well."""

    what_to_do: str | None


@dataclass(frozen=True, slots=True)
class Connecting:
    """The parts that it takes; lives with the process. Methods raise the transient errors of these, too."""

    tokens: UserTokens
    own: OwnMailboxes
    store: ConnectionStore
    vault: TokenVault
    states: States
    authorization: Authorization
    opening: Opening
    delegating: Delegating
    connections: Connections
    app_origins: frozenset[str]
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    async def begin(self, caller: Caller, request: ConnectRequest) -> Begun:
        """Send the user to Google. Raises InvalidArguments."""
        return_to = None if request.return_to is None else allowed(request.return_to, self.app_origins)
        attempt_id, verifier = uuid4(), new_verifier()
        expires_at = self.now() + ATTEMPT_LASTS
        await self.store.begin(attempt_id, caller.user_id, self.vault.encrypt(verifier), expires_at)
        state = self.states.signed(State(attempt_id, return_to), expires_at)
        return Begun(
            authorization_url=self.authorization.url(state, verifier, request.login_hint), expires_at=expires_at
        )

    async def finish(self, caller: Caller, request: FinishRequest) -> Opened:
        """Connect what the person agreed to. Raises BadState, InConflict, AccessRevoked and GmailRefused."""
        state = self.states.read(request.state)
        encrypted_verifier = await self.store.use(state.attempt_id, caller.user_id, uuid4())
        if encrypted_verifier is None:
            raise InConflict(_START_AGAIN)
        answer = await self.authorization.redeem(request.code, self.vault.decrypt(encrypted_verifier))
        refresh_token = answer.refresh_token
        if refresh_token is None:
            raise AssertionError("unreachable: without one, redeeming has raised")
        encrypted = self.vault.encrypt(refresh_token.get_secret_value())
        self.opening.gmail.tokens.remember(encrypted, answer)
        return await self.opening.open(caller.user_id, encrypted, MailboxAccess.OAUTH)

    async def all(self, caller: Caller) -> tuple[OwnMailbox, ...]:
        """The user's mailboxes, those that were disconnected too."""
        return tuple(_shown(row) for row in await self.own.all(caller))

    async def disconnect(self, caller: Caller, mailbox_id: str) -> Disconnected:
        """Raises NotFound."""
        try:
            wanted = UUID(mailbox_id)
        except ValueError:
            raise NotFound("you have no mailbox of this id") from None
        return await self.connections.disconnect(caller.user_id, wanted)


def _shown(row: OwnMailboxRow) -> OwnMailbox:
    what_to_do = None
    if row.state is MailboxState.RECONNECT_NEEDED:
        what_to_do = _RECONNECT[row.access]
    elif row.state is MailboxState.DISCONNECTED and row.released_at is None:
        what_to_do = _UNRELEASED
    elif row.state is MailboxState.CONNECTED and row.watch_expires_at is None:
        what_to_do = _UNWATCHED
    return OwnMailbox(**row.model_dump(), what_to_do=what_to_do)
