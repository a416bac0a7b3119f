"""The whole stack as an attacker, a thief of logs and a leaving user meet it; its functions have a simulated model."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from uuid import uuid4

import pytest

from infra.local.stack import Stack
from tests.e2e.conftest import Running, Timekeeper, until
from tests.e2e.wire import Wire


@pytest.fixture(scope="session")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    wires: dict[tuple[str, str], Wire] = {}

    def rewire(function: str, part: str, port: int) -> int:
        return wires.setdefault((function, part), Wire(port)).port

    folder = tmp_path_factory.mktemp("security")
    stack = Stack(folder, quota_profile="unmetered", simulate_model=True, rewire=rewire)
    async with AsyncExitStack() as ending:
        await ending.enter_async_context(stack)
        for wire in wires.values():
            await wire.open()
            ending.push_async_callback(wire.close)
        yield Running(stack, wires)


async def connected(running: Running, name: str) -> tuple[Timekeeper, AsyncExitStack]:
    """A timekeeper of this name with a mailbox that is watched; the caller closes what comes with them."""
    user = await running.stack.add_user(f"{name}-{uuid4().hex[:12]}@whitfieldlaw.example")
    mailbox = await running.stack.connect(user)
    # The watch's own push comes first, so that a test's faults meet the test's pushes.
    await until(lambda: running.pushes_of(mailbox.id), lambda pushes: pushes > 0)
    ending = AsyncExitStack()
    rest = await ending.enter_async_context(running.stack.rest(user))
    return Timekeeper(user, mailbox, rest), ending


@pytest.fixture
async def dana(running: Running) -> AsyncIterator[Timekeeper]:
    timekeeper, ending = await connected(running, "dana")
    async with ending:
        yield timekeeper


@pytest.fixture
async def eli(running: Running) -> AsyncIterator[Timekeeper]:
    timekeeper, ending = await connected(running, "eli")
    async with ending:
        yield timekeeper
