"""The least time that a scan can take: what Gmail's and the model's latency, the quota and the calls at once set."""

import math
from dataclasses import dataclass

from shared.gmail.quota import QuotaProfile

LIST = "gmail.users.messages.list"
GET = "gmail.users.messages.get"


@dataclass(frozen=True)
class Latency:
    """How long a simulated API takes to answer: `base_ms`, and a uniform draw from 0 to `jitter_ms` more."""

    base_ms: float
    jitter_ms: float

    @property
    def mean_seconds(self) -> float:
        return (self.base_ms + self.jitter_ms / 2) / 1000


def latency_seconds(emails: int, calls_at_once: int, gmail_seconds: float, model_seconds: float) -> float:
    """A fresh user's access token, one list, the gets in rounds of `calls_at_once`, and one answer of the model.

    `model_seconds` 0: none was asked. Google's token endpoint is as far away as Gmail.
    """
    return (2 + math.ceil(emails / calls_at_once)) * gmail_seconds + model_seconds


def quota_seconds(emails: int, profile: QuotaProfile) -> float:
    """One list and the gets, when a user's whole minute of units may be spent at once, and again a minute later."""
    units = profile.cost[LIST] + emails * profile.cost[GET]
    return 60.0 * math.floor((units - 1) / profile.units_a_user_minute)


def scan_seconds(
    emails: int, calls_at_once: int, gmail_seconds: float, model_seconds: float, profile: QuotaProfile
) -> float:
    """The larger of the two: no scan of one mailbox can be faster."""
    return max(
        latency_seconds(emails, calls_at_once, gmail_seconds, model_seconds),
        quota_seconds(emails, profile),
    )
