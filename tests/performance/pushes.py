"""From messages.send to the row on record: how long, how many a second, at what cost in CPU and memory."""

import asyncio
import statistics
import time
from datetime import UTC, datetime
from typing import Any

from tests.performance.firm import Firm, Lawyer
from tests.performance.sample import sent_mail, some

QUIET_EMAILS = 60
WARM_EMAILS = 300
EMAILS = 1000
SENT_AT_ONCE = 8
DEADLINE_SECONDS = 300.0


async def pushes(firm: Firm) -> dict[str, Any]:
    """The whole path (messages.send, push, history, Pub/Sub, analysis, Postgres), all parts on this machine's cores.

    `send_to_entry`: ms from sending to the row, one email after another on a quiet system. `push_emails_per_s`: 1,000
    sent as fast as they are taken, until the last is on record. `email_cpu_ms`: CPU of analyze_email's process an
    email, everything in it. `growth_1000_mb`: MB by which that process grew over these 1,000, 300 having gone before.
    """
    lawyer = await firm.lawyer((), auto_analysis=True)
    worker = firm.worker("analyze_email")
    await _burst(firm, lawyer, 1)
    idle = worker.memory_mb()
    await _burst(firm, lawyer, WARM_EMAILS)
    latency = await _latency(firm, lawyer)
    memory, cpu = worker.memory_mb(), worker.cpu_seconds()
    seconds = await _burst(firm, lawyer, EMAILS)
    return {
        "send_to_entry": latency,
        "push_emails_per_s": round(EMAILS / seconds, 1),
        "email_cpu_ms": round((worker.cpu_seconds() - cpu) / EMAILS * 1000, 2),
        "growth_1000_mb": round(worker.memory_mb() - memory, 1),
        "analyze_email_idle_mb": round(idle, 1),
    }


async def _latency(firm: Firm, lawyer: Lawyer) -> dict[str, float]:
    """Milliseconds from sending to the row on record."""
    took = []
    for raw in some(sent_mail(), QUIET_EMAILS):
        begun = datetime.now(UTC)
        email_id = await lawyer.mailbox.send(raw)
        recorded = (await _on_record(firm, [email_id]))[email_id]
        took.append((recorded - begun).total_seconds() * 1000)
    took.sort()
    return {"p50_ms": round(statistics.median(took), 1), "p95_ms": round(took[int(len(took) * 0.95)], 1)}


async def _burst(firm: Firm, lawyer: Lawyer, number: int) -> float:
    """Send so many at once; seconds from the first sent to the last on record."""
    begun = time.monotonic()
    gate = asyncio.Semaphore(SENT_AT_ONCE)

    async def one(raw: bytes) -> str:
        async with gate:
            return await lawyer.mailbox.send(raw)

    await _on_record(firm, list(await asyncio.gather(*map(one, some(sent_mail(), number)))))
    return time.monotonic() - begun


async def _on_record(firm: Firm, ids: list[str]) -> dict[str, datetime]:
    """When each email was put on record, once all are."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while True:
            rows = await firm.sql.fetch(
                "select email_id, processed_at from public.processed_emails where email_id = any ($1)", ids
            )
            if len(rows) == len(ids):
                return {row["email_id"]: row["processed_at"] for row in rows}
            await asyncio.sleep(0.05)
