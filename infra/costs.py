"""What running Tenths costs a month, with the arithmetic: `python -m infra.costs [MAILBOXES ...]`.

Prices are list prices in US dollars of autumn 2026, for Google's cheaper regions; free tiers are taken off. Look them
up again before you rely on them. Figures of our own were measured on the one machine (docs/performance.md).
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

# Use, of one mailbox.
EMAILS_A_WORKDAY: Final = 40
WORKDAYS: Final = 21
EMAILS: Final = EMAILS_A_WORKDAY * WORKDAYS
PUSHES_AN_EMAIL: Final = 1.2
"""The watch also fires for a label or a deletion among sent mail."""
WITH_TIME: Final = 0.15
"""Emails that hold a time entry."""
DOUBTFUL: Final = 0.07
"""Emails that a model is asked about; measured on mail half of which holds time, so this is high."""
QUESTIONS: Final = 20
"""Tool calls and chat answers."""

# What one of them takes.
ANALYSIS_SECONDS: Final = 0.4
"""Wall clock: one call of Gmail, two of the database, 15 ms of computing."""
PUSH_SECONDS: Final = 0.25
QUESTION_SECONDS: Final = 1.5
EMAIL_CPU_SECONDS: Final = 0.02
"""Of analyze_email and gmail_push together, measured 14.5 and 3 ms."""
MEMORY_GIB: Final = 0.5
CONCURRENCY: Final = 20
"""Requests that one instance works on at a time."""
RECONCILIATIONS_A_DAY: Final = 30
"""A quiet mailbox's history is looked at every 40 to 60 minutes."""
PUBSUB_KB_A_MESSAGE: Final = 2
"""Published and pushed; either counts as 1 KB at least. A push is a message, and so is an email."""
LOG_KB_A_REQUEST: Final = 1.3
"""Our line of 0.3 KB and Google's own of each request."""
EGRESS_KB_AN_EMAIL: Final = 6.0
"""From Google to the database."""
RECORD_KB: Final = 0.62
"""A row of processed_emails with its indexes, measured."""
ENTRY_KB: Final = 0.97
"""A row of time_tracking_entries with its indexes, measured."""
YEARS_KEPT: Final = 1.0
"""How much mail is on record when the month begins."""
TOKENS_IN, TOKENS_OUT = 1_200, 150
METRIC_MIB_AN_INSTANCE: Final = 60 * 43_200 * 30 / 1024**2
"""60 series, a point a minute, 30 bytes."""

# Prices.
VCPU_SECOND, GIB_SECOND, MILLION_REQUESTS = 0.000024, 0.0000025, 0.40
FREE_VCPU_SECONDS, FREE_GIB_SECONDS, FREE_REQUESTS = 180_000, 360_000, 2_000_000
PUBSUB_TIB, FREE_PUBSUB_GIB = 40.0, 10.0
LOG_GIB, FREE_LOG_GIB = 0.50, 50.0
EGRESS_GIB, FREE_EGRESS_GIB = 0.12, 1.0
METRIC_MIB, FREE_METRIC_MIB = 0.258, 150.0
SCHEDULER_JOBS, SCHEDULER_JOB, FREE_JOBS = 6, 0.10, 3
SECRETS: Final = 6 * 0.06
MILLION_TOKENS_IN, MILLION_TOKENS_OUT = 0.75, 4.50
SUPABASE_PRO, DISK_GB, FREE_DISK_GB = 25.0, 0.125, 8.0
ACTIVE_USER, FREE_ACTIVE_USERS = 0.00325, 100_000
# (mailboxes up to, Supabase compute a month beyond the credit of 10, Redis a month)
SIZES: Final = ((100, 0.0, 0.0), (2_000, 50.0, 36.0), (20_000, 400.0, 72.0), (200_000, 1_860.0, 150.0))

_KIB_IN_GIB: Final = 1024**2


@dataclass(frozen=True)
class Use:
    """What so many mailboxes do in a month."""

    mailboxes: int

    @property
    def emails(self) -> float:
        return self.mailboxes * EMAILS

    @property
    def pushes(self) -> float:
        return self.emails * PUSHES_AN_EMAIL + self.mailboxes * RECONCILIATIONS_A_DAY * 30

    @property
    def requests(self) -> float:
        return self.emails + self.pushes + self.mailboxes * QUESTIONS

    def instance_seconds(self) -> float:
        """Seconds that instances are at work: requests that come together share one."""
        at_work = (
            (self.emails, ANALYSIS_SECONDS),
            (self.pushes, PUSH_SECONDS),
            (self.mailboxes * QUESTIONS, QUESTION_SECONDS),
        )
        shared = sum(number * seconds / self._together(number, seconds) for number, seconds in at_work)
        return max(shared, self.emails * EMAIL_CPU_SECONDS)

    @staticmethod
    def _together(number: float, seconds: float) -> float:
        """Requests of a kind that an instance has at a time, in working hours."""
        a_second = number / (WORKDAYS * 8 * 3_600)
        return min(max(a_second * seconds, 1.0), CONCURRENCY)


def bill(mailboxes: int) -> Mapping[str, float]:
    """US dollars a month by what they are for."""
    use = Use(mailboxes)
    seconds = use.instance_seconds()
    instances = max(1.0, seconds / (WORKDAYS * 8 * 3_600))
    compute, redis = next((compute, redis) for most, compute, redis in SIZES if mailboxes <= most)
    disk_gb = use.emails * 12 * YEARS_KEPT * (RECORD_KB + WITH_TIME * ENTRY_KB) / 1024**2
    doubts = use.emails * DOUBTFUL
    return {
        "Cloud Run: computing": max(seconds - FREE_VCPU_SECONDS, 0) * VCPU_SECOND
        + max(seconds * MEMORY_GIB - FREE_GIB_SECONDS, 0) * GIB_SECOND,
        "Cloud Run: requests": max(use.requests - FREE_REQUESTS, 0) / 1e6 * MILLION_REQUESTS,
        "Pub/Sub": max((use.emails + use.pushes) * PUBSUB_KB_A_MESSAGE / _KIB_IN_GIB - FREE_PUBSUB_GIB, 0)
        / 1024
        * PUBSUB_TIB,
        "Logging": max(use.requests * LOG_KB_A_REQUEST / _KIB_IN_GIB - FREE_LOG_GIB, 0) * LOG_GIB,
        "Metrics": max(instances * METRIC_MIB_AN_INSTANCE - FREE_METRIC_MIB, 0) * METRIC_MIB,
        "Network": max(use.emails * EGRESS_KB_AN_EMAIL / _KIB_IN_GIB - FREE_EGRESS_GIB, 0) * EGRESS_GIB,
        "Scheduler, secrets": max(SCHEDULER_JOBS - FREE_JOBS, 0) * SCHEDULER_JOB + SECRETS,
        "Redis": redis,
        "Supabase: plan and compute": SUPABASE_PRO + compute,
        "Supabase: disk": max(disk_gb - FREE_DISK_GB, 0) * DISK_GB,
        "Supabase: users": max(mailboxes - FREE_ACTIVE_USERS, 0) * ACTIVE_USER,
        "Language model": doubts * (TOKENS_IN * MILLION_TOKENS_IN + TOKENS_OUT * MILLION_TOKENS_OUT) / 1e6,
    }


def table(sizes: tuple[int, ...]) -> str:
    """The bills side by side, as Markdown."""
    bills = [bill(size) for size in sizes]
    lines = [
        "| US dollars a month | " + " | ".join(f"{size:,} mailboxes" for size in sizes) + " |",
        "| --- |" + " ---: |" * len(sizes),
        *(f"| {name} | " + " | ".join(f"{each[name]:,.2f}" for each in bills) + " |" for name in bills[0]),
    ]
    totals = [sum(each.values()) for each in bills]
    without = [total - each["Language model"] for total, each in zip(totals, bills, strict=True)]
    rows = {
        "**All**": totals,
        "All, rules only": without,
        "All, a mailbox": [total / size for total, size in zip(totals, sizes, strict=True)],
    }
    lines += [f"| {name} | " + " | ".join(f"{value:,.2f}" for value in row) + " |" for name, row in rows.items()]
    return "\n".join(lines)


SHOWN: Final = (10, 1_000, 100_000)

if __name__ == "__main__":
    print(table(tuple(int(size) for size in sys.argv[1:]) or SHOWN))  # noqa: T201  a command prints
