"""Users' tokens, verified offline: signature by the project's published keys, issuer, audience, expiry."""

import asyncio
import time
from typing import Any, Final
from uuid import UUID

import httpx
import jwt
import structlog
from pydantic import SecretStr

from shared.caller import Caller
from shared.errors import NotAuthenticated, StoreUnavailable

AUDIENCE: Final = "authenticated"
# What Supabase signs with. A token can't choose another: "none" and shared secrets are no part of it.
ALGORITHMS: Final = ("ES256",)
KEYS_GOOD_FOR_SECONDS: Final = 600.0
# A token of an unknown key has the keys fetched anew, since they may have been rotated, but no more often than this.
FETCH_AGAIN_AFTER_SECONDS: Final = 10.0
FIRST_FETCH_AGAIN_AFTER_SECONDS: Final = 0.1
FETCH_SECONDS: Final = 3.0
CLOCK_SKEW_SECONDS: Final = 5.0
MOST_CHARACTERS: Final = 8_000


log = structlog.get_logger()


class UserTokens:
    """Verifies Bearer tokens of one Supabase project. Lives with the process; keys are fetched when first needed.

    `issuer`: what tokens name as theirs, where that isn't `<supabase_url>/auth/v1`, as behind a domain of one's own.
    """

    def __init__(self, http: httpx.AsyncClient, supabase_url: str, issuer: str | None = None) -> None:
        self._http = http
        self._jwks_url = f"{supabase_url.rstrip('/')}/auth/v1/.well-known/jwks.json"
        self._issuer = issuer or f"{supabase_url.rstrip('/')}/auth/v1"
        self._keys: dict[str, Any] = {}
        self._fetched_at = self._tried_at = float("-inf")
        self._lock = asyncio.Lock()
        self._refreshing: asyncio.Task[None] | None = None

    async def verify(self, authorization: str | None) -> Caller:
        """Who sends this Authorization header. Raises NotAuthenticated, or StoreUnavailable without keys."""
        scheme, _, token = (authorization or "").partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise NotAuthenticated("send a user's access token: Authorization: Bearer ...")
        if len(token) > MOST_CHARACTERS:
            raise NotAuthenticated("the token is no access token of this project")
        try:
            key = await self._key(jwt.get_unverified_header(token))
            claims = jwt.decode(
                token,
                key,
                algorithms=list(ALGORITHMS),
                audience=AUDIENCE,
                issuer=self._issuer,
                leeway=CLOCK_SKEW_SECONDS,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
            user_id = UUID(claims["sub"])
        except jwt.ExpiredSignatureError:
            raise NotAuthenticated("the token has expired") from None
        except (jwt.InvalidTokenError, ValueError):
            raise NotAuthenticated("the token is no access token of this project") from None
        if claims.get("role") != AUDIENCE:
            raise NotAuthenticated("the token is not a user's")
        return Caller(user_id, SecretStr(token))

    async def _key(self, header: dict[str, Any]) -> Any:
        """The key that the header names. Raises jwt.InvalidTokenError where there is none."""
        kid = header.get("kid")
        if header.get("alg") not in ALGORITHMS or not isinstance(kid, str):
            raise jwt.InvalidTokenError("not signed as users' tokens are")
        if kid not in self._keys:
            await self._fetch_unless_just_done(FETCH_AGAIN_AFTER_SECONDS)
        elif time.monotonic() - self._fetched_at > KEYS_GOOD_FOR_SECONDS and not self._lock.locked():
            # Meanwhile the key at hand is good: whoever has one waits for nobody.
            self._refreshing = asyncio.create_task(self._fetch_unless_just_done(KEYS_GOOD_FOR_SECONDS))
        if kid in self._keys:
            return self._keys[kid]
        if self._tried_at > self._fetched_at:  # it may be a new one, and who holds it is none the worse
            raise StoreUnavailable("the project's keys can't be fetched", retry_after=5.0)
        raise jwt.InvalidTokenError("signed with a key that is not the project's")

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
            answer = await self._http.get(self._jwks_url, timeout=FETCH_SECONDS)
            answer.raise_for_status()
            keys = jwt.PyJWKSet.from_dict(answer.json())
        except (httpx.HTTPError, ValueError, TypeError, AttributeError, jwt.PyJWTError) as error:
            log.warning("keys.not_fetched", kind=type(error).__name__)
            return
        self._keys = {key.key_id: key for key in keys.keys if key.key_id and key.algorithm_name in ALGORITHMS}
        self._fetched_at = time.monotonic()
