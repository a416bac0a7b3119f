"""What the tools' process needs: memory for scans, CPU for an answer that it has at hand."""

import statistics
import time
from typing import Any

from tests.performance.again import in_doubt
from tests.performance.firm import Firm, Lawyer
from tests.performance.sample import sent_mail, some, with_attachments
from tests.performance.scans import EMAILS, GMAIL, MODEL

LARGE_EMAILS = 10
LARGE_MEGABYTES = 20
CACHED_CALLS = 300
WARM_SCANNED = 500
SCANNED = 1000
PAGE = 500


async def batch_50(firm: Firm) -> dict[str, Any]:
    """The most MB that the tools' process held during a scan of 50 emails, above what it held before the scan.

    It is a new process, that one scan of two emails, which ask the model, has made load all that it loads.
    `batch_50_large_mb`: in another scan, right after it, ten of the 50 emails carry an attachment of 20 MB.
    """
    mail = some(sent_mail(), EMAILS)
    small = await firm.lawyer(mail)
    large = await firm.lawyer([*with_attachments(mail[:LARGE_EMAILS], LARGE_MEGABYTES), *mail[LARGE_EMAILS:]])
    first = await firm.lawyer((await in_doubt(firm, sent_mail()))[:2])
    await firm.restart("tools")
    await _scan_all(first, 2)
    worker = firm.worker("tools")
    figures: dict[str, Any] = {"tools_idle_mb": round(worker.memory_mb(), 1)}
    async with firm.latencies(GMAIL, MODEL):
        for name, lawyer in (("batch_50_mb", small), ("batch_50_large_mb", large)):
            idle = worker.memory_mb()
            worker.reset_peak()
            await _scan_all(lawyer, EMAILS)
            figures[name] = round(worker.peak_mb() - idle, 1)
    return figures


async def growth(firm: Firm) -> dict[str, Any]:
    """MB by which the tools' process grew over 1,000 scanned emails, 500 having gone before."""
    before = await firm.lawyer(some(sent_mail(), WARM_SCANNED))
    measured = await firm.lawyer(some(sent_mail(), SCANNED))
    worker = firm.worker("tools")
    await _scan_all(before, WARM_SCANNED)
    memory = worker.memory_mb()
    await _scan_all(measured, SCANNED)
    return {"tools_growth_1000_mb": round(worker.memory_mb() - memory, 1)}


async def email_cached(firm: Firm) -> dict[str, Any]:
    """CPU ms of the tools' process for analyze_time_entry of an email that it has just analysed, HTTP and all.

    `email_cached_wall_ms`: the median of what the caller waits, through the gateway, one call after another.
    """
    lawyer = await firm.lawyer(some(sent_mail(), EMAILS))
    scan = await lawyer.asking.scan()
    email_id = scan["entries"][0]["email_id"]
    await lawyer.asking.answer("analyze_time_entry", email_id=email_id)
    worker = firm.worker("tools")
    took = []
    cpu = worker.cpu_seconds()
    for _ in range(CACHED_CALLS):
        begun = time.perf_counter()
        answer = await lawyer.asking.answer("analyze_time_entry", email_id=email_id)
        took.append((time.perf_counter() - begun) * 1000)
        if not answer["from_cache"]:
            raise RuntimeError("an email that was just analysed was analysed again")
    cpu = worker.cpu_seconds() - cpu
    return {
        "email_cached_ms": round(cpu / CACHED_CALLS * 1000, 2),
        "email_cached_wall_ms": round(statistics.median(took), 2),
    }


async def _scan_all(lawyer: Lawyer, emails: int) -> None:
    """Scan so many unread emails, in as many scans as it takes."""
    scan = await lawyer.asking.scan(max_emails=min(PAGE, emails), date_range_days=30)
    read = scan["cache_misses"]
    while scan["truncated"]:
        scan = await lawyer.asking.scan(max_emails=PAGE, date_range_days=30, continue_from=scan["continue_from"])
        read += scan["cache_misses"]
    if read != emails:
        raise RuntimeError(f"{read} of {emails} emails were read")
