"""Four processes that hammer one user's quota, as a strict counter sees them together."""

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from infra.local.valkey import Valkey

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
PROCESSES = 4
COST = 5
# Gmail's window, and the longer one that Redis counts, as 60 and 61 s.
STRICT_SECONDS, COUNTED_SECONDS = 2, 3
UNITS = 400
WINDOWS = 3


async def hammer(url: str, user: str, calls: int) -> asyncio.subprocess.Process:
    arguments = [url, user, UNITS, COUNTED_SECONDS, calls]
    return await asyncio.create_subprocess_exec(
        sys.executable,
        str(HERE / "hammer.py"),
        *map(str, arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )


async def times_of(processes: list[asyncio.subprocess.Process]) -> list[float]:
    """All begin at once. When each call of all of them was let through, in order."""
    for process in processes:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
    outputs = await asyncio.gather(*(process.communicate(b"go\n") for process in processes))
    return sorted(moment for output, _ in outputs for moment in json.loads(output))


def fullest(times: list[float], seconds: float) -> int:
    """The most units in any window."""
    return max(COST * sum(start <= moment < start + seconds for moment in times) for start in times)


@pytest.fixture
async def times(valkey: Valkey) -> list[float]:
    calls = WINDOWS * UNITS // COST // PROCESSES
    return await times_of([await hammer(valkey.url, "dana", calls) for _ in range(PROCESSES)])


async def test_together_they_pass_the_quota_in_no_window_and_use_what_is_allowed(times: list[float]) -> None:
    assert fullest(times, STRICT_SECONDS) <= UNITS
    assert COST * len(times) == WINDOWS * UNITS
    allowed = UNITS * (1 + int((times[-1] - times[0]) / COUNTED_SECONDS))
    assert COST * len(times) >= 0.95 * allowed
