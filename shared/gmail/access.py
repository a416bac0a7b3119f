"""Access tokens: fetched with a mailbox's refresh token when first needed, kept until shortly before they end."""

import asyncio
import time
from typing import Final

import httpx
from cachetools import LRUCache
from pydantic import BaseModel, SecretStr, ValidationError

from shared.errors import AccessRevoked, AppRefused, GmailUnavailable, OverQuota
from shared.gmail.errors import retry_after
from shared.tokens import TokenVault

MARGIN_SECONDS: Final = 60.0
MAILBOXES_KEPT: Final = 10_000
# Source: RFC 6749 5.2. The refresh token ended, was revoked or is another app's; all else is about our app.
_REVOKED: Final = "invalid_grant"


class _Answer(BaseModel):
    access_token: SecretStr
    expires_in: float = 3600.0


class _Refusal(BaseModel):
    error: str = ""


class _Kept:
    """One mailbox's token, and the lock that lets one caller fetch it while the others wait."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.token: SecretStr | None = None
        self.good_until = 0.0


class AccessTokens:
    """Gives access tokens for mailboxes."""

    def __init__(
        self, http: httpx.AsyncClient, vault: TokenVault, endpoint: str, client_id: str, client_secret: SecretStr
    ) -> None:
        self._http = http
        self._vault = vault
        self._endpoint = endpoint
        self._client = {"client_id": client_id, "client_secret": client_secret.get_secret_value()}
        self._kept: LRUCache[str, _Kept] = LRUCache(maxsize=MAILBOXES_KEPT)

    async def token(self, refresh_token_encrypted: str) -> str:
        """A token that is good now. Raises AccessRevoked, AppRefused, KeyMissing, GmailUnavailable or OverQuota."""
        kept = self._kept.get(refresh_token_encrypted)
        if kept is None:
            kept = self._kept[refresh_token_encrypted] = _Kept()
        async with kept.lock:
            if kept.token is None or time.monotonic() >= kept.good_until:
                begun = time.monotonic()
                answer = await self._refresh(self._vault.decrypt(refresh_token_encrypted))
                kept.token = answer.access_token
                kept.good_until = begun + answer.expires_in - MARGIN_SECONDS
            return kept.token.get_secret_value()

    def forget(self, refresh_token_encrypted: str, refused: str) -> None:
        """Drop this token of the mailbox: Gmail no longer takes it. One that another caller fetched since stays."""
        kept = self._kept.get(refresh_token_encrypted)
        if kept is not None and kept.token is not None and kept.token.get_secret_value() == refused:
            kept.token = None

    async def _refresh(self, refresh_token: str) -> _Answer:
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token, **self._client}
        try:
            answer = await self._http.post(self._endpoint, data=form)
        except httpx.HTTPError as error:
            raise GmailUnavailable(f"token endpoint: {type(error).__name__}") from error
        if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
            raise OverQuota("token endpoint: too many requests", retry_after=retry_after(answer.headers))
        if answer.status_code >= 500:
            raise GmailUnavailable(f"token endpoint: answered {answer.status_code}")
        try:
            if answer.is_success:
                return _Answer.model_validate_json(answer.content)
            refusal = _Refusal.model_validate_json(answer.content).error
        except ValidationError:
            raise GmailUnavailable(f"token endpoint: answered {answer.status_code} with no such body") from None
        if refusal == _REVOKED:
            raise AccessRevoked("the refresh token was revoked or has ended")
        raise AppRefused(f"token endpoint: answered {answer.status_code}; check GOOGLE_CLIENT_ID and its secret")
