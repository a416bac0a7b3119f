"""One subscription: its backlog, and either the pusher that empties it or the leases of those who pull."""

import asyncio
import itertools
from collections.abc import Callable
from typing import Any

from google.pubsub_v1 import types

from infra.local.pubsub.broker.backlog import Backlog, Delivery, Patience
from infra.local.pubsub.broker.push import Pusher
from infra.local.pubsub.broker.refusals import invalid

_DEFAULT_ACK_SECONDS = 10
_DEFAULT_TRIES = 5
_DEFAULT_FIRST_PAUSE, _DEFAULT_LONGEST_PAUSE = 10.0, 600.0  # of a retry policy that doesn't say


class BrokerSubscription:
    """`config` is the google.pubsub.v1.Subscription as clients see it. `give_up` forwards a dead letter."""

    def __init__(self, config: Any, give_up: Callable[[Any, Delivery], bool]) -> None:
        self.config = config
        config.ack_deadline_seconds = config.ack_deadline_seconds or _DEFAULT_ACK_SECONDS
        if config.HasField("dead_letter_policy"):
            policy = config.dead_letter_policy
            policy.max_delivery_attempts = policy.max_delivery_attempts or _DEFAULT_TRIES
        self._backlog = Backlog(_patience(config), lambda delivery: give_up(config, delivery))
        self._numbers = itertools.count(1)
        self._leases: dict[str, tuple[Delivery, asyncio.TimerHandle]] = {}
        self._pusher: Pusher | None = None
        self._start_pushing()

    def add(self, message: Any) -> None:
        """A message published to the topic."""
        self._backlog.add(message)

    async def set_push(self, push_config: Any) -> None:
        """Another endpoint, or none: then it waits to be pulled."""
        await self._stop_pushing()
        self.config.push_config.CopyFrom(push_config)
        self._start_pushing()

    async def pull(self, most: int, wait: float) -> list[Any]:
        """At most that many messages, leased; waits that many seconds for the first. Raises Refused."""
        if most < 1:
            raise invalid(f"Invalid max messages (max_messages={most})")
        if self._pusher:
            return []
        try:
            async with asyncio.timeout(wait):
                await self._backlog.filled()
        except TimeoutError:
            return []
        return [self._leased(delivery) for delivery in self._backlog.take(most)]

    def acknowledge(self, ack_ids: list[str]) -> None:
        """Done with these; an id whose lease has ended does nothing. Raises Refused."""
        for ack_id in self._own(ack_ids):
            if lease := self._leases.pop(ack_id, None):
                lease[1].cancel()

    def modify_ack_deadline(self, ack_ids: list[str], seconds: int) -> None:
        """A new end for these leases, from now; 0 gives the message back. Raises Refused."""
        for ack_id in self._own(ack_ids):
            if lease := self._leases.pop(ack_id, None):
                lease[1].cancel()
                self._lease(ack_id, lease[0], seconds)

    async def close(self) -> None:
        """Ends it and what it holds."""
        await self._stop_pushing()
        for _, timer in self._leases.values():
            timer.cancel()
        self._leases.clear()
        self._backlog.close()

    def _start_pushing(self) -> None:
        if endpoint := self.config.push_config.push_endpoint:
            self._pusher = Pusher(self._backlog, self.config.name, endpoint, self.config.ack_deadline_seconds)

    async def _stop_pushing(self) -> None:
        if self._pusher:
            await self._pusher.close()
            self._pusher = None

    def _leased(self, delivery: Delivery) -> Any:
        ack_id = f"{self.config.name}:{next(self._numbers)}"
        self._lease(ack_id, delivery, self.config.ack_deadline_seconds)
        tries = delivery.tries if self.config.HasField("dead_letter_policy") else 0
        received = types.ReceivedMessage.pb()
        return received(ack_id=ack_id, message=delivery.message, delivery_attempt=tries)

    def _lease(self, ack_id: str, delivery: Delivery, seconds: float) -> None:
        def end() -> None:
            self._leases.pop(ack_id, None)
            self._backlog.failed(delivery)

        if seconds <= 0:
            end()
        else:
            self._leases[ack_id] = (delivery, asyncio.get_running_loop().call_later(seconds, end))

    def _own(self, ack_ids: list[str]) -> list[str]:
        for ack_id in ack_ids:
            if not ack_id.startswith(f"{self.config.name}:"):
                raise invalid(f"Invalid ack id (ack_id={ack_id})")
        return ack_ids


def _patience(config: Any) -> Patience:
    tries = config.dead_letter_policy.max_delivery_attempts or None
    if not config.HasField("retry_policy"):
        return Patience(tries=tries)
    policy = config.retry_policy
    first = policy.minimum_backoff.ToTimedelta().total_seconds() if policy.HasField("minimum_backoff") else None
    longest = policy.maximum_backoff.ToTimedelta().total_seconds() if policy.HasField("maximum_backoff") else None
    return Patience(
        first_pause=_DEFAULT_FIRST_PAUSE if first is None else first,
        longest_pause=_DEFAULT_LONGEST_PAUSE if longest is None else longest,
        tries=tries,
    )
