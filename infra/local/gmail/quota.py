"""Quotas as data, counted more strictly than Gmail does: no burst beyond what any 60 seconds may hold."""

import math
import time
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from infra.local.gmail.errors import GmailError

WINDOW_S = 60.0
PROJECT_UNITS_A_MINUTE = 1_200_000

# Units a call, where both generations of projects agree.
_UNITS = {
    "drafts.create": 10,
    "drafts.delete": 10,
    "drafts.get": 5,
    "drafts.list": 5,
    "drafts.send": 100,
    "drafts.update": 15,
    "getProfile": 1,
    "history.list": 2,
    "labels.create": 5,
    "labels.get": 1,
    "labels.list": 1,
    "messages.attachments.get": 5,
    "messages.batchDelete": 50,
    "messages.batchModify": 50,
    "messages.delete": 10,
    "messages.get": 5,
    "messages.import": 25,
    "messages.insert": 25,
    "messages.list": 5,
    "messages.modify": 5,
    "messages.send": 100,
    "messages.trash": 5,
    "messages.untrash": 5,
    "stop": 50,
    "watch": 100,
}


@dataclass(frozen=True, slots=True)
class Profile:
    """What a project may use: units a minute for each user and in all, and what each method costs."""

    name: str
    user_units: float
    project_units: float
    units: Mapping[str, int]


PROFILES = {
    profile.name: profile
    for profile in (
        # Projects made since 1 May 2026.
        Profile("2026", 6_000, PROJECT_UNITS_A_MINUTE, _UNITS | {"messages.get": 20, "messages.attachments.get": 20}),
        Profile("legacy", 15_000, PROJECT_UNITS_A_MINUTE, _UNITS),
        # Refuses nothing and still counts as 2026 does, for runs that measure something else.
        Profile("unmetered", math.inf, math.inf, _UNITS | {"messages.get": 20, "messages.attachments.get": 20}),
    )
}


@dataclass(slots=True)
class _Window:
    """The units of the last 60 seconds, and the most there ever were."""

    calls: deque[tuple[float, int]] = field(default_factory=deque)
    units: int = 0
    peak: int = 0

    def forget(self, now: float) -> None:
        while self.calls and self.calls[0][0] <= now - WINDOW_S:
            self.units -= self.calls.popleft()[1]

    def add(self, now: float, units: int) -> None:
        self.calls.append((now, units))
        self.units += units
        self.peak = max(self.peak, self.units)

    def wait_s(self, now: float, units: int, limit: float) -> float:
        """Seconds until `units` more fit; 0 when they do now."""
        excess = self.units + units - limit
        if excess <= 0:
            return 0.0
        for when, freed in self.calls:
            excess -= freed
            if excess <= 0:
                return when + WINDOW_S - now
        return WINDOW_S


class Quota:
    """Counts the app's calls and refuses those that don't fit. A refused call costs nothing."""

    def __init__(self, profile: Profile, clock: Callable[[], float] = time.monotonic) -> None:
        self.profile = profile
        self._clock = clock
        self._users: defaultdict[str, _Window] = defaultdict(_Window)
        self._project = _Window()
        self.refused = 0
        self.refused_at: list[float] = []

    def spend(self, user: str, method: str) -> None:
        """Takes what `method` costs from the user's and the project's minute. Raises GmailError 403 or 429.

        Gmail words the refusal of a user now one way, now the other, and so does this: callers must understand both.
        """
        now, units = self._clock(), self.profile.units[method]
        window = self._users[user]
        window.forget(now)
        self._project.forget(now)
        user_wait = window.wait_s(now, units, self.profile.user_units)
        project_wait = self._project.wait_s(now, units, self.profile.project_units)
        if user_wait or project_wait:
            self.refused += 1
            self.refused_at.append(time.time())
            retry_after_s = max(1, math.ceil(max(user_wait, project_wait)))
            if project_wait or self.refused % 2 == 0:
                raise rate_limit_exceeded(retry_after_s)
            raise user_rate_limit_exceeded(retry_after_s)
        window.add(now, units)
        self._project.add(now, units)

    def report(self) -> dict[str, object]:
        """The most units that any 60 seconds held, each user's and in all; when calls were refused, epoch seconds."""
        return {
            "profile": self.profile.name,
            "refused": self.refused,
            "refused_at": self.refused_at,
            "peak_units_by_user": {user: window.peak for user, window in self._users.items()},
            "peak_units_project": self._project.peak,
        }

    def reset(self) -> None:
        """Forgets all use."""
        self._users.clear()
        self._project = _Window()
        self.refused = 0
        self.refused_at = []


def rate_limit_exceeded(retry_after_s: int | None = None) -> GmailError:
    """403, as a quota of the project or of queries a minute is answered."""
    return GmailError(
        403,
        "rateLimitExceeded",
        "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute per user'.",
        domain="usageLimits",
        status="RESOURCE_EXHAUSTED",
        retry_after_s=retry_after_s,
    )


def user_rate_limit_exceeded(retry_after_s: int | None = None) -> GmailError:
    """429, as a user's own rate is answered."""
    return GmailError(
        429, "userRateLimitExceeded", "User-rate limit exceeded.", domain="usageLimits", retry_after_s=retry_after_s
    )
