"""What Cloud Scheduler does on Google Cloud: work that nobody asks for, now and then."""

import asyncio
from typing import Final

import httpx
import structlog
from pydantic import SecretStr

from infra.local.stack import Stack
from shared.errors import TenthsError
from shared.store.client import StoreClient

REFRESH_EVERY_SECONDS: Final = 60.0

log = structlog.get_logger()


async def keep_summaries_fresh(stack: Stack) -> None:
    """Refresh the view behind the summaries, again and again. They are right without; with it they stay fast."""
    async with httpx.AsyncClient(timeout=900) as http:
        store = StoreClient(http, stack.gateway.url, SecretStr(stack.keys.secret_key))
        while True:
            await asyncio.sleep(REFRESH_EVERY_SECONDS)
            try:
                await store.call("refresh_summaries", {})
            except TenthsError as error:
                log.warning("summaries.not_refreshed", code=error.code)  # the next minute tries again
