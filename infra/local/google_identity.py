"""Google's signature under the tokens of machines: a key pair of this stack, and OIDC tokens as Pub/Sub sends them.

identity = GoogleIdentity.generate()
identity.jwks()                                        # GOOGLE_KEYS_URL, as the gateway publishes it
identity.token("https://.../gmail_push", PUSH_ACCOUNT)   # what comes with a push
"""

import json
import time
import uuid
from dataclasses import dataclass, field
from typing import Any, Self

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

PUSH_ACCOUNT = "push@tenths-local.iam.gserviceaccount.com"
SCHEDULER_ACCOUNT = "scheduler@tenths-local.iam.gserviceaccount.com"
_ALGORITHM = "RS256"
_ISSUER = "https://accounts.google.com"
HOUR_SECONDS = 3600


@dataclass(frozen=True)
class GoogleIdentity:
    """Signs for any service account. The key stays out of repr."""

    kid: str
    private_key: rsa.RSAPrivateKey = field(repr=False)

    @classmethod
    def generate(cls) -> Self:
        return cls(uuid.uuid4().hex, rsa.generate_private_key(public_exponent=65537, key_size=2048))

    @classmethod
    def load(cls, text: str) -> Self:
        """What `dump` wrote. Raises ValueError when `text` isn't such."""
        values = json.loads(text)
        private_key = serialization.load_pem_private_key(values["private_key"].encode(), None)
        if not isinstance(private_key, rsa.RSAPrivateKey):
            raise ValueError("Google's key is an RSA one")  # noqa: TRY004  the text is wrong, not a type
        return cls(values["kid"], private_key)

    def dump(self) -> str:
        """All of it as JSON, the secret in clear: for another process's environment."""
        pem = self.private_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return json.dumps({"kid": self.kid, "private_key": pem.decode()})

    def jwks(self) -> dict[str, Any]:
        """The public key as a JSON Web Key Set."""
        key = json.loads(RSAAlgorithm.to_jwk(self.private_key.public_key()))
        return {"keys": [{**key, "kid": self.kid, "use": "sig", "alg": _ALGORITHM}]}

    def token(self, audience: str, account: str, *, good_for: float = HOUR_SECONDS, **claims: Any) -> str:
        """A token that says so for so many seconds. `claims` are set as given; None leaves one out."""
        now = int(time.time())
        said: dict[str, Any] = {
            "iss": _ISSUER,
            "aud": audience,
            "azp": "100000000000000000001",
            "sub": "100000000000000000001",
            "email": account,
            "email_verified": True,
            "iat": now,
            "exp": now + int(good_for),
            **claims,
        }
        kept = {name: value for name, value in said.items() if value is not None}
        return jwt.encode(kept, self.private_key, algorithm=_ALGORITHM, headers={"kid": self.kid})
