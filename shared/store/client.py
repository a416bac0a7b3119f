"""One way to call the database, and its errors as ours."""

from typing import Any, Final

import httpx
import stamina
from postgrest import AsyncPostgrestClient
from postgrest.exceptions import APIError
from pydantic import SecretStr

from shared import metrics
from shared.errors import StoreRefused, StoreUnavailable

ATTEMPTS: Final = 3

# SQLSTATE classes and PostgREST codes that say that the call itself is wrong, however often it is sent. All else,
# a code that is missing too, comes from servers that start, stop, fail or are busy, and may be gone by the next try.
# Source: PostgreSQL, appendix A (error codes); PostgREST, errors.
_REFUSED: Final = (
    "21",  # cardinality violation
    "22",  # data exception
    "23",  # integrity constraint violation
    "42",  # syntax error, missing right, unknown name
    "P0",  # raised by our own functions
    "PGRST1",  # the request
    "PGRST2",  # the schema
    "PGRST3",  # the token
)


class StoreClient:
    """Calls functions of the database.

    With the secret key: then every call names the one user or mailbox it is for. Or with the publishable key and a
    user's own token: then row level security decides.
    """

    def __init__(
        self, http: httpx.AsyncClient, supabase_url: str, api_key: SecretStr, user_token: SecretStr | None = None
    ) -> None:
        headers = {"apikey": api_key.get_secret_value()}
        if user_token is not None:
            headers["authorization"] = f"Bearer {user_token.get_secret_value()}"
        self._postgrest = AsyncPostgrestClient(
            f"{supabase_url.rstrip('/')}/rest/v1", headers=headers, http_client=http, retry_enabled=False
        )

    async def call(self, function: str, arguments: dict[str, Any]) -> Any:
        """Call a function; give what it returns, as JSON. Raises StoreUnavailable or StoreRefused.

        Tried again within seconds: every function here may run twice.
        """
        async for attempt in stamina.retry_context(
            on=StoreUnavailable, attempts=ATTEMPTS, timeout=None, wait_initial=0.1, wait_jitter=0.2, wait_max=2.0
        ):
            with attempt:
                return await self._call_once(function, arguments)
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def _call_once(self, function: str, arguments: dict[str, Any]) -> Any:
        try:
            with metrics.timed(metrics.database_calls, {"call": function}) as went:
                answer = await self._postgrest.rpc(function, arguments).execute()
                went.name = "done"
        except APIError as error:
            # Only the code: message and details may quote a row.
            code = str(error.code or "no code")
            if code.startswith(_REFUSED):
                raise StoreRefused(f"{function}: {code}", sqlstate=code) from None
            raise StoreUnavailable(f"{function}: {code}") from None
        except httpx.HTTPError as error:
            raise StoreUnavailable(f"{function}: {type(error).__name__}") from error
        return answer.data
