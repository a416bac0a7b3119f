"""One process that spends a user's quota as fast as it is let, in several tasks, and tells when.

python hammer.py URL USER UNITS_A_WINDOW WINDOW_SECONDS CALLS: prints a line when it is ready, begins when it gets one,
and ends with the monotonic times of all calls, which all processes of a machine share, as a JSON list.
"""

import asyncio
import json
import sys
import time
from types import MappingProxyType

from shared.gmail.quota import Quota, QuotaProfile
from shared.gmail.shared_window import SharedWindow

GET = "gmail.users.messages.get"
COST = 5
TASKS = 4


async def main(url: str, user: str, units: int, window_seconds: int, calls: int) -> None:
    profile = QuotaProfile(units, 1_000_000, MappingProxyType({GET: COST}))
    # The shared machine may be slow: what is tried here is how units are counted, not how soon Redis is given up.
    quota = Quota(profile, shared=SharedWindow(url, window_seconds=window_seconds, answer_seconds=30))
    times: list[float] = []
    await quota.spend("somebody else", GET, patience_seconds=60)  # libraries are loaded
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.readline)

    async def spend(calls: int) -> None:
        for _ in range(calls):
            await quota.spend(user, GET, patience_seconds=60)
            times.append(time.monotonic())

    await asyncio.gather(*(spend(calls // TASKS) for _ in range(TASKS)))
    await quota.aclose()
    sys.stdout.write(json.dumps(times))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5])))
