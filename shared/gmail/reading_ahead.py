"""Many emails of one mailbox: some together, the next ones on their way while the caller works on one.

With no more read ahead than there is room for.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from functools import partial
from typing import Generic, Protocol, TypeVar

from shared.errors import AccessRevoked, AppRefused, KeyMissing, TenthsError

T = TypeVar("T")
Fetched_co = TypeVar("Fetched_co", covariant=True)
Answered = Callable[[str, T | TenthsError], None]


class Fetching(Protocol[Fetched_co]):
    """How emails are fetched."""

    async def admit(self, calls: int) -> None:
        """Wait until so many calls may be made, together and now. Raises OverQuota, and what getting a token does."""

    def leave(self, calls: int) -> None:
        """So many calls that were admitted are over."""

    async def together(self, email_ids: Sequence[str], answered: "Answered[Fetched_co]") -> None:
        """One try of each, all admitted: `answered` is called once for each, with what came or its error."""

    async def again(self, email_id: str, failed: TenthsError) -> Fetched_co:
        """The tries that are left to one that failed, with the error of the last of them raised."""


class ReadingAhead(Generic[T]):
    """Reads so many `together`, up to `most` ahead of the caller."""

    def __init__(self, fetching: Fetching[T], *, together: int, most: int) -> None:
        self._fetching = fetching
        self._together = together
        self._room = asyncio.Semaphore(most)
        # None: there will be no more.
        self._results: asyncio.Queue[tuple[str, T | TenthsError] | None] = asyncio.Queue()

    async def read(self, email_ids: Sequence[str]) -> AsyncGenerator[tuple[str, T | TenthsError], None]:
        """Each email once, in the order they come in. Raises AccessRevoked, AppRefused and KeyMissing."""
        reading = asyncio.create_task(self._read(email_ids))
        reading.add_done_callback(lambda _: self._results.put_nowait(None))
        try:
            while (result := await self._results.get()) is not None:
                yield result
                self._room.release()
            try:
                await reading
            except BaseExceptionGroup as errors:
                raise errors.exceptions[0] from None
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def _read(self, email_ids: Sequence[str]) -> None:
        """Puts what becomes of each email among the results; there must be room for it before it is asked for."""
        async with asyncio.TaskGroup() as group:

            def answered(email_id: str, result: T | TenthsError) -> None:
                if isinstance(result, TenthsError):
                    group.create_task(self._again(email_id, result))
                else:
                    self._results.put_nowait((email_id, result))

            for start in range(0, len(email_ids), self._together):
                waiting = email_ids[start : start + self._together]
                for _ in waiting:
                    await self._room.acquire()
                try:
                    await self._fetching.admit(len(waiting))
                except TenthsError as failed:
                    for email_id in waiting:
                        answered(email_id, failed)
                    continue
                trying = group.create_task(self._fetching.together(waiting, answered))
                # Not in the task itself: one that is cancelled before it begins never gets to its `finally`.
                trying.add_done_callback(partial(_left, self._fetching, len(waiting)))

    async def _again(self, email_id: str, failed: TenthsError) -> None:
        try:
            result: T | TenthsError = await self._fetching.again(email_id, failed)
        except (AccessRevoked, AppRefused, KeyMissing):
            raise
        except TenthsError as error:
            # Frames that its traceback holds on to would hold mail.
            result = error.with_traceback(None)
        self._results.put_nowait((email_id, result))


def _left(fetching: Fetching[T], calls: int, _task: "asyncio.Task[None]") -> None:
    fetching.leave(calls)
