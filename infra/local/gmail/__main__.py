"""`python -m infra.local.gmail`: Gmail on this machine, until told to stop."""

import argparse
import socket
import sqlite3
import sys
from pathlib import Path

import uvicorn

from infra.local.gmail.app import AbortableProtocol, make_app
from infra.local.gmail.database import open_database
from infra.local.gmail.push import PushMode, PushSettings
from infra.local.gmail.quota import PROFILES
from infra.local.gmail.simulator import Behaviour, Options, SentAs, Simulator


def main() -> int:
    """Runs the server; 0 when it was asked to stop, 1 when it couldn't start."""
    arguments = _parser().parse_args()
    options = Options(
        data=arguments.data,
        pubsub_emulator=arguments.pubsub_emulator,
        topic=f"projects/{arguments.project}/topics/{arguments.topic}",
        quota_profile=arguments.quota_profile,
        token_lifetime_s=arguments.token_lifetime_s,
        push=PushSettings(arguments.push_mode, arguments.exact_filter),
        behaviour=Behaviour(arguments.latency_ms, arguments.jitter_ms, arguments.sent_as),
        seed=arguments.seed,
    )
    try:
        listener = socket.create_server(("127.0.0.1", arguments.port), backlog=1024)
        # Once before the server does, so that what is wrong is one line and not a traceback from within.
        open_database(options.data).close()
    except (OSError, sqlite3.Error) as error:
        print(f"gmail simulator: can't start: {error}", file=sys.stderr)
        return 1
    config = uvicorn.Config(
        make_app(lambda: Simulator.open(options)),
        loop="uvloop",
        http=AbortableProtocol,
        lifespan="on",
        log_level="error",
        access_log=False,
        # Callers keep their connections for as long as they like; Google does too.
        timeout_keep_alive=300,
        # Silence on purpose isn't waited for.
        timeout_graceful_shutdown=2,
    )
    uvicorn.Server(config).run(sockets=[listener])
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.local.gmail", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--data", type=Path, required=True, help="the folder that keeps the mail")
    parser.add_argument("--pubsub-emulator", required=True, metavar="HOST:PORT")
    parser.add_argument("--project", required=True)
    parser.add_argument("--topic", default="gmail-events")
    parser.add_argument("--quota-profile", choices=sorted(PROFILES), default="2026")
    parser.add_argument("--latency-ms", type=float, default=0.0)
    parser.add_argument("--jitter-ms", type=float, default=0.0)
    parser.add_argument("--token-lifetime-s", type=float, default=3_600.0)
    parser.add_argument("--push-mode", type=PushMode, choices=list(PushMode), default=PushMode.EVERY)
    parser.add_argument("--exact-filter", action="store_true", help="keep to a watch's labels, which Gmail doesn't")
    parser.add_argument("--sent-as", type=SentAs, choices=list(SentAs), default=SentAs.MESSAGE_ADDED)
    parser.add_argument("--seed", type=int, help="makes ids and latencies repeatable")
    return parser


if __name__ == "__main__":
    sys.exit(main())
