"""Pub/Sub on this machine: Google's emulator where it is installed, else our own broker. Same calls, same pushes.

    async with pubsub(folder) as bus:
        await lay_out(bus.host, "local-project", {"gmail-events": f"{functions_url}/gmail_push"})
        ...                                     # PUBSUB_EMULATOR_HOST is bus.host

Which one it is, `bus.name` says.
"""

from pathlib import Path
from typing import Literal

from infra.local.pubsub.broker import broker
from infra.local.pubsub.emulator import emulator, find_emulator
from infra.local.pubsub.part import Pubsub
from infra.local.pubsub.topology import lay_out

Preference = Literal["auto", "emulator", "broker"]


def pubsub(folder: Path, *, prefer: Preference = "auto", port: int | None = None) -> Pubsub:
    """One of the two, not started yet; `auto` is the emulator where it is installed. Raises PartFailed."""
    if prefer == "emulator" or (prefer == "auto" and find_emulator()):
        return emulator(folder, port=port)
    return broker(folder, port=port)


__all__ = ["Preference", "Pubsub", "broker", "emulator", "find_emulator", "lay_out", "pubsub"]
