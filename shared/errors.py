"""The tree of what can go wrong. First permanent or transient: that decides whether a delivery is acked.

    TenthsError
    +- PermanentError            nothing is lost by an ack: there is nothing to do, or what became of it is recorded
    |  +- BadDelivery            a push body that is no push, or names nothing we could read
    |  +- UnknownMailbox         the address or id belongs to no connected mailbox
    |  +- HistoryExpired         Gmail keeps no history that far back
    |  +- AccessRevoked          the user or an administrator took the permission back
    |  +- MessageGone            the email was deleted meanwhile
    |  +- GmailRefused           Gmail answers that the request itself is wrong
    |  |  +- AnswerTooLarge      an answer is larger than was asked to be held in memory
    |  |  +- WatchedElsewhere    another client of the same project has the mailbox's pushes
    |  +- RequestRefused         what a user asks can't be done as it is asked; nothing was changed
    |     +- NotAuthenticated    no token, or none that counts
    |     +- InvalidArguments    an argument is missing, unknown or wrong; each is named
    |     +- NotFound            there is no such thing, or it is somebody else's
    |     +- InConflict          it can't be done in the state that things are in
    |     +- RequestTooLarge     the body is larger than any such request
    |     +- NotOffered          this deployment doesn't have what it takes
    +- TransientError            an ack would lose something: tried again by Pub/Sub, then kept as a dead letter
       +- OverQuota              the quota of the minute is used up
       +- GmailUnavailable       Gmail failed, hung or can't be reached
       |  +- AccessExpired       Gmail no longer takes the access token; the next try fetches a new one
       +- AppRefused             Google refuses our app, not this user: credentials or project are set up wrong
       +- KeyMissing             no key of ours opens a stored token
       +- KeysUnavailable        the keys that callers' tokens are checked with can't be fetched
       +- HistoryBehindPush      the push was faster than the history it announces
       +- StoreUnavailable       the database failed, hung or can't be reached
       +- StoreRefused           the database answers that the request itself is wrong: a person has to mend it
       +- EncoderMissing         this process can't load the encoder
       +- PublishFailed          Pub/Sub did not take the messages
       +- PullFailed             Pub/Sub did not give the dead letters, or not take that they were dealt with
       +- ModelError             the language model gave nothing that can be used; what the rules decided stands
          +- ModelUnavailable    it failed, hung, can't be reached, or failed so often that it is left alone for a while
          +- ModelOverLimit      its limit of requests or tokens is used up
          +- ModelMisconfigured  its API refuses us: key, name of the model, endpoint, or nothing left to pay with
          +- ModelUnusable       it refused, was cut off, or answered something that is no answer

No message carries text or addresses of an email: errors end up in logs. `code` names the kind in rows and metrics.
"""

from dataclasses import dataclass
from typing import ClassVar


class TenthsError(Exception):
    """Anything that this project raises on purpose."""

    code: ClassVar[str] = "error"


class PermanentError(TenthsError):
    """Trying again gives the same result, and an ack loses nothing."""

    code = "permanent"


class TransientError(TenthsError):
    """An ack would lose something. `retry_after`: seconds to wait, where the other side named a time."""

    code = "transient"

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class BadDelivery(PermanentError):
    """A delivery's body is no Pub/Sub push, or what it carries is not what the function takes."""

    code = "bad_delivery"


class UnknownMailbox(PermanentError):
    """The delivery names a mailbox that is not connected."""

    code = "unknown_mailbox"


class HistoryExpired(PermanentError):
    """Gmail answers 404 to a history id: it keeps no history that far back."""

    code = "history_expired"


class AccessRevoked(PermanentError):
    """The mailbox can't be read until its owner connects it again."""

    code = "access_revoked"


class MessageGone(PermanentError):
    """Gmail has no message of this id any more."""

    code = "message_gone"


class GmailRefused(PermanentError):
    """Gmail answers that the request itself is wrong (a 4xx with no better name)."""

    code = "gmail_refused"


class AnswerTooLarge(GmailRefused):
    """An answer passed the bound that the caller set; it was not read to its end."""

    code = "answer_too_large"


class WatchedElsewhere(GmailRefused):
    """Another client of the same project has the mailbox's pushes, and Gmail gives them to one at a time."""

    code = "watched_elsewhere"


@dataclass(frozen=True, slots=True)
class WrongArgument:
    """One argument that can't be taken: its name, with dots and places for what is nested, and what is wrong.

    `details`: what helps the user and holds names of their clients, so it is for nobody else. `is_unknown`: there is
    no argument of this name, so it is the caller's own words.
    """

    field: str
    message: str
    details: str = ""
    is_unknown: bool = False


class RequestRefused(PermanentError):
    """A user's request is refused. The message is for that user: it may repeat what they sent, nothing of others."""

    code = "request_refused"


class NotAuthenticated(RequestRefused):
    """There is no user's token with the request, or it is expired, forged or meant for somebody else."""

    code = "not_authenticated"


class InvalidArguments(RequestRefused):
    """Arguments are missing, unknown or wrong. `errors` has one for each."""

    code = "invalid_arguments"

    def __init__(self, *errors: WrongArgument) -> None:
        super().__init__("; ".join(f"{error.field}: {error.message}" for error in errors))
        self.errors = errors


class NotFound(RequestRefused):
    """There is nothing of this name or id that the user may see."""

    code = "not_found"


class InConflict(RequestRefused):
    """What is asked doesn't fit the state that things are in, such as a mailbox that isn't connected."""

    code = "in_conflict"


class RequestTooLarge(RequestRefused):
    """The body of the request is larger than any of its kind has to be."""

    code = "request_too_large"


class NotOffered(RequestRefused):
    """It takes something that this deployment was not given, such as a language model."""

    code = "not_offered"


class OverQuota(TransientError):
    """The quota of the minute is used up, ours or as Gmail counts it."""

    code = "over_quota"


class GmailUnavailable(TransientError):
    """Gmail failed, hung, can't be reached, or answered something that is no answer."""

    code = "gmail_unavailable"


class AccessExpired(GmailUnavailable):
    """Gmail no longer takes the access token."""

    code = "access_expired"


class AppRefused(TransientError):
    """Google refuses our app itself: a wrong client secret, an API that is not enabled, a wrong endpoint.

    Nothing is wrong with the mailbox or the email, so neither is to suffer: once it is mended, another try works.
    """

    code = "app_refused"


class KeyMissing(TransientError):
    """No key of TOKEN_ENCRYPTION_KEYS opens a stored refresh token: one was removed too early, or is another's."""

    code = "key_missing"


class KeysUnavailable(TransientError):
    """What publishes the keys that callers' tokens are checked with can't be reached; a caller may be who they say."""

    code = "keys_unavailable"


class HistoryBehindPush(TransientError):
    """Gmail's history does not show yet what a push announced."""

    code = "history_behind_push"


class StoreUnavailable(TransientError):
    """The database failed, hung or can't be reached, or the call lost a race that it may win next time."""

    code = "store_unavailable"


class StoreRefused(TransientError):
    """The database refuses the request itself: a constraint, a missing right, an unknown function.

    Another try may well give the same, but nothing can be recorded, so an ack would lose the email: the dead letters
    keep it until the cause is mended. `sqlstate`: Postgres' or PostgREST's code for the refusal.
    """

    code = "store_refused"

    def __init__(self, message: str, *, retry_after: float | None = None, sqlstate: str = "") -> None:
        super().__init__(message, retry_after=retry_after)
        self.sqlstate = sqlstate


class EncoderMissing(TransientError):
    """The encoder can't be loaded: this process can't read mail that needs it, another one may."""

    code = "encoder_missing"


class PublishFailed(TransientError):
    """Pub/Sub did not take the messages; none of them counts as published."""

    code = "publish_failed"


class PullFailed(TransientError):
    """Pub/Sub did not give the dead letters, or did not take that they were dealt with: they come again."""

    code = "pull_failed"


class ModelError(TransientError):
    """The language model gave nothing that can be used. Whoever asks goes on with what the rules decided."""

    code = "model_error"


class ModelUnavailable(ModelError):
    """The model's API failed, hung, can't be reached, or failed so often that it is left alone for a while."""

    code = "model_unavailable"


class ModelOverLimit(ModelError):
    """The limit of requests or tokens is used up for now."""

    code = "model_over_limit"


class ModelMisconfigured(ModelError):
    """The model's API refuses us whatever we ask: a wrong key, model or endpoint, or nothing left to pay with.

    Nothing is wrong with the email: once it is mended, a second look works.
    """

    code = "model_misconfigured"


class ModelUnusable(ModelError):
    """The model refused, was cut off, or answered something that is no answer. Asked again it may do the same."""

    code = "model_unusable"


class SettingsError(TenthsError):
    """A setting is missing or wrong; the message is one line that names the variable."""

    code = "settings"
