"""Timekeepers: their settings, their directory of matters and their mailboxes, as the tools need them."""

from uuid import UUID

from pydantic import BaseModel, ConfigDict

from shared.cache import Cache
from shared.store.analyses import AnalysisContext, DirectoryMatter, TimekeeperSettings
from shared.store.client import StoreClient
from shared.store.mailboxes import MailboxState


class OwnMailbox(BaseModel):
    """A mailbox of the timekeeper's."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    id: UUID
    state: MailboxState
    refresh_token_encrypted: str


class Timekeeper(BaseModel):
    """All that the tools need to know of a user."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    user_id: UUID
    settings: TimekeeperSettings | None
    matters: tuple[DirectoryMatter, ...]
    mailboxes: tuple[OwnMailbox, ...]

    @property
    def rules(self) -> TimekeeperSettings:
        """The settings that hold: the defaults for those who set none."""
        return self.settings or TimekeeperSettings()

    @property
    def readable(self) -> tuple[OwnMailbox, ...]:
        """The mailboxes that can be read now."""
        return tuple(each for each in self.mailboxes if each.state is MailboxState.CONNECTED)

    def context(self, mailbox: OwnMailbox) -> AnalysisContext:
        """What an analysis of this mailbox's emails needs to know."""
        return AnalysisContext(
            mailbox_id=mailbox.id,
            user_id=self.user_id,
            state=mailbox.state,
            refresh_token_encrypted=mailbox.refresh_token_encrypted,
            settings=self.settings,
            matters=self.matters,
            processed=None,
        )


class Timekeepers:
    """Looks timekeepers up, and remembers them for a short while. Raises StoreUnavailable or StoreRefused."""

    def __init__(self, client: StoreClient, *, most: int, seconds: float) -> None:
        self._client = client
        self.cache: Cache[Timekeeper] = Cache("timekeepers", most=most, seconds=seconds)

    async def get(self, user_id: UUID) -> Timekeeper:
        return await self.cache.get(user_id, lambda: self._look_up(user_id))

    def changed(self, user_id: UUID) -> None:
        """Something was changed: what is remembered is no longer so."""
        self.cache.forget(user_id)

    async def _look_up(self, user_id: UUID) -> Timekeeper:
        return Timekeeper.model_validate(await self._client.call("timekeeper_context", {"p_user_id": str(user_id)}))
