"""Limits of a minute: requests and tokens of one key, counted in a sliding window, told in x-ratelimit-* headers."""

import math
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from infra.local.openai.errors import OpenAiError, too_many

WINDOW_SECONDS: Final = 60.0


@dataclass
class Allowed:
    """What each key may use in a window."""

    requests: int = 10_000
    tokens: int = 10_000_000
    window_seconds: float = WINDOW_SECONDS


@dataclass
class Limits:
    """What one key has used. The most that any window held, and what was refused, are kept until they are reset.

    As strict as can be: to the last request, in every window of that length, wherever it begins.
    """

    allowed: Allowed
    most_requests: int = 0
    most_tokens: int = 0
    refused_requests: int = 0
    refused_tokens: int = 0
    _used: deque[tuple[float, int]] = field(default_factory=deque)
    _tokens: int = 0

    def spend(self, tokens: int) -> dict[str, str]:
        """Count a request; the headers that tell what is left. Raises OpenAiError when there is not enough."""
        now = time.monotonic()
        self._forget(now)
        if len(self._used) >= self.allowed.requests:
            self.refused_requests += 1
            raise self._refusal("requests", self._until_room(now, 1, 0), now)
        if self._tokens + tokens > self.allowed.tokens:
            self.refused_tokens += 1
            raise self._refusal("tokens", self._until_room(now, 0, tokens), now)
        self._used.append((now, tokens))
        self._tokens += tokens
        self.most_requests = max(self.most_requests, len(self._used))
        self.most_tokens = max(self.most_tokens, self._tokens)
        return self._headers(now)

    def reset(self) -> None:
        """As if nothing had been asked."""
        self._used.clear()
        self._tokens = self.most_requests = self.most_tokens = self.refused_requests = self.refused_tokens = 0

    def counts(self) -> dict[str, int]:
        """What was counted since the last reset."""
        return {
            "most_requests": self.most_requests,
            "most_tokens": self.most_tokens,
            "refused_requests": self.refused_requests,
            "refused_tokens": self.refused_tokens,
        }

    def _forget(self, now: float) -> None:
        while self._used and now - self._used[0][0] >= self.allowed.window_seconds:
            self._tokens -= self._used.popleft()[1]

    def _until_room(self, now: float, requests: int, tokens: int) -> float:
        """Seconds until so much fits: as much has to leave the window, the oldest first."""
        used, spent = len(self._used), self._tokens
        for at, each in self._used:
            used, spent = used - 1, spent - each
            if used + requests <= self.allowed.requests and spent + tokens <= self.allowed.tokens:
                return at + self.allowed.window_seconds - now
        return self.allowed.window_seconds

    def _refusal(self, what: str, wait: float, now: float) -> OpenAiError:
        refusal = too_many(what, max(1, math.ceil(wait)))
        return refusal.with_headers({"retry-after-ms": str(math.ceil(wait * 1000)), **self._headers(now)})

    def _headers(self, now: float) -> dict[str, str]:
        # As OpenAI's: the time until nothing counts any more, not until there is room for one.
        reset = _time(self._used[-1][0] + self.allowed.window_seconds - now if self._used else 0.0)
        return {
            "x-ratelimit-limit-requests": str(self.allowed.requests),
            "x-ratelimit-limit-tokens": str(self.allowed.tokens),
            "x-ratelimit-remaining-requests": str(max(0, self.allowed.requests - len(self._used))),
            "x-ratelimit-remaining-tokens": str(max(0, self.allowed.tokens - self._tokens)),
            "x-ratelimit-reset-requests": reset,
            "x-ratelimit-reset-tokens": reset,
        }


def _time(seconds: float) -> str:
    """As OpenAI writes it: `12ms`, `1.5s`, `1m0s`."""
    milliseconds = math.ceil(seconds * 1000)
    if milliseconds < 1000:
        return f"{milliseconds}ms"
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes}m{rest / 1000:g}s" if minutes else f"{rest / 1000:g}s"
