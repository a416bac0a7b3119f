"""Pub/Sub as a part: whichever program it is, it speaks gRPC on one port and keeps everything in memory."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import grpc

from infra.local.parts import Part, module_path, port_answers

_CHANNEL_SECONDS = 2.0


class Pubsub(Part):
    """One Pub/Sub. What it holds goes when it ends: after a restart the topology has to be made again."""

    def __init__(self, name: str, argv: Sequence[str | Path], folder: Path, port: int) -> None:
        self.port = port
        super().__init__(name, argv, log=folder / "pubsub.log", ready=self._answers, env=module_path(), stop_deadline=3)

    @property
    def host(self) -> str:
        """PUBSUB_EMULATOR_HOST."""
        return f"127.0.0.1:{self.port}"

    async def _answers(self) -> bool:
        if not await port_answers(self.port):  # asked first: a gRPC channel that is refused waits a second
            return False
        async with grpc.aio.insecure_channel(self.host) as channel:
            try:
                await asyncio.wait_for(channel.channel_ready(), _CHANNEL_SECONDS)
            except TimeoutError:
                return False
        return True
