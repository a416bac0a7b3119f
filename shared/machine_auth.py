"""Machines that call functions, Pub/Sub and Cloud Scheduler, by the OIDC token that Google signs for them.

Google's front end has looked at it before, where the function's IAM says who may call. This is the second lock: it
holds when somebody opens the first by mistake, and it is the one that a test can try.
"""

from collections.abc import Collection
from typing import Final

import httpx
import jwt

from shared.auth import CLOCK_SKEW_SECONDS, bearer
from shared.errors import NotAuthenticated
from shared.published_keys import PublishedKeys

# Source: Google, OpenID Connect, validating an ID token; Pub/Sub, authenticating push requests.
ISSUERS: Final = ("https://accounts.google.com", "accounts.google.com")
ALGORITHM: Final = "RS256"


class MachineCallers:
    """Verifies that a request comes from one of these service accounts, and was meant for this function.

    `audience` alone would admit any project's token: every Google account may ask for one with any audience.
    """

    def __init__(self, http: httpx.AsyncClient, keys_url: str, audience: str, accounts: Collection[str]) -> None:
        self.keys = PublishedKeys(http, keys_url, ALGORITHM)
        self._audience = audience
        self._accounts = frozenset(accounts)

    async def verify(self, authorization: str | None) -> str:
        """The account that sends this Authorization header. Raises NotAuthenticated or KeysUnavailable."""
        token = bearer(authorization)
        try:
            claims = jwt.decode(
                token,
                await self.keys.of(token),
                algorithms=[ALGORITHM],
                audience=self._audience,
                issuer=ISSUERS,
                leeway=CLOCK_SKEW_SECONDS,
                options={"require": ["exp", "iat", "iss", "aud", "email"]},
            )
        except jwt.ExpiredSignatureError:
            raise NotAuthenticated("the token has expired") from None
        except (jwt.InvalidTokenError, ValueError):
            raise NotAuthenticated("the token is not Google's, or not meant for this function") from None
        if claims.get("email_verified") is not True or claims["email"] not in self._accounts:
            raise NotAuthenticated("the token's account may not call this function")
        return str(claims["email"])
