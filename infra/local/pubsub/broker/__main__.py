"""`python -m infra.local.pubsub.broker --port N`: serves on 127.0.0.1 until SIGTERM."""

import argparse
import asyncio
import signal

import grpc

from infra.local.pubsub.broker.service import publisher, subscriber
from infra.local.pubsub.broker.topics import Topics

_LARGEST_CALL_BYTES = 16 * 1024 * 1024
_GRACE_SECONDS = 1.0


async def serve(port: int) -> None:
    """Raises RuntimeError when the port is taken."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    topics = Topics()
    server = grpc.aio.server(
        options=[("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", _LARGEST_CALL_BYTES)]
    )
    server.add_generic_rpc_handlers((publisher(topics), subscriber(topics)))
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    await stop.wait()
    await server.stop(_GRACE_SECONDS)
    await topics.close()


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(prog="infra.local.pubsub.broker", description="A small Pub/Sub, in memory.")
    parser.add_argument("--port", type=int, required=True, help="TCP port on 127.0.0.1")
    asyncio.run(serve(parser.parse_args().port))


if __name__ == "__main__":
    main()
