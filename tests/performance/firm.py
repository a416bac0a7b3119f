"""A stack, and the lawyers whose mail is measured: each with a mailbox of sent mail that nobody has read yet."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import asyncpg

from infra.local.mailbox import ConnectedMailbox
from infra.local.stack import Stack, User
from tests.e2e.asking import Asking
from tests.performance.bound import Latency
from tests.performance.process import Worker, family_cpu_seconds
from tests.performance.sample import lately, write_mbox

AT_ONCE = Latency(0.0, 0.0)


@dataclass(frozen=True)
class Lawyer:
    """A user with a connected mailbox, and a client of hers that asks the tools."""

    user: User
    mailbox: ConnectedMailbox
    asking: Asking


class Firm:
    """The stack and what is asked of its simulators. Everything ends with the `async with`."""

    def __init__(self, *, quota_profile: str, simulate_model: bool) -> None:
        self._ending = AsyncExitStack()
        self.folder = Path(self._ending.enter_context(TemporaryDirectory(prefix="tenths-bench-")))
        self.stack = Stack(self.folder / "stack", quota_profile=quota_profile, simulate_model=simulate_model)

    async def __aenter__(self) -> Self:
        try:
            await self._ending.enter_async_context(self.stack)
            self.sql = await asyncpg.connect(self.stack.postgres.url)
            self._ending.push_async_callback(self.sql.close)
        except BaseException:
            await self._ending.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._ending.aclose()

    def worker(self, function: str) -> Worker:
        """The process that does this function's work now."""
        return Worker.of(self.stack.functions[function])

    async def restart(self, function: str) -> None:
        """A new process for this function; gives once it answers."""
        part = self.stack.functions[function]
        await part.kill9()
        while not await part.answers():  # noqa: ASYNC110  nothing tells of a process's start
            await asyncio.sleep(0.02)

    def cpu_seconds(self) -> float:
        """CPU that all parts of the stack and this process have used."""
        return family_cpu_seconds(os.getpid())

    async def lawyer(self, mail: Iterable[bytes], *, auto_analysis: bool = False) -> Lawyer:
        """A new one, who sent this mail within the last days, before anyone watched: no push tells of it."""
        address = f"dana-{uuid4().hex[:12]}@whitfieldlaw.example"
        simulator = f"{self.stack.gmail_url}/_sim/mailboxes"
        (await self.stack.http.post(simulator, json={"address": address})).raise_for_status()
        with NamedTemporaryFile(dir=self.folder, suffix=".mbox") as file:
            write_mbox(file, lately(mail))
            loading = await self.stack.http.post(f"{simulator}/{address}/load", json={"path": file.name})
            loading.raise_for_status()
        user = await self.stack.add_user(address)
        asking = Asking.of(self.stack, user)
        self._ending.push_async_callback(asking.http.aclose)
        lawyer = Lawyer(user, await self.stack.connect(user), asking)
        await asking.answer("configure_time_tracking", auto_analysis=auto_analysis)
        return lawyer

    @asynccontextmanager
    async def latencies(self, gmail: Latency, model: Latency = AT_ONCE) -> AsyncIterator[None]:
        """Meanwhile the simulators take so long to answer; afterwards they answer at once."""
        await self._simulate(gmail, model)
        try:
            yield
        finally:
            await self._simulate(AT_ONCE, AT_ONCE)

    async def model_stats(self) -> dict[str, int]:
        """What the simulated model counted: `requests`, and `waited_ms` over all of them."""
        stats: dict[str, int] = (await self.stack.http.get(f"{self._model}/_sim/stats")).json()
        return {"requests": 0, "waited_ms": 0} | stats

    async def _simulate(self, gmail: Latency, model: Latency) -> None:
        http = self.stack.http
        for url, latency in ((self.stack.gmail_url, gmail), (self._model, model)):
            if url is not None:
                body: dict[str, Any] = {"latency_ms": latency.base_ms, "jitter_ms": latency.jitter_ms}
                (await http.patch(f"{url}/_sim/settings", json=body)).raise_for_status()

    @property
    def _model(self) -> str | None:
        """The simulated model; None: there is none, the environment names another."""
        return self.stack.model.url.removesuffix("/v1") if self.stack.model.parts else None
