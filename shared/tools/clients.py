"""A filter by client: it has to be a client or matter that the user has."""

from typing import Final

from shared.caller import Caller
from shared.errors import InvalidArguments, WrongArgument
from shared.store.entries import OwnData

MOST_NAMED: Final = 20


async def known_client(own: OwnData, caller: Caller, client: str | None) -> str | None:
    """The filter as it came, if any entry or matter is about it. Raises InvalidArguments, naming those there are."""
    if client is None or await own.knows_client(caller, client):
        return client
    names = await own.known_clients(caller)
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    there = f"there are {', '.join(names[:MOST_NAMED])}{more}" if names else "there are none yet"
    raise InvalidArguments(WrongArgument("client_filter", "no client or matter of yours is called so", there))
