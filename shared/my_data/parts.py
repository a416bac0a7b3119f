"""What my_data works with. Lives with the process."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from shared.auth import UserTokens
from shared.caller import Caller
from shared.my_data.erase import Disconnecting
from shared.store.my_data import OwnRows, UsersRows


@dataclass(frozen=True, slots=True)
class MyDataParts:
    """`tokens` know users; `own_rows` reads as one, `rows_of` reads and deletes one user's with the secret key."""

    tokens: UserTokens
    own_rows: Callable[[Caller], OwnRows]
    rows_of: Callable[[UUID], UsersRows]
    connections: Disconnecting
    closers: tuple[Callable[[], Awaitable[None]], ...] = ()

    async def aclose(self) -> None:
        """Let go of the connections."""
        for close in self.closers:
            await close()
