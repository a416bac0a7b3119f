"""HTTP as uvicorn speaks it, with a way for the application to end a connection before it has answered."""

import asyncio
from typing import Any, Final, cast

from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

RESET: Final = "tenths.reset"
"""The scope's extension that ends the connection at once. Without it uvicorn answers 500 for a failed application."""


class ResettableHttp(HttpToolsProtocol):
    """One connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        answer = self.app

        async def resettable(scope: Scope, receive: Receive, send: Send) -> None:
            extended = {**scope, "extensions": {**scope.get("extensions", {}), RESET: transport.abort}}
            await answer(cast("Any", extended), cast("Any", receive), cast("Any", send))

        self.app = cast("Any", resettable)
