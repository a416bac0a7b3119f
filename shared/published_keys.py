"""Keys that an issuer of tokens publishes (a JSON Web Key Set): fetched when first needed, and as they change."""

import asyncio
import time
from typing import Any, Final

import httpx
import jwt
import structlog

from shared.errors import KeysUnavailable

KEYS_GOOD_FOR_SECONDS: Final = 600.0
# A token of an unknown key has the keys fetched anew, since they may have been rotated, but no more often than this.
FETCH_AGAIN_AFTER_SECONDS: Final = 10.0
FIRST_FETCH_AGAIN_AFTER_SECONDS: Final = 0.1
FETCH_SECONDS: Final = 3.0

log = structlog.get_logger()


class PublishedKeys:
    """The keys at one address, for signatures of one algorithm. Lives with the process.

    A token can't choose its algorithm: "none" and shared secrets are no part of it.
    """

    def __init__(self, http: httpx.AsyncClient, url: str, algorithm: str) -> None:
        self._http = http
        self._url = url
        self.algorithm = algorithm
        self._keys: dict[str, Any] = {}
        self._fetched_at = self._tried_at = float("-inf")
        self._lock = asyncio.Lock()
        self._refreshing: asyncio.Task[None] | None = None

    async def of(self, token: str) -> Any:
        """The key that the token names. Raises jwt.InvalidTokenError where there is none such, or KeysUnavailable."""
        header = jwt.get_unverified_header(token)
        kid = header.get("kid")
        if header.get("alg") != self.algorithm or not isinstance(kid, str):
            raise jwt.InvalidTokenError("not signed as this issuer's tokens are")
        if kid not in self._keys:
            await self._fetch_unless_just_done(FETCH_AGAIN_AFTER_SECONDS)
        elif time.monotonic() - self._fetched_at > KEYS_GOOD_FOR_SECONDS and not self._lock.locked():
            # Meanwhile the key at hand is good: whoever has one waits for nobody.
            self._refreshing = asyncio.create_task(self._fetch_unless_just_done(KEYS_GOOD_FOR_SECONDS))
        if kid in self._keys:
            return self._keys[kid]
        if self._tried_at > self._fetched_at:  # it may be a new one, and who holds it is none the worse
            raise KeysUnavailable("the keys that tokens are checked with can't be fetched", retry_after=5.0)
        raise jwt.InvalidTokenError("signed with a key that is not the issuer's")

    async def _fetch_unless_just_done(self, seconds: float) -> None:
        async with self._lock:
            now = time.monotonic()
            # A server that fails is not asked again and again by whoever makes up a key's name.
            pause = FETCH_AGAIN_AFTER_SECONDS if self._keys else FIRST_FETCH_AGAIN_AFTER_SECONDS
            if now - self._fetched_at > seconds and now - self._tried_at > pause:
                await self._fetch()

    async def _fetch(self) -> None:
        """Fetch the keys. Those at hand stay good while new ones can't be had."""
        self._tried_at = time.monotonic()
        try:
            answer = await self._http.get(self._url, timeout=FETCH_SECONDS)
            answer.raise_for_status()
            keys = jwt.PyJWKSet.from_dict(answer.json())
        except (httpx.HTTPError, ValueError, TypeError, AttributeError, jwt.PyJWTError) as error:
            log.warning("keys.not_fetched", kind=type(error).__name__)
            return
        self._keys = {key.key_id: key for key in keys.keys if key.key_id and key.algorithm_name == self.algorithm}
        self._fetched_at = time.monotonic()
