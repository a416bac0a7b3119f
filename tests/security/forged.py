"""Tokens that an attacker may make or come by; none of them is a user's or a machine's own."""

import base64
import json
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from infra.local.google_identity import PUSH_ACCOUNT, SCHEDULER_ACCOUNT, GoogleIdentity
from infra.local.stack import Stack
from infra.local.tokens import ProjectKeys


def _base64url(content: Any) -> str:
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def _parts(token: str) -> tuple[dict[str, Any], dict[str, Any], str]:
    header, claims, signature = token.split(".")
    decoded = [json.loads(base64.urlsafe_b64decode(part + "==")) for part in (header, claims)]
    return decoded[0], decoded[1], signature


def _hmac_with_public_key(keys: ProjectKeys, claims: dict[str, Any], header: dict[str, Any]) -> str:
    """The public key, which everybody knows, taken for a shared secret; by hand, since the library refuses to."""
    import hashlib  # noqa: PLC0415  for this forgery alone
    import hmac  # noqa: PLC0415  the same

    pem = keys.private_key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    signed = f"{_base64url({**header, 'alg': 'HS256'})}.{_base64url(claims)}"
    return f"{signed}.{_base64url(hmac.digest(pem, signed.encode(), hashlib.sha256))}"


def of_a_user(keys: ProjectKeys, victim: UUID, own: str) -> dict[str, str]:
    """Forgeries of a victim's access token, by what is wrong with them. `own`: a good token of the attacker's own."""
    header, claims, signature = _parts(keys.user_token(victim, "v@firm.example"))
    own_header, own_claims, own_signature = _parts(own)
    stranger = replace(keys, private_key=ec.generate_private_key(ec.SECP256R1()))

    def altered(**changed: Any) -> str:
        return f"{_base64url(own_header)}.{_base64url({**own_claims, **changed})}.{own_signature}"

    return {
        "no algorithm": f"{_base64url({**header, 'alg': 'none'})}.{_base64url(claims)}.",
        "no algorithm, oddly spelled": f"{_base64url({**header, 'alg': 'nOnE'})}.{_base64url(claims)}.{signature}",
        "no signature": f"{_base64url(header)}.{_base64url(claims)}.",
        "public key as a shared secret": _hmac_with_public_key(keys, claims, header),
        "another project's key under this one's id": stranger.user_token(victim, "v@firm.example"),
        "another project's key under its own id": replace(stranger, kid="another").user_token(victim, "v@firm.example"),
        "a key that it brings itself": jwt.encode(
            claims,
            stranger.private_key,
            "ES256",
            {"jwk": json.loads(jwt.algorithms.ECAlgorithm.to_jwk(stranger.private_key.public_key()))},
        ),
        "expired": keys.user_token(victim, "v@firm.example", timedelta(hours=-1)),
        "the attacker's own, of the victim now": altered(sub=str(victim)),
        "the attacker's own, of the service now": altered(role="service_role"),
        "the attacker's own, good for ever now": altered(sub=str(victim), exp=int(time.time()) + 10**9),
        "meant for something else": keys.sign(
            {"sub": str(victim), "role": "authenticated", "aud": "another"}, timedelta(hours=1)
        ),
        "no token at all": "nonsense",
        "something that ends in dots": "...",
    }


def for_functions_only(stack: Stack, victim: UUID) -> dict[str, str]:
    """What Supabase's own API would take or can't know, and the functions must refuse all the same."""
    keys = stack.keys
    user = {"sub": str(victim), "role": "authenticated"}
    return {
        "another issuer": keys.sign({**user, "iss": "https://elsewhere.example/auth/v1"}, timedelta(hours=1)),
        "the service's role": keys.service_token(),
        "the service's role, in a user's name": keys.sign({**user, "role": "service_role"}, timedelta(hours=1)),
        "nobody's role": keys.sign({**user, "role": "anon"}, timedelta(hours=1)),
        "no user in it": keys.sign({"role": "authenticated"}, timedelta(hours=1)),
        "no user's id in it": keys.sign({**user, "sub": "' or 1=1 --"}, timedelta(hours=1)),
        "the publishable key": keys.publishable_key,
        "the secret key": keys.secret_key,
        "a machine's token": stack.push_token,
        "the scheduler's token": stack.scheduler_token,
    }


def of_a_machine(stack: Stack, account: str, user_token: str) -> dict[str, str]:
    """Tokens that don't make a caller the machine that has this service account."""
    audience, google = stack.gateway.functions_url, stack.identity
    other = SCHEDULER_ACCOUNT if account == PUSH_ACCOUNT else PUSH_ACCOUNT
    stranger = replace(google, private_key=GoogleIdentity.generate().private_key)
    header, claims, signature = _parts(google.token(audience, account))
    return {
        "a user's token": user_token,
        "the service's token": stack.keys.service_token(),
        "the publishable key": stack.keys.publishable_key,
        "the secret key": stack.keys.secret_key,
        "another audience": google.token("https://elsewhere.example", account),
        "another function's audience": google.token(f"{audience}.example", account),
        "another machine's": google.token(audience, other),
        "anybody's at Google": google.token(audience, "mallory@gmail.com"),
        "an address that nobody verified": google.token(audience, account, email_verified=False),
        "an address of which nothing is said": google.token(audience, account, email_verified=None),
        "verified in words only": google.token(audience, account, email_verified="true"),
        "no address": google.token(audience, account, email=None),
        "expired": google.token(audience, account, good_for=-3600),
        "another issuer": google.token(audience, account, iss="https://accounts.example"),
        "another key under Google's id": stranger.token(audience, account),
        "another key under its own id": GoogleIdentity.generate().token(audience, account),
        "no algorithm": f"{_base64url({**header, 'alg': 'none'})}.{_base64url(claims)}.",
        "no signature": f"{_base64url(header)}.{_base64url(claims)}.",
        "altered": f"{_base64url(header)}.{_base64url({**claims, 'email': 'x' + account})}.{signature}",
    }
