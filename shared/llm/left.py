"""What the model's API tells of its limits: what is left of them, and when to come again.

Others may use the same key, and an account's limits may be lower than the settings say: the API knows both.
"""

import asyncio
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_PART: Final = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(ms|s|m|h|d)")
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}
_SHORTEST_SECONDS: Final = 0.001


@dataclass(frozen=True, slots=True)
class Ticket:
    """One call that is sent. `sent`: what had been by then, this one included, in calls and in tokens."""

    tokens: int
    sent: tuple[int, int]


@dataclass(slots=True)
class _Kind:
    """Of requests or of tokens: `left` at the loop's time `told_at`, and what comes back a second."""

    left: float = math.inf
    back_a_second: float = 0.0
    limit: float = math.inf
    told_at: float = -math.inf


class Left:
    """What is left by the API's own account, less what this process has sent since.

    kept_seconds: for how long what was told is believed, and a wait that was asked for is kept at most. Whatever the
    API said, it is then asked again.
    """

    def __init__(self, *, kept_seconds: float) -> None:
        self._kept_seconds = kept_seconds
        self._kinds = {"requests": _Kind(), "tokens": _Kind()}
        self._sent = (0, 0)
        self._under_way: set[Ticket] = set()
        self._shut_until = -math.inf

    def seconds(self, tokens: int) -> float:
        """How long to wait until a call of so many tokens fits; 0: it does."""
        now = asyncio.get_running_loop().time()
        waits = [self._shut_until - now]
        for kind, units in self._each(tokens):
            if now - kind.told_at < self._kept_seconds:
                missing = min(units, kind.limit) - kind.left - kind.back_a_second * (now - kind.told_at)
                waits.append(min(missing / kind.back_a_second, kind.told_at + self._kept_seconds - now))
        return max(0.0, *waits)

    @property
    def under_way(self) -> int:
        """Calls that have not ended."""
        return len(self._under_way)

    @property
    def limits(self) -> tuple[float, float]:
        """Requests and tokens that the API allows in a window, as it last told; infinite where it didn't."""
        return self._kinds["requests"].limit, self._kinds["tokens"].limit

    def sent(self, tokens: int) -> Ticket:
        """Count a call that is about to be sent."""
        for kind, units in self._each(tokens):
            kind.left -= units
        calls, sent = self._sent
        self._sent = (calls + 1, sent + tokens)
        ticket = Ticket(tokens, self._sent)
        self._under_way.add(ticket)
        return ticket

    def ended(self, ticket: Ticket) -> None:
        """Count a call as answered, or as never to be. May be called again."""
        self._under_way.discard(ticket)

    def told(self, ticket: Ticket, headers: Mapping[str, str]) -> None:
        """Take the x-ratelimit-* headers of the answer to this call, as far as it has any that make sense.

        The reset that they name is the time until all is left again, so a part of that brings a part back.
        """
        now = asyncio.get_running_loop().time()
        if now < self._shut_until:
            return  # the refusal tells more: when there will be room
        # Answers overtake each other: all that was sent after this call, or is still under way, may not be in what it
        # was told.
        before = [other for other in self._under_way if other.sent < ticket.sent]
        unseen = {
            "requests": self._sent[0] - ticket.sent[0] + len(before),
            "tokens": self._sent[1] - ticket.sent[1] + sum(other.tokens for other in before),
        }
        for name, kind in self._kinds.items():
            limit, left = _count(headers, f"limit-{name}"), _count(headers, f"remaining-{name}")
            reset = seconds_of(headers.get(f"x-ratelimit-reset-{name}", ""))
            if limit is None or left is None or reset is None or limit < 1:
                continue
            kind.left, kind.limit, kind.told_at = left - unseen[name], limit, now
            kind.back_a_second = max(limit - left, 1.0) / max(reset, _SHORTEST_SECONDS)

    def shut(self, seconds: float, tokens: int) -> None:
        """Send nothing for so long: the API refused a call of so many tokens, and there will be room for it then.

        For no more than that one, as far as is known: those that come after it wait until its answer says more.
        """
        now = asyncio.get_running_loop().time()
        until = now + min(seconds, self._kept_seconds)
        if until <= self._shut_until:
            return
        self._shut_until = until
        for kind, units in self._each(tokens):
            if now - kind.told_at < self._kept_seconds:
                kind.left, kind.told_at = min(units, kind.limit), until

    def _each(self, tokens: int) -> tuple[tuple[_Kind, int], tuple[_Kind, int]]:
        return (self._kinds["requests"], 1), (self._kinds["tokens"], tokens)


def seconds_of(text: str) -> float | None:
    """The seconds of a time as these headers have it: `12ms`, `6m0s`, `1.5s`, or a number of seconds. None: no time."""
    parts = _PART.findall(text)
    if parts and "".join(number + unit for number, unit in parts) == text:
        return sum(float(number) * _SECONDS[unit] for number, unit in parts)
    try:
        seconds = float(text)
    except ValueError:
        return None
    return seconds if 0 <= seconds < math.inf else None


def _count(headers: Mapping[str, str], name: str) -> int | None:
    text = headers.get(f"x-ratelimit-{name}", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None
