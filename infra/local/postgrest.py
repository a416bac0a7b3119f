"""PostgREST as a part, in front of the stack's Postgres; it finds its way back by itself when Postgres restarts.

    async with Postgrest(folder, database, keys) as postgrest:
        ...                                       # postgrest.url speaks what /rest/v1 speaks behind Supabase's gateway

Behind the gateway only: it knows tokens, not API keys.
"""

import asyncio
import json
from pathlib import Path
from typing import Self

from infra.local.parts import Part, http_answers
from infra.local.ports import free_port
from infra.local.postgres import Postgres
from infra.local.postgrest_binary import postgrest_binary
from infra.local.tokens import AUDIENCE, ProjectKeys

_POOL = 20


class Postgrest(Part):
    """One PostgREST on schema public. Ready when it has read the schema and the database answers."""

    def __init__(self, folder: Path, database: Postgres, keys: ProjectKeys, *, port: int | None = None) -> None:
        self.port = port or free_port()
        self._admin_port = free_port()
        self._database = database
        super().__init__(
            "postgrest",
            [],
            log=folder / "postgrest.log",
            ready=lambda: http_answers(self._admin_port, "/ready"),
            env={
                "PGRST_DB_SCHEMAS": "public",
                "PGRST_DB_EXTRA_SEARCH_PATH": "public,extensions",
                "PGRST_DB_ANON_ROLE": "anon",
                "PGRST_DB_POOL": str(_POOL),
                "PGRST_DB_POOL_ACQUISITION_TIMEOUT": "10",
                "PGRST_DB_CHANNEL_ENABLED": "true",
                "PGRST_JWT_SECRET": json.dumps(keys.jwks()),
                "PGRST_JWT_AUD": AUDIENCE,
                "PGRST_OPENAPI_MODE": "disabled",
                "PGRST_SERVER_HOST": "127.0.0.1",
                "PGRST_SERVER_PORT": str(self.port),
                "PGRST_ADMIN_SERVER_PORT": str(self._admin_port),
                "PGRST_LOG_LEVEL": "error",
            },
        )

    @property
    def url(self) -> str:
        """Where it listens, for the gateway."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> Self:
        """Starts PostgREST, downloading it the first time. Raises PartFailed."""
        self.argv = [str(await asyncio.to_thread(postgrest_binary))]
        self.env["PGRST_DB_URI"] = self._database.socket_url("authenticator")
        return await super().start()
