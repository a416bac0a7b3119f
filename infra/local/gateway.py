"""The stack's front door, `python -m infra.local.gateway`: one process, two ports.

SUPABASE_URL, as a hosted project has it:
    /rest/v1/*                          PostgREST, the API key mapped to a role (api_keys.py)
    /auth/v1/.well-known/jwks.json      what verifies users' tokens
    /healthz
FUNCTIONS_URL: the first segment of the path names the function; the path goes to its process as it came.
    /_google/certs                      what verifies machines' tokens
    /_pubsub/{secret}/{function}        where Pub/Sub pushes: passed on with Google's token, which no emulator sends

    gateway = Gateway(folder, keys, rest_url=postgrest.url, functions={"gmail_push": "http://127.0.0.1:9001"})
    async with gateway:
        ...                             # gateway.url, gateway.functions_url
"""

import json
import os
import secrets
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import uvicorn

from infra.local.gateway_app import GatewayApp, Pushes
from infra.local.google_identity import PUSH_ACCOUNT, GoogleIdentity
from infra.local.parts import Part, http_answers, module_path
from infra.local.ports import free_port
from infra.local.tokens import ProjectKeys
from infra.local.upstream import Upstream

_SETTINGS = "TENTHS_GATEWAY"
_BACKLOG = 1024
_SHUTDOWN_SECONDS = 2
# Longer than clients keep theirs (httpx: 5 s), so that none sends on a connection that is being closed here.
_KEEP_ALIVE_SECONDS = 75


class Gateway(Part):
    """The gateway as a part. `functions` maps a function's name to the base URL of its process."""

    def __init__(
        self,
        folder: Path,
        keys: ProjectKeys,
        *,
        rest_url: str,
        functions: Mapping[str, str],
        port: int | None = None,
        functions_port: int | None = None,
        identity: GoogleIdentity | None = None,
    ) -> None:
        self.port = port or free_port()
        self.functions_port = functions_port or free_port()
        self._push_secret = secrets.token_urlsafe(16)
        settings = {
            "keys": keys.dump(),
            "rest_url": rest_url,
            "functions": dict(functions),
            "port": self.port,
            "functions_port": self.functions_port,
            "identity": identity.dump() if identity else None,
            "push_secret": self._push_secret,
        }
        super().__init__(
            "gateway",
            [sys.executable, "-m", "infra.local.gateway"],
            log=folder / "gateway.log",
            ready=lambda: http_answers(self.port, "/healthz"),
            env={_SETTINGS: json.dumps(settings)} | module_path(),
        )

    @property
    def url(self) -> str:
        """SUPABASE_URL."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def functions_url(self) -> str:
        """FUNCTIONS_URL."""
        return f"http://127.0.0.1:{self.functions_port}"

    @property
    def google_keys_url(self) -> str:
        """GOOGLE_KEYS_URL."""
        return f"{self.functions_url}/_google/certs"

    def push_endpoint(self, function: str) -> str:
        """Where Pub/Sub is to push what is for this function. Nobody else is told."""
        return f"{self.functions_url}/_pubsub/{self._push_secret}/{function}"


def main() -> None:
    """Serves until SIGTERM. Raises KeyError without its settings in the environment, OSError when a port is taken."""
    settings = json.loads(os.environ[_SETTINGS])
    app = GatewayApp(
        ProjectKeys.load(settings["keys"]),
        rest=Upstream(settings["rest_url"]),
        functions={name: Upstream(url) for name, url in settings["functions"].items()},
        functions_port=settings["functions_port"],
        pushes=_pushes(settings),
    )
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
    )
    sockets = [_listen(settings["port"]), _listen(settings["functions_port"])]
    uvicorn.Server(config).run(sockets=sockets)


def _pushes(settings: dict[str, Any]) -> Pushes | None:
    if settings["identity"] is None:
        return None
    audience = f"http://127.0.0.1:{settings['functions_port']}"
    return Pushes(GoogleIdentity.load(settings["identity"]), settings["push_secret"], audience, PUSH_ACCOUNT)


def _listen(port: int) -> socket.socket:
    return socket.create_server(("127.0.0.1", port), backlog=_BACKLOG)


if __name__ == "__main__":
    main()
