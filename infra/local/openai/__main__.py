"""`python -m infra.local.openai`: a language model's API on this machine, until told to stop."""

import argparse
import os
import socket
import sys

import uvicorn

from infra.local.openai.app import make_app
from infra.local.openai.connection import ResettableHttp
from infra.local.openai.simulator import Simulator

KEY = "OPENAI_SIMULATOR_KEY"


def main() -> int:
    """Run the server; 0 when it was asked to stop, 1 when it couldn't start. {KEY}: the keys it takes, by commas."""
    parser = argparse.ArgumentParser(prog="python -m infra.local.openai", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--model", action="append", help="a model that there is; may be repeated")
    arguments = parser.parse_args()
    keys = tuple(key for key in os.environ.get(KEY, "").split(",") if key)
    if not keys:
        print(f"openai simulator: {KEY} is not set", file=sys.stderr)
        return 1
    simulator = Simulator(keys, tuple(arguments.model or ["gpt-5.4-mini"]))
    try:
        listener = socket.create_server(("127.0.0.1", arguments.port), backlog=1024)
    except OSError as error:
        print(f"openai simulator: can't start: {error}", file=sys.stderr)
        return 1
    config = uvicorn.Config(
        make_app(simulator),
        loop="uvloop",
        http=ResettableHttp,
        lifespan="off",
        log_level="critical",  # a connection cut on purpose is no error
        access_log=False,
        timeout_keep_alive=300,
        timeout_graceful_shutdown=2,  # silence on purpose isn't waited for
    )
    uvicorn.Server(config).run(sockets=[listener])
    return 0


if __name__ == "__main__":
    sys.exit(main())
