"""What scans of mailboxes cost: time against the bound, users beside each other, mail that was read before."""

import asyncio
import os
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shared.gmail.quota import PROFILES
from shared.settings import ToolsSettings
from tests.performance.bound import Latency, latency_seconds, scan_seconds
from tests.performance.firm import Firm, Lawyer
from tests.performance.naive import naive_seconds
from tests.performance.sample import sent_mail, some

EMAILS = 50
FRESH_USERS = 5
USERS_TOGETHER = 10
ALONE = 3
GMAIL = Latency(80.0, 20.0)
MODEL = Latency(800.0, 200.0)


@dataclass(frozen=True)
class Scanned:
    """One scan: `seconds` as its user waited for it, `bound_seconds` that no scan can go below, and the answer."""

    seconds: float
    bound_seconds: float
    answer: dict[str, Any]

    @property
    def ratio(self) -> float:
        return self.seconds / self.bound_seconds


async def scan_50(firm: Firm) -> dict[str, Any]:
    """POST /tools/scan_billable_time over a mailbox of 50 unread emails, in seconds: the median of fresh users' scans.

    Both APIs are as slow as the real ones. `sequential_seconds`: the naive version, over the same wires.
    """
    lawyers = [await firm.lawyer(mail) for mail in _mailboxes(FRESH_USERS)]
    naive = await firm.lawyer(some(sent_mail(), EMAILS))
    await warm(firm)
    async with firm.latencies(GMAIL, MODEL):
        scans = sorted([await scanned(firm, lawyer) for lawyer in lawyers], key=lambda scan: scan.ratio)
        sequential, asked = await naive_seconds(firm, naive)
    median = scans[len(scans) // 2]
    return {
        "scan_50": {
            "seconds": round(median.seconds, 3),
            "bound_seconds": round(median.bound_seconds, 3),
            "ratio": round(median.ratio, 3),
            "ratios": [round(scan.ratio, 3) for scan in scans],
            "sequential_seconds": round(sequential, 1),
            "sequential_measured_emails": asked,
        }
    }


async def users_10(firm: Firm) -> dict[str, Any]:
    """10 users who scan 50 emails each at the same moment, against one alone; seconds are a user's median.

    `slowdown` 0.1: a user waits 10 % longer. `cpu_seconds`: of the one process that serves them all, which has one core
    at most; `machine_cpu_seconds`: with the simulators and the database, which share this machine's cores with it.
    `bound_seconds`: the largest of what the process's calls of Gmail at once, its core and the machine's cores need.
    """
    alone = [await firm.lawyer(mail) for mail in _mailboxes(ALONE)]
    together = [await firm.lawyer(mail) for mail in _mailboxes(USERS_TOGETHER)]
    await warm(firm)
    worker = firm.worker("tools")
    async with firm.latencies(GMAIL, MODEL):
        alone_seconds = statistics.median([(await scanned(firm, lawyer)).seconds for lawyer in alone])
        cpu, machine = worker.cpu_seconds(), firm.cpu_seconds()
        scans = await asyncio.gather(*(scanned(firm, lawyer) for lawyer in together))
        cpu, machine = worker.cpu_seconds() - cpu, firm.cpu_seconds() - machine
    together_seconds = statistics.median(scan.seconds for scan in scans)
    emails = EMAILS * USERS_TOGETHER
    at_once = min(USERS_TOGETHER * calls_at_once(firm), calls_at_once_in_all(firm))
    calls = latency_seconds(emails, at_once, GMAIL.mean_seconds, MODEL.mean_seconds)
    bound = max(calls, cpu, machine / len(os.sched_getaffinity(0)))
    return {
        "users_10": {
            "slowdown": round(together_seconds / alone_seconds - 1, 3),
            "alone_seconds": round(alone_seconds, 3),
            "together_seconds": round(together_seconds, 3),
            "cpu_seconds": round(cpu, 2),
            "machine_cpu_seconds": round(machine, 2),
            "bound_seconds": round(bound, 3),
            "ratio": round(together_seconds / bound, 3),
        }
    }


async def scanned(firm: Firm, lawyer: Lawyer, emails: int = EMAILS) -> Scanned:
    """Scan a mailbox that nobody has read. The model's share of the bound is what it took to answer in this scan."""
    before = await firm.model_stats()
    begun = time.perf_counter()
    answer = await lawyer.asking.scan(max_emails=emails)
    seconds = time.perf_counter() - begun
    after = await firm.model_stats()
    if answer["cache_misses"] != emails or answer["failed"]:
        raise RuntimeError(f"{answer['cache_misses']} of {emails} emails were read, {answer['failed']} failed")
    asked = after["requests"] - before["requests"]
    model = (after["waited_ms"] - before["waited_ms"]) / asked / 1000 if asked else 0.0
    profile = PROFILES[firm.stack.quota_profile]
    return Scanned(seconds, scan_seconds(emails, calls_at_once(firm), GMAIL.mean_seconds, model, profile), answer)


async def warm(firm: Firm) -> None:
    """One scan that is not measured, with which the process loads what it needs."""
    await (await firm.lawyer(some(sent_mail(), EMAILS))).asking.scan(max_emails=EMAILS)


def calls_at_once(firm: Firm) -> int:
    """How many calls of Gmail the tools have under way for one mailbox at a time."""
    return ToolsSettings.from_environ(firm.stack.function_settings()).gmail_concurrency


def calls_at_once_in_all(firm: Firm) -> int:
    """The same for all mailboxes together."""
    return ToolsSettings.from_environ(firm.stack.function_settings()).gmail_concurrency_in_all


def _mailboxes(users: int) -> list[Sequence[bytes]]:
    """So many mailboxes of 50, each of other mail of the sample as far as it goes."""
    mail = sent_mail()
    return [some(mail, EMAILS, EMAILS * user) for user in range(users)]
