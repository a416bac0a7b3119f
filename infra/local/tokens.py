"""What a Supabase project's auth gives out, signed locally: API keys, an ES256 key pair, users' and service tokens.

    keys = ProjectKeys.generate(issuer=f"{gateway_url}/auth/v1")
    keys.jwks()                                   # for PostgREST, for /auth/v1/.well-known/jwks.json
    keys.user_token(user_id, "ada@example.com")   # a Bearer token, good for a day

Verified by whoever holds the JWKS, as a hosted project's are.
"""

import base64
import json
import secrets
import time
import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Self
from uuid import UUID

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

AUDIENCE = "authenticated"
_ALGORITHM = "ES256"
_COORDINATE_BYTES = 32


@dataclass(frozen=True)
class ProjectKeys:
    """The keys of one project. `issuer` is `<SUPABASE_URL>/auth/v1`; secrets stay out of repr."""

    issuer: str
    kid: str
    publishable_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    private_key: ec.EllipticCurvePrivateKey = field(repr=False)

    @classmethod
    def generate(cls, issuer: str) -> Self:
        """New keys, unlike any others."""
        return cls(
            issuer=issuer,
            kid=str(uuid.uuid4()),
            publishable_key=f"sb_publishable_{secrets.token_urlsafe(24)}",
            secret_key=f"sb_secret_{secrets.token_urlsafe(24)}",
            private_key=ec.generate_private_key(ec.SECP256R1()),
        )

    @classmethod
    def load(cls, text: str) -> Self:
        """The keys that `dump` wrote. Raises ValueError when `text` isn't such."""
        try:
            values = json.loads(text)
            private_key = serialization.load_pem_private_key(values.pop("private_key").encode(), None)
            keys = cls(private_key=private_key, **values)  # type: ignore[arg-type]  # its kind is asked for below
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"these are not a project's keys: {error}") from error
        if not isinstance(private_key, ec.EllipticCurvePrivateKey):
            raise ValueError("a project's key is an elliptic-curve one")  # noqa: TRY004  the text is wrong, not a type
        return keys

    def dump(self) -> str:
        """All of it as JSON, secrets in clear: for another process's environment, or a file only we can read."""
        pem = self.private_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return json.dumps(
            {
                "issuer": self.issuer,
                "kid": self.kid,
                "publishable_key": self.publishable_key,
                "secret_key": self.secret_key,
                "private_key": pem.decode(),
            }
        )

    def jwks(self) -> dict[str, Any]:
        """The public key as a JSON Web Key Set."""
        point = self.private_key.public_key().public_numbers()
        return {
            "keys": [
                {
                    "kty": "EC",
                    "crv": "P-256",
                    "x": _base64url(point.x),
                    "y": _base64url(point.y),
                    "kid": self.kid,
                    "alg": _ALGORITHM,
                    "use": "sig",
                    "key_ops": ["verify"],
                }
            ]
        }

    def user_token(self, user_id: UUID | str, email: str, lifetime: timedelta = timedelta(days=1)) -> str:
        """What a signed-in user sends as Bearer. A lifetime below zero gives one that has expired."""
        return self.sign({"sub": str(user_id), "email": email, "role": "authenticated"}, lifetime)

    def service_token(self, lifetime: timedelta = timedelta(days=1)) -> str:
        """What the gateway sends to PostgREST in place of the secret key."""
        return self.sign({"role": "service_role"}, lifetime)

    def sign(self, claims: dict[str, Any], lifetime: timedelta) -> str:
        """Any claims, with the project's iss, aud, iat and exp beneath them."""
        now = int(time.time())
        standard = {"iss": self.issuer, "aud": AUDIENCE, "iat": now, "exp": now + int(lifetime.total_seconds())}
        return jwt.encode(standard | claims, self.private_key, algorithm=_ALGORITHM, headers={"kid": self.kid})


def _base64url(number: int) -> str:
    return base64.urlsafe_b64encode(number.to_bytes(_COORDINATE_BYTES)).rstrip(b"=").decode()
