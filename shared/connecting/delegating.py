"""Connecting without a consent screen, where the administrator of a domain lets us into its mailboxes."""

from dataclasses import dataclass
from typing import Final

from shared.caller import Caller
from shared.connecting.opening import Opened, Opening
from shared.connecting.store import ConnectionStore
from shared.errors import AccessRevoked, InConflict, NotOffered
from shared.store.mailboxes import MailboxAccess
from shared.tokens import TokenVault, delegated

_NOT_LET_IN: Final = (
    "the administrator of your domain does not let this service into your mailbox: ask them, or connect it yourself"
)


@dataclass(frozen=True, slots=True)
class Delegating:
    """The parts that it takes. `domains`: those whose administrators let us in, lower case.

    The service account can open every mailbox of these domains, so the address is never the caller's to choose. It is
    the one that Supabase's own table has as confirmed for the user: the token's claims won't do, since `email` is there
    confirmed or not, it may have changed since, and `user_metadata`, where `email_verified` is, is the user's to write.
    """

    store: ConnectionStore
    vault: TokenVault
    opening: Opening
    domains: frozenset[str]

    async def connect(self, caller: Caller) -> Opened:
        """Connect the mailbox of the caller's own address. Raises NotOffered, InConflict and what `Opening` raises."""
        if not self.domains:
            raise NotOffered("no domain has let this service in; connect the mailbox yourself")
        address = await self.store.confirmed_address(caller.user_id)
        if address is None:
            raise InConflict("confirm your email address first: only its own mailbox can be connected like this")
        if address.rpartition("@")[2] not in self.domains:
            raise InConflict("your address is of no domain that has let this service in; connect the mailbox yourself")
        encrypted = self.vault.encrypt(delegated(address))
        try:
            return await self.opening.open(caller.user_id, encrypted, MailboxAccess.DELEGATED, expected=address)
        except AccessRevoked as refusal:
            raise InConflict(_NOT_LET_IN) from refusal
