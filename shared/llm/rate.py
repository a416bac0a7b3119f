"""The model's limits of a minute, in requests and tokens, and keeping within them: each call waits for its turn."""

import asyncio
import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType, TracebackType
from typing import Final, Literal, Self

from shared import metrics
from shared.errors import ModelError, ModelOverLimit
from shared.gmail.bucket import Bucket
from shared.gmail.shared_window import Limit, SharedWindow
from shared.leave import Leave
from shared.llm.left import Left
from shared.llm.together import Together

# Who is waiting: a person before the screen; nobody, though the mail was just sent; nobody at all.
Urgency = Literal["person", "sent", "background"]

# What machines may use of a minute: the rest is for people, in whatever process they are.
MACHINES_SHARE: Final = 0.95
# A leaky bucket's burst is lost to sustained use, and some servers count in parts of the minute: so it is small, but
# holds a few calls also where the limit is low.
BURST_SHARE: Final = 0.03
LARGEST_BURST_SHARE: Final = 0.4
BURST_REQUESTS: Final = 10
BURST_TOKENS: Final = 16_000
# Redis holds an entry for each unit that it counts.
TOKENS_A_UNIT: Final = 100
# A turn, or a leave, that is older than this is asked for anew.
FRESH_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class RateLimits:
    """What the account may use in a window.

    `tokens`: prompt and largest answer, as the API counts them; None: not counted here, though what the API tells of
    them is heeded. `background_share`: what calls that nobody waits for may use of it. `margin_seconds`: how much less
    than others a call may take from being counted to its arrival at the API.
    """

    requests: int = 3_500
    tokens: int | None = None
    window_seconds: float = 60.0
    background_share: float = 0.6
    margin_seconds: float = 1.0


@dataclass(frozen=True, slots=True)
class _Share:
    """A part of the limits that some calls may use: as this process counts them, and as all together do."""

    requests: Bucket
    tokens: Bucket | None
    most_tokens: int
    request_limit: Limit
    token_limit: Limit | None

    def buckets(self, tokens: int) -> Iterator[tuple[Bucket, int]]:
        yield self.requests, 1
        if self.tokens is not None:
            yield self.tokens, min(tokens, self.most_tokens)  # what is larger than a window is for the API to refuse

    def limits(self, calls: int, tokens: int) -> Iterator[Limit]:
        yield replace(self.request_limit, each=min(calls, self.request_limit.units))
        if self.token_limit is not None:
            units = min(-(-tokens // TOKENS_A_UNIT), self.token_limit.units)
            yield replace(self.token_limit, each=units)


class Sending:
    """One try of a call, for which there is room. What the API answers to it is told here, at the latest by its end."""

    def __init__(self, left: Left, tokens: int) -> None:
        self._left = left
        self._ticket = left.sent(tokens)

    def answered(self, headers: Mapping[str, str]) -> None:
        """The API answered, whatever it was."""
        self.end()
        self._left.told(self._ticket, headers)

    def refused(self, error: ModelError, headers: Mapping[str, str]) -> None:
        """The API refused it."""
        self.answered(headers)
        if isinstance(error, ModelOverLimit) and error.retry_after is not None:
            self._left.shut(error.retry_after, self._ticket.tokens)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.end()

    def end(self) -> None:
        """Nothing more is to come of it. May be called again."""
        self._left.ended(self._ticket)


class Rate:
    """Keeps within the limits: this process by its own count, with `shared` all that use the same account together.

    One for a process, whatever clients it has. account: names the account in Redis, see `account_name`. Redis away is
    no reason to wait or to fail: each process then keeps within the limits by itself, since its own count went on, and
    tells Redis of what it sent meanwhile once that is back.
    """

    def __init__(self, limits: RateLimits, *, shared: SharedWindow | None = None, account: str = "") -> None:
        self._limits = limits
        self._shared = shared
        self._left = Left(kept_seconds=limits.window_seconds)
        everything = self._share(f"{account}/all", 1.0)
        machines = self._share(f"{account}/machines", MACHINES_SHARE)
        background = self._share(f"{account}/background", min(limits.background_share, MACHINES_SHARE))
        # The smallest first. They queue apart, so that the first of one hold up none of the other.
        self._shares: Mapping[Urgency, tuple[_Share, ...]] = MappingProxyType(
            {
                "person": (everything,),
                "sent": (machines, everything),
                "background": (background, machines, everything),
            }
        )
        # By the limit that the API told of: requests, and tokens.
        self._told: list[tuple[int, Bucket] | None] = [None, None]
        self._together = {} if shared is None else {of: _together(shared, self._shares[of]) for of in self._shares}

    async def send(self, tokens: int, urgency: Urgency, *, until: float, leave: Leave | None = None) -> Sending:
        """Wait until a call of so many tokens may be sent, and send it now.

        until: the event loop's time; a call that fits at once is let through even after it. leave: asked when the wait
        is over, and last of all. Raises ModelOverLimit when there was no room until then, and what `leave` raises.
        """
        clock = asyncio.get_running_loop().time
        with metrics.timed(metrics.model_waits, {"urgency": urgency}) as wait:
            sending = await self._turn(tokens, urgency, until)
            wait.name = "granted"
        try:
            while leave is not None:
                begun = clock()
                await leave()
                if clock() - begun <= FRESH_SECONDS:
                    break
                sending.end()  # the turn has grown old meanwhile: another may have come into its window
                begun = clock()
                sending = await self._turn(tokens, urgency, until)
                if clock() - begun <= FRESH_SECONDS:
                    break
        except BaseException:
            sending.end()
            raise
        return sending

    async def aclose(self) -> None:
        """Let go of the connections to Redis."""
        if self._shared is not None:
            await self._shared.aclose()

    async def _turn(self, tokens: int, urgency: Urgency, until: float) -> Sending:
        """Raises ModelOverLimit."""
        clock = asyncio.get_running_loop().time
        while True:
            while seconds := self._left.seconds(tokens):
                if clock() + seconds > until:
                    raise ModelOverLimit("the API's limit is used up", retry_after=seconds)
                await asyncio.sleep(seconds)
            try:
                await self._count(tokens, urgency, until)
            except TimeoutError:
                wait = self._limits.window_seconds
                raise ModelOverLimit("the limit of the minute is used up", retry_after=wait) from None
            if not self._left.seconds(tokens):  # nothing was told meanwhile
                return Sending(self._left, tokens)

    async def _count(self, tokens: int, urgency: Urgency, until: float) -> None:
        """Raises TimeoutError."""
        clock, shares = asyncio.get_running_loop().time, self._shares[urgency]
        taken: list[tuple[Bucket, int, float]] = []
        buckets = [*self._told_buckets(tokens), *(each for share in shares for each in share.buckets(tokens))]
        async with asyncio.timeout_at(until):
            for bucket, units in buckets:
                await bucket.take(units)
                taken.append((bucket, units, clock()))
        if self._together:
            await self._together[urgency].count(tokens, until)
        for bucket, units, at in taken:
            bucket.keep(units, clock() - at)

    def _told_buckets(self, tokens: int) -> Iterator[tuple[Bucket, int]]:
        """Where the API tells of lower limits than the settings do, those are kept, too."""
        ours = (self._limits.requests, math.inf if self._limits.tokens is None else self._limits.tokens)
        least = (BURST_REQUESTS, BURST_TOKENS)
        for place, (told, units) in enumerate(zip(self._left.limits, (1, tokens), strict=True)):
            if told >= ours[place]:
                continue
            known = self._told[place]
            if known is None or known[0] != told:
                known = self._told[place] = (int(told), self._bucket(int(told), least[place]))
                known[1].pour(told)  # what was sent before it was known isn't: so no burst to begin with
            yield known[1], min(units, known[0])

    def _share(self, name: str, share: float) -> _Share:
        limits = self._limits
        requests = max(1, math.floor(limits.requests * share))
        tokens = None if limits.tokens is None else max(1, math.floor(limits.tokens * share))
        return _Share(
            self._bucket(requests, BURST_REQUESTS),
            None if tokens is None else self._bucket(tokens, BURST_TOKENS),
            tokens or 0,
            Limit(f"{name}/requests", requests),
            None if tokens is None else Limit(f"{name}/tokens", max(1, tokens // TOKENS_A_UNIT)),
        )

    def _bucket(self, units: int, least: int) -> Bucket:
        share = max(BURST_SHARE, min(LARGEST_BURST_SHARE, least / units))
        return Bucket(
            units, window_seconds=self._limits.window_seconds + self._limits.margin_seconds, burst_share=share
        )


def _together(shared: SharedWindow, shares: Sequence[_Share]) -> Together:
    return Together(
        shared,
        lambda calls, tokens: [limit for share in shares for limit in share.limits(calls, tokens)],
        requests=min(share.request_limit.units for share in shares),
    )


def account_name(api_key: str, base_url: str, model: str) -> str:
    """A name for what has limits of its own, which tells nothing of the key."""
    return hashlib.sha256(f"{base_url}\n{model}\n{api_key}".encode()).hexdigest()[:32]
