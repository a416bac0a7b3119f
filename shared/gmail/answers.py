"""What Gmail answers, as far as it is used, checked where it comes in.

Source: Gmail API reference, users.messages, users.history, users.watch, users.getProfile.
"""

import base64
import binascii
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator


def _decoded(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
    except binascii.Error as error:
        raise ValueError("not base64") from error


class Answer(BaseModel):
    """Base of all: unknown fields are Gmail's to add, and errors don't repeat what was in them."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class Nothing(Answer):
    """What methods answer that only do something: an empty object, or no body at all."""

    @model_validator(mode="before")
    @classmethod
    def _whatever(cls, _value: Any) -> Any:
        return {}


class Labelled(Answer):
    """A message as history names it. `label_ids` None: Gmail did not say."""

    id: str
    label_ids: Annotated[frozenset[str] | None, Field(alias="labelIds")] = None


class Change(Answer):
    """One message within a history record. `added`: the labels that this record put on it."""

    message: Labelled
    added: Annotated[frozenset[str], Field(alias="labelIds")] = frozenset()


class HistoryRecord(Answer):
    """One change of the mailbox."""

    id: int
    messages_added: Annotated[tuple[Change, ...], Field(alias="messagesAdded")] = ()
    labels_added: Annotated[tuple[Change, ...], Field(alias="labelsAdded")] = ()


class History(Answer):
    """One page of changes; `history_id` is the mailbox's present one."""

    history: tuple[HistoryRecord, ...] = ()
    next_page_token: Annotated[str | None, Field(alias="nextPageToken")] = None
    history_id: Annotated[int, Field(alias="historyId")]


class MessageId(Answer):
    """A message as a list names it."""

    id: str


class MessageList(Answer):
    """One page of message ids, newest first."""

    messages: tuple[MessageId, ...] = ()
    next_page_token: Annotated[str | None, Field(alias="nextPageToken")] = None


class Message(Answer):
    """A message; `raw` its RFC 822 bytes or `payload` Gmail's parsed form. `internal_date`: milliseconds, UTC."""

    id: str
    label_ids: Annotated[frozenset[str], Field(alias="labelIds")] = frozenset()
    internal_date: Annotated[int, Field(alias="internalDate")]
    raw: Annotated[bytes | None, BeforeValidator(_decoded)] = None
    payload: dict[str, Any] | None = None


class Attachment(Answer):
    """The body of a part that was fetched for itself, as Gmail encodes it."""

    data: str


class Label(Answer):
    """A label: `name` as people see it, `id` as messages carry it."""

    id: str
    name: str


class LabelList(Answer):
    """All labels of a mailbox."""

    labels: tuple[Label, ...] = ()


class Profile(Answer):
    """Whose mailbox it is and where its history stands."""

    email_address: Annotated[str, Field(alias="emailAddress")]
    history_id: Annotated[int, Field(alias="historyId")]


class Watch(Answer):
    """A watch that was set. `expiration`: milliseconds, UTC."""

    history_id: Annotated[int, Field(alias="historyId")]
    expiration: int
