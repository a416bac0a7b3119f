import asyncio

import pytest

from shared.runs import SharedRuns


class Work:
    """A run that lasts until it is told to end."""

    def __init__(self) -> None:
        self.begun = 0
        self.at_once = 0
        self.most_at_once = 0
        self.go_on = asyncio.Event()
        self._news = asyncio.Condition()

    async def __call__(self) -> int:
        self.begun += 1
        number = self.begun
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        async with self._news:
            self._news.notify_all()
        await self.go_on.wait()
        self.at_once -= 1
        return number

    async def has_begun(self, number: int) -> None:
        async with asyncio.timeout(5), self._news:
            await self._news.wait_for(lambda: self.begun >= number)


async def test_a_burst_of_callers_costs_two_runs_and_each_gets_one_that_began_after_it_came() -> None:
    runs: SharedRuns[int] = SharedRuns()
    work = Work()
    first = asyncio.create_task(runs.join("dana", work))
    await work.has_begun(1)
    later = [asyncio.create_task(runs.join("dana", work)) for _ in range(50)]
    await asyncio.sleep(0)
    work.go_on.set()
    assert await first == 1
    assert await asyncio.gather(*later) == [2] * 50
    assert work.most_at_once == 1


async def test_runs_of_different_mailboxes_do_not_wait_for_each_other() -> None:
    runs: SharedRuns[int] = SharedRuns()
    work = Work()
    both = [asyncio.create_task(runs.join(key, work)) for key in ("dana", "priya")]
    await work.has_begun(2)
    work.go_on.set()
    await asyncio.gather(*both)
    assert work.most_at_once == 2


async def test_all_who_share_a_run_that_fails_are_told_and_the_next_run_is_a_new_one() -> None:
    runs: SharedRuns[int] = SharedRuns()

    async def fail() -> int:
        raise ValueError("no history")

    async def succeed() -> int:
        return 7

    outcomes = await asyncio.gather(*(runs.join("dana", fail) for _ in range(3)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [ValueError] * 3
    assert await runs.join("dana", succeed) == 7


async def test_a_caller_that_goes_away_does_not_end_the_run_for_the_others() -> None:
    runs: SharedRuns[int] = SharedRuns()
    work = Work()
    leaves = asyncio.create_task(runs.join("dana", work))
    stays = asyncio.create_task(runs.join("dana", work))
    await work.has_begun(1)
    leaves.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaves
    work.go_on.set()
    assert await stays == 1


async def test_nothing_is_kept_when_all_is_done() -> None:
    runs: SharedRuns[int] = SharedRuns()
    work = Work()
    work.go_on.set()
    await asyncio.gather(*(runs.join(key, work) for key in range(20)))
    await asyncio.sleep(0)
    assert (runs._next, runs._latest) == ({}, {})
