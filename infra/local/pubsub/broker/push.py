"""Pushes a backlog to an endpoint: as many at once as the endpoint shows it can take."""

import asyncio
from urllib.parse import urlsplit

from infra.local.pubsub.broker.backlog import Backlog, Delivery
from infra.local.pubsub.broker.body import push_body
from infra.local.upstream import Upstream, UpstreamAway

_ACKED = frozenset({102, 200, 201, 202, 204})
_INTERIM = frozenset({100, 103})  # 102 is an acknowledgement here, not a promise of another answer
_FIRST_WINDOW = 3.0
_MOST_AT_ONCE = 100.0


class Pusher:
    """Slow start, as Pub/Sub has it: few pushes at once, one more for each that is acked, half after one that fails.

    deadline: seconds for the whole answer; later than that counts as failed.
    """

    def __init__(self, backlog: Backlog, subscription: str, endpoint: str, deadline: float) -> None:
        parts = urlsplit(endpoint)
        self._backlog = backlog
        self._subscription = subscription
        self._deadline = deadline
        self._server = Upstream(f"{parts.scheme}://{parts.netloc}", interim=_INTERIM)
        self._target = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}".encode()
        self._headers = [(b"host", parts.netloc.encode()), (b"content-type", b"application/json")]
        self._window = _FIRST_WINDOW
        self._out: set[asyncio.Task[None]] = set()
        self._returned = asyncio.Event()
        self._loop = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Stops pushing. Messages whose answer hadn't come count as failed, and stay in the backlog."""
        self._loop.cancel()
        for push in self._out:
            push.cancel()
        await asyncio.gather(self._loop, *self._out, return_exceptions=True)
        self._server.close()

    async def _run(self) -> None:
        while True:
            while len(self._out) >= int(self._window):
                self._returned.clear()
                await self._returned.wait()
            await self._backlog.filled()
            for delivery in self._backlog.take(int(self._window) - len(self._out)):
                push = asyncio.create_task(self._push(delivery))
                self._out.add(push)
                push.add_done_callback(self._back)

    def _back(self, push: asyncio.Task[None]) -> None:
        self._out.discard(push)
        self._returned.set()

    async def _push(self, delivery: Delivery) -> None:
        acked = False
        try:
            acked = await self._answered(push_body(self._subscription, delivery.message)) in _ACKED
        except (UpstreamAway, TimeoutError):
            acked = False
        finally:
            if acked:
                self._window = min(self._window + 1, _MOST_AT_ONCE)
            else:
                self._window = max(self._window / 2, 1.0)
                self._backlog.failed(delivery)

    async def _answered(self, body: bytes) -> int:
        headers = [*self._headers, (b"content-length", b"%d" % len(body))]
        async with (
            asyncio.timeout(self._deadline),
            self._server.request(b"POST", self._target, headers, body) as answer,
        ):
            async for _ in answer.chunks():  # read to its end, so that the connection serves the next push
                pass
            return answer.status
