"""Our own small Pub/Sub, for machines without the emulator: the calls this system makes, and pushes as the emulator's.

In memory, one process (`python -m infra.local.pubsub.broker --port N`). At least once, with retries, backoff and dead
letters. What it doesn't do (ordering, filters, exactly once, streaming pull, snapshots) it refuses, never ignores.
"""

import sys
from pathlib import Path

from infra.local.ports import free_port
from infra.local.pubsub.part import Pubsub


def broker(folder: Path, *, port: int | None = None) -> Pubsub:
    """The broker, not started yet."""
    port = port or free_port()
    argv = [sys.executable, "-m", "infra.local.pubsub.broker", "--port", str(port)]
    return Pubsub("pubsub broker", argv, folder, port)
