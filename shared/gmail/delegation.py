"""Domain-wide delegation: a service account that an administrator has let into the mailboxes of a domain (RFC 7523).

What it says to the token endpoint is signed either with a key of its own, or, with no key to keep, by Google's IAM in
the name of the account that the functions run as.
"""

import json
import time
from typing import Any, Final, Protocol

import httpx
from pydantic import BaseModel, SecretStr, ValidationError

from shared.errors import AccessRevoked, AppRefused, GmailUnavailable, SettingsError
from shared.gmail.token_endpoint import GrantRefused, TokenAnswer, TokenEndpoint

SCOPE: Final = "https://www.googleapis.com/auth/gmail.readonly"
GRANT_TYPE: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ASSERTION_SECONDS: Final = 600
# The administrator has not let us in, or no longer, or there is no such user. Source: Google, OAuth 2.0 for service
# accounts, JWT error codes.
_NOT_LET_IN: Final = frozenset({"unauthorized_client", "access_denied"})
_NO_SUCH_USER: Final = "invalid email or user id"
_METADATA_PATH: Final = "/computeMetadata/v1/instance/service-accounts/default/token"


class Signer(Protocol):
    """Signs in the name of a service account."""

    account: str

    async def signed(self, claims: dict[str, Any]) -> str:
        """The claims as a signed JWT. Raises AppRefused or GmailUnavailable."""


class _Key(BaseModel):
    client_email: str
    private_key: SecretStr
    private_key_id: str


class KeySigner:
    """Has the account's own key. `key`: the JSON that Google gives out for one. Raises SettingsError if it is none."""

    def __init__(self, key: SecretStr) -> None:
        try:
            self._key = _Key.model_validate_json(key.get_secret_value())
        except ValidationError:
            raise SettingsError("environment variable DELEGATION_KEY is wrong: not a service account's key") from None
        self.account = self._key.client_email

    async def signed(self, claims: dict[str, Any]) -> str:
        import jwt  # noqa: PLC0415  only a domain's mailboxes need it

        try:
            return jwt.encode(
                claims,
                self._key.private_key.get_secret_value(),
                algorithm="RS256",
                headers={"kid": self._key.private_key_id},
            )
        except (ValueError, TypeError, jwt.PyJWTError):
            raise AppRefused("DELEGATION_KEY holds no key that can sign") from None


class IamSigner:
    """Has Google's IAM sign, in the name of `account`, which the account we run as must be allowed to do."""

    def __init__(self, http: httpx.AsyncClient, account: str, iam_url: str, metadata_url: str) -> None:
        self._http = http
        self.account = account
        self._sign_url = f"{iam_url.rstrip('/')}/v1/projects/-/serviceAccounts/{account}:signJwt"
        self._token_url = f"{metadata_url.rstrip('/')}{_METADATA_PATH}"

    async def signed(self, claims: dict[str, Any]) -> str:
        ours = await self._answer("metadata server", self._token_url, None, {"metadata-flavor": "Google"})
        headers = {"authorization": f"Bearer {ours.get('access_token', '')}"}
        body = {"payload": json.dumps(claims)}
        signed = (await self._answer("IAM signJwt", self._sign_url, body, headers)).get("signedJwt")
        if not isinstance(signed, str):
            raise GmailUnavailable("IAM signJwt: the answer holds no signed JWT")
        return signed

    async def _answer(self, name: str, url: str, body: dict[str, str] | None, headers: dict[str, str]) -> Any:
        try:
            answer = await self._http.request("GET" if body is None else "POST", url, json=body, headers=headers)
        except httpx.HTTPError as error:
            raise GmailUnavailable(f"{name}: {type(error).__name__}") from error
        if 400 <= answer.status_code < 500 and answer.status_code != httpx.codes.TOO_MANY_REQUESTS:
            raise AppRefused(f"{name}: answered {answer.status_code}; may we sign for DELEGATION_ACCOUNT?")
        if not answer.is_success:
            raise GmailUnavailable(f"{name}: answered {answer.status_code}")
        try:
            return dict(answer.json())
        except (ValueError, TypeError):
            raise GmailUnavailable(f"{name}: the answer is no JSON object") from None


class Delegation:
    """Access tokens for the mailboxes of domains that have let the service account in."""

    def __init__(self, endpoint: TokenEndpoint, signer: Signer) -> None:
        self._endpoint = endpoint
        self._signer = signer

    async def token(self, address: str) -> TokenAnswer:
        """For this mailbox, to read. Raises AccessRevoked, AppRefused, GmailUnavailable or OverQuota."""
        now = int(time.time())
        claims = {
            "iss": self._signer.account,
            "sub": address,
            "scope": SCOPE,
            "aud": self._endpoint.url,
            "iat": now,
            "exp": now + ASSERTION_SECONDS,
        }
        assertion = await self._signer.signed(claims)
        try:
            return await self._endpoint.ask({"grant_type": GRANT_TYPE, "assertion": assertion})
        except GrantRefused as refusal:
            if refusal.error in _NOT_LET_IN or _NO_SUCH_USER in refusal.description.lower():
                raise AccessRevoked("the domain's administrator does not let us into this mailbox") from refusal
            # A key that was deleted, a clock that is wrong: the mailbox is as it was.
            raise AppRefused(f"{refusal}; check the delegation's service account") from refusal
