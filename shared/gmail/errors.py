"""Gmail's errors as ours: one table, most specific first."""

import json
from collections.abc import Callable, Container
from typing import Any, Final

import httpx

from shared.errors import (
    AccessExpired,
    AccessRevoked,
    AppRefused,
    GmailRefused,
    GmailUnavailable,
    HistoryExpired,
    MessageGone,
    OverQuota,
    TenthsError,
    TransientError,
    WatchedElsewhere,
)

HISTORY_LIST: Final = "gmail.users.history.list"
WATCH: Final = "gmail.users.watch"
BATCH: Final = "batch"  # no method of Gmail's: the endpoint that takes many calls
_OVER_QUOTA_REASONS: Final = frozenset(
    {"rateLimitExceeded", "userRateLimitExceeded", "dailyLimitExceeded", "quotaExceeded"}
)
_REVOKED_REASONS: Final = frozenset({"insufficientPermissions", "delegationDenied", "accountDisabled", "domainPolicy"})

_OUR_APP_REASONS: Final = frozenset({"accessNotConfigured", "SERVICE_DISABLED", "PERMISSION_DENIED"})
_GONE_REASONS: Final = frozenset({"notFound", "deleted", "NOT_FOUND"})

# (statuses, reasons or None for any, method or None for any, error)
_TABLE: Final[tuple[tuple[Container[int], frozenset[str] | None, str | None, type[TenthsError]], ...]] = (
    ((401,), None, None, AccessExpired),
    ((403,), _OVER_QUOTA_REASONS, None, OverQuota),
    ((403,), _REVOKED_REASONS, None, AccessRevoked),
    ((403,), _OUR_APP_REASONS, None, AppRefused),
    ((400,), frozenset({"failedPrecondition", "FAILED_PRECONDITION"}), WATCH, WatchedElsewhere),
    ((408,), None, None, GmailUnavailable),
    ((429,), None, None, OverQuota),
    # A batch that is refused as a whole says nothing of any email in it.
    (range(400, 500), None, BATCH, AppRefused),
    ((404,), _GONE_REASONS, HISTORY_LIST, HistoryExpired),
    ((404, 410), _GONE_REASONS, None, MessageGone),
    # Not Gmail's own word: an endpoint that is no Gmail at all.
    ((404, 410), None, None, AppRefused),
    (range(500, 600), None, None, GmailUnavailable),
    # The same, or Gmail's word cut short: it may have said that the quota is used up. No email is given up for it.
    (range(400, 500), frozenset({""}), None, GmailUnavailable),
    (range(400, 500), None, None, GmailRefused),
)


def from_answer(method_id: str, status: int, headers: httpx.Headers, body: bytes) -> TenthsError:
    """The error that an answer of 300 or more stands for."""
    reason = _reason(body)
    message = f"{method_id}: Gmail answered {status} {reason}".rstrip()
    for statuses, reasons, method, kind in _TABLE:
        if status in statuses and (reasons is None or reason in reasons) and method in (None, method_id):
            if issubclass(kind, TransientError):
                return kind(message, retry_after=retry_after(headers))
            return kind(message)
    return GmailUnavailable(message)


def from_transport(method_id: str, error: httpx.HTTPError) -> TransientError:
    """The error that a failed exchange stands for: nothing was answered, or nothing that can be read."""
    return GmailUnavailable(f"{method_id}: {type(error).__name__}")


def retry_after(headers: httpx.Headers) -> float | None:
    """Seconds that an answer asks to wait, if it names them as a number."""
    value = headers.get("retry-after", "")
    return float(value) if value.isdecimal() else None


def _reason(body: bytes) -> str:
    """Google's reason, a word such as `rateLimitExceeded`; empty when the body holds none."""
    reads: tuple[Callable[[Any], Any], ...] = (
        lambda document: document["error"]["errors"][0]["reason"],
        lambda document: document["error"]["status"],
    )
    try:
        document = json.loads(body)
    except ValueError:
        return ""
    for read in reads:
        try:
            reason = read(document)
        except (KeyError, IndexError, TypeError):
            continue
        if isinstance(reason, str) and reason.isidentifier():
            return reason
    return ""
