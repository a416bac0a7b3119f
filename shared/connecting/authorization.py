"""Google's consent screen: where a person is sent, and what the code that comes back is good for (RFC 6749, 7636)."""

import hashlib
import secrets
from base64 import urlsafe_b64encode
from typing import Final
from urllib.parse import urlencode

from shared.errors import InConflict
from shared.gmail.access import AccessTokens
from shared.gmail.delegation import SCOPE
from shared.gmail.token_endpoint import GrantRefused, TokenAnswer


def new_verifier() -> str:
    """What only we know, and show when the code is redeemed: 43 characters."""
    return secrets.token_urlsafe(32)


def _challenge(verifier: str) -> str:
    return urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


_ASKED: Final = {
    "response_type": "code",
    "scope": SCOPE,
    "code_challenge_method": "S256",
    "access_type": "offline",  # mail is read while the person is away
    "prompt": "consent",  # without it, whoever has agreed once gets no refresh token again
    "include_granted_scopes": "false",
}


class Authorization:
    """Asks for permission to read a mailbox, and for nothing else. `callback_url`: as it is registered with Google."""

    def __init__(self, tokens: AccessTokens, endpoint: str, client_id: str, callback_url: str) -> None:
        self._tokens = tokens
        self._endpoint = endpoint
        self._client_id = client_id
        self._callback_url = callback_url

    def url(self, state: str, verifier: str, login_hint: str | None) -> str:
        """Where the person agrees or doesn't. `login_hint`: the address that Google is to suggest."""
        query = {
            **_ASKED,
            "client_id": self._client_id,
            "redirect_uri": self._callback_url,
            "state": state,
            "code_challenge": _challenge(verifier),
        }
        if login_hint is not None:
            query["login_hint"] = login_hint
        return f"{self._endpoint}?{urlencode(query)}"

    async def redeem(self, code: str, verifier: str) -> TokenAnswer:
        """The tokens that a code stands for, checked to be what was asked for.

        Raises InConflict with what the person can do, and AppRefused, GmailUnavailable or OverQuota. What is refused
        here is dropped, not given back to Google: that would end an earlier connection of the mailbox, too.
        """
        try:
            answer = await self._tokens.redeem(code, verifier, self._callback_url)
        except GrantRefused as refusal:
            raise InConflict("Google does not take this code, or no longer: nothing was connected; start again") from (
                refusal
            )
        # A person can untick it; and more than that is more than we want to hold.
        if answer.scope.split() != [SCOPE]:
            raise InConflict(
                "reading email was not allowed, or not that alone: nothing was connected; start again, and leave the"
                " box for reading email ticked"
            )
        if answer.refresh_token is None:
            raise InConflict("Google gave no lasting permission: nothing was connected; start again")
        return answer
