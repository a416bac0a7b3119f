"""How things stand: numbers of all mailboxes together, for whoever runs the system."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from shared.store.client import StoreClient

Count = Annotated[int, Field(ge=0)]


class Standing(BaseModel):
    """`mailboxes` by state; of connected ones, those without a watch and those that lose theirs within a day.

    `emails_waiting`: handed on, not on record, and readable; the oldest for so many seconds. `summaries_age_seconds`:
    since the view behind the summaries was filled, 0 where nothing has changed since.
    """

    model_config = ConfigDict(frozen=True)

    mailboxes: dict[str, Count]
    watches_lapsed: Count
    watches_lapsing: Count
    emails_waiting: Count
    oldest_waiting_seconds: float
    dead_letters_kept: Count
    second_looks_due: Count
    summaries_age_seconds: float


async def standing(client: StoreClient) -> Standing:
    """Ask for it. Raises StoreUnavailable or StoreRefused."""
    return Standing.model_validate(await client.call("standing", {}))
