"""The messages themselves: values with one JSON form each."""

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

MAX_HISTORY_ID = 2**64 - 1


class GmailPush(BaseModel):
    """What Gmail publishes when something changed in a watched mailbox. It says only that, not what.

    Source: Gmail API, push notifications. `historyId` is an unsigned 64-bit number, sent as number or string.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    email_address: Annotated[str, Field(alias="emailAddress", max_length=320, pattern=r"^[^\s\x00]+@[^\s\x00]+$")]
    history_id: Annotated[int, Field(alias="historyId", ge=0, le=MAX_HISTORY_ID)]


class SentEmail(BaseModel):
    """One newly sent email, to be analysed. Carries ids only: nothing in it is worth hiding."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    mailbox_id: UUID
    email_id: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]


class RescanPage(BaseModel):
    """One step of a rescan: a page of a mailbox's past, or what is left of it."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    job_id: UUID
    step: Annotated[int, Field(ge=0, le=2**31 - 2)]
    """Counts from 0."""


def rescan_correlation(job_id: UUID) -> str:
    """What all that a rescan publishes, records and logs has in common."""
    return f"rescan-{job_id}"
