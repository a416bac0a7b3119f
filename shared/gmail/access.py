"""Access tokens: fetched with what opens a mailbox when first needed, kept until shortly before they end."""

import asyncio
import time
from typing import Final

import httpx
from cachetools import LRUCache
from pydantic import SecretStr

from shared.errors import AccessRevoked, AppRefused
from shared.gmail.delegation import Delegation, Signer
from shared.gmail.token_endpoint import GrantRefused, TokenAnswer, TokenEndpoint
from shared.tokens import TokenVault, delegated_address

MARGIN_SECONDS: Final = 60.0
MAILBOXES_KEPT: Final = 10_000
# Source: RFC 6749 5.2. The refresh token ended, was revoked or is another app's; all else is about our app.
_REVOKED: Final = "invalid_grant"


class _Kept:
    """One mailbox's token, and the lock that lets one caller fetch it while the others wait."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.token: SecretStr | None = None
        self.good_until = 0.0


class AccessTokens:
    """Gives access tokens for mailboxes. `signer` None: no domain lets us in, each mailbox has its owner's token."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        vault: TokenVault,
        endpoint: str,
        client_id: str,
        client_secret: SecretStr,
        *,
        signer: Signer | None = None,
    ) -> None:
        self._vault = vault
        self._endpoint = TokenEndpoint(http, endpoint)
        self._client = {"client_id": client_id, "client_secret": client_secret.get_secret_value()}
        self._delegation = Delegation(self._endpoint, signer) if signer else None
        self._kept: LRUCache[str, _Kept] = LRUCache(maxsize=MAILBOXES_KEPT)

    async def token(self, refresh_token_encrypted: str) -> str:
        """A token that is good now. Raises AccessRevoked, AppRefused, KeyMissing, GmailUnavailable or OverQuota."""
        kept = self._kept_for(refresh_token_encrypted)
        async with kept.lock:
            if kept.token is None or time.monotonic() >= kept.good_until:
                begun = time.monotonic()
                answer = await self._fetch(self._vault.decrypt(refresh_token_encrypted))
                kept.token = answer.access_token
                kept.good_until = begun + answer.expires_in - MARGIN_SECONDS
            return kept.token.get_secret_value()

    def remember(self, refresh_token_encrypted: str, answer: TokenAnswer) -> None:
        """Keep the access token that came together with a new refresh token."""
        kept = self._kept_for(refresh_token_encrypted)
        kept.token = answer.access_token
        kept.good_until = time.monotonic() + answer.expires_in - MARGIN_SECONDS

    def forget(self, refresh_token_encrypted: str, refused: str) -> None:
        """Drop this token of the mailbox: Gmail no longer takes it. One that another caller fetched since stays."""
        kept = self._kept.get(refresh_token_encrypted)
        if kept is not None and kept.token is not None and kept.token.get_secret_value() == refused:
            kept.token = None

    async def redeem(self, code: str, verifier: str, redirect_uri: str) -> TokenAnswer:
        """What an authorization code is good for. Raises GrantRefused, AppRefused, GmailUnavailable or OverQuota."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "code_verifier": verifier,
            "redirect_uri": redirect_uri,
            **self._client,
        }
        try:
            return await self._endpoint.ask(form)
        except GrantRefused as refusal:
            if refusal.error == _REVOKED:
                raise
            raise AppRefused(f"{refusal}; check GOOGLE_CLIENT_ID, its secret and CALLBACK_URL") from refusal

    def _kept_for(self, refresh_token_encrypted: str) -> _Kept:
        kept = self._kept.get(refresh_token_encrypted)
        if kept is None:
            kept = self._kept[refresh_token_encrypted] = _Kept()
        return kept

    async def _fetch(self, secret: str) -> TokenAnswer:
        address = delegated_address(secret)
        if address is None:
            return await self._refresh(secret)
        if self._delegation is None:
            raise AppRefused("a mailbox is entered by delegation, and neither DELEGATION_KEY nor _ACCOUNT is set")
        return await self._delegation.token(address)

    async def _refresh(self, refresh_token: str) -> TokenAnswer:
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token, **self._client}
        try:
            return await self._endpoint.ask(form)
        except GrantRefused as refusal:
            if refusal.error == _REVOKED:
                raise AccessRevoked("the refresh token was revoked or has ended") from refusal
            raise AppRefused(f"{refusal}; check GOOGLE_CLIENT_ID and its secret") from refusal
