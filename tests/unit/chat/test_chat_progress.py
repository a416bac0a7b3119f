"""How far a tool has come is told now and then, and the latest always."""

import asyncio

from shared.chat.progress import Reporter
from shared.tools.registry import Progress


def at(done: int) -> Progress:
    return Progress(done, 100, 0)


async def test_a_burst_is_told_as_its_first_and_its_latest() -> None:
    told: list[Progress] = []
    latest = asyncio.Event()

    def tell(progress: Progress) -> None:
        told.append(progress)
        if progress == at(50):
            latest.set()

    with Reporter(tell) as report:
        for done in range(51):
            report(at(done))
        async with asyncio.timeout(10):
            await latest.wait()
    assert told == [at(0), at(50)]


async def test_nothing_is_told_once_the_tool_is_done() -> None:
    told: list[Progress] = []
    with Reporter(told.append) as report:
        report(at(1))
        report(at(2))
    report(at(3))
    assert told == [at(1)]
    assert report._pause is not None
    assert report._pause.cancelled()
