"""Whose token counts: signed by the project's key, for its users, in time. Anything else is nobody's."""

import base64
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from infra.local.gateway import Gateway
from infra.local.ports import free_port
from infra.local.tokens import ProjectKeys
from shared.auth import UserTokens
from shared.errors import KeysUnavailable, NotAuthenticated

USER = uuid4()


@pytest.fixture(scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    """What publishes the project's keys; nothing is behind it."""
    port = free_port()
    keys = ProjectKeys.generate(issuer=f"http://127.0.0.1:{port}/auth/v1")
    part = Gateway(
        tmp_path_factory.mktemp("gateway"), keys, rest_url=f"http://127.0.0.1:{free_port()}", functions={}, port=port
    )
    async with part:
        part.keys = keys  # type: ignore[attr-defined]  # for the tests, beside what it serves
        yield part


@pytest.fixture(scope="module")
def keys(gateway: Gateway) -> ProjectKeys:
    held: ProjectKeys = gateway.keys  # type: ignore[attr-defined]
    return held


@pytest.fixture
async def tokens(gateway: Gateway) -> AsyncIterator[UserTokens]:
    async with httpx.AsyncClient() as http:
        yield UserTokens(http, gateway.url)


async def test_a_users_own_token_is_theirs(tokens: UserTokens, keys: ProjectKeys) -> None:
    token = keys.user_token(USER, "dana@firm.example")
    caller = await tokens.verify(f"Bearer {token}")
    assert (caller.user_id, caller.token.get_secret_value()) == (USER, token)
    assert token not in repr(caller)


def _claims(keys: ProjectKeys, **changes: Any) -> dict[str, Any]:
    now = int(time.time())
    claims = {"sub": str(USER), "role": "authenticated", "aud": "authenticated", "iss": keys.issuer}
    return {
        name: value for name, value in {**claims, "iat": now, "exp": now + 60, **changes}.items() if value is not None
    }


def _signed(keys: ProjectKeys, key: Any = None, kid: Any = ..., **changes: Any) -> str:
    headers = {} if kid is None else {"kid": keys.kid if kid is ... else kid}
    return jwt.encode(
        _claims(keys, **changes), keys.private_key if key is None else key, algorithm="ES256", headers=headers
    )


def _part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _unsigned(keys: ProjectKeys) -> str:
    return f"{_part({'alg': 'none', 'kid': keys.kid})}.{_part(_claims(keys))}."


def _by_public_key(keys: ProjectKeys) -> str:
    """Signed with the public key as if it were a secret that both sides share."""
    public = keys.private_key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    signed = f"{_part({'alg': 'HS256', 'kid': keys.kid})}.{_part(_claims(keys))}"
    mac = hmac.digest(public, signed.encode(), "sha256")
    return f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


FORGED: dict[str, Callable[[ProjectKeys], str]] = {
    "another key under the project's id": lambda keys: _signed(keys, ec.generate_private_key(ec.SECP256R1())),
    "another key": lambda keys: _signed(keys, ec.generate_private_key(ec.SECP256R1()), kid="other"),
    "no key named": lambda keys: _signed(keys, kid=None),
    "unsigned": _unsigned,
    "the public key as a shared secret": _by_public_key,
    "expired": lambda keys: keys.user_token(USER, "d@firm.example", timedelta(minutes=-1)),
    "no expiry": lambda keys: _signed(keys, exp=None),
    "not yet good": lambda keys: _signed(keys, nbf=int(time.time()) + 600),
    "another audience": lambda keys: _signed(keys, aud="anon"),
    "no audience": lambda keys: _signed(keys, aud=None),
    "another project": lambda keys: _signed(keys, iss="https://other.supabase.co/auth/v1"),
    "no issuer": lambda keys: _signed(keys, iss=None),
    "nobody": lambda keys: _signed(keys, sub=None),
    "no user's id": lambda keys: _signed(keys, sub="admin"),
    "the service's": lambda keys: keys.service_token(),
    "a role of its own": lambda keys: _signed(keys, role="service_role"),
    "cut short": lambda keys: _signed(keys)[:-10],
    "changed": lambda keys: _signed(keys).replace(".", ".e30", 1),
    "no token": lambda _keys: "x.y.z",
    "far too long": lambda keys: _signed(keys, note="x" * 10_000),
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
async def test_a_token_that_does_not_count_is_nobodys(
    tokens: UserTokens, keys: ProjectKeys, forge: Callable[[ProjectKeys], str]
) -> None:
    with pytest.raises(NotAuthenticated):
        await tokens.verify(f"Bearer {forge(keys)}")


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic abc", "Token x.y.z"])
async def test_without_a_bearer_token_nobody_asks(tokens: UserTokens, header: str | None) -> None:
    with pytest.raises(NotAuthenticated):
        await tokens.verify(header)


async def test_the_keys_are_fetched_once_and_outlive_their_source(tmp_path: Path) -> None:
    port = free_port()
    project = ProjectKeys.generate(issuer=f"http://127.0.0.1:{port}/auth/v1")
    part = Gateway(tmp_path, project, rest_url=f"http://127.0.0.1:{free_port()}", functions={}, port=port)
    authorization = f"Bearer {project.user_token(USER, 'd@firm.example')}"
    async with httpx.AsyncClient() as http:
        tokens = UserTokens(http, part.url)
        with pytest.raises(KeysUnavailable):  # not the user's fault: no 401
            await tokens.verify(authorization)
        async with part:
            assert (await tokens.verify(authorization)).user_id == USER
        assert (await tokens.verify(authorization)).user_id == USER
