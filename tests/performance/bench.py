"""`make bench`: measured on this machine, in this run, on the real parts; the last line is one JSON object.

send_to_entry      ms from messages.send to the row on record, one email after another on a quiet system
push_emails_per_s  through the whole path (messages.send, push, history, Pub/Sub, analysis, Postgres), all parts on
                   this machine's cores
email_cpu_ms       CPU of analyze_email's process for one email, everything in it
memory             MB resident of analyze_email's worker: idle, and growth over 1,000 emails after the first 300
cold_start_s       from starting a function's process to its first answer that needed the database
"""

import asyncio
import base64
import json
import os
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from infra.local.gmail.mbox import MboxMessage, stream
from infra.local.mailbox import ConnectedMailbox
from infra.local.parts import Part
from infra.local.stack import FUNCTIONS, Stack

SAMPLE = Path(__file__).parents[2] / "infra" / "local" / "sample.mbox"
MEGABYTE = 1024 * 1024
QUIET_EMAILS = 60
WARM_EMAILS = 300
EMAILS = 1000
DEADLINE_SECONDS = 300.0


@dataclass(frozen=True)
class Worker:
    """The process that does the work of a function: the last of its family."""

    pid: int

    @classmethod
    def of(cls, part: Part) -> "Worker":
        children = Path(f"/proc/{part.pid}/task/{part.pid}/children").read_text().split()
        return cls(int(children[0]) if children else part.pid)

    def memory_mb(self) -> float:
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / MEGABYTE

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Bench:
    """One stack, one mailbox, and the figures so far."""

    def __init__(self, stack: Stack, mailbox: ConnectedMailbox, sql: "asyncpg.Connection[asyncpg.Record]") -> None:
        self._stack = stack
        self._mailbox = mailbox
        self._sql = sql
        self._mail = [m.raw for m in stream(SAMPLE) if isinstance(m, MboxMessage) and m.sent]
        self._sent = 0

    async def send(self) -> str:
        raw = self._mail[self._sent % len(self._mail)]
        self._sent += 1
        return await self._mailbox.send(raw)

    async def on_record(self, ids: list[str]) -> dict[str, datetime]:
        """When each email was put on record, once all are."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while True:
                rows = await self._sql.fetch(
                    "select email_id, processed_at from public.processed_emails where email_id = any ($1)", ids
                )
                if len(rows) == len(ids):
                    return {row["email_id"]: row["processed_at"] for row in rows}
                await asyncio.sleep(0.05)

    async def latency(self) -> dict[str, float]:
        took = []
        for _ in range(QUIET_EMAILS):
            begun = datetime.now(UTC)
            email_id = await self.send()
            recorded = (await self.on_record([email_id]))[email_id]
            took.append((recorded - begun).total_seconds() * 1000)
        took.sort()
        return {"p50_ms": round(statistics.median(took), 1), "p95_ms": round(took[int(len(took) * 0.95)], 1)}

    async def burst(self, number: int) -> float:
        """Send so many at once; seconds from the first sent to the last on record."""
        begun = time.monotonic()
        gate = asyncio.Semaphore(8)

        async def one() -> str:
            async with gate:
                return await self.send()

        await self.on_record(list(await asyncio.gather(*(one() for _ in range(number)))))
        return time.monotonic() - begun

    async def cold_start(self, name: str) -> float:
        """Seconds from starting the process to its first answer to a delivery."""
        part = self._stack.functions[name]
        await part.kill9()
        begun = time.monotonic()
        body = _unknown_mailbox(name)
        async with httpx.AsyncClient(timeout=30) as http:
            while True:
                answer = await http.post(f"{self._stack.gateway.functions_url}/{name}", json=body)
                if answer.status_code == httpx.codes.NO_CONTENT:
                    return time.monotonic() - begun
                await asyncio.sleep(0.01)


def _unknown_mailbox(name: str) -> dict[str, Any]:
    """A delivery that asks the database and finds nothing to do."""
    data = {
        "gmail_push": b'{"emailAddress":"nobody@firm.example","historyId":1}',
        "analyze_email": b'{"mailbox_id":"00000000-0000-4000-8000-000000000000","email_id":"m1"}',
    }[name]
    return {"message": {"data": base64.b64encode(data).decode(), "messageId": "1"}, "subscription": "bench"}


async def measure(folder: Path) -> dict[str, Any]:
    """All figures."""
    async with Stack(folder, quota_profile="unmetered") as stack:
        user = await stack.add_user("dana@whitfieldlaw.example")
        sql = await asyncpg.connect(stack.postgres.url)
        bench = Bench(stack, await stack.connect(user), sql)
        worker = Worker.of(stack.functions["analyze_email"])
        await bench.burst(1)
        idle = worker.memory_mb()
        await bench.burst(WARM_EMAILS)
        latency = await bench.latency()
        memory, cpu = worker.memory_mb(), worker.cpu_seconds()
        seconds = await bench.burst(EMAILS)
        figures = {
            "send_to_entry": latency,
            "push_emails_per_s": round(EMAILS / seconds, 1),
            "email_cpu_ms": round((worker.cpu_seconds() - cpu) / EMAILS * 1000, 2),
            "memory": {"idle_mb": round(idle, 1), "growth_1000_mb": round(worker.memory_mb() - memory, 1)},
            "cold_start_s": {name: round(await bench.cold_start(name), 2) for name in FUNCTIONS},
        }
        await sql.close()
        return figures


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory(prefix="tenths-bench-") as folder:
        print("Measuring on the real parts; about a minute ...", file=sys.stderr)
        print(json.dumps(asyncio.run(measure(Path(folder)))))


if __name__ == "__main__":
    main()
