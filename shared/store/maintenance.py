"""What maintenance asks of the database: what is due, claimed in batches, and how it went.

The one store whose calls are for all users' mailboxes at once. What is claimed comes due again by itself, so whoever
claims may die. Every method raises StoreUnavailable or StoreRefused.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter

from shared.pubsub.messages import RescanPage, SentEmail
from shared.store.client import StoreClient

Count = Annotated[int, Field(ge=0)]


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class ClaimedWatch(_Row):
    """A mailbox whose watch is the caller's to renew."""

    mailbox_id: UUID
    refresh_token_encrypted: str


class Watches(_Row):
    """Of the `connected` mailboxes: how many have no watch, lose theirs within a day, and could be claimed now."""

    connected: Count
    lapsed: Count
    lapsing: Count
    due: Count


class UnreadMailbox(_Row):
    """A mailbox whose history is to be looked at, and its watermark."""

    mailbox_id: UUID
    email_address: str
    history_id: int


class WaitingEmails(_Row):
    """`emails` to be handed on again; how many were put off, and how many wait no more."""

    emails: tuple[SentEmail, ...]
    put_off: Count
    dropped: Count

    @property
    def seen(self) -> int:
        return len(self.emails) + self.put_off + self.dropped


class StalledRescans(_Row):
    """`steps` whose message is to be published again; how many jobs were failed, for that had not helped."""

    steps: tuple[RescanPage, ...]
    given_up: Count


class SecondLooks(_Row):
    """`emails` to be handed on again; how many were put off, need no look any more, and get none any more."""

    emails: tuple[SentEmail, ...]
    put_off: Count
    settled: Count
    given_up: Count

    @property
    def seen(self) -> int:
        return len(self.emails) + self.put_off + self.settled + self.given_up


class Refreshed(_Row):
    """`refreshed` False: another call was at it. `changes`: rows of the log of changed days."""

    refreshed: bool
    seconds: float
    changes: Count


class KeptLetter(_Row):
    """A dead letter that is kept: the ids that its message is made of again, and of a mailbox its address now."""

    message_id: str
    topic: str
    email_address: str | None
    history_id: int | None
    mailbox_id: UUID | None
    email_id: str | None
    job_id: UUID | None
    step: int | None
    correlation_id: str


_WATCHES = TypeAdapter(tuple[ClaimedWatch, ...])
_MAILBOXES = TypeAdapter(tuple[UnreadMailbox, ...])
_LETTERS = TypeAdapter(tuple[KeptLetter, ...])


class MaintenanceStore:
    """Claims what is due."""

    def __init__(self, client: StoreClient) -> None:
        self._client = client

    async def claim_watches(
        self, *, within_seconds: float, lease_seconds: float, most: int
    ) -> tuple[ClaimedWatch, ...]:
        """Mailboxes whose watch ends within that time or has, for so long at most."""
        arguments = {"p_within_seconds": within_seconds, "p_lease_seconds": lease_seconds, "p_most": most}
        return _WATCHES.validate_python(await self._client.call("claim_watches", arguments), strict=False)

    async def watch_renewed(self, mailbox_id: UUID, expires_at: datetime) -> bool:
        """False: the mailbox was disconnected meanwhile."""
        arguments = {"p_mailbox_id": str(mailbox_id), "p_expires_at": expires_at.isoformat()}
        return bool(await self._client.call("watch_renewed", arguments))

    async def watch_not_renewed(self, mailbox_id: UUID, failure: str) -> None:
        """Leave the mailbox's watch alone for a while. `failure`: a code for why."""
        await self._client.call("watch_not_renewed", {"p_mailbox_id": str(mailbox_id), "p_failure": failure})

    async def watches(self, *, within_seconds: float) -> Watches:
        return Watches.model_validate(await self._client.call("watches", {"p_within_seconds": within_seconds}))

    async def claim_unread_mailboxes(
        self, *, quiet_seconds: float, pause_seconds: float, most: int
    ) -> tuple[UnreadMailbox, ...]:
        """Mailboxes whose history nobody read for so long; each again after the pause at the earliest."""
        arguments = {"p_quiet_seconds": quiet_seconds, "p_pause_seconds": pause_seconds, "p_most": most}
        return _MAILBOXES.validate_python(await self._client.call("claim_unread_mailboxes", arguments))

    async def claim_waiting_emails(self, most: int) -> WaitingEmails:
        """Emails that have waited in vain: the caller's to publish for ten minutes, then anybody's."""
        return WaitingEmails.model_validate(await self._client.call("claim_waiting_emails", {"p_most": most}))

    async def waiting_emails_handed_on(self, emails: Sequence[SentEmail]) -> None:
        """These were published again: a try counts."""
        await self._client.call("waiting_emails_handed_on", {"p_emails": _ids(emails)})

    async def drop_disconnected_waiting(self, most: int) -> int:
        """How many emails of disconnected mailboxes wait no more."""
        return int(await self._client.call("drop_disconnected_waiting", {"p_most": most}))

    async def claim_stalled_rescans(self, most: int) -> StalledRescans:
        return StalledRescans.model_validate(await self._client.call("claim_stalled_rescans", {"p_most": most}))

    async def claim_second_looks(self, most: int, most_a_user: int) -> SecondLooks:
        """Readings that the model had no say in: the caller's to publish for ten minutes, then anybody's."""
        arguments = {"p_most": most, "p_most_a_user": most_a_user}
        return SecondLooks.model_validate(await self._client.call("claim_second_looks", arguments))

    async def second_looks_handed_on(self, emails: Sequence[SentEmail]) -> None:
        """These were published again: a try counts."""
        await self._client.call("second_looks_handed_on", {"p_emails": _ids(emails)})

    async def refresh_summaries(self) -> Refreshed:
        return Refreshed.model_validate(await self._client.call("refresh_summaries", {}))

    async def purge(self, what: str, before: AwareDatetime, most: int) -> int:
        """Delete at most so many of what is older, the oldest first; how many these were."""
        arguments = {"p_what": what, "p_before": before.isoformat(), "p_most": most}
        return int(await self._client.call("purge", arguments))

    async def keep_dead_letters(self, letters: Sequence[dict[str, Any]]) -> int:
        """Keep these, each once; how many were not kept before."""
        return int(await self._client.call("keep_dead_letters", {"p_letters": list(letters)}))

    async def kept_dead_letters(self, after: str, most: int) -> tuple[KeptLetter, ...]:
        """Those that can be published again, in the order of message ids, from the one after this on."""
        arguments = {"p_after": after, "p_most": most}
        return _LETTERS.validate_python(await self._client.call("kept_dead_letters", arguments))

    async def forget_dead_letters(self, message_ids: Sequence[str]) -> None:
        await self._client.call("forget_dead_letters", {"p_message_ids": list(message_ids)})


def _ids(emails: Sequence[SentEmail]) -> list[dict[str, Any]]:
    return [email.model_dump(mode="json") for email in emails]
