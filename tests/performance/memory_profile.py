"""`make profile`: what a scan allocates. It runs in this process, with the parts of the tools, against the stack.

Prints the peak and who allocated most, and writes a flame graph of the peak to .local/profile.html.
"""

import argparse
import asyncio
import logging
import subprocess
import sys
import tempfile
from pathlib import Path

import memray  # type: ignore[import-not-found, unused-ignore]  # only `make profile` installs it
import structlog

from infra.local.stack import ROOT
from shared.settings import ToolsSettings
from shared.wiring import tools_parts
from tests.performance.firm import Firm
from tests.performance.process import MEGABYTE
from tests.performance.sample import sent_mail, some

REPORT = ROOT / ".local" / "profile.html"
WARM_EMAILS = 50
TOP = 10


async def record(emails: int, target: Path) -> None:
    """Record one scan of so many unread emails; another one before it has loaded what a scan loads."""
    async with Firm(quota_profile="unmetered", simulate_model=True) as firm:
        first = await firm.lawyer(some(sent_mail(), WARM_EMAILS))
        lawyer = await firm.lawyer(some(sent_mail(), emails))
        parts = tools_parts(ToolsSettings.from_environ(firm.stack.function_settings()))
        try:
            for user, path in ((first.user, None), (lawyer.user, target)):
                caller = await parts.tokens.verify(f"Bearer {user.token}")
                scan = parts.toolbox.call(caller, "scan_billable_time", f'{{"max_emails": {emails}}}')
                if path is None:
                    await scan
                else:
                    with memray.Tracker(path):
                        await scan
        finally:
            await parts.aclose()


def main() -> None:
    """Record, and show."""
    parser = argparse.ArgumentParser(prog="make profile", description=__doc__)
    parser.add_argument("emails", nargs="?", type=int, default=50, help="how many to scan, at most 500")
    emails: int = parser.parse_args().emails
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with tempfile.TemporaryDirectory(prefix="tenths-profile-") as folder:
        recorded = Path(folder) / "scan.bin"
        asyncio.run(record(emails, recorded))
        REPORT.parent.mkdir(exist_ok=True)
        _show(emails, recorded)
        _memray("flamegraph", "--force", "--output", str(REPORT), str(recorded))
    print(f"\nFlame graph: {REPORT}")


def _show(emails: int, recorded: Path) -> None:
    """The peak, and whose memory it was: where it was allocated, innermost."""
    with memray.FileReader(recorded) as reader:
        peak = reader.metadata.peak_memory / MEGABYTE
        print(f"A scan of {emails} emails: {peak:.1f} MB at most at a time, {reader.metadata.total_allocations:,}")
        print("allocations in all. Of the most at a time:\n")
        top = sorted(reader.get_high_watermark_allocation_records(), key=lambda each: each.size, reverse=True)
        for each in top[:TOP]:
            function, file, line = next(iter(each.stack_trace(max_stacks=1)), ("?", "?", 0))
            print(f"{each.size / MEGABYTE:8.2f} MB  {function}  {file}:{line}")


def _memray(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "memray", *arguments], check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
