"""The app's service account, and the domains whose administrators have let it in (RFC 7523, as Google has it)."""

import json
import sqlite3
import time
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from infra.local.gmail.consent import READONLY_SCOPE
from infra.local.gmail.errors import OAuthError
from infra.local.gmail.mailboxes import Mailbox, Mailboxes

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ACCOUNT = "mail-reader@tenths-local.iam.gserviceaccount.com"
_ALGORITHM = "RS256"
_LONGEST_S = 3_600
# Google allows for clocks that differ.
_LEEWAY_S = 10


class ServiceAccount:
    """Has one key, made with the data folder. `domains` have let it in, for reading alone."""

    def __init__(self, database: sqlite3.Connection, mailboxes: Mailboxes) -> None:
        self._mailboxes = mailboxes
        self.domains: set[str] = set()
        row = database.execute("select key_id, private_key from service_account").fetchone()
        if row is None:
            key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
            pem = key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            with database:
                database.execute(
                    "insert into service_account (key_id, private_key) values (hex(randomblob(20)), ?)", (pem.decode(),)
                )
            row = database.execute("select key_id, private_key from service_account").fetchone()
        self._key_id, self._private_key = row["key_id"], row["private_key"]
        private_key = serialization.load_pem_private_key(self._private_key.encode(), None)
        self._public_key: Any = private_key.public_key()

    def key(self, token_uri: str) -> str:
        """The key file that Google gives out for it, as JSON."""
        return json.dumps(
            {
                "type": "service_account",
                "project_id": "tenths-local",
                "private_key_id": self._key_id,
                "private_key": self._private_key,
                "client_email": ACCOUNT,
                "token_uri": token_uri,
            }
        )

    def signed(self, payload: str) -> str:
        """What IAM's signJwt gives for claims as JSON text. Raises ValueError."""
        return jwt.encode(json.loads(payload), self._private_key, _ALGORITHM, headers={"kid": self._key_id})

    def mailbox(self, assertion: str, audience: str) -> Mailbox:
        """The mailbox that an assertion opens. Raises OAuthError, in Google's words."""
        claims = self._claims(assertion, audience)
        if claims.get("scope") != READONLY_SCOPE or str(claims.get("sub", "")).rpartition("@")[2] not in self.domains:
            raise OAuthError(
                "unauthorized_client",
                "Client is unauthorized to retrieve access tokens using this method, or client not authorized for any"
                " of the scopes requested.",
                401,
            )
        mailbox = self._mailboxes.find(claims["sub"])
        if mailbox is None:
            raise OAuthError("invalid_grant", "Invalid email or User ID")
        return mailbox

    def _claims(self, assertion: str, audience: str) -> dict[str, Any]:
        try:
            claims: dict[str, Any] = jwt.decode(
                assertion,
                self._public_key,
                algorithms=[_ALGORITHM],
                audience=audience,
                leeway=_LEEWAY_S,
                options={"require": ["iss", "aud", "iat", "exp", "sub"]},
            )
        except jwt.InvalidSignatureError:
            raise OAuthError("invalid_grant", "Invalid JWT Signature.") from None
        except jwt.InvalidTokenError:
            raise OAuthError("invalid_grant", "Invalid JWT: a claim is missing or wrong.") from None
        if claims["iss"] != ACCOUNT:
            raise OAuthError("invalid_grant", "Invalid grant: account not found")
        if claims["exp"] - claims["iat"] > _LONGEST_S or claims["exp"] > time.time() + _LONGEST_S + _LEEWAY_S:
            raise OAuthError("invalid_grant", "Invalid JWT: Token must be a short-lived token (60 minutes).")
        return claims
