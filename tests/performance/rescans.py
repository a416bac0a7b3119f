"""A mailbox's past, read page by page through Pub/Sub."""

import asyncio
import time
from typing import Any

from tests.performance.firm import Firm
from tests.performance.sample import sent_mail, some
from tests.performance.scans import GMAIL

EMAILS = 1000
DEADLINE_SECONDS = 300.0


async def rescan_1000(firm: Firm) -> dict[str, Any]:
    """Seconds from POST /rescans to the job's end, over 1,000 unread emails, and emails a second.

    Gmail is as slow as the real one, without its quota, for which alone these emails would wait some five minutes.
    """
    lawyer = await firm.lawyer(some(sent_mail(), EMAILS))
    http = lawyer.asking.http
    async with firm.latencies(GMAIL), asyncio.timeout(DEADLINE_SECONDS):
        begun = time.monotonic()
        started = await http.post("/rescans", json={"date_range_days": 30})
        started.raise_for_status()
        job = started.json()
        while job["state"] in {"queued", "running"}:
            await asyncio.sleep(0.05)
            job = (await http.get(f"/rescans/{job['id']}")).json()
        seconds = time.monotonic() - begun
    if (job["state"], job["processed"], job["failed"]) != ("done", EMAILS, 0):
        raise RuntimeError(f"the rescan is {job['state']}: {job['processed']} read, {job['failed']} failed")
    return {"rescan_1000": {"seconds": round(seconds, 1), "emails_per_s": round(EMAILS / seconds, 1)}}
