"""Users' tokens, verified offline: signature by the project's published keys, issuer, audience, expiry."""

from typing import Final
from uuid import UUID

import httpx
import jwt
from pydantic import SecretStr

from shared.caller import Caller
from shared.errors import NotAuthenticated
from shared.published_keys import PublishedKeys

AUDIENCE: Final = "authenticated"
# What Supabase signs with.
ALGORITHM: Final = "ES256"
CLOCK_SKEW_SECONDS: Final = 5.0
MOST_CHARACTERS: Final = 8_000


def bearer(authorization: str | None) -> str:
    """The token of an Authorization header. Raises NotAuthenticated where there is none, or far too much of one."""
    scheme, _, token = (authorization or "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise NotAuthenticated("send an access token: Authorization: Bearer ...")
    if len(token) > MOST_CHARACTERS:
        raise NotAuthenticated("the token is no access token of this project")
    return token


class UserTokens:
    """Verifies Bearer tokens of one Supabase project. Lives with the process; keys are fetched when first needed.

    `issuer`: what tokens name as theirs, where that isn't `<supabase_url>/auth/v1`, as behind a domain of one's own.
    """

    def __init__(self, http: httpx.AsyncClient, supabase_url: str, issuer: str | None = None) -> None:
        base = f"{supabase_url.rstrip('/')}/auth/v1"
        self.keys = PublishedKeys(http, f"{base}/.well-known/jwks.json", ALGORITHM)
        self._issuer = issuer or base

    async def verify(self, authorization: str | None) -> Caller:
        """Who sends this Authorization header. Raises NotAuthenticated, or KeysUnavailable without keys."""
        token = bearer(authorization)
        try:
            claims = jwt.decode(
                token,
                await self.keys.of(token),
                algorithms=[ALGORITHM],
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
